//! Where load may go: this machine, and nowhere else.
//!
//! Only literal loopback addresses and the name `localhost` are accepted, and the name is never looked up, so that no
//! resolver can send the load to somebody else.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// An `http://` address on this machine, with a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) address: Loopback,
    pub(crate) path: String,
}

/// A socket address that is known to be a loopback one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loopback(SocketAddr);

/// Why an address is not acceptable.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Scheme(String),
    Unreadable(String),
    Remote(String),
}

// === impl Target ===

impl FromStr for Target {
    type Err = Refused;

    fn from_str(text: &str) -> Result<Self, Refused> {
        let Some(rest) = text.strip_prefix("http://") else {
            return Err(Refused::Scheme(text.to_owned()));
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        Ok(Self { address: authority.parse()?, path: if path.is_empty() { "/" } else { path }.to_owned() })
    }
}

// === impl Loopback ===

impl Loopback {
    /// A port of 127.0.0.1.
    pub(crate) fn port(port: u16) -> Self {
        Self(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }

    pub(crate) fn socket(self) -> SocketAddr {
        self.0
    }
}

impl FromStr for Loopback {
    type Err = Refused;

    /// Reads `ADDRESS:PORT`; without a port it is 80.
    fn from_str(text: &str) -> Result<Self, Refused> {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Self::checked(address, text);
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| Refused::Unreadable(text.to_owned()))?),
            None => (text, 80),
        };
        let ip = match host {
            "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
            _ => host.parse().map_err(|_| Refused::Unreadable(text.to_owned()))?,
        };
        Self::checked(SocketAddr::new(ip, port), text)
    }
}

impl Loopback {
    fn checked(address: SocketAddr, text: &str) -> Result<Self, Refused> {
        if address.ip().is_loopback() { Ok(Self(address)) } else { Err(Refused::Remote(text.to_owned())) }
    }
}

impl fmt::Display for Loopback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// === impl Refused ===

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme(text) => write!(f, "`{text}` must begin with http://"),
            Self::Unreadable(text) => {
                write!(f, "`{text}` must be a loopback address such as 127.0.0.1:8080; names are not looked up")
            }
            Self::Remote(text) => {
                write!(
                    f,
                    "`{text}` is not on this machine; load is only sent to loopback addresses (127.0.0.0/8, [::1])"
                )
            }
        }
    }
}

impl std::error::Error for Refused {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_targets_are_read() {
        let target: Target = "http://127.0.0.1:8080/_stats".parse().unwrap();
        assert_eq!(target.address, Loopback::port(8080));
        assert_eq!(target.path, "/_stats");
        assert_eq!("http://localhost:81".parse::<Target>().unwrap().address, Loopback::port(81));
        assert!("http://[::1]:80/".parse::<Target>().is_ok());
    }

    #[test]
    fn every_other_address_is_refused() {
        for text in ["http://192.0.2.1:80", "http://[2001:db8::1]:80", "http://0.0.0.0:80", "http://10.0.0.1"] {
            assert!(matches!(text.parse::<Target>(), Err(Refused::Remote(_))), "{text}");
        }
    }

    #[test]
    fn names_and_disguises_are_refused() {
        for text in [
            "http://example.test",
            "http://127.0.0.1@192.0.2.1:80",
            "http://127.0.0.1.example.test",
            "https://127.0.0.1",
        ] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}
