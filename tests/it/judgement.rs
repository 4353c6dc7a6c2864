//! Who is stopped and who is not: days of traffic through the engine and the policy as they run live.
//!
//! Every day begins with the ordinary traffic of a company, most of whose customers live in one country. What a test
//! measured stands in its assertion; `cargo test judgement -- --nocapture` shows it.

mod attacks;
mod customers;
mod day;
mod false_positives;
mod feed;
mod places;
mod random;
