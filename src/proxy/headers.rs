//! Which header fields cross the proxy, and what it says of the client to the upstream.
//!
//! Fields that belong to one connection stay there (RFC 9110, 7.6.1). Fields that claim who the client is are dropped
//! unless a trusted hop wrote them.

use std::net::IpAddr;

use http::header::{
    CONNECTION, CONTENT_LENGTH, COOKIE, FORWARDED, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE,
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
    let seen = Survey::of(&parts.headers);
    if seen.has_twin {
        return Err(Refusal::Malformed);
    }
    if seen.has_hop_by_hop {
        strip_hop_by_hop(&mut parts.headers, upgrading);
        if upgrading == Upgrading::Keep {
            parts.headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        }
    }
    if seen.has_claims && !caller.is_trusted {
        strip(&mut parts.headers, is_claim);
    }
    if seen.has_overrides {
        strip(&mut parts.headers, is_override);
    }
    if parts.version == Version::HTTP_2 {
        join_cookies(&mut parts.headers);
    }
    if parts.uri.authority().is_some() || parts.uri.scheme().is_some() {
        let target = parts.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        parts.uri = Uri::from(target);
    }
    parts.version = Version::HTTP_11;
    introduce(&mut parts.headers, caller, seen.has_claims);
    Ok(())
}

/// Removes what belongs to the upstream's connection from its answer.
pub(super) fn inbound(headers: &mut HeaderMap, upgrading: Upgrading) {
    if Survey::of(headers).has_hop_by_hop {
        strip_hop_by_hop(headers, upgrading);
    }
}

/// Whether the client asks for a WebSocket. No other protocol crosses: h2c would carry requests that nobody judged.
pub(super) fn wants_websocket(headers: &HeaderMap) -> bool {
    let names_upgrade = |value: &HeaderValue| {
        value.as_bytes().split(|byte| *byte == b',').any(|token| token.trim_ascii().eq_ignore_ascii_case(b"upgrade"))
    };
    names_websocket(headers) && headers.get_all(CONNECTION).iter().any(names_upgrade)
}

