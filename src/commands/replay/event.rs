//! One line of a recording. Fields that replay does not use are ignored.

use std::borrow::Cow;
use std::net::IpAddr;

use serde::Deserialize;

use crate::attempt::country::Country;
use crate::attempt::phone::Region;

#[derive(Debug, Deserialize)]
pub(super) struct Event<'a> {
    /// Seconds since the Unix epoch.
    pub(super) ts: f64,
    pub(super) kind: Kind,
    pub(super) client_ip: Option<IpAddr>,
    pub(super) phone: Option<String>,
    #[serde(default, deserialize_with = "region")]
    pub(super) region: Option<Region>,
    pub(super) path: Option<String>,
    /// What is known of the client; a database is asked where they are left out.
    pub(super) asn: Option<u32>,
    #[serde(default, deserialize_with = "country")]
    pub(super) ip_country: Option<Country>,
    #[serde(borrow)]
    pub(super) user_agent: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) ja4: Option<Cow<'a, str>>,
    /// Of a verify: whether the code was right.
    #[serde(default)]
    pub(super) success: bool,
    /// Of a passed challenge: the line of its send.
    pub(super) send_line: Option<u64>,
    /// The event's own number; the line's position where it is left out.
    pub(super) line: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Send,
    Verify,
    ChallengePassed,
}

/// An empty region is none.
fn region<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Region>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    text.filter(|text| !text.is_empty()).map(|text| text.parse().map_err(serde::de::Error::custom)).transpose()
}

/// A country that nobody knows is none: databases have codes such as `XK` and `ZZ`.
fn country<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Country>, D::Error> {
    let text: Option<Cow<'_, str>> = Option::deserialize(deserializer)?;
    Ok(text.and_then(|text| text.parse().ok()))
}
