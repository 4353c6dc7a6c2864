//! One configuration's reader, databases, policy and engine, in the events' own time.

use std::time::Duration;

use super::event::{Ask, Place};
use crate::app::{Judge, Materials};
use crate::attempt::origin::Origin;
use crate::attempt::phone::{Number, Region, Unreadable};
use crate::attempt::{Attempt, Channel, Timestamp, Verdict};
use crate::config::Config;
use crate::policy::Decision;
use crate::proxy::endpoint::{Endpoint, Endpoints, Role};
use crate::risk::{Assessment, Event as Outcome, Fact, OpenId, Signal};

/// What judges the events of one replay.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) judge: Judge,
    endpoints: Endpoints,
    maintained_at: Timestamp,
    now: Timestamp,
}

/// What was made of a send.
#[derive(Debug)]
pub(super) enum Judged {
    /// It went to an endpoint that checks codes: nothing is decided there.
    Unguarded,
    /// Its number cannot be read, and it is refused.
    Unreadable(Box<Assessment>),
    Decided(Attempt, Box<Decision>),
}

// === impl Gate ===

impl Gate {
    pub(super) fn new(config: &Config, materials: Materials) -> Self {
        Self {
            judge: materials.into_judge(config),
            endpoints: Endpoints::new(config.endpoint.clone()),
            maintained_at: Timestamp::default(),
            now: Timestamp::default(),
        }
    }

    /// Lets the engine do what it does about once a second.
    pub(super) fn tick(&mut self, at: Timestamp) {
        self.now = self.now.max(at);
        if Duration::from_secs(1) <= at.since(self.maintained_at) {
            self.judge.engine.maintain(at);
            self.maintained_at = at;
        }
    }

    /// What judged, and the time it has come to.
    pub(super) fn into_judge(self) -> (Judge, Timestamp) {
        (self.judge, self.now)
    }

    pub(super) fn send(&self, ask: &Ask, place: &Place<'_>, phone: &str) -> Judged {
        let endpoint = self.endpoint(place);
        if endpoint.is_some_and(|endpoint| endpoint.role() == Role::Verify) {
            return Judged::Unguarded;
        }
        let number = match self.judge.reader.read(phone, ask.region.or_else(|| endpoint.and_then(Endpoint::region))) {
            Ok(number) => number,
            Err(unreadable) => {
                let assessment = Assessment::certain(Signal::Unreadable, Fact::BadNumber(unreadable));
                return Judged::Unreadable(Box::new(assessment));
            }
        };
        let attempt = Attempt {
            at: ask.at,
            client: ask.client,
            origin: self.origin(ask),
            agent: ask.agent,
            number,
            channel: channel(ask, place, endpoint),
        };
        let decision = self.judge.policy.decide(&self.judge.engine, &[attempt]);
        Judged::Decided(attempt, Box::new(decision))
    }

    /// The number as the endpoint would read it.
    pub(super) fn read(&self, phone: &str, region: Option<Region>, place: &Place<'_>) -> Result<Number, Unreadable> {
        self.judge.reader.read(phone, region.or_else(|| self.endpoint(place).and_then(Endpoint::region)))
    }

    pub(super) fn verified(&self, at: Timestamp, number: Number) {
        self.judge.engine.fold(&Outcome::Verified { at, number });
    }

    /// A solved challenge sends the message after all, so it takes its place in the limits; says whether there is one.
    pub(super) fn challenge_passed(&self, at: Timestamp, attempt: Attempt, send: OpenId) -> bool {
        // A limit that is used up by now refuses the send that follows the solution.
        let is_sent = self.judge.engine.reserve(&[Attempt { at, ..attempt }]).is_ok();
        if is_sent {
            self.judge.engine.fold(&Outcome::ChallengePassed { at, send });
        }
        is_sent
    }

    fn endpoint(&self, place: &Place<'_>) -> Option<&Endpoint> {
        match place {
            Place::Unknown => None,
            Place::Path(path) => self.endpoints.at_path(path),
            Place::Endpoint(name) => self.endpoints.iter().find(|endpoint| endpoint.name() == name),
        }
    }

    /// As recorded, or else as the database has it.
    fn origin(&self, ask: &Ask) -> Origin {
        match ask.client {
            Some(client) if ask.origin == Origin::default() => self.judge.geo.lookup(client.ip()),
            Some(_) | None => ask.origin,
        }
    }
}

// === impl Judged ===

impl Judged {
    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Self::Unguarded => Verdict::Allow,
            Self::Unreadable(_) => Verdict::Block,
            Self::Decided(_, decision) => decision.verdict,
        }
    }
}

/// An event that says its channel knows better than the path it went to; the log only knows what its endpoint said.
fn channel(ask: &Ask, place: &Place<'_>, endpoint: Option<&Endpoint>) -> Channel {
    let configured = endpoint.map(Endpoint::channel);
    match place {
        Place::Endpoint(_) => configured.or(ask.channel).unwrap_or_default(),
        Place::Path(path) => ask.channel.or(configured).unwrap_or_else(|| channel_of(path)),
        Place::Unknown => ask.channel.unwrap_or_default(),
    }
}

/// Where nothing says how a code is delivered, its path may.
fn channel_of(path: &str) -> Channel {
    if path.ends_with("voice") || path.ends_with("call") { Channel::Voice } else { Channel::Text }
}
