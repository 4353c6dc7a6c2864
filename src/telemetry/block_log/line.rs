//! Renders one decision, or one typed code, as one line of JSON.
//!
//! Written by hand because it is on every guarded request's bill: a fifth of what a generic serializer costs. What
//! comes from config or from us is known to need no escaping; everything else is escaped.

use std::fmt::{self, Write};
use std::net::IpAddr;

use super::{Decision, Masking, Verified};
use crate::attempt::Timestamp;
use crate::attempt::client::Client;
use crate::attempt::origin::Origin;
use crate::attempt::phone::Number;
use crate::risk::{Assessment, Money};

/// Where lines are rendered; keeps the text of the current second.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub(super) bytes: Vec<u8>,
    second: u64,
    second_text: String,
}

// === impl Lines ===

impl Lines {
    /// Appends the decision and a line end.
    pub(super) fn decision(&mut self, decision: &Decision<'_>, pseudonym: Option<&str>, masking: Masking) {
        self.head("decision", decision.at, decision.request_id, decision.endpoint);
        self.raw(b"\"verdict\":\"");
        self.raw(decision.verdict.as_str().as_bytes());
        self.raw(b"\",\"mode\":\"");
        self.raw(decision.mode.as_str().as_bytes());
        self.raw(b"\",\"score\":");
        self.integer(u64::from(decision.assessment.score.get()));
        self.raw(b",\"reasons\":[");
        self.reasons(decision.assessment);
        self.raw(b"],");
        self.client(decision.client);
        self.origin(decision.origin);
        self.raw(b",\"agent\":");
        match decision.agent {
            Some(agent) => self.hexadecimal(agent.bits()),
            None => self.raw(b"null"),
        }
        self.raw(b",\"channel\":\"");
        self.raw(decision.channel.as_str().as_bytes());
        self.raw(b"\"");
        self.number(decision.number, pseudonym, masking);
        self.raw(b",\"price_usd_micros\":");
        self.optional(decision.price.map(Money::micros));
        self.raw(b",\"numbers\":");
        self.integer(decision.n_numbers as u64);
        self.raw(b",\"policy_version\":\"");
        self.raw(decision.policy_version.as_bytes());
        self.raw(b"\",\"status\":");
        self.optional(decision.status.map(u64::from));
        self.raw(b",\"upstream_status\":");
        self.optional(decision.upstream_status.map(u64::from));
        self.raw(b",\"latency_us\":");
        self.integer(u64::try_from(decision.latency.as_micros()).unwrap_or(u64::MAX));
        self.raw(b",\"technique\":\"T1496.003\"}\n");
    }

    /// Appends the typed code and a line end.
    pub(super) fn verified(&mut self, verified: &Verified<'_>, pseudonym: &str, masking: Masking) {
        self.head("verified", verified.at, verified.request_id, verified.endpoint);
        self.client(verified.client);
        self.number(Some(verified.number), Some(pseudonym), masking);
        self.raw(b"}\n");
    }

    /// What every line starts with, and a comma.
    fn head(&mut self, event: &str, at: Timestamp, request_id: &str, endpoint: &str) {
        self.raw(b"{\"ts\":\"");
        self.timestamp(at);
        self.raw(b"\",\"event\":\"");
        self.raw(event.as_bytes());
        self.raw(b"\",\"request_id\":\"");
        self.escaped(request_id);
        self.raw(b"\",\"endpoint\":\"");
        self.raw(endpoint.as_bytes());
        self.raw(b"\",");
    }

    fn reasons(&mut self, assessment: &Assessment) {
        for (index, evidence) in assessment.evidence.iter().enumerate() {
            self.raw(if index == 0 { b"{\"signal\":\"" } else { b",{\"signal\":\"" });
            self.raw(evidence.signal.as_str().as_bytes());
            self.raw(b"\",\"points\":");
            self.tenths(evidence.points.tenths());
            self.raw(b",\"detail\":\"");
            // Facts are made of config names and numbers; a reader's message is the only text among them.
            let _written = write!(Escaped(&mut self.bytes), "{}", evidence.fact);
            self.raw(b"\"}");
        }
    }

