//! Plays one recording to two policies and reports what they would have done, side by side.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use super::gate::Gate;
use super::report::{Both, Policy, Report};
use super::session;
use super::tape::Tape;
use super::{Options, text};
use crate::app;
use crate::commands::{fail, load};
use crate::policy::Mode;

/// Reports what the configuration at `new` would have done in place of that at `old`.
pub(super) fn run(new: &Path, old: &Path, options: &Options) -> ExitCode {
    let (new, old) = match (opened(new), opened(old)) {
        (Ok(new), Ok(old)) => (new, old),
        (Err(code), _) | (_, Err(code)) => return code,
    };
    let reported = report(Both { old, new }, &options.events).and_then(|report| print(&report, options.json));
    match reported {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => fail(&[problem]),
    }
}

fn report(both: Both<(Policy, Gate)>, events: &Path) -> Result<Report, String> {
    let Both { old: (old, old_gate), new: (new, new_gate) } = both;
    let tape = Tape::load(events, &new_gate)?;
    let outturns = std::thread::scope(|scope| {
        let playing = scope.spawn(|| session::play(&tape, old_gate));
        let new = session::play(&tape, new_gate);
        let old = playing.join().map_err(|_| "the replay of --against broke off".to_owned())?;
        Ok::<_, String>(Both { old, new })
    })?;
    Ok(Report::new(events.display().to_string(), &tape, Both { old, new }, &outturns))
}

fn opened(path: &Path) -> Result<(Policy, Gate), ExitCode> {
    let (mut config, materials) = load(path)?;
    let policy = Policy {
        config: path.display().to_string(),
        version: app::version(&config),
        mode: config.policy.mode.as_str(),
    };
    // What is only monitored would save nothing and refuse nobody: the question is what it would have done.
    config.policy.mode = Mode::Enforce;
    Ok((policy, Gate::new(&config, materials)))
}

fn print(report: &Report, as_json: bool) -> Result<(), String> {
    let mut output = BufWriter::new(io::stdout().lock());
    let written = if as_json {
        serde_json::to_writer_pretty(&mut output, report).map_err(io::Error::from).and_then(|()| writeln!(output))
    } else {
        write!(output, "{}", text::Text(report))
    };
    match written.and_then(|()| output.flush()) {
        // Whoever reads, such as `head`, has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| error.to_string()),
    }
}
