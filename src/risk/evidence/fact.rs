//! What a signal saw, as a sentence for people. Rendered only when a line of the block log is written.

use std::fmt;
use std::time::Duration;

use super::super::Money;
use super::super::expect::Name;
use crate::attempt::client::ClientNet;
use crate::attempt::country::Country;
use crate::attempt::origin::Asn;
use crate::attempt::phone::{Block, Kind, Prefix, Unreadable};

/// What a signal saw, rendered as a sentence for the block log only when it is written.
#[derive(Clone, Copy, Debug)]
pub enum Fact {
    /// Price and share of a destination.
    Destination {
        /// Where.
        country: Country,
        /// What one message costs there.
        price: Money,
        /// Its learned share of ordinary traffic, in per mille.
        per_mille: u32,
    },
    /// A row of the risk table.
    Prefix(Prefix),
    /// The kind of a number.
    Kind(Kind),
    /// How common fraud is right now.
    Prior,
    /// The client's country beside the number's.
    ClientCountry {
        /// Where the client is.
        client: Country,
        /// Where the number is.
        number: Country,
        /// Whether customers are usual where the client is.
        is_home: bool,
    },
    /// A network of servers.
    Hosting(Asn),
    /// The attempt beside others for the same range of numbers.
    Range(Range, Crowd),
    /// The attempt beside others from the same source.
    Clients(Source, Crowd),
    /// A run of numbers.
    Run {
        /// Where.
        block: Block,
        /// How many numbers stand in a row with this one.
        n_others: u32,
    },
    /// Money that was not answered with codes.
    Overdraft {
        /// Where it went.
        country: Country,
        /// How many times the allowance it is, in tenths.
        tenths: u32,
    },
    /// Money to unknown numbers within an hour.
    Surge {
        /// Where it goes.
        country: Country,
        /// How many times what is usual it is, in tenths.
        tenths: u32,
    },
    /// Sends to this number that nobody answered with a code.
    Unverified(u32),
    /// This number typed a code before.
    VerifiedBefore,
    /// The name of a full table.
    Table(&'static str),
    /// A country by policy.
    Country(Country),
    /// A limit: what it counts, how many, in which time.
    Limit {
        /// What is counted.
        dimension: &'static str,
        /// The most that may pass.
        count: u32,
        /// In which time.
        per: Duration,
    },
    /// A budget: what it is for, and how much it allows.
    Budget {
        /// What it is for.
        scope: &'static str,
        /// What may be unanswered now.
        allowed: Money,
    },
    /// The event that explains it.
    Expected(Name),
    /// Why a number could not be read.
    BadNumber(Unreadable),
    /// A fixed sentence.
    Because(&'static str),
}

/// A range of numbers, from wide to narrow.
#[derive(Clone, Copy, Debug)]
pub enum Range {
    /// All destinations of about the same price that are asked for from the same kind of place.
    Pool,
    /// A country.
    Country(Country),
    /// Numbers of a country that are asked for from the same kind of place.
    Facet(Country),
    /// An operator's range.
    Carrier(Prefix),
    /// Adjacent numbers.
    Block(Block),
}

/// Who asks, from wide to narrow.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// The same software.
    Agent,
    /// An autonomous system.
    Asn(Asn),
    /// A network or host.
    Net(ClientNet),
}

/// How many new numbers there were, and what became of them.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    /// The position of this attempt among the new numbers.
    pub nth: u32,
    /// In which time.
    pub within: Duration,
    /// How many typed a code; `None` where typed codes are not seen.
    pub n_typed: Option<u32>,
}

// === impl Crowd ===

impl Crowd {
    fn outcome(self) -> Outcome {
        Outcome(self.n_typed)
    }
}

impl fmt::Display for Crowd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} new number in {}", Ordinal(self.nth), Span(self.within))
    }
}

/// How many of a crowd typed a code, as the end of a sentence.
struct Outcome(Option<u32>);

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => Ok(()),
            Some(0) => f.write_str(", none of them typed a code"),
            Some(n) => write!(f, ", {n} typed a code"),
        }
    }
}

/// `1st`, `2nd`, `11th`.
struct Ordinal(u32);

impl fmt::Display for Ordinal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ending = match (self.0 % 10, self.0 % 100) {
            (_, 11..=13) => "th",
            (1, _) => "st",
            (2, _) => "nd",
            (3, _) => "rd",
            _ => "th",
        };
        write!(f, "{}{ending}", self.0)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pool => f.write_str("destinations of this price and origin"),
            Self::Country(country) => write!(f, "{country}"),
            Self::Facet(country) => write!(f, "{country} from such places"),
            Self::Carrier(prefix) => write!(f, "+{prefix}…"),
            Self::Block(block) => write!(f, "{block}"),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent => f.write_str("this client software"),
            Self::Asn(asn) => write!(f, "{asn}"),
            Self::Net(net) => write!(f, "{net}"),
        }
    }
}

// === impl Fact ===

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Destination { country, price, per_mille } => {
                write!(
                    f,
                    "{country} costs {price} a message and is {}.{} % of ordinary traffic",
                    per_mille / 10,
                    per_mille % 10
                )
            }
            Self::Prefix(prefix) => write!(f, "+{prefix} is in the risk table"),
            Self::Kind(kind) => write!(f, "the number is {}", kind.as_str()),
            Self::Prior => f.write_str("how common fraud has been lately"),
            Self::ClientCountry { client, number, is_home } => {
                let usual = if client == number {
                    "the number's own country"
                } else if is_home {
                    "where customers are"
                } else {
                    "neither the number's country nor where customers are"
                };
                write!(f, "a number of {number} asked for from {client}, {usual}")
            }
            Self::Hosting(asn) => write!(f, "{asn} is a hosting network, and nobody there typed a code"),
            Self::Range(range, crowd) => write!(f, "{crowd} in {range}{}", crowd.outcome()),
            Self::Clients(source, crowd) => write!(f, "{crowd} asked for by {source}{}", crowd.outcome()),
            Self::Run { block, n_others } => write!(f, "stands in a row with {n_others} other numbers of {block}"),
            Self::Overdraft { country, tenths } => {
                write!(f, "unanswered messages to {country} cost {}.{} times their allowance", tenths / 10, tenths % 10)
            }
            Self::Surge { country, tenths } => write!(
                f,
                "unknown numbers of {country} would cost {}.{} times what an hour usually may",
                tenths / 10,
                tenths % 10
            ),
            Self::Unverified(n_sends) => write!(f, "{n_sends} earlier messages to this number, no code typed"),
            Self::VerifiedBefore => f.write_str("this number typed a code before"),
            Self::Table(table) => write!(f, "the table of {table} is full"),
            Self::Country(country) => write!(f, "{country} is denied, or not among the allowed destinations"),
            Self::Limit { dimension, count, per } => write!(f, "{count} per {} and {dimension} are used up", Span(per)),
            Self::Budget { scope, allowed } => {
                write!(f, "unanswered messages of {scope} would cost more than the {allowed} of their budget")
            }
            Self::Expected(name) => write!(f, "expected: {name}"),
            Self::BadNumber(unreadable) => write!(f, "the number cannot be read: {unreadable}"),
            Self::Because(sentence) => f.write_str(sentence),
        }
    }
}

/// A duration as people write it: `10m`, `24h`.
struct Span(Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() {
            0 => write!(f, "{}ms", self.0.as_millis()),
            seconds if seconds % 3600 == 0 => write!(f, "{}h", seconds / 3600),
            seconds if seconds % 60 == 0 => write!(f, "{}m", seconds / 60),
            seconds => write!(f, "{seconds}s"),
        }
    }
}