    fn client(&mut self, client: Option<Client>) {
        let Some(client) = client else {
            return self.raw(b"\"client_ip\":null,\"client_net\":null");
        };
        self.raw(b"\"client_ip\":\"");
        self.ip(client.ip());
        self.raw(b"\",\"client_net\":\"");
        match client.ip() {
            IpAddr::V4(ip) => {
                let [a, b, c, _] = ip.octets();
                self.octets([a, b, c, 0]);
                self.raw(b"/24");
            }
            IpAddr::V6(_) => self.display(client.net()),
        }
        self.raw(b"\"");
    }

    fn origin(&mut self, origin: Origin) {
        self.raw(b",\"asn\":");
        self.optional(origin.asn.map(|asn| u64::from(asn.get())));
        self.raw(b",\"client_country\":");
        match origin.country {
            Some(country) => {
                self.raw(b"\"");
                self.display(country);
                self.raw(b"\"");
            }
            None => self.raw(b"null"),
        }
    }

    fn number(&mut self, number: Option<Number>, pseudonym: Option<&str>, masking: Masking) {
        let (Some(number), Some(pseudonym)) = (number, pseudonym) else {
            return self
                .raw(b",\"number\":null,\"number_hash\":null,\"country\":null,\"prefix\":null,\"number_type\":null");
        };
        self.raw(b",\"number\":\"");
        match masking {
            Masking::Masked => self.raw(number.masked().as_bytes()),
            Masking::Range => self.raw(number.range().as_bytes()),
            Masking::Full => self.raw(number.e164().as_bytes()),
        }
        self.raw(b"\",\"number_hash\":\"");
        self.raw(pseudonym.as_bytes());
        self.raw(b"\",\"country\":\"");
        self.display(number.country());
        self.raw(b"\",\"prefix\":\"");
        self.raw(number.prefix().as_bytes());
        self.raw(b"\",\"number_type\":\"");
        self.raw(number.kind().as_str().as_bytes());
        self.raw(b"\"");
    }

    /// RFC 3339 with milliseconds; the date is rendered once a second.
    fn timestamp(&mut self, at: Timestamp) {
        let second = at.millis() / 1000;
        if self.second != second || self.second_text.is_empty() {
            self.second = second;
            let text = Timestamp::from_millis(second * 1000).to_string();
            self.second_text = text.strip_suffix("000Z").unwrap_or(&text).to_owned();
        }
        self.bytes.extend_from_slice(self.second_text.as_bytes());
        let millis = at.millis() % 1000;
        if millis < 100 {
            self.raw(b"0");
        }
        if millis < 10 {
            self.raw(b"0");
        }
        self.integer(millis);
        self.raw(b"Z");
    }

    fn ip(&mut self, ip: IpAddr) {
        match ip {
            IpAddr::V4(ip) => self.octets(ip.octets()),
            IpAddr::V6(ip) => self.display(ip),
        }
    }

    fn octets(&mut self, octets: [u8; 4]) {
        for (index, octet) in octets.into_iter().enumerate() {
            if 0 < index {
                self.raw(b".");
            }
            self.integer(u64::from(octet));
        }
    }

    /// Sixteen digits, in quotes.
    fn hexadecimal(&mut self, bits: u64) {
        let digits = bits.to_be_bytes().map(|byte| [byte >> 4, byte & 0xf]);
        self.raw(b"\"");
        self.bytes.extend(digits.as_flattened().iter().map(|digit| HEXADECIMAL[usize::from(*digit)]));
        self.raw(b"\"");
    }

    fn tenths(&mut self, tenths: i32) {
        if tenths < 0 {
            self.raw(b"-");
        }
        let tenths = u64::from(tenths.unsigned_abs());
        self.integer(tenths / 10);
        self.raw(b".");
        self.integer(tenths % 10);
    }

    fn optional(&mut self, integer: Option<u64>) {
        match integer {
            Some(integer) => self.integer(integer),
            None => self.raw(b"null"),
        }
    }

