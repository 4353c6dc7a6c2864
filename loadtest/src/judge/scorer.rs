//! The product that is judged: a child process that reads events and answers each send with a decision.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
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
    transcript: Option<BufWriter<File>>,
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
    /// Keeps the answers as they come in the file at `transcript`.
    pub(crate) fn start(&self, transcript: Option<&Path>) -> Result<Scorer, String> {
        let name = |path: &Path, error: io::Error| format!("{}: {error}", path.display());
        let transcript = transcript.map(|path| File::create(path).map_err(|error| name(path, error))).transpose()?;
        let mut child = Command::new(&self.tollgate)
            .args(["replay", "--stdio", "--config"])
            .arg(&self.config)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| name(&self.tollgate, error))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            unreachable!("both were asked for");
        };
        Ok(Scorer {
            child,
            input: Some(BufWriter::with_capacity(BUFFER, input)),
            output: BufReader::with_capacity(BUFFER, output),
            line: String::new(),
            transcript: transcript.map(BufWriter::new),
        })
    }
}

// === impl Scorer ===

impl Scorer {
    fn exchange(&mut self, send: &Seen) -> io::Result<()> {
        self.write(send)?;
        self.input.as_mut().map_or(Ok(()), Write::flush)?;
        self.line.clear();
        self.output.read_line(&mut self.line)?;
        self.transcript.as_mut().map_or(Ok(()), |transcript| transcript.write_all(self.line.as_bytes()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::tests::event;
    use crate::sim::{Kind, Label};

    fn words(tollgate: &str) -> String {
        let program = Program { tollgate: tollgate.into(), config: "missing.toml".into() };
        let decided = program
            .start(None)
            .and_then(|mut scorer| scorer.decide(&event(0.0, Kind::Send, Label::Legit, "ann", "+12025550123").seen));
        decided.unwrap_err()
    }

    #[test]
    fn a_scorer_that_fails_is_quoted() {
        // A shell looks for a script by the name of the command.
        let words = words("/bin/sh");
        assert!(words.starts_with("the scorer: ") && words.contains("replay"), "{words}");
    }

    #[test]
    fn a_scorer_that_is_missing_is_named() {
        assert!(words("/nowhere/tollgate").starts_with("/nowhere/tollgate: "));
    }
}
