//! Events as requests with their times: what is sent when, if it is sent.

use std::io::Write;
use std::time::Duration;

use serde::Serialize;

use crate::sim::{Event, Kind, Label, Numbers, Seen};
use crate::target::Loopback;

/// All requests of a run, in the order of time.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) cues: Vec<Cue>,
    /// Until the last one is due.
    pub(super) length: Duration,
}

/// One request.
#[derive(Debug)]
pub(super) struct Cue {
    pub(super) due: Duration,
    pub(super) line: u64,
    pub(super) label: Label,
    /// Of a verify: the send without which it does not happen.
    pub(super) after: Option<u64>,
    pub(super) request: Box<[u8]>,
}

#[derive(Serialize)]
struct Body<'a> {
    phone: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    reference: u64,
}

// === impl Script ===

impl Script {
    /// Compresses time by `speed`.
    ///
    /// # Errors
    /// If the run would be too long or too large.
    pub(super) fn new(events: &[Event], numbers: &Numbers, address: Loopback, speed: u32) -> Result<Self, String> {
        let (Some(first), Some(last)) = (events.first(), events.last()) else {
            return Err("there is nothing to play".to_owned());
        };
        let due = |event: &Event| (event.seen.ts - first.seen.ts).max(0.0) / f64::from(speed);
        if MOST_EVENTS < events.len() {
            return Err(format!("{} events are too many, {MOST_EVENTS} are the most", events.len()));
        }
        if LONGEST < due(last) {
            return Err(format!("this would take {:.0} seconds, {LONGEST} are the most: raise --speed", due(last)));
        }
        let cue = |event: &Event| Cue {
            due: Duration::from_secs_f64(due(event)),
            line: event.seen.line,
            label: event.label,
            after: match event.seen.kind {
                Kind::Send => None,
                Kind::Verify => Some(event.seen.send_line.unwrap_or_default()),
            },
            request: request(&event.seen, numbers, address).into(),
        };
        Ok(Self { cues: events.iter().map(cue).collect(), length: Duration::from_secs_f64(due(last)) })
    }
}

/// What the company's app sends: always E.164, since the app knows the country that the form is set to.
fn request(seen: &Seen, numbers: &Numbers, address: Loopback) -> Vec<u8> {
    let number = numbers.read(&seen.phone, seen.region.as_deref());
    let phone = number.map_or_else(|| seen.phone.clone(), |number| format!("+{}", number.digits()));
    let code = seen.success.map(|is_right| if is_right { RIGHT_CODE } else { "000000" });
    let body = serde_json::json!(Body { phone: &phone, code, reference: seen.line }).to_string();
    let agent: String = seen.user_agent.chars().filter(|character| (' '..='~').contains(character)).collect();
    let path: String = seen.path.chars().filter(char::is_ascii_graphic).collect();
    let mut request = Vec::with_capacity(384);
    let written = write!(
        request,
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: {agent}\r\nAccept: application/json\r\n\
         Content-Type: application/json\r\nX-Forwarded-For: {}\r\nContent-Length: {}\r\n\r\n{body}",
        seen.client_ip,
        body.len()
    );
    debug_assert!(written.is_ok(), "writing into memory does not fail");
    request
}

const RIGHT_CODE: &str = "314159";
const MOST_EVENTS: usize = 2_000_000;
/// Seconds.
const LONGEST: f64 = 900.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::tests::{event, numbers};
    use crate::upstream::WRONG_CODE;
    use crate::wire;

    fn script(events: &[Event], speed: u32) -> Result<Script, String> {
        Script::new(events, numbers(), Loopback::port(80), speed)
    }

    #[test]
    fn a_request_is_well_formed_and_names_its_client_and_its_line() {
        let mut send = event(0.0, Kind::Send, Label::Legit, "ann", "(202) 555-0123");
        send.seen.region = Some("US".into());
        send.seen.user_agent = "Evil\r\nX-Forwarded-For: 1.2.3.4".into();
        let request = script(&[send], 1).unwrap().cues.remove(0).request;
        let read = wire::request(&request).unwrap().unwrap();
        assert_eq!(read.n_bytes, request.len());
        assert_eq!(&request[read.body], br#"{"phone":"+12025550123","reference":1}"#);
        let text = String::from_utf8(request.into()).unwrap();
        assert!(text.contains("X-Forwarded-For: 192.0.2.7\r\n") && text.contains("EvilX-Forwarded-For"), "{text}");
    }

    #[test]
    fn a_wrong_code_is_one_that_the_application_refuses() {
        let mut verify = event(0.0, Kind::Verify, Label::Legit, "ann", "+12025550123");
        verify.seen.success = Some(false);
        let request = script(&[verify], 1).unwrap().cues.remove(0).request;
        assert!(request.windows(WRONG_CODE.len()).any(|some| some == WRONG_CODE));
    }

    #[test]
    fn time_is_compressed_and_bounded() {
        let events = [0.0, 3600.0].map(|ts| event(ts, Kind::Send, Label::Legit, "ann", "+12025550123"));
        assert_eq!(script(&events, 600).unwrap().length, Duration::from_secs(6));
        assert!(script(&events, 1).unwrap_err().contains("3600 seconds"));
        assert!(script(&[], 1).is_err());
    }
}