    fn integer(&mut self, integer: u64) {
        self.raw(itoa::Buffer::new().format(integer).as_bytes());
    }

    /// Appends what needs no escaping.
    fn display(&mut self, value: impl fmt::Display) {
        // Writing into memory does not fail.
        let _written = write!(Escaped(&mut self.bytes), "{value}");
    }

    fn escaped(&mut self, text: &str) {
        let _written = Escaped(&mut self.bytes).write_str(text);
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }
}

/// Writes into a JSON string.
struct Escaped<'a>(&'a mut Vec<u8>);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.bytes().all(|byte| byte != b'"' && byte != b'\\' && b' ' <= byte) {
            self.0.extend_from_slice(text.as_bytes());
            return Ok(());
        }
        for character in text.chars() {
            match character {
                '"' | '\\' => self.0.extend_from_slice(&[b'\\', character as u8]),
                ' '.. => self.0.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
                control => {
                    let escape = format!("\\u{:04x}", u32::from(control));
                    self.0.extend_from_slice(escape.as_bytes());
                }
            }
        }
        Ok(())
    }
}

const HEXADECIMAL: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::phone::{Reader, ReaderKind};

    #[test]
    fn what_would_end_the_string_is_escaped() {
        let mut lines = Lines::default();
        lines.escaped("a\"b\\c\nd\u{7f}é");
        assert_eq!(String::from_utf8(lines.bytes).unwrap(), "a\\\"b\\\\c\\u000ad\u{7f}é");
    }

    #[test]
    fn milliseconds_have_three_digits_and_seconds_are_not_carried_over() {
        let mut lines = Lines::default();
        for millis in [1_700_000_000_007, 1_700_000_000_070, 1_700_000_001_700] {
            lines.timestamp(Timestamp::from_millis(millis));
            lines.raw(b" ");
        }
        let expected = "2023-11-14T22:13:20.007Z 2023-11-14T22:13:20.070Z 2023-11-14T22:13:21.700Z ";
        assert_eq!(String::from_utf8(lines.bytes).unwrap(), expected);
    }

    #[test]
    fn a_fingerprint_has_sixteen_digits() {
        let mut lines = Lines::default();
        lines.hexadecimal(0x00ab_0000_0000_0c0f);
        assert_eq!(lines.bytes, b"\"00ab000000000c0f\"");
    }

    #[test]
    fn a_typed_code_is_one_line_with_its_number_masked_as_configured() {
        let number = Reader::builtin(ReaderKind::Google).unwrap().read("+12015550123", None).unwrap();
        let client = Some(Client::new(IpAddr::from([192, 0, 2, 7])));
        let at = Timestamp::from_millis(1_700_000_000_007);
        let verified = Verified { at, request_id: "r\"1", endpoint: "verify-otp", client, number };
        for (masking, shown) in
            [(Masking::Masked, "+1********23"), (Masking::Range, "+1201555****"), (Masking::Full, "+12015550123")]
        {
            let mut lines = Lines::default();
            lines.verified(&verified, "k0000:0123456789abcdef", masking);
            let expected = format!(
                "{{\"ts\":\"2023-11-14T22:13:20.007Z\",\"event\":\"verified\",\"request_id\":\"r\\\"1\",\
                 \"endpoint\":\"verify-otp\",\"client_ip\":\"192.0.2.7\",\"client_net\":\"192.0.2.0/24\",\
                 \"number\":\"{shown}\",\"number_hash\":\"k0000:0123456789abcdef\",\"country\":\"US\",\
                 \"prefix\":\"+1201\",\"number_type\":\"fixed_line_or_mobile\"}}\n"
            );
            assert_eq!(String::from_utf8(lines.bytes).unwrap(), expected);
        }
    }

    #[test]
    fn points_have_one_decimal() {
        let mut lines = Lines::default();
        for tenths in [-220, -5, 0, 101] {
            lines.tenths(tenths);
            lines.raw(b" ");
        }
        assert_eq!(lines.bytes, b"-22.0 -0.5 0.0 10.1 ");
    }
}
