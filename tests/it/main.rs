//! What tollgate promises, checked from outside: over sockets, through the engine's public API, and by its commands.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "deadlines of tests are measured on the real clock")]

mod budget;
mod commands;
mod config;
mod decisions;
mod drain;
mod forwarding;
mod geo;
mod harness;
mod http2;
mod identity;
mod imports;
mod judgement;
mod layers;
mod limits;
mod memory;
mod numbers;
mod overload;
mod privacy;
mod routes;
mod streaming;
mod unreadable;
mod upstream;
mod whatif;
