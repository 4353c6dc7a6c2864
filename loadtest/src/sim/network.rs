//! Where requests come from: an address plan that is made up, under autonomous systems some of which are real.
//!
//! Every AS has one IPv4 /14 and one IPv6 /32, found by a hash. Nothing is ever sent to these addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::dice::{Dice, hash, mixed};
use crate::number::FIRST_OCTETS;

/// An address with what a database would say about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) ip: IpAddr,
    pub(crate) asn: u32,
    pub(crate) country: &'static str,
}

/// What kind of access a network sells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Fixed,
    Mobile,
}

/// Proxies in homes, as they are rented: 30 % on mobile networks, one address in twenty comes back.
#[derive(Debug, Default)]
pub(crate) struct Proxies {
    used: Vec<Place>,
}

/// The AS that serves a subscriber.
pub(crate) fn carrier(country: &'static str, access: Access, dice: &mut Dice) -> u32 {
    let known = REAL.iter().find(|(iso, of, _)| *iso == country && *of == access);
    if let Some((_, _, asns)) = known {
        return dice.pick(asns);
    }
    let kind = match access {
        Access::Fixed => "fixed",
        Access::Mobile => "mobile",
    };
    let below = u32::try_from(hash(&[country, kind]) % 9_000_000).unwrap_or_default();
    PRIVATE_ASNS + below * 10 + dice.pick(&[0, 1, 2])
}

/// The `nth` IPv4 address of an AS; wraps after 262,144.
pub(crate) fn address(asn: u32, nth: u64) -> Ipv4Addr {
    let (asn_hash, n_blocks) = (mixed(u64::from(asn)), FIRST_OCTETS.len() as u64 * 64);
    let block = asn_hash % n_blocks;
    let first = usize::try_from(block / 64).map_or(1, |at| FIRST_OCTETS[at]);
    let [.., second, third, fourth] = (((block % 64) << 18) | (nth % N_ADDRESSES)).to_be_bytes();
    Ipv4Addr::new(first, second, third, fourth)
}

/// An address of one subscriber's /64; the lower half changes as it pleases.
pub(crate) fn address6(asn: u32, subscriber: u32, interface: u64) -> Ipv6Addr {
    let network = 0x2a00_0000 | (mixed(u64::from(asn)) & 0x000F_FFFF);
    Ipv6Addr::from_bits(u128::from(network << 32 | u64::from(subscriber)) << 64 | u128::from(interface))
}

/// One of the few addresses that a carrier's subscribers share.
pub(crate) fn shared(asn: u32, country: &'static str, dice: &mut Dice) -> Place {
    let nth = dice.below(N_SHARED) as u64 * 97;
    Place { ip: address(asn, nth).into(), asn, country }
}

/// The `nth` server of a fleet rented from `n_providers` providers.
pub(crate) fn server(nth: usize, n_providers: usize) -> Place {
    let (asn, country) = DATA_CENTRES[nth % n_providers.clamp(1, DATA_CENTRES.len())];
    Place { ip: address(asn, 7_000 + nth as u64).into(), asn, country }
}

/// An exit of a commercial VPN, as some people use them.
pub(crate) fn vpn(dice: &mut Dice) -> Place {
    let (asn, country) = dice.pick(VPNS);
    Place { ip: address(asn, dice.below(400) as u64).into(), asn, country }
}

/// A country, by how many rented proxies are there.
pub(crate) fn anywhere(dice: &mut Dice) -> &'static str {
    dice.weighted(PROXY_COUNTRIES)
}

// === impl Proxies ===

impl Proxies {
    /// An exit in that country.
    pub(crate) fn exit(&mut self, country: &'static str, dice: &mut Dice) -> Place {
        if !self.used.is_empty() && dice.chance(REPEATS) {
            return dice.pick(&self.used);
        }
        let access = if dice.chance(0.3) { Access::Mobile } else { Access::Fixed };
        let asn = carrier(country, access, dice);
        let place = Place { ip: address(asn, dice.bits()).into(), asn, country };
        self.used.push(place);
        place
    }
}

/// Proxies that come back.
const REPEATS: f64 = 0.05;
const N_ADDRESSES: u64 = 1 << 18;
/// Addresses that all subscribers of a carrier leave from.
const N_SHARED: usize = 16;
/// Numbers for private use (RFC 6996), for networks whose real numbers do not matter.
const PRIVATE_ASNS: u32 = 4_200_000_000;

/// Hosting companies, with the country most of their addresses are in.
pub(crate) const DATA_CENTRES: &[(u32, &str)] = &[
    (14061, "US"),
    (16276, "FR"),
    (24940, "DE"),
    (20473, "US"),
    (16509, "US"),
    (45102, "SG"),
    (51167, "DE"),
    (63949, "US"),
    (8075, "US"),
    (396982, "US"),
    (12876, "FR"),
    (60781, "NL"),
    (132203, "SG"),
    (136907, "HK"),
    (31898, "US"),
    (53667, "US"),
    (36352, "US"),
    (62240, "GB"),
];

