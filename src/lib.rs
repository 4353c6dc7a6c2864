//! tollgate stops SMS pumping before a message is paid for.
//!
//! (The architecture follows.)
pub mod admin;
pub mod app;
pub mod attempt;
pub mod commands;
pub mod config;
pub mod policy;
pub mod proxy;
pub mod risk;
pub mod telemetry;
pub mod tls;
