//! One line of a recording: what a product may see, and apart from it the truth, which it may not.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::device::Device;
use super::network::Place;
use super::numbers::Typed;

/// What happened, and whose doing it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Event {
    #[serde(flatten)]
    pub(crate) seen: Seen,
    pub(crate) label: Label,
    pub(crate) user_id: Cow<'static, str>,
}

/// The part that a product may see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// From 1, in the order of time.
    pub(crate) line: u64,
    /// Seconds since the Unix epoch, to the millisecond.
    pub(crate) ts: f64,
    pub(crate) kind: Kind,
    pub(crate) client_ip: IpAddr,
    /// As it was typed.
    pub(crate) phone: String,
    /// The country that the form was set to, where the number is in national format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<Cow<'static, str>>,
    pub(crate) path: Cow<'static, str>,
    #[serde(default)]
    pub(crate) user_agent: Cow<'static, str>,
    #[serde(default)]
    pub(crate) ja4: Cow<'static, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) asn: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ip_country: Option<Cow<'static, str>>,
    /// Of a verify: whether the code was right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) success: Option<bool>,
    /// Of a verify: the send whose code it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) send_line: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Send,
    Verify,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Label {
    Legit,
    Attack,
}

/// Who makes a request, from where, with what.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) place: Place,
    pub(super) device: &'static Device,
    pub(super) user: Cow<'static, str>,
}

/// Collects events of one label, in any order.
#[derive(Debug)]
pub(super) struct Log {
    label: Label,
    events: Vec<Event>,
}

// === impl Seen ===

impl Seen {
    /// Whether the code would be spoken, which costs more.
    pub(crate) fn is_voice(&self) -> bool {
        self.path.ends_with("voice")
    }
}

// === impl Log ===

impl Log {
    pub(super) fn new(label: Label) -> Self {
        Self { label, events: Vec::new() }
    }

    /// Returns the send's line, for [`verify`](Self::verify). Seconds count from [`START`].
    pub(super) fn send(&mut self, at: f64, caller: &Caller, typed: &Typed, path: &'static str) -> u64 {
        let line = self.events.len() as u64 + 1;
        let seen = Seen {
            line,
            ts: rounded(at),
            kind: Kind::Send,
            client_ip: caller.place.ip,
            phone: typed.phone.clone(),
            region: typed.region.map(Cow::Borrowed),
            path: Cow::Borrowed(path),
            user_agent: Cow::Borrowed(caller.device.user_agent),
            ja4: Cow::Borrowed(caller.device.ja4),
            asn: Some(caller.place.asn),
            ip_country: Some(Cow::Borrowed(caller.place.country)),
            success: None,
            send_line: None,
        };
        self.events.push(Event { seen, label: self.label, user_id: caller.user.clone() });
        line
    }

    /// Whoever made that send types a code.
    pub(super) fn verify(&mut self, at: f64, send_line: u64, success: bool) {
        let send = usize::try_from(send_line - 1).ok().and_then(|at| self.events.get(at));
        let Some(mut event) = send.cloned() else {
            unreachable!("lines are given out by send");
        };
        event.seen.line = self.events.len() as u64 + 1;
        event.seen.ts = rounded(at).max(event.seen.ts);
        event.seen.kind = Kind::Verify;
        event.seen.path = Cow::Borrowed(VERIFY);
        event.seen.success = Some(success);
        event.seen.send_line = Some(send_line);
        self.events.push(event);
    }

    pub(super) fn into_events(self) -> Vec<Event> {
        self.events
    }
}

/// Two logs as one recording: in the order of time, lines numbered from 1, nothing after `hours` but late answers.
pub(super) fn merged(people: &[Event], attack: Vec<Event>, hours: f64) -> Vec<Event> {
    let n_people = people.len() as u64;
    let shifted = attack.into_iter().map(|mut event| {
        event.seen.line += n_people;
        event.seen.send_line = event.seen.send_line.map(|line| line + n_people);
        event
    });
    let end = START + hours * 3600.0 + LATE;
    let all = people.iter().cloned().chain(shifted);
    let mut events: Vec<Event> = all.filter(|event| event.seen.ts < end).collect();
    events.sort_by(in_time);
    number_anew(&mut events);
    events
}

