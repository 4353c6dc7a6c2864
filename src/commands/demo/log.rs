//! Reads the block log while it is written, line by line.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::Deserialize;

/// The block log, and how far it has been read.
#[derive(Debug)]
pub(super) struct Log {
    file: File,
    /// The beginning of a line whose end is not there yet.
    rest: Vec<u8>,
}

/// What the demonstration looks at of a decision.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Line {
    pub(super) ts: String,
    pub(super) request_id: String,
    pub(super) verdict: Verdict,
    pub(super) score: u8,
    reasons: Vec<Reason>,
    pub(super) number: Option<String>,
    pub(super) client_net: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Entry {
    Decision(Line),
    Verified,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Allow,
    Challenge,
    Block,
}

#[derive(Clone, Debug, Deserialize)]
struct Reason {
    signal: String,
    points: f64,
}

// === impl Log ===

impl Log {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::open(path)?, rest: Vec::new() })
    }

    /// Hands over every line that has been completed since.
    pub(super) fn read(&mut self, mut take: impl FnMut(Line)) -> io::Result<()> {
        self.file.read_to_end(&mut self.rest)?;
        let n_complete = self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let lines: Vec<u8> = self.rest.drain(..n_complete).collect();
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            match serde_json::from_slice(line)? {
                Entry::Decision(line) => take(line),
                Entry::Verified => {}
            }
        }
        Ok(())
    }
}

// === impl Line ===

impl Line {
    /// The reason that decided: a used-up limit, which stands last, or else the strongest.
    pub(super) fn main_reason(&self) -> &str {
        if let Some(last) = self.reasons.last().filter(|last| last.signal == "limit") {
            return &last.signal;
        }
        let against = self.reasons.iter().filter(|reason| 0.0 < reason.points);
        against.max_by(|a, b| a.points.total_cmp(&b.points)).map_or("nothing against it", |reason| &reason.signal)
    }
}

// === impl Verdict ===

impl Verdict {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Challenge => "challenge",
            Self::Block => "block",
        }
    }
}
