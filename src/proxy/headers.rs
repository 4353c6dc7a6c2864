//! Which header fields cross the proxy, and what it says of the client to the upstream.
//!
//! Fields that belong to one connection stay there (RFC 9110, 7.6.1). Fields that claim who the client is are dropped
//! unless a trusted hop wrote them.

use std::fmt::Write;

use http::header::{
    CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, FORWARDED, HOST, HeaderName, HeaderValue, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::uri::PathAndQuery;
use http::{HeaderMap, Uri, Version};
use smallvec::SmallVec;

use super::caller::{Caller, REQUEST_ID};
use super::client_addr::Peer;
use super::rescue::Refusal;

/// Whether the connection may turn into another protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Upgrading {
    Keep,
    Strip,
}

/// Makes a request fit to be forwarded: HTTP/1.1, origin-form, one Host, and only fields that may cross.
///
/// # Errors
/// [`Refusal::Malformed`] where it could be understood in two ways.
pub(super) fn outbound(parts: &mut http::request::Parts, caller: &Caller, upgrading: Upgrading) -> Result<(), Refusal> {
    one_host(parts)?;
    if has_underscore_twin(&parts.headers) {
        return Err(Refusal::Malformed);
    }
    strip_hop_by_hop(&mut parts.headers, upgrading);
    if !caller.is_trusted {
        strip_claims(&mut parts.headers);
    }
    if parts.version == Version::HTTP_2 {
        join_cookies(&mut parts.headers);
    }
    let target = parts.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    parts.uri = Uri::from(target);
    parts.version = Version::HTTP_11;
    introduce(&mut parts.headers, caller);
    Ok(())
}

/// Removes what belongs to the upstream's connection from its answer.
pub(super) fn inbound(headers: &mut HeaderMap, upgrading: Upgrading) {
    strip_hop_by_hop(headers, upgrading);
}

/// Whether the client asks for another protocol.
pub(super) fn wants_upgrade(headers: &HeaderMap) -> bool {
    let names_upgrade = |value: &HeaderValue| {
        value.as_bytes().split(|byte| *byte == b',').any(|token| token.trim_ascii().eq_ignore_ascii_case(b"upgrade"))
    };
    headers.contains_key(UPGRADE) && headers.get_all(CONNECTION).iter().any(names_upgrade)
}

/// Leaves exactly one Host: the request's own, or HTTP/2's authority.
fn one_host(parts: &mut http::request::Parts) -> Result<(), Refusal> {
    if parts.version == Version::HTTP_2 {
        let authority = parts.uri.authority().map(http::uri::Authority::as_str);
        return match (authority, parts.headers.get(HOST)) {
            (Some(authority), Some(host)) if host.as_bytes() != authority.as_bytes() => Err(Refusal::Malformed),
            (Some(authority), _) => {
                let host = HeaderValue::from_str(authority).map_err(|_| Refusal::Malformed)?;
                parts.headers.insert(HOST, host);
                Ok(())
            }
            (None, Some(_)) => Ok(()),
            (None, None) => Err(Refusal::Malformed),
        };
    }
    // Absolute-form names a second authority: some apps believe it, some the Host.
    if parts.uri.authority().is_some() {
        return Err(Refusal::Malformed);
    }
    let mut hosts = parts.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) if !host.as_bytes().iter().any(|byte| matches!(byte, b',' | b'/' | b'@' | b' ')) => Ok(()),
        (Some(_), None | Some(_)) | (None, None | Some(_)) => Err(Refusal::Malformed),
    }
}

/// Apps that turn headers into variables read `Content_Length` as `Content-Length`.
fn has_underscore_twin(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| {
        let name = name.as_str();
        name.contains('_') && TWINS.iter().any(|twin| twin.len() == name.len() && name.replace('_', "-") == *twin)
    })
}