fn in_time(one: &Event, other: &Event) -> Ordering {
    one.seen.ts.total_cmp(&other.seen.ts).then(one.seen.line.cmp(&other.seen.line))
}

fn number_anew(events: &mut [Event]) {
    let n_lines = events.iter().map(|event| event.seen.line).max().unwrap_or_default();
    let mut new_lines = vec![0; usize::try_from(n_lines).unwrap_or_default() + 1];
    let at = |line: u64| usize::try_from(line).unwrap_or_default();
    for (event, line) in events.iter_mut().zip(1..) {
        new_lines[at(event.seen.line)] = line;
        event.seen.line = line;
        // A send comes before its verify, so its new line is known.
        event.seen.send_line = event.seen.send_line.map(|line| new_lines[at(line)]);
    }
}

fn rounded(at: f64) -> f64 {
    ((START + at) * 1000.0).round() / 1000.0
}

/// Midnight UTC of Tuesday, 3 March 2026.
pub(crate) const START: f64 = 1_772_496_000.0;

pub(crate) const SEND: &str = "/v1/otp/send";
pub(crate) const RESEND: &str = "/v1/otp/resend";
pub(crate) const VOICE: &str = "/v1/otp/voice";
pub(crate) const VERIFY: &str = "/v1/otp/verify";

/// Codes may still be typed for so long after the end.
const LATE: f64 = 600.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::device::BOTS;

    fn caller() -> Caller {
        let place = Place { ip: [192, 0, 2, 7].into(), asn: 64_500, country: "US" };
        Caller { place, device: &BOTS[0], user: Cow::Borrowed("p1") }
    }

    fn typed(phone: &str) -> Typed {
        Typed { phone: phone.to_owned(), region: None }
    }

    #[test]
    fn two_logs_become_one_in_time_and_keep_who_answers_whom() {
        let (mut people, mut attack) = (Log::new(Label::Legit), Log::new(Label::Attack));
        let late = people.send(20.0, &caller(), &typed("+12025550123"), SEND);
        people.verify(31.5, late, true);
        people.send(5.0, &caller(), &typed("+12025550124"), SEND);
        let bot = attack.send(10.0, &caller(), &typed("+12025550199"), SEND);
        attack.verify(40.0, bot, true);
        let events = merged(&people.into_events(), attack.into_events(), 1.0);
        let lines: Vec<_> = events.iter().map(|event| (event.seen.line, event.label, event.seen.send_line)).collect();
        let (legit, attack) = (Label::Legit, Label::Attack);
        let expected =
            [(1, legit, None), (2, attack, None), (3, legit, None), (4, legit, Some(3)), (5, attack, Some(2))];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_line_shows_the_truth_apart_from_what_is_seen() {
        let mut log = Log::new(Label::Legit);
        log.send(1.25, &caller(), &typed("+12025550123"), SEND);
        let event = log.into_events().remove(0);
        let line = serde_json::to_string(&event).unwrap();
        assert!(line.starts_with(r#"{"line":1,"ts":1772496001.25,"kind":"send","client_ip":"192.0.2.7","#), "{line}");
        assert!(line.ends_with(r#""label":"legit","user_id":"p1"}"#), "{line}");
        assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event);
        assert!(!serde_json::to_string(&event.seen).unwrap().contains("legit"));
    }

    #[test]
    fn what_lies_after_the_end_is_cut() {
        let mut log = Log::new(Label::Legit);
        log.send(10.0, &caller(), &typed("+12025550123"), SEND);
        log.send(3600.0 + LATE, &caller(), &typed("+12025550123"), SEND);
        assert_eq!(merged(&log.into_events(), Vec::new(), 1.0).len(), 1);
    }
}
