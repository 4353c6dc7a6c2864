//! A line of tollgate's own block log, as docs/block-log.md has it.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::loose::Loose;
use super::recorded::{channel, country};
use super::{Ask, Event, Fate, Masked, Phone, Place, Send, Verify};
use crate::attempt::Timestamp;
use crate::attempt::agent::Agent;
use crate::attempt::country::Country;
use crate::attempt::origin::{Asn, Origin};

/// Whether a line is the block log's, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    None,
    Decision,
    Verified,
}

#[derive(Deserialize)]
struct Marked<'a> {
    #[serde(borrow, default)]
    event: Loose<'a>,
}

#[derive(Debug, Deserialize)]
struct Line<'a> {
    #[serde(deserialize_with = "timestamp")]
    ts: Timestamp,
    #[serde(borrow)]
    request_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    endpoint: Option<Cow<'a, str>>,
    #[serde(borrow)]
    verdict: Option<Cow<'a, str>>,
    #[serde(borrow)]
    mode: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    client_ip: Loose<'a>,
    asn: Option<u32>,
    #[serde(default, deserialize_with = "country")]
    client_country: Option<Country>,
    #[serde(borrow)]
    agent: Option<Cow<'a, str>>,
    #[serde(borrow)]
    channel: Option<Cow<'a, str>>,
    #[serde(borrow)]
    number: Option<Cow<'a, str>>,
    #[serde(borrow)]
    number_hash: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "country")]
    country: Option<Country>,
    #[serde(borrow)]
    prefix: Option<Cow<'a, str>>,
    #[serde(borrow)]
    number_type: Option<Cow<'a, str>>,
    numbers: Option<u64>,
    upstream_status: Option<u16>,
}

pub(super) fn decision(text: &str) -> serde_json::Result<Event<'_>> {
    let line: Line<'_> = serde_json::from_str(text)?;
    let (client, has_unreadable_client) = line.client_ip.client();
    let fate = line.fate();
    let bits = line.agent.as_deref().and_then(|agent| u64::from_str_radix(agent, 16).ok());
    let ask = Ask {
        at: line.ts,
        client,
        origin: Origin { asn: line.asn.and_then(Asn::new), country: line.client_country },
        agent: bits.map(Agent::from_bits),
        region: None,
        channel: line.channel.as_deref().and_then(channel),
    };
    Ok(Event::Send(Send {
        ask,
        place: line.endpoint.map_or(Place::Unknown, Place::Endpoint),
        phone: phone(line.number, line.number_hash, line.prefix, line.country, line.number_type.as_deref()),
        line: None,
        request_id: line.request_id,
        fate,
        n_numbers: line.numbers.unwrap_or(1),
        has_unreadable_client,
    }))
}

pub(super) fn verified(text: &str) -> serde_json::Result<Event<'_>> {
    let line: Line<'_> = serde_json::from_str(text)?;
    let (_, has_unreadable_client) = line.client_ip.client();
    Ok(Event::Verify(Verify {
        at: line.ts,
        phone: phone(line.number, line.number_hash, line.prefix, line.country, line.number_type.as_deref()),
        region: None,
        place: line.endpoint.map_or(Place::Unknown, Place::Endpoint),
        is_right: true,
        send_line: None,
        has_unreadable_client,
    }))
}

// === impl Marker ===

impl Marker {
    /// # Errors
    /// The line is no JSON.
    pub(super) fn of(line: &str) -> serde_json::Result<Self> {
        // Recordings that say `event` nowhere are parsed once.
        if !line.contains("\"event\"") {
            return Ok(Self::None);
        }
        let Marked { event } = serde_json::from_str(line)?;
        Ok(match event.text().as_deref() {
            Some("decision") => Self::Decision,
            Some("verified") => Self::Verified,
            Some(_) | None => Self::None,
        })
    }
}

// === impl Line ===

impl Line<'_> {
    /// Under `monitor` everything is let through. What the app declines costs nothing; what it does not answer may.
    fn fate(&self) -> Fate {
        let was_let_through = self.verdict.as_deref() == Some("allow") || self.mode.as_deref() == Some("monitor");
        match self.upstream_status {
            _ if !was_let_through => Fate::Refused,
            Some(100..=399) => Fate::Sent,
            Some(400..=499) => Fate::Refused,
            Some(_) | None => Fate::Doubtful,
        }
    }
}

fn phone<'a>(
    number: Option<Cow<'a, str>>,
    hash: Option<Cow<'a, str>>,
    prefix: Option<Cow<'a, str>>,
    country: Option<Country>,
    kind: Option<&str>,
) -> Option<Phone<'a>> {
    let shown = number?;
    if !shown.contains('*') {
        return Some(Phone::Whole(shown));
    }
    let kind = kind.and_then(|kind| kind.parse().ok());
    Some(Phone::Masked(Masked { shown, prefix, hash: hash?, country, kind }))
}

fn timestamp<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = Cow::<'de, str>::deserialize(deserializer)?;
    let timestamp: jiff::Timestamp = text.parse().map_err(D::Error::custom)?;
    Ok(Timestamp::from_millis(u64::try_from(timestamp.as_millisecond()).unwrap_or(0)))
}
