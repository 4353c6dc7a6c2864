//! The file of events, one JSON object a line.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use super::event::Event;

/// A file of events, and how far it has been read.
pub(super) struct Recording {
    name: String,
    input: Box<dyn BufRead>,
    line: String,
    number: u64,
}

// === impl Recording ===

impl Recording {
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let name = path.display().to_string();
        let input = open(path).map_err(|error| format!("{name}: {error}"))?;
        Ok(Self { name, input, line: String::new(), number: 0 })
    }

    /// The next event and the position of its line, from 1; empty lines are none.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Event<'_>)>, String> {
        loop {
            self.line.clear();
            self.number += 1;
            let n_read =
                self.input.read_line(&mut self.line).map_err(|error| problem(&self.name, self.number, error))?;
            if n_read == 0 {
                return Ok(None);
            }
            if !self.line.trim().is_empty() {
                break;
            }
        }
        let number = self.number;
        Event::parse(&self.line).map(|event| Some((number, event))).map_err(|error| problem(&self.name, number, error))
    }

    /// What is wrong with the line that was read last, as an error.
    pub(super) fn problem(&self, why: impl Display) -> String {
        problem(&self.name, self.number, why)
    }
}

fn problem(name: &str, number: u64, why: impl Display) -> String {
    format!("{name}:{number}: {why}")
}

fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    Ok(Box::new(BufReader::with_capacity(super::BUFFER, File::open(path)?)))
}
