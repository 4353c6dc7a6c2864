//! An event as a harness, or an operator's own export, writes it.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::loose::Loose;
use super::{Ask, Event, Fate, Phone, Place, Send, Verify};
use crate::attempt::agent::Agent;
use crate::attempt::country::Country;
use crate::attempt::origin::{Asn, Origin};
use crate::attempt::phone::Region;
use crate::attempt::{Channel, Timestamp};

#[derive(Debug, Deserialize)]
struct Line<'a> {
    /// Seconds since the Unix epoch.
    ts: f64,
    kind: Kind,
    #[serde(borrow, default)]
    client_ip: Loose<'a>,
    #[serde(borrow)]
    phone: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "region")]
    region: Option<Region>,
    #[serde(borrow)]
    path: Option<Cow<'a, str>>,
    /// `text` or `voice`; anything else says nothing.
    #[serde(borrow, default)]
    channel: Loose<'a>,
    /// What is known of the client; a database is asked where they are left out.
    asn: Option<u32>,
    #[serde(default, deserialize_with = "country")]
    ip_country: Option<Country>,
    #[serde(borrow)]
    user_agent: Option<Cow<'a, str>>,
    #[serde(borrow)]
    ja4: Option<Cow<'a, str>>,
    /// Of a verify: whether the code was right.
    #[serde(default)]
    success: bool,
    /// Of a verify or a passed challenge: the line of its send.
    send_line: Option<u64>,
    line: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Send,
    Verify,
    ChallengePassed,
}

pub(super) fn event(text: &str) -> serde_json::Result<Event<'_>> {
    let line: Line<'_> = serde_json::from_str(text)?;
    let at = Timestamp::from_seconds(line.ts);
    Ok(match line.kind {
        Kind::Send => Event::Send(line.send(at)),
        Kind::Verify => Event::Verify(line.verify(at)),
        Kind::ChallengePassed => Event::ChallengePassed { at, send_line: line.send_line },
    })
}

// === impl Line ===

impl<'a> Line<'a> {
    fn send(self, at: Timestamp) -> Send<'a> {
        let (client, has_unreadable_client) = self.client_ip.client();
        let agent = self.agent();
        let ask = Ask {
            at,
            client,
            origin: Origin { asn: self.asn.and_then(Asn::new), country: self.ip_country },
            agent,
            region: self.region,
            channel: self.channel.text().as_deref().and_then(channel),
        };
        Send {
            ask,
            place: place(self.path),
            phone: self.phone.map(Phone::Whole),
            line: self.line,
            request_id: None,
            fate: Fate::Sent,
            n_numbers: 1,
            has_unreadable_client,
        }
    }

    fn verify(self, at: Timestamp) -> Verify<'a> {
        let (_, has_unreadable_client) = self.client_ip.client();
        Verify {
            at,
            phone: self.phone.map(Phone::Whole),
            region: self.region,
            place: place(self.path),
            is_right: self.success,
            send_line: self.send_line,
            has_unreadable_client,
        }
    }

    fn agent(&self) -> Option<Agent> {
        let properties = [self.ja4.as_deref(), self.user_agent.as_deref()];
        let is_known = properties.iter().any(Option::is_some);
        is_known.then(|| Agent::of(properties.map(|property| property.unwrap_or_default().as_bytes())))
    }
}

fn place(path: Option<Cow<'_, str>>) -> Place<'_> {
    path.map_or(Place::Unknown, Place::Path)
}

/// The channel of this name.
pub(super) fn channel(name: &str) -> Option<Channel> {
    [Channel::Text, Channel::Voice].into_iter().find(|channel| channel.as_str() == name)
}

/// An empty region is none.
fn region<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Region>, D::Error> {
    let text: Option<Cow<'_, str>> = Option::deserialize(deserializer)?;
    text.filter(|text| !text.is_empty()).map(|text| text.parse().map_err(D::Error::custom)).transpose()
}

/// A country that nobody knows is none: databases have codes such as `XK` and `ZZ`.
pub(super) fn country<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Country>, D::Error> {
    let text: Option<Cow<'_, str>> = Option::deserialize(deserializer)?;
    Ok(text.and_then(|text| text.parse().ok()))
}