/// Whether a WebSocket, and nothing else, is asked for or agreed to.
pub(super) fn names_websocket(headers: &HeaderMap) -> bool {
    let mut protocols = headers.get_all(UPGRADE).iter();
    match (protocols.next(), protocols.next()) {
        (Some(protocol), None) => protocol.as_bytes().trim_ascii().eq_ignore_ascii_case(b"websocket"),
        (Some(_), Some(_)) | (None, None | Some(_)) => false,
    }
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

/// Which kinds of fields there are, found in one pass: most requests have none that need work.
#[derive(Clone, Copy, Debug, Default)]
struct Survey {
    /// An underscore twin of a field that framing or identity rests on: apps that turn fields into variables read
    /// `Content_Length` as `Content-Length`.
    has_twin: bool,
    has_hop_by_hop: bool,
    has_claims: bool,
    has_overrides: bool,
}

impl Survey {
    fn of(headers: &HeaderMap) -> Self {
        let mut survey = Self::default();
        for name in headers.keys() {
            let name = name.as_str();
            survey.has_hop_by_hop |= is_hop_by_hop(name);
            survey.has_claims |= is_claim(name);
            survey.has_overrides |= is_override(name);
            survey.has_twin |= name.contains('_') && is_twin(&name.replace('_', "-"));
        }
        survey
    }
}

fn strip_hop_by_hop(headers: &mut HeaderMap, upgrading: Upgrading) {
    if headers.contains_key(CONNECTION) {
        strip_named(headers, upgrading);
    }
    let stays = |name: &str| upgrading == Upgrading::Keep && matches!(name, "connection" | "upgrade");
    strip(headers, |name| is_hop_by_hop(name) && !stays(name));
}

/// Fields of one connection.
fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "expect"
            | "http2-settings"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Removes the fields that `Connection` names, but none that framing, routing or identity rest on.
fn strip_named(headers: &mut HeaderMap, upgrading: Upgrading) {
    let named: SmallVec<[HeaderName; 4]> = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter_map(|token| HeaderName::from_bytes(token.trim_ascii()).ok())
        .filter(|name| !KEPT.contains(name) && *name != X_FORWARDED_FOR)
        .filter(|name| upgrading == Upgrading::Strip || *name != UPGRADE)
        .collect();
    for name in named {
        headers.remove(name);
    }
}

fn strip(headers: &mut HeaderMap, is_one: impl Fn(&str) -> bool) {
    let named: SmallVec<[HeaderName; 4]> = headers.keys().filter(|name| is_one(name.as_str())).cloned().collect();
    for name in named {
        headers.remove(name);
    }
}

/// Fields by which some apps route past their own path and method. They come from clients, also through trusted hops.
fn is_override(name: &str) -> bool {
    matches!(
        name,
        "x-original-url" | "x-rewrite-url" | "x-http-method-override" | "x-http-method" | "x-method-override"
    )
}

/// Fields whose underscore twins are refused: those that framing, reading, routing or identity rest on.
fn is_twin(name: &str) -> bool {
    matches!(name, "content-length" | "content-type" | "content-encoding" | "transfer-encoding" | "host")
        || is_claim(name)
        || is_override(name)
}

/// What a stranger says about who he is.
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
fn introduce(headers: &mut HeaderMap, caller: &Caller, may_have_claims: bool) {
    headers.insert(REQUEST_ID, caller.request_id.clone());
    let introduction = &*caller.introduction;
    let Some((forwarded_for, forwarded)) = &introduction.lines else { return };
    if !(caller.is_trusted && may_have_claims) {
        headers.insert(X_FORWARDED_FOR, forwarded_for.clone());
        headers.insert(FORWARDED, forwarded.clone());
        headers.insert(X_FORWARDED_PROTO, introduction.proto.clone());
        return;
    }
    append(headers, X_FORWARDED_FOR, forwarded_for);
    // A `Forwarded` of ours beside a hop's own X-Forwarded-For would name the hop as the client.
    if headers.contains_key(FORWARDED) {
        append(headers, FORWARDED, forwarded);
    }
    if !headers.contains_key(X_FORWARDED_PROTO) {
        headers.insert(X_FORWARDED_PROTO, introduction.proto.clone());
    }
}

/// Puts an element behind all that the field's lines hold, on one line.
fn append(headers: &mut HeaderMap, name: HeaderName, element: &HeaderValue) {
    let mut line = Vec::with_capacity(64);
    for value in headers.get_all(&name) {
        line.extend_from_slice(value.as_bytes());
        line.extend_from_slice(b", ");
    }
    line.extend_from_slice(element.as_bytes());
    if let Ok(value) = HeaderValue::from_maybe_shared(bytes::Bytes::from(line)) {
        headers.insert(name, value);
    }
}

/// What is said of a peer to the upstream, made once per connection.
#[derive(Debug)]
pub(super) struct Introduction {
    /// The elements for X-Forwarded-For and Forwarded; a Unix socket's peer has no address to tell.
    lines: Option<(HeaderValue, HeaderValue)>,
    proto: HeaderValue,
}

// === impl Introduction ===

impl Introduction {
    pub(super) fn new(peer: Peer, is_tls: bool) -> Self {
        let proto = if is_tls { "https" } else { "http" };
        let lines = match peer {
            Peer::Ip(ip) => {
                let forwarded = match ip.to_canonical() {
                    IpAddr::V4(ip) => format!("for={ip};proto={proto}"),
                    IpAddr::V6(ip) => format!("for=\"[{ip}]\";proto={proto}"),
                };
                let lines = [ip.to_canonical().to_string(), forwarded].map(HeaderValue::try_from);
                let [Ok(forwarded_for), Ok(forwarded)] = lines else {
                    unreachable!("an address is written in visible ASCII")
                };
                Some((forwarded_for, forwarded))
            }
            Peer::Unix => None,
        };
        Self { lines, proto: HeaderValue::from_static(proto) }
    }
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Fields that no `Connection` header can take away.
const KEPT: [HeaderName; 4] = [CONTENT_LENGTH, TRANSFER_ENCODING, HOST, CONNECTION];
