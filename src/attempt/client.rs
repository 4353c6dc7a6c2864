//! Who asks: an address and the networks around it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address an attempt is charged to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Client {
    ip: IpAddr,
}

/// A network as a key: the leading bits of an address, and how many of them count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientNet {
    /// The first 64 bits of an IPv6 address, or an IPv4 address in the upper half.
    bits: u64,
    length: Length,
}

/// How many leading bits count, of which kind of address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Length {
    V4(u8),
    V6(u8),
}

// === impl Client ===

impl Client {
    /// A client at `ip`; an IPv4 address mapped into IPv6 is the IPv4 address.
    pub fn new(ip: IpAddr) -> Self {
        Self { ip: ip.to_canonical() }
    }

    /// The address itself.
    pub fn ip(self) -> IpAddr {
        self.ip
    }

    /// What one subscriber controls: IPv4 /32, IPv6 /64.
    pub fn host(self) -> ClientNet {
        ClientNet::around(self.ip, 32, 64)
    }

    /// The neighbourhood: IPv4 /24, IPv6 /48.
    pub fn net(self) -> ClientNet {
        ClientNet::around(self.ip, 24, 48)
    }
}

// === impl ClientNet ===

impl ClientNet {
    fn around(ip: IpAddr, v4: u8, v6: u8) -> Self {
        let (bits, length, n_bits) = match ip {
            IpAddr::V4(ip) => (u64::from(ip.to_bits()) << 32, Length::V4(v4), v4),
            IpAddr::V6(ip) => ((ip.to_bits() >> 64) as u64, Length::V6(v6), v6),
        };
        let mask = u64::MAX << (64 - u32::from(n_bits));
        Self { bits: bits & mask, length }
    }
}

impl fmt::Display for ClientNet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.length {
            Length::V4(length) => write!(f, "{}/{length}", Ipv4Addr::from_bits((self.bits >> 32) as u32)),
            Length::V6(length) => write!(f, "{}/{length}", Ipv6Addr::from_bits(u128::from(self.bits) << 64)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(ip: &str) -> Client {
        Client::new(ip.parse().unwrap())
    }

    #[test]
    fn a_mapped_address_is_the_ipv4_address() {
        assert_eq!(client("::ffff:192.0.2.7"), client("192.0.2.7"));
        assert_eq!(client("::ffff:192.0.2.7").net().to_string(), "192.0.2.0/24");
    }

    #[test]
    fn one_ipv6_subscriber_is_one_host_however_it_picks_its_addresses() {
        assert_eq!(client("2001:db8:1:2::1").host(), client("2001:db8:1:2:ffff::9").host());
        assert_ne!(client("2001:db8:1:2::1").host(), client("2001:db8:1:3::1").host());
        assert_eq!(client("2001:db8:1:2::1").net(), client("2001:db8:1:3::1").net());
        assert_eq!(client("2001:db8:1:2::1").net().to_string(), "2001:db8:1::/48");
    }
}
