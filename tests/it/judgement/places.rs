//! Where people and proxies are, and the numbers of countries. Addresses and networks are those for documentation.

use std::net::{IpAddr, Ipv6Addr};

use tollgate::attempt::agent::Agent;
use tollgate::attempt::client::Client;
use tollgate::attempt::origin::{Asn, Origin};

use super::random::Random;

/// A place from which requests come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) client: Client,
    pub(super) origin: Origin,
    pub(super) agent: Agent,
}

// === impl Place ===

impl Place {
    /// A home with an address of its own, in one of some hundred networks of the country, with ordinary software.
    pub(super) fn home(country: &str, random: &mut Random) -> Self {
        let salt = country.bytes().fold(0_u64, |salt, byte| 31 * salt + u64::from(byte));
        let net = salt * 1_000 % 60_000 + random.below(400);
        let bits = (0x2001_0db8 << 96) | (u128::from(net) << 80) | (u128::from(random.below(60_000)) << 64) | 1;
        Self {
            client: Client::new(IpAddr::V6(Ipv6Addr::from_bits(bits))),
            origin: origin(65_536 + (salt % 8 * 2 + net % 2) as u32, country),
            agent: agent(random.below(N_AGENTS)),
        }
    }

    /// A proxy in somebody's home, in no country in particular, with ordinary software.
    pub(super) fn proxy(random: &mut Random) -> Self {
        let country = random.one_of(&PROXIES);
        let origin = origin(66_000 + random.below(300) as u32, country);
        Self { origin, ..Self::home(country, random) }
    }

    /// A gateway that many people share.
    pub(super) fn gateway(ip: &str, country: &str) -> Self {
        Self { client: Client::new(ip.parse().unwrap()), origin: origin(64_500, country), agent: agent(1) }
    }

    /// A rented server.
    pub(super) fn server(ip: &str) -> Self {
        Self { client: Client::new(ip.parse().unwrap()), origin: origin(14_061, "NL"), agent: agent(1_000) }
    }

    /// The same place, with some software out of a few.
    pub(super) fn with_any_software(self, random: &mut Random) -> Self {
        Self { agent: agent(random.below(N_AGENTS)), ..self }
    }
}

fn agent(n: u64) -> Agent {
    Agent::of([n.to_le_bytes().as_slice()])
}

fn origin(asn: u32, country: &str) -> Origin {
    Origin { asn: Asn::new(asn), country: country.parse().ok() }
}

/// A number of the home market: the exchange 555 in one of forty area codes.
pub(super) fn home_number(random: &mut Random) -> String {
    format!("+1{}555{:04}", random.one_of(&crate::harness::AREAS), random.below(10_000))
}

/// A mobile number of the country, whose digits behind the prefix are random.
pub(super) fn number_in(country: &str, random: &mut Random) -> String {
    let (_, prefix, n_digits) = *MOBILE.iter().find(|(name, ..)| *name == country).unwrap();
    random_number(prefix, n_digits, random)
}

/// The prefix and so many random digits.
pub(super) fn random_number(prefix: &str, n_digits: u32, random: &mut Random) -> String {
    let tail = random.below(10_u64.pow(n_digits));
    format!("{prefix}{tail:0width$}", width = n_digits as usize)
}

/// Countries with a prefix of mobile numbers and the digits behind it; the first few are where visitors come from.
pub(super) const MOBILE: [(&str, &str, u32); 24] = [
    ("GB", "+447400", 6),
    ("DE", "+49151", 8),
    ("FR", "+33612", 6),
    ("CA", "+1416555", 4),
    ("MX", "+5255", 8),
    ("IT", "+39312", 7),
    ("BR", "+55119", 8),
    ("PL", "+48512", 6),
    ("ID", "+62812", 8),
    ("UZ", "+99890", 7),
    ("AZ", "+99450", 7),
    ("TJ", "+99290", 7),
    ("KG", "+996700", 6),
    ("LK", "+9477", 7),
    ("PK", "+92300", 7),
    ("BD", "+88017", 8),
    ("NG", "+234803", 7),
    ("SL", "+23276", 6),
    ("TN", "+21620", 6),
    ("DZ", "+21355", 7),
    ("MG", "+26132", 7),
    ("KH", "+85512", 6),
    ("AM", "+37491", 6),
    ("JO", "+96279", 7),
];

/// Where visitors come from.
pub(super) const VISITORS: [&str; 6] = ["GB", "DE", "FR", "CA", "MX", "IT"];

/// Where a message is dear.
pub(super) const DEAR: [&str; 15] =
    ["UZ", "AZ", "TJ", "KG", "LK", "PK", "BD", "NG", "SL", "TN", "DZ", "MG", "KH", "AM", "JO"];

/// Where proxies are rented.
const PROXIES: [&str; 20] = [
    "US", "US", "BR", "BR", "PL", "ID", "ID", "GB", "DE", "FR", "MX", "PK", "IN", "VN", "TR", "UA", "RU", "ZA", "EG",
    "PH",
];

/// Kinds of software that customers use.
const N_AGENTS: u64 = 12;
