//! Who the client is: the peer, or what a trusted hop says of it, and nothing that a stranger says of himself.
//!
//! 1. A peer that is not in `trusted_proxies` is the client.
//! 2. Otherwise all `X-Forwarded-For` lines are one list, read from the right: trusted hops are skipped, the first
//!    other address is the client.
//! 3. An element that is no address ends the search: then nobody vouches for what stands left of it, and the hop that
//!    reported it is the client.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::header::{HeaderMap, HeaderName};
use ipnet::IpNet;
use serde::Deserialize;

use crate::attempt::client::Client;

/// The hops whose word counts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct TrustedProxies {
    nets: Vec<IpNet>,
    trusts_unix: bool,
}

/// Not a hop.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no address, no CIDR and not `unix:`, expected something like `10.0.0.0/8`")]
pub struct HopError(String);

/// The other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// By address.
    Ip(IpAddr),
    /// A process on this machine, through a Unix socket.
    Unix,
}

// === impl TrustedProxies ===

impl TrustedProxies {
    /// Whether the peer's headers count.
    pub fn trusts(&self, peer: Peer) -> bool {
        match peer {
            Peer::Ip(ip) => self.contains(ip),
            Peer::Unix => self.trusts_unix,
        }
    }

    /// The client behind the peer; `None` behind a Unix socket that says nothing trusted of it.
    pub fn client(&self, peer: Peer, headers: &HeaderMap) -> Option<Client> {
        let mut client = match peer {
            Peer::Ip(ip) => Some(ip.to_canonical()),
            Peer::Unix => None,
        };
        if !self.trusts(peer) {
            return client.map(Client::new);
        }
        let lines = headers.get_all(&FORWARDED_FOR).into_iter().rev();
        for element in lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b',')) {
            let Some(ip) = std::str::from_utf8(element).ok().and_then(|text| address(text.trim())) else {
                break;
            };
            client = Some(ip);
            if !self.contains(ip) {
                break;
            }
        }
        client.map(Client::new)
    }

    fn contains(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.nets.iter().any(|net| net.contains(&ip))
    }
}

impl TryFrom<Vec<String>> for TrustedProxies {
    type Error = HopError;

    fn try_from(hops: Vec<String>) -> Result<Self, HopError> {
        let mut trusted = Self::default();
        for hop in hops {
            if hop == "unix:" {
                trusted.trusts_unix = true;
                continue;
            }
            let net = IpNet::from_str(&hop).or_else(|_| hop.parse().map(|ip: IpAddr| IpNet::from(ip)));
            trusted.nets.push(net.map_err(|_| HopError(hop))?);
        }
        Ok(trusted)
    }
}

/// An address as hops write it: bare, or with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.parse().ok();
    let ip: IpAddr = bare.or_else(|| text.parse().ok().map(|with_port: SocketAddr| with_port.ip()))?;
    Some(ip.to_canonical())
}

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &[&str], peer: &str, lines: &[&str]) -> String {
        let trusted =
            TrustedProxies::try_from(trusted.iter().map(|hop| (*hop).to_owned()).collect::<Vec<_>>()).unwrap();
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        trusted.client(Peer::Ip(peer.parse().unwrap()), &headers).unwrap().ip().to_string()
    }

    #[test]
    fn a_stranger_is_who_connects_whatever_he_says() {
        assert_eq!(client(&[], "192.0.2.1", &["198.51.100.1"]), "192.0.2.1");
        assert_eq!(client(&["10.0.0.0/8"], "192.0.2.1", &["198.51.100.1"]), "192.0.2.1");
    }

    #[test]
    fn behind_trusted_hops_the_right_most_other_address_counts() {
        let trusted = ["10.0.0.0/8"];
        assert_eq!(client(&trusted, "10.0.0.1", &["203.0.113.9, 198.51.100.1"]), "198.51.100.1");
        assert_eq!(client(&trusted, "10.0.0.1", &["203.0.113.9, 198.51.100.1, 10.1.1.1"]), "198.51.100.1");
        assert_eq!(client(&trusted, "10.0.0.1", &["203.0.113.9", "198.51.100.1"]), "198.51.100.1");
    }

    #[test]
    fn nobody_vouches_for_what_stands_left_of_garbage() {
        let trusted = ["10.0.0.0/8"];
        assert_eq!(client(&trusted, "10.0.0.1", &["198.51.100.1, unknown"]), "10.0.0.1");
        assert_eq!(client(&trusted, "10.0.0.1", &["198.51.100.1,,10.0.0.2"]), "10.0.0.2");
        assert_eq!(client(&trusted, "10.0.0.1", &["0300.0250.0.1"]), "10.0.0.1");
    }

    #[test]
    fn one_address_is_one_client_in_every_spelling() {
        let trusted = ["10.0.0.0/8"];
        assert_eq!(client(&trusted, "::ffff:10.0.0.1", &["::ffff:198.51.100.1"]), "198.51.100.1");
        assert_eq!(client(&trusted, "10.0.0.1", &["198.51.100.1:4711"]), "198.51.100.1");
        assert_eq!(client(&trusted, "10.0.0.1", &["[2001:db8::1]:4711"]), "2001:db8::1");
    }
}
