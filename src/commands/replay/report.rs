//! The whole report as a value; its fields are the schema of `--json`, which docs/operations.md describes.

use serde::Serialize;

use super::compare::{Comparison, Row, Sends, Side};
use super::reason::Reason;
use super::session::Outturn;
use super::tape::Tape;
use super::worst::{Case, Cases};

/// What both policies would have done.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) schema: u32,
    pub(super) old: Policy,
    pub(super) new: Policy,
    pub(super) recording: Recorded,
    pub(super) warnings: Vec<String>,
    pub(super) totals: Compared,
    pub(super) countries: Vec<Compared>,
    pub(super) ranges: Vec<Compared>,
    pub(super) reasons: Vec<Compared>,
    pub(super) hours: Vec<Compared>,
    pub(super) worst: Worst,
}

/// One of the two.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Policy {
    pub(super) config: String,
    pub(super) version: String,
    /// As configured; both are replayed as if they were enforced.
    pub(super) mode: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct Recorded {
    pub(super) events: String,
    pub(super) from: Option<String>,
    pub(super) until: Option<String>,
    pub(super) codes: u64,
    pub(super) codes_without_send: u64,
    pub(super) unreadable_clients: u64,
    pub(super) without_number: u64,
    pub(super) several_numbers: u64,
    pub(super) stand_ins: u64,
}

/// One row of one table.
#[derive(Debug, Serialize)]
pub(super) struct Compared {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
    /// None by reason: what one policy stopped for a reason, the other may have allowed.
    #[serde(flatten)]
    pub(super) sends: Option<Sends>,
    pub(super) old: Side<u64>,
    pub(super) new: Side<u64>,
    pub(super) difference: Side<i64>,
}

/// The decisions worth a look.
#[derive(Debug, Serialize)]
pub(super) struct Worst {
    pub(super) customers_blocked: Pair,
    pub(super) customers_challenged: Pair,
    pub(super) unanswered_allowed: Pair,
}

#[derive(Debug, Serialize)]
pub(super) struct Pair {
    pub(super) old: Vec<Explained>,
    pub(super) new: Vec<Explained>,
}

/// One decision, with all its reasons.
#[derive(Debug, Serialize)]
pub(super) struct Explained {
    pub(super) line: u64,
    pub(super) request_id: Option<String>,
    pub(super) ts: String,
    pub(super) number: Option<String>,
    pub(super) country: Option<String>,
    pub(super) client_net: Option<String>,
    pub(super) verdict: &'static str,
    pub(super) score: u8,
    pub(super) price_usd_micros: u64,
    pub(super) reasons: Vec<Reason>,
}

/// The two policies, or what they made of the tape.
pub(super) struct Both<T> {
    pub(super) old: T,
    pub(super) new: T,
}

// === impl Report ===

impl Report {
    pub(super) fn new(events: String, tape: &Tape, policies: Both<Policy>, outturns: &Both<Outturn>) -> Self {
        let Comparison { totals, countries, ranges, reasons, hours } =
            Comparison::new(tape, &outturns.old, &outturns.new);
        let Both { old, new } = policies;
        Self {
            schema: SCHEMA,
            old,
            new,
            recording: Recorded::new(events, tape),
            warnings: tape.notes.warnings.clone(),
            totals: Compared::new(None, &totals),
            countries: compared(countries),
            ranges: compared(ranges).into_iter().take(MOST_RANGES).collect(),
            reasons: compared(reasons).into_iter().map(|row| Compared { sends: None, ..row }).collect(),
            hours: compared(hours),
            worst: Worst::new(tape, outturns),
        }
    }
}

fn compared(rows: Vec<(String, Row)>) -> Vec<Compared> {
    rows.into_iter().map(|(key, row)| Compared::new(Some(key), &row)).collect()
}

// === impl Recorded ===

impl Recorded {
    fn new(events: String, tape: &Tape) -> Self {
        let times = || tape.sends.iter().map(|sent| sent.ask.at);
        let notes = &tape.notes;
        Self {
            events,
            from: times().min().map(|at| at.to_string()),
            until: times().max().map(|at| at.to_string()),
            codes: tape.n_codes() as u64,
            codes_without_send: notes.n_codes_without_send,
            unreadable_clients: notes.n_unreadable_clients,
            without_number: notes.n_without_number,
            several_numbers: notes.n_several_numbers,
            stand_ins: notes.n_stand_ins,
        }
    }
}

// === impl Compared ===

impl Compared {
    fn new(key: Option<String>, row: &Row) -> Self {
        let Row { sends, old, new } = *row;
        Self { key, sends: Some(sends), old, new, difference: new.less(&old) }
    }
}

// === impl Worst ===

impl Worst {
    fn new(tape: &Tape, outturns: &Both<Outturn>) -> Self {
        let Both { old, new } = outturns;
        let pair = |cases: fn(&Outturn) -> &Cases| Pair {
            old: cases(old).iter().filter_map(|case| Explained::new(tape, old, case)).collect(),
            new: cases(new).iter().filter_map(|case| Explained::new(tape, new, case)).collect(),
        };
        Self {
            customers_blocked: pair(|outturn| &outturn.worst.customers_blocked),
            customers_challenged: pair(|outturn| &outturn.worst.customers_challenged),
            unanswered_allowed: pair(|outturn| &outturn.worst.unanswered_allowed),
        }
    }
}

// === impl Explained ===

impl Explained {
    fn new(tape: &Tape, outturn: &Outturn, case: &Case) -> Option<Self> {
        let sent = tape.sends.get(case.index)?;
        let ruling = outturn.rulings.get(case.index)?;
        Some(Self {
            line: sent.line,
            request_id: sent.request_id.as_deref().map(str::to_owned),
            ts: sent.ask.at.to_string(),
            number: sent.shown().map(|shown| shown.to_string()),
            country: sent.number.map(|number| number.country().to_string()),
            client_net: sent.ask.client.map(|client| client.net().to_string()),
            verdict: ruling.verdict.as_str(),
            score: case.score,
            price_usd_micros: ruling.price.micros(),
            reasons: case.evidence.iter().map(Reason::from).collect(),
        })
    }
}

/// Changes when a field changes its meaning or goes; new fields may come under the same one.
const SCHEMA: u32 = 1;

/// Ranges that are reported.
const MOST_RANGES: usize = 50;
