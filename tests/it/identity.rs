//! What the upstream is told of the client: from strangers nothing of their own, from trusted hops all of it.

use std::sync::LazyLock;

use crate::harness::{Tollgate, Upstream};

struct Pair {
    upstream: Upstream,
    tollgate: Tollgate,
}

static OPEN: LazyLock<Pair> = LazyLock::new(|| pair(""));
static BEHIND_A_HOP: LazyLock<Pair> = LazyLock::new(|| pair("trusted_proxies = [\"127.0.0.1\"]"));

fn pair(server: &str) -> Pair {
    let upstream = Upstream::friendly();
    let tollgate = Tollgate::lenient(&upstream, server);
    Pair { upstream, tollgate }
}

#[test]
fn a_stranger_is_named_by_his_own_address_only() {
    let claims = ["X-Case: stranger", "X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1;host=evil.example"];
    OPEN.tollgate.send("+12025550100", &claims);
    let seen = OPEN.upstream.request("stranger");
    assert_eq!(seen.headers("x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(seen.headers("forwarded"), ["for=127.0.0.1;proto=http"]);
    assert_eq!(seen.headers("x-forwarded-proto"), ["http"]);
}

#[test]
fn what_a_stranger_says_of_himself_is_dropped() {
    let names = [
        "X-Real-IP",
        "X-Client-IP",
        "X-Cluster-Client-IP",
        "X-Originating-IP",
        "X-Remote-Addr",
        "X-Envoy-External-Address",
        "X-ProxyUser-Ip",
        "True-Client-IP",
        "CF-Connecting-IP",
        "Fastly-Client-IP",
        "Client-IP",
        "X-Forwarded-Host",
        "X-Original-URL",
        "X-Rewrite-URL",
    ];
    let claims: Vec<String> = names.iter().map(|name| format!("{name}: 192.0.2.1")).collect();
    let mut headers: Vec<&str> = claims.iter().map(String::as_str).collect();
    headers.push("X-Case: claims");
    OPEN.tollgate.send("+12025550101", &headers);
    let seen = OPEN.upstream.request("claims");
    let passed: Vec<&str> = names.into_iter().filter(|name| seen.header(name).is_some()).collect();
    assert_eq!(passed, Vec::<&str>::new());
}

#[test]
fn claims_are_dropped_on_unguarded_requests_too() {
    let request = "GET /page HTTP/1.1\r\nHost: app.example\r\nX-Case: open-claims\r\nX-Real-IP: 192.0.2.1\r\n\
                   X-Forwarded-For: 192.0.2.1\r\n\r\n";
    OPEN.tollgate.ask(request.as_bytes());
    let seen = OPEN.upstream.request("open-claims");
    assert_eq!(seen.header("x-real-ip"), None);
    assert_eq!(seen.headers("x-forwarded-for"), ["127.0.0.1"]);
}

#[test]
fn a_strangers_request_id_is_replaced() {
    let answer = OPEN.tollgate.send("+12025550102", &["X-Case: id", "X-Request-Id: mine"]);
    let given = OPEN.upstream.request("id").header("x-request-id").unwrap().to_owned();
    assert_eq!(given.len(), 32);
    assert_eq!(answer.header("x-request-id"), Some(&*given));
}

#[test]
fn every_request_has_an_id_of_its_own() {
    let first = OPEN.tollgate.send("+12025550103", &[]);
    let second = OPEN.tollgate.send("+12025550103", &[]);
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
}

#[test]
fn the_hop_is_appended_to_what_it_said() {
    let said = [
        "X-Case: hop",
        "X-Forwarded-For: 203.0.113.9",
        "X-Forwarded-For: 192.0.2.1",
        "Forwarded: for=192.0.2.1;proto=https",
        "X-Forwarded-Proto: https",
    ];
    BEHIND_A_HOP.tollgate.send("+12025550104", &said);
    let seen = BEHIND_A_HOP.upstream.request("hop");
    assert_eq!(seen.headers("x-forwarded-for"), ["203.0.113.9, 192.0.2.1, 127.0.0.1"]);
    assert_eq!(seen.headers("forwarded"), ["for=192.0.2.1;proto=https, for=127.0.0.1;proto=http"]);
    assert_eq!(seen.headers("x-forwarded-proto"), ["https"]);
}

#[test]
fn a_trusted_hops_request_id_is_kept() {
    let answer = BEHIND_A_HOP.tollgate.send("+12025550105", &["X-Case: hop-id", "X-Request-Id: hop-7"]);
    assert_eq!(BEHIND_A_HOP.upstream.request("hop-id").header("x-request-id"), Some("hop-7"));
    assert_eq!(answer.header("x-request-id"), Some("hop-7"));
}

#[test]
fn a_trusted_hop_without_a_word_is_the_client() {
    let answer = BEHIND_A_HOP.tollgate.send("+12025550106", &["X-Case: silent-hop"]);
    assert_eq!(BEHIND_A_HOP.tollgate.logged(&answer)["client_ip"], "127.0.0.1");
}

#[test]
fn the_right_most_untrusted_hop_is_the_client() {
    let tollgate = &BEHIND_A_HOP.tollgate;
    for (said, client) in [
        ("203.0.113.9, 192.0.2.1", "192.0.2.1"),
        ("203.0.113.9, 192.0.2.2, 127.0.0.1", "192.0.2.2"),
        ("203.0.113.9, ::ffff:192.0.2.3", "192.0.2.3"),
        ("203.0.113.9, 192.0.2.4:4711", "192.0.2.4"),
        ("203.0.113.9, [2001:db8::5]:4711", "2001:db8::5"),
        ("203.0.113.9, unknown", "127.0.0.1"),
        ("203.0.113.9, 0300.0.2.6", "127.0.0.1"),
        ("203.0.113.9,", "127.0.0.1"),
    ] {
        let answer = tollgate.send("+12025550107", &[&format!("X-Forwarded-For: {said}")]);
        assert_eq!(tollgate.logged(&answer)["client_ip"], client, "{said}");
    }
}
