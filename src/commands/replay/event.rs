//! One line of a recording: an event as a harness writes it, or a line of tollgate's own block log. Both become the
//! same [`Event`], recognised line by line; what replay does not use is ignored.

mod logged;
mod loose;
mod recorded;

use std::borrow::Cow;

use crate::attempt::agent::Agent;
use crate::attempt::client::Client;
use crate::attempt::country::Country;
use crate::attempt::origin::Origin;
use crate::attempt::phone::{Kind, Region};
use crate::attempt::{Channel, Timestamp};

/// What happened.
#[derive(Debug)]
pub(super) enum Event<'a> {
    /// Somebody asked for a message.
    Send(Send<'a>),
    /// Somebody typed a code.
    Verify(Verify<'a>),
    /// A challenge was solved, as the recording has it.
    ChallengePassed {
        at: Timestamp,
        /// The line of its send.
        send_line: Option<u64>,
    },
}

#[derive(Debug)]
pub(super) struct Send<'a> {
    pub(super) ask: Ask,
    pub(super) place: Place<'a>,
    pub(super) phone: Option<Phone<'a>>,
    /// The event's own number; the line's position where it is left out.
    pub(super) line: Option<u64>,
    pub(super) request_id: Option<Cow<'a, str>>,
    pub(super) fate: Fate,
    pub(super) n_numbers: u64,
    pub(super) has_unreadable_client: bool,
}

/// What a policy is told of a send, beside the number and where it went.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask {
    pub(super) at: Timestamp,
    pub(super) client: Option<Client>,
    /// What the recording knows of the client.
    pub(super) origin: Origin,
    pub(super) agent: Option<Agent>,
    pub(super) region: Option<Region>,
    pub(super) channel: Option<Channel>,
}

#[derive(Debug)]
pub(super) struct Verify<'a> {
    pub(super) at: Timestamp,
    pub(super) phone: Option<Phone<'a>>,
    pub(super) region: Option<Region>,
    pub(super) place: Place<'a>,
    /// Whether the code was right.
    pub(super) is_right: bool,
    /// The line of the send whose code it was.
    pub(super) send_line: Option<u64>,
    pub(super) has_unreadable_client: bool,
}

/// Where a request went.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place<'a> {
    Unknown,
    Path(Cow<'a, str>),
    /// The endpoint's name.
    Endpoint(Cow<'a, str>),
}

/// A number, as far as the recording shows it.
#[derive(Debug)]
pub(super) enum Phone<'a> {
    Whole(Cow<'a, str>),
    Masked(Masked<'a>),
}

/// A number of which the log hides digits, and its pseudonym.
#[derive(Debug)]
pub(super) struct Masked<'a> {
    /// Stars where digits are hidden.
    pub(super) shown: Cow<'a, str>,
    /// Leading digits that stand beside it.
    pub(super) prefix: Option<Cow<'a, str>>,
    pub(super) hash: Cow<'a, str>,
    pub(super) country: Option<Country>,
    pub(super) kind: Option<Kind>,
}

/// What became of a send at the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Sent,
    /// It was let through, and nobody knows what the app made of it.
    Doubtful,
    /// Nothing was sent.
    Refused,
}

// === impl Event ===

impl<'a> Event<'a> {
    /// Reads one line.
    ///
    /// # Errors
    /// The line is no JSON, or lacks what every event has.
    pub(super) fn parse(line: &'a str) -> serde_json::Result<Self> {
        match logged::Marker::of(line)? {
            logged::Marker::Decision => logged::decision(line),
            logged::Marker::Verified => logged::verified(line),
            logged::Marker::None => recorded::event(line),
        }
    }

    pub(super) fn at(&self) -> Timestamp {
        match self {
            Self::Send(send) => send.ask.at,
            Self::Verify(verify) => verify.at,
            Self::ChallengePassed { at, .. } => *at,
        }
    }

    pub(super) fn has_unreadable_client(&self) -> bool {
        match self {
            Self::Send(send) => send.has_unreadable_client,
            Self::Verify(verify) => verify.has_unreadable_client,
            Self::ChallengePassed { .. } => false,
        }
    }
}

// === impl Place ===

impl Place<'_> {
    pub(super) fn to_static(&self) -> Place<'static> {
        match self {
            Self::Unknown => Place::Unknown,
            Self::Path(path) => Place::Path(Cow::Owned(path.as_ref().to_owned())),
            Self::Endpoint(name) => Place::Endpoint(Cow::Owned(name.as_ref().to_owned())),
        }
    }
}

#[cfg(test)]
mod tests;
