//! What the tests of replay are made of: a gate by a piece of configuration, and a tape by its lines.

use std::io::Write as _;
use std::sync::LazyLock;

use super::gate::Gate;
use super::tape::Tape;
use crate::app::Materials;
use crate::config::Config;

/// Numbers are read in the same way by all.
static READING: LazyLock<Gate> = LazyLock::new(|| gate(""));

pub(super) fn gate(text: &str) -> Gate {
    let config = Config::parse(text).unwrap();
    let materials = Materials::load(&config).unwrap();
    Gate::new(&config, materials)
}

pub(super) fn tape(lines: &[String]) -> Tape {
    try_tape(lines).unwrap()
}

pub(super) fn try_tape(lines: &[String]) -> Result<Tape, String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(lines.join("\n").as_bytes()).unwrap();
    Tape::load(file.path(), &READING)
}

/// Numbers of the United States, which end in 0100 and so on.
pub(super) fn send(ts: u32, n: u32) -> String {
    format!(r#"{{"ts":{ts},"kind":"send","client_ip":"192.0.2.{}","phone":"+1201555{:04}"}}"#, n % 250, 100 + n)
}

pub(super) fn typed(ts: u32, n: u32) -> String {
    format!(r#"{{"ts":{ts},"kind":"verify","success":true,"phone":"+1201555{:04}"}}"#, 100 + n)
}

/// A line of a block log, about such a number.
pub(super) fn decision(second: u32, n: u32, verdict: &str, mode: &str, upstream_status: &str) -> String {
    format!(
        r#"{{"ts":"2026-11-22T09:12:{second:02}.000Z","event":"decision","request_id":"r{second}","endpoint":"send-otp","verdict":"{verdict}","mode":"{mode}","client_ip":"192.0.2.7","number":"+1201555****","number_hash":"k0000:{n:016x}","country":"US","prefix":"+1201","number_type":"fixed_line_or_mobile","numbers":1,"upstream_status":{upstream_status}}}"#
    )
}

pub(super) fn verified(second: u32, n: u32) -> String {
    format!(
        r#"{{"ts":"2026-11-22T09:12:{second:02}.000Z","event":"verified","request_id":"r{second}","endpoint":"verify","client_ip":"192.0.2.7","number":"+1201555****","number_hash":"k0000:{n:016x}","country":"US","prefix":"+1201","number_type":"fixed_line_or_mobile"}}"#
    )
}