/// Networks that commercial VPNs rent.
const VPNS: &[(u32, &str)] = &[(9009, "GB"), (212238, "US"), (60068, "DE"), (136787, "SG")];

/// Networks whose numbers are known; others get made-up ones.
const REAL: &[(&str, Access, &[u32])] = &[
    ("US", Access::Fixed, &[7922, 701, 7018, 20115, 22773]),
    ("US", Access::Mobile, &[21928, 6167, 20057]),
    ("CA", Access::Fixed, &[577, 812, 6327]),
    ("CA", Access::Mobile, &[812, 852, 36522]),
    ("GB", Access::Fixed, &[2856, 5089, 5607]),
    ("GB", Access::Mobile, &[12576, 25135, 206067]),
    ("HK", Access::Fixed, &[9269, 9304, 4515]),
    ("HK", Access::Mobile, &[4760, 9231, 10118]),
    ("DE", Access::Fixed, &[3320, 3209, 8881]),
    ("DE", Access::Mobile, &[3320, 6805]),
    ("FR", Access::Fixed, &[3215, 12322, 15557]),
    ("IN", Access::Fixed, &[24560, 9829]),
    ("IN", Access::Mobile, &[55836, 45609]),
    ("BR", Access::Fixed, &[28573, 27699, 18881]),
    ("BR", Access::Mobile, &[26615, 26599]),
    ("MX", Access::Fixed, &[8151, 13999]),
    ("MX", Access::Mobile, &[28403]),
    ("ID", Access::Fixed, &[7713, 17451]),
    ("ID", Access::Mobile, &[23693, 24203]),
    ("PH", Access::Fixed, &[9299]),
    ("PH", Access::Mobile, &[132199]),
    ("CN", Access::Fixed, &[4134, 4837]),
    ("CN", Access::Mobile, &[9808]),
    ("SG", Access::Fixed, &[9506, 4657]),
    ("AU", Access::Fixed, &[1221, 4804]),
];

const PROXY_COUNTRIES: &[(&str, f64)] = &[
    ("US", 12.0),
    ("BR", 12.0),
    ("IN", 10.0),
    ("ID", 8.0),
    ("VN", 6.0),
    ("MX", 5.0),
    ("PH", 5.0),
    ("RU", 5.0),
    ("TR", 4.0),
    ("GB", 3.0),
    ("DE", 3.0),
    ("ZA", 3.0),
    ("EG", 3.0),
    ("PK", 3.0),
    ("BD", 3.0),
    ("UA", 3.0),
    ("CO", 3.0),
    ("AR", 3.0),
    ("TH", 2.0),
    ("IT", 2.0),
    ("FR", 2.0),
    ("ES", 2.0),
    ("PL", 2.0),
    ("KE", 2.0),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn an_as_has_a_block_of_its_own_and_its_addresses_do_not_repeat() {
        let addresses: HashSet<_> = (0..N_ADDRESSES).step_by(37).map(|nth| address(7922, nth)).collect();
        assert_eq!(addresses.len() as u64, N_ADDRESSES.div_ceil(37));
        let blocks: HashSet<_> = addresses.iter().map(|ip| ip.to_bits() >> 18).collect();
        assert_eq!(blocks.len(), 1);
        let others: HashSet<_> = DATA_CENTRES.iter().map(|&(asn, _)| address(asn, 0)).collect();
        assert_eq!(others.len(), DATA_CENTRES.len());
    }

    #[test]
    fn addresses_are_public() {
        let mut dice = Dice::new(1, &[]);
        for _ in 0..10_000 {
            let ip = address(dice.bits() as u32, dice.bits());
            assert!(!ip.is_private() && !ip.is_loopback() && !ip.is_multicast() && !ip.is_link_local(), "{ip}");
        }
    }

    #[test]
    fn a_subscriber_keeps_the_upper_half_of_its_address() {
        let halves = [1, u64::MAX].map(|interface| address6(21928, 77, interface).to_bits() >> 64);
        assert_eq!(halves[0], halves[1]);
        assert_ne!(halves[0], address6(21928, 78, 1).to_bits() >> 64);
    }

    #[test]
    fn few_proxies_come_back() {
        let (mut proxies, mut dice) = (Proxies::default(), Dice::new(2, &[]));
        let exits: HashSet<_> = (0..2_000).map(|_| proxies.exit("BR", &mut dice).ip).collect();
        assert!((1_830..1_960).contains(&exits.len()), "{}", exits.len());
    }
}
