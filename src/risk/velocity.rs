//! How many different numbers one client, or its network, asks for.
//!
//! The exact limits refuse by count; this adds what stays below them to the rest of the evidence.

use super::adjacency::{keeps, whole};
use super::evidence::{Assessment, Evidence, Fact, Points, Signal};
use super::node::{Node, Pace, Surprise, Totals};
use super::window::{Occupancy, Window};
use super::{Capacity, Lesson, Seen};
use crate::attempt::client::{Client, ClientNet};
use crate::attempt::{Attempt, Timestamp};

#[derive(Debug)]
pub(super) struct Velocity {
    clients: Window<ClientNet, Node>,
}

// === impl Velocity ===

impl Velocity {
    pub(super) fn new(capacity: Capacity) -> Self {
        Self { clients: Window::new(capacity) }
    }

    pub(super) fn weigh(&self, attempt: &Attempt, seen: Seen, totals: &Totals, assessment: &mut Assessment) {
        let Some(client) = attempt.client else { return };
        let own = if seen == Seen::Lately { 1.0 } else { 0.0 };
        let mut worst: Option<(Surprise, Signal, ClientNet)> = None;
        let mut n_unknown = 0;
        for (signal, net, weight) in
            [(Signal::ClientRate, client.host(), HOST_WEIGHT), (Signal::NetRate, client.net(), NET_WEIGHT)]
        {
            let Some(node) = self.clients.read(&net, |node| node.aged(attempt.at)) else {
                n_unknown += 1;
                continue;
            };
            let share = (node.normal(Pace::Patient) + weight) / (totals.normal() + 30.0);
            if BUSY <= share {
                continue;
            }
            let surprise = node.surprise(own, share.max(LEAST_SHARE), totals);
            if worst.is_none_or(|(most, ..)| most.nats < surprise.nats) {
                worst = Some((surprise, signal, net));
            }
        }
        // A busy host makes its network busy: the two are one observation.
        if let Some((surprise, signal, net)) = worst {
            let fact = Fact::Clients { net, n_others: whole(surprise.n_others), within: surprise.within.duration() };
            assessment.add(Evidence { signal, points: surprise.points(MOST), fact });
        }
        if 0 < n_unknown && !self.clients.has_room() {
            assessment.add(Evidence { signal: Signal::StateFull, points: BLIND, fact: Fact::Table("clients") });
        }
    }

    pub(super) fn observe(&self, attempt: &Attempt, lesson: Lesson) {
        let Some(client) = attempt.client else { return };
        for net in [client.host(), client.net()] {
            // A full table has no room for this client: `weigh` has said so as evidence.
            let _full = self.clients.update(net, |node| node.count(attempt.at, lesson));
        }
    }

    pub(super) fn verified(&self, client: Client, at: Timestamp) {
        for net in [client.host(), client.net()] {
            self.clients.update_known(&net, |node| node.vouch(at));
        }
    }

    pub(super) fn sweep(&self, at: Timestamp, due: bool) {
        self.clients.sweep(due, |node, pressure| keeps(node, pressure, at));
    }

    pub(super) fn size(&self) -> Occupancy {
        self.clients.size()
    }
}

/// How much traffic a host and a network get for granted, in learned attempts.
const HOST_WEIGHT: f32 = 0.01;
const NET_WEIGHT: f32 = 0.03;

/// A network with this share of ordinary traffic is a carrier's or a partner's gateway.
const BUSY: f32 = 0.3;

const LEAST_SHARE: f32 = 3e-4;

/// The most that one width can say, in decibans: offices and carrier gateways hold many customers.
const MOST: f32 = 20.0;

/// What not knowing is worth.
const BLIND: Points = Points::new(6.0);
