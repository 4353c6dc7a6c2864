//! The product that is judged: a child process that reads events and answers each send with a decision.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::{Deserialize, Serialize};

use super::closed_loop::Decide;
use super::metrics::Action;
use crate::sim::Seen;

/// How the child is started.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) tollgate: PathBuf,
    pub(crate) config: PathBuf,
}

/// A running `tollgate replay --stdio`, which has seen nothing yet.
#[derive(Debug)]
pub(crate) struct Scorer {
    child: Child,
    /// None once it was closed, which tells the child that no more is coming.
    input: Option<BufWriter<ChildStdin>>,
    output: BufReader<ChildStdout>,
    line: String,
}

/// One answer; it says more than this.
#[derive(Deserialize)]
struct Decision {
    line: u64,
    action: Action,
}

#[derive(Serialize)]
struct Passed {
    kind: &'static str,
    send_line: u64,
    ts: f64,
}

// === impl Program ===

impl Program {
    pub(crate) fn start(&self) -> Result<Scorer, String> {
        let mut child = Command::new(&self.tollgate)
            .args(["replay", "--stdio", "--config"])
            .arg(&self.config)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", self.tollgate.display()))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            unreachable!("both were asked for");
        };
        Ok(Scorer {
            child,
            input: Some(BufWriter::with_capacity(BUFFER, input)),
            output: BufReader::with_capacity(BUFFER, output),
            line: String::new(),
        })
    }
}

// === impl Scorer ===

impl Scorer {
    fn exchange(&mut self, send: &Seen) -> io::Result<()> {
        self.write(send)?;
        self.input.as_mut().map_or(Ok(()), Write::flush)?;
        self.line.clear();
        self.output.read_line(&mut self.line).map(drop)
    }

    fn answer(&self, line: u64) -> io::Result<Action> {
        let decision: Decision = serde_json::from_str(&self.line)?;
        if decision.line != line {
            return Err(io::Error::other(format!("it answered line {} instead of {line}", decision.line)));
        }
        Ok(decision.action)
    }

    fn write(&mut self, message: &impl Serialize) -> io::Result<()> {
        let Some(input) = &mut self.input else {
            return Ok(());
        };
        serde_json::to_writer(&mut *input, message)?;
        input.write_all(b"\n")
    }

    /// The child's own last words say more than a broken pipe.
    fn in_its_words(&mut self, error: &io::Error) -> String {
        drop(self.input.take());
        let mut words = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            // Words that cannot be read leave the error as it is.
            let _unreadable = stderr.read_to_string(&mut words);
        }
        format!("the scorer: {error}\n{}", words.trim_end())
    }
}

impl Decide for Scorer {
    fn decide(&mut self, send: &Seen) -> Result<Action, String> {
        self.exchange(send).and_then(|()| self.answer(send.line)).map_err(|error| self.in_its_words(&error))
    }

    fn tell(&mut self, verify: &Seen) -> Result<(), String> {
        self.write(verify).map_err(|error| self.in_its_words(&error))
    }

    fn challenge_passed(&mut self, send_line: u64, ts: f64) -> Result<(), String> {
        let passed = Passed { kind: "challenge_passed", send_line, ts };
        self.write(&passed).map_err(|error| self.in_its_words(&error))
    }
}

impl Drop for Scorer {
    fn drop(&mut self) {
        drop(self.input.take());
        // It ends at the end of its input, or is ended; neither can be mended here.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

const BUFFER: usize = 64 << 10;
