//! One reason of a decision, as JSON has it.

use serde::Serialize;

use crate::risk::Evidence;

#[derive(Debug, Serialize)]
pub(super) struct Reason {
    pub(super) signal: &'static str,
    pub(super) points: f64,
    pub(super) detail: String,
}

impl From<&Evidence> for Reason {
    fn from(evidence: &Evidence) -> Self {
        Self {
            signal: evidence.signal.as_str(),
            points: f64::from(evidence.points.tenths()) / 10.0,
            detail: evidence.fact.to_string(),
        }
    }
}