fn strip_hop_by_hop(headers: &mut HeaderMap, upgrading: Upgrading) {
    if headers.contains_key(CONNECTION) {
        strip_named(headers);
        if upgrading == Upgrading::Strip {
            headers.remove(CONNECTION);
        }
    }
    if upgrading == Upgrading::Strip {
        headers.remove(UPGRADE);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

/// Removes the fields that `Connection` names, but none that framing, routing or identity rest on.
fn strip_named(headers: &mut HeaderMap) {
    let named: SmallVec<[HeaderName; 4]> = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter_map(|token| HeaderName::from_bytes(token.trim_ascii()).ok())
        .filter(|name| !KEPT.contains(name) && *name != X_FORWARDED_FOR)
        .collect();
    for name in named {
        headers.remove(name);
    }
}

/// Drops what a stranger says about who he is.
fn strip_claims(headers: &mut HeaderMap) {
    let claims: SmallVec<[HeaderName; 4]> = headers.keys().filter(|name| is_claim(name.as_str())).cloned().collect();
    for name in claims {
        headers.remove(name);
    }
}

fn is_claim(name: &str) -> bool {
    matches!(
        name,
        "forwarded"
            | "x-forwarded-for"
            | "x-forwarded-proto"
            | "x-forwarded-host"
            | "x-forwarded-port"
            | "x-real-ip"
            | "x-client-ip"
            | "x-cluster-client-ip"
            | "x-originating-ip"
            | "x-remote-ip"
            | "x-remote-addr"
            | "x-original-url"
            | "x-rewrite-url"
            | "x-envoy-external-address"
            | "x-proxyuser-ip"
            | "x-request-id"
            | "true-client-ip"
            | "cf-connecting-ip"
            | "fastly-client-ip"
            | "client-ip"
    )
}

/// HTTP/2 may split cookies; HTTP/1.1 has one line of them.
fn join_cookies(headers: &mut HeaderMap) {
    if headers.get_all(COOKIE).iter().nth(1).is_none() {
        return;
    }
    let lines: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if let Ok(joined) = HeaderValue::from_bytes(&lines.join(&b"; "[..])) {
        headers.insert(COOKIE, joined);
    }
}

/// Says who the client is: appended to what trusted hops said, alone otherwise.
fn introduce(headers: &mut HeaderMap, caller: &Caller) {
    headers.insert(REQUEST_ID, caller.request_id.clone());
    let proto = if caller.is_tls { "https" } else { "http" };
    if let Peer::Ip(peer) = caller.peer {
        let peer = peer.to_canonical();
        let mut line = joined(headers, X_FORWARDED_FOR);
        // Writing into a string does not fail.
        let _written = write!(line, "{peer}");
        set(headers, X_FORWARDED_FOR, line);
        let mut line = joined(headers, FORWARDED);
        let _written = match peer {
            std::net::IpAddr::V4(peer) => write!(line, "for={peer};proto={proto}"),
            std::net::IpAddr::V6(peer) => write!(line, "for=\"[{peer}]\";proto={proto}"),
        };
        set(headers, FORWARDED, line);
    }
    if !headers.contains_key(X_FORWARDED_PROTO) {
        headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(proto));
    }
}

/// All lines of a field as one, ready for another element.
fn joined(headers: &HeaderMap, name: HeaderName) -> String {
    let mut line = String::with_capacity(64);
    for value in headers.get_all(name) {
        if let Ok(value) = value.to_str() {
            line.push_str(value);
            line.push_str(", ");
        }
    }
    line
}

fn set(headers: &mut HeaderMap, name: HeaderName, line: String) {
    if let Ok(value) = HeaderValue::try_from(line) {
        headers.insert(name, value);
    }
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Fields of one connection.
const HOP_BY_HOP: [HeaderName; 9] = [
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("http2-settings"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    EXPECT,
];

/// Fields that no `Connection` header can take away.
const KEPT: [HeaderName; 4] = [CONTENT_LENGTH, TRANSFER_ENCODING, HOST, CONNECTION];

/// Fields whose underscore twins are refused.
const TWINS: [&str; 6] =
    ["content-length", "transfer-encoding", "content-type", "x-forwarded-for", "x-real-ip", "x-forwarded-proto"];
