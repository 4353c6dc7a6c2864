//! What the pretended application was asked to send: per path and per number prefix, in bounded memory.
//!
//! Numbers are not kept, only how many began with the same five digits. Where it is asked for, the references that
//! requests carry are kept, so that whoever made them can tell which ones arrived.

use std::collections::HashMap;

use serde_json::{Value, json};

/// Counts since the start. Beyond the capacities, requests are counted together as "other".
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) n_requests: u64,
    n_unreadable: u64,
    paths: HashMap<Box<[u8]>, u64>,
    n_other_paths: u64,
    /// By the first digits of the number, as a number; calling codes do not begin with zero.
    prefixes: HashMap<u32, u64>,
    n_other_prefixes: u64,
    /// What followed `"reference":` in a body, in the order of arrival; none while nobody follows them.
    references: Option<Vec<u64>>,
}

// === impl Counts ===

impl Counts {
    /// Keeps references too, four million at most.
    pub(crate) fn following() -> Self {
        Self { references: Some(Vec::new()), ..Self::default() }
    }

    pub(crate) fn references(&self) -> &[u64] {
        self.references.as_deref().unwrap_or_default()
    }

    /// Counts one send, whether or not its number can be read.
    pub(crate) fn send(&mut self, path: &[u8], body: &[u8]) {
        self.n_requests += 1;
        self.path(path);
        if let Some(references) = self.references.as_mut().filter(|kept| kept.len() < N_REFERENCES) {
            references.extend(reference(body));
        }
        let Some(prefix) = prefix(body) else {
            self.n_unreadable += 1;
            return;
        };
        let has_room = self.prefixes.len() < N_PREFIXES;
        match self.prefixes.get_mut(&prefix) {
            Some(n) => *n += 1,
            None if has_room => drop(self.prefixes.insert(prefix, 1)),
            None => self.n_other_prefixes += 1,
        }
    }

    pub(crate) fn json(&self) -> Value {
        let paths: serde_json::Map<_, _> =
            self.paths.iter().map(|(path, n)| (String::from_utf8_lossy(path).into_owned(), json!(n))).collect();
        let prefixes: serde_json::Map<_, _> =
            self.prefixes.iter().map(|(prefix, n)| (prefix.to_string(), json!(n))).collect();
        json!({
            "requests": self.n_requests,
            "paths": paths,
            "other_paths": self.n_other_paths,
            "prefixes": prefixes,
            "other_prefixes": self.n_other_prefixes,
            "unreadable": self.n_unreadable,
        })
    }

    fn path(&mut self, path: &[u8]) {
        let path = path.split(|&byte| byte == b'?').next().unwrap_or_default();
        let has_room = self.paths.len() < N_PATHS && path.len() <= N_PATH_BYTES;
        match self.paths.get_mut(path) {
            Some(n) => *n += 1,
            None if has_room => drop(self.paths.insert(path.into(), 1)),
            None => self.n_other_paths += 1,
        }
    }
}

/// The first five digits after `phone`, in JSON or a form.
fn prefix(body: &[u8]) -> Option<u32> {
    let key = body.windows(5).position(|five| five == b"phone")?;
    let value = body.get(key + 5..)?;
    let value = value.strip_prefix(b"=%2B").unwrap_or(value);
    let mut digits = value.iter().filter(|byte| byte.is_ascii_digit());
    let mut prefix = 0;
    for _ in 0..N_DIGITS {
        prefix = prefix * 10 + u32::from(digits.next()? - b'0');
    }
    Some(prefix)
}

/// The number after `"reference":`.
fn reference(body: &[u8]) -> Option<u64> {
    let key = body.windows(REFERENCE.len()).position(|some| some == REFERENCE)?;
    let digits = body.get(key + REFERENCE.len()..)?.iter().take_while(|byte| byte.is_ascii_digit());
    let mut digits = digits.map(|byte| u64::from(byte - b'0')).peekable();
    digits.peek()?;
    digits.try_fold(0_u64, |number, digit| number.checked_mul(10)?.checked_add(digit))
}

const REFERENCE: &[u8] = b"\"reference\":";
const N_REFERENCES: usize = 4_000_000;
const N_DIGITS: usize = 5;
const N_PATHS: usize = 256;
const N_PATH_BYTES: usize = 256;

/// All there can be, but for calling codes that begin with zero.
const N_PREFIXES: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sends_are_counted_by_path_and_prefix() {
        let mut counts = Counts::default();
        counts.send(b"/send?x=1", br#"{"phone":"+99 450 123","channel":"sms"}"#);
        counts.send(b"/send", b"phone=%2B99450777");
        counts.send(b"/other", b"{}");
        let json = counts.json();
        assert_eq!(json["paths"]["/send"], 2);
        assert_eq!(json["prefixes"]["99450"], 2);
        assert_eq!((json["requests"].as_u64(), json["unreadable"].as_u64()), (Some(3), Some(1)));
    }

    #[test]
    fn references_are_kept_for_those_who_follow_them() {
        let bodies = [r#"{"phone":"+1","reference":42}"#, r#"{"reference":"7"}"#, "reference=9", r#"{"reference":43}"#];
        let [mut following, mut not] = [Counts::following(), Counts::default()];
        for body in bodies {
            following.send(b"/send", body.as_bytes());
            not.send(b"/send", body.as_bytes());
        }
        assert_eq!(following.references(), [42, 43]);
        assert!(not.references().is_empty());
    }

    #[test]
    fn strangers_cannot_fill_the_memory() {
        let mut counts = Counts::default();
        (0..10_000).for_each(|nth| counts.send(format!("/{nth}").as_bytes(), b""));
        assert_eq!(counts.paths.len(), N_PATHS);
        assert_eq!(counts.json()["other_paths"], 10_000 - N_PATHS);
    }
}
