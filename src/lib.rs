//! tollgate stops SMS pumping: it stands in front of the endpoints that make a company pay for a text message, reads
//! the phone number out of each request, scores the attempt, and allows, challenges or blocks it **before** a provider
//! is asked to send anything.
//!
//! This page is the architecture. Where a change makes it wrong, change this page first.
//!
//! # Tenets: the earlier wins
//! 0. No message is paid for that policy did not permit.
//! 1. A legitimate user gets a code, or a plain way to get one.
//! 2. Every refusal on a guarded endpoint can be explained from one log line; floods are counted instead.
//! 3. Nobody's phone number leaks: not to logs, metrics, error bodies or the admin side, unless the operator asks.
//! 4. Latency and cost.
//! 5. Flexibility.
//!
//! # The rows: who may import whom
//! ```text
//! row 5   main                               arguments and exit codes
//! row 4b  commands                           what a user can ask for; only these print
//! row 4a  app                                puts the parts together, runs them, ends them in order
//! row 3   config                             composes the other modules' own Config types
//! row 2b  proxy  admin                       async, hyper, tower: everything that waits for somebody
//! row 2a  telemetry  tls  geo                block log, metrics, certificates, where clients are
//! row 1b  policy                             evidence becomes a verdict
//! row 1a  risk                               attempts become evidence; the only memory
//! row 0   attempt                            values: numbers, countries, clients, time
//! ```
//! A module imports only from rows below its own; `tests/it/layers.rs` holds the table. Telemetry has a row of its own
//! below the proxy, because the guard writes decisions and counts them. Rows 0 and 1 hold no `async`, no HTTP, no clock
//! and no logging: time arrives as [`attempt::Attempt::at`], reasons leave as values.
//!
//! # The request's path
//! ```text
//! accept ─ tls ─ hyper ─ stamp (time, client, request id) ─ load shed ─ concurrency ─ ceiling ─ Guard
//!
//! Guard: endpoint? ──none──────────────────────────────────────────────────────► forward (streamed, untouched)
//!            │ one                        └─ spelled so that it might be one ──► 400
//!         read whole (bounded in size and time) ──► 413, 408
//!            │
//!         extract: one meaning or none ──unreadable──► 422
//!            │ numbers
//!         policy.decide, which replay asks as well:
//!            engine.check_number ──used up──► 429
//!            policy.rule ─ engine.assess ─ judge, for each; the worst counts
//!            │ Allow                      └─ Challenge, Block ──► 403
//!            engine.reserve: exact limits and budgets, all or nothing ──used up──► 429
//!            engine.record: what was decided is what is learned
//!            │
//!         Permitted ──► forward (the same bytes, once) ──► the upstream's answer, or 502, 504
//! ```
//! - `forward` takes only a `Permitted`, which only the guard makes: forwarding without a decision does not compile.
//! - "No endpoint matched" and "no number could be read" are different types. Absence is never permission.
//! - A guarded request is decided before any byte goes upstream, and what goes is what came, since providers sign it.
//! - Only WebSockets are upgraded: any other protocol would carry requests that nobody judged.
//! - A request is given to the upstream once. It is given to another connection only if hyper hands it back unwritten.
//! - Errors become responses in one place, `proxy::rescue`; all refusals have one body.
//!
//! # Threads
//! One thread per core, each with a single-threaded runtime, its own listening sockets (`SO_REUSEPORT`) and its own
//! upstream connections: a request never changes threads and pools need no sharing. The task that serves a request also
//! drives its upstream connection. The engine, the ceiling and the
//! metrics are shared. One control thread serves the admin side, forgets what has expired and loads databases that have
//! changed; one more writes the block log.
//!
//! # The engine
//! [`risk::Engine`] is deterministic: the same attempts and events at the same times give the same assessments, in the
//! live proxy and in `tollgate replay`. Evidence is in decibans and adds up: `score = 100 / (1 + 10^(-points/10))`.
//! Every attempt is counted under keys from wide to narrow, of where it goes and of who asks. A key is accused by codes
//! that were not typed, and by more numbers than its learned share of ordinary traffic explains. Only typed codes teach
//! what is ordinary where they are seen, so that an attack does not teach itself innocent. The narrowest key that explains
//! the evidence is to blame. Assessing only looks; recording learns. Limits are exact: a sliding log of what passed, taken
//! atomically. Budgets are exact too: money for messages that nobody answered, which no score overrules. A declared event
//! silences what it explains. `docs/detection.md` has the formulas.
//!
//! # Who owns state
//! | state | owner | others get |
//! |---|---|---|
//! | per-client ceiling | `proxy::ceiling` (tower-governor) | 429 |
//! | keys, numbers, open sends | [`risk::Engine`], in bounded tables behind one lock | an [`risk::Assessment`] |
//! | exact limits, budgets | [`risk::Engine`], in bounded windows | a [`risk::Reservation`] |
//! | thresholds, country rules, mode | [`policy::Policy`]: immutable | a [`policy::Decision`] |
//! | where clients are | [`geo::Geo`]: swapped whole when a database changes | an [`attempt::origin::Origin`] |
//! | upstream connections | `proxy::forward` | nothing |
//! | listeners, threads, drain | [`app::App`] | a handle |
//!
//! All memory keyed by strangers has a capacity. Full is an answer, which becomes evidence or a refusal; when room
//! gets short, the keys that say least are forgotten first.

pub mod admin;
pub mod app;
pub mod attempt;
pub mod commands;
pub mod config;
pub mod geo;
pub mod policy;
pub mod proxy;
pub mod risk;
pub mod telemetry;
pub mod tls;
