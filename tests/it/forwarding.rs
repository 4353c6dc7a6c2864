//! What crosses the proxy: the bytes that were judged, and headers that cannot be read in two ways.

use std::sync::LazyLock;

use crate::harness::{Client, Reply, SEND, Tollgate, Upstream, json, otp, post};

struct Pair {
    upstream: Upstream,
    tollgate: Tollgate,
}

static PAIR: LazyLock<Pair> = LazyLock::new(|| {
    let upstream = Upstream::start(|_| {
        Reply::Bytes(
            b"HTTP/1.1 201 Created\r\nContent-Length: 7\r\nX-App: yes\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\
              Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n\r\ncreated"
                .to_vec(),
        )
    });
    let tollgate = Tollgate::lenient(&upstream, "");
    Pair { upstream, tollgate }
});

#[test]
fn a_guarded_body_arrives_byte_for_byte() {
    let body = "{ \"b\": 1.50,\n\t\"phone\" : \"+1 (201) 555-0100\", \"\u{e9}\":\"\\u00e9\" }\n";
    let request = post(SEND, &["X-Case: exact", "Content-Type: application/json; charset=utf-8"], body);
    PAIR.tollgate.ask(&request);
    assert_eq!(PAIR.upstream.request("exact").body, body.as_bytes());
}

#[test]
fn a_guarded_body_arrives_with_its_length() {
    PAIR.tollgate.send("+12015550101", &["X-Case: length"]);
    let length = json("+12015550101").len().to_string();
    assert_eq!(PAIR.upstream.request("length").header("content-length"), Some(&*length));
}

#[test]
fn a_chunked_guarded_body_arrives_whole_with_a_length_and_without_chunks() {
    let request = b"POST /api/auth/send-otp HTTP/1.1\r\nHost: app.example\r\nX-Case: chunked\r\n\
        Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\
        9\r\n{\"phone\":\r\n10;x=y\r\n \"+12015550102\"}\r\n0\r\nX-Trailer: 1\r\n\r\n";
    PAIR.tollgate.ask(request);
    let seen = PAIR.upstream.request("chunked");
    assert_eq!(seen.text(), r#"{"phone": "+12015550102"}"#);
    assert_eq!(seen.header("content-length"), Some("25"));
    assert_eq!(seen.header("transfer-encoding"), None);
    assert_eq!(seen.header("x-trailer"), None);
}

#[test]
fn host_target_and_method_are_kept() {
    let request =
        post("/api/auth/SEND-otp?lang=de", &["X-Case: target", "Content-Type: application/json"], json("+12015550103"));
    PAIR.tollgate.ask(&request);
    let seen = PAIR.upstream.request("target");
    assert_eq!(seen.start_line(), "POST /api/auth/SEND-otp?lang=de HTTP/1.1");
    assert_eq!(seen.header("host"), Some("app.example"));
}

#[test]
fn headers_of_the_app_are_kept() {
    PAIR.tollgate
        .send("+12015550104", &["X-Case: kept", "Authorization: Bearer abc", "Cookie: a=1; b=2", "X-Any: \u{7e}"]);
    let seen = PAIR.upstream.request("kept");
    assert_eq!(seen.header("authorization"), Some("Bearer abc"));
    assert_eq!(seen.header("cookie"), Some("a=1; b=2"));
    assert_eq!(seen.header("x-any"), Some("~"));
}

#[test]
fn hop_by_hop_headers_stay_on_their_connection() {
    let hops = [
        "X-Case: hops",
        "Keep-Alive: timeout=5",
        "Proxy-Connection: keep-alive",
        "Proxy-Authorization: Basic abc",
        "TE: trailers",
        "Trailer: X-T",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
        "Connection: Upgrade, HTTP2-Settings",
    ];
    PAIR.tollgate.send("+12015550105", &hops);
    let seen = PAIR.upstream.request("hops");
    for name in ["keep-alive", "proxy-connection", "proxy-authorization", "te", "trailer", "upgrade", "http2-settings"]
    {
        assert_eq!(seen.header(name), None, "{name}");
    }
    assert_eq!(seen.header("connection"), None);
}

#[test]
fn headers_that_connection_names_are_removed() {
    PAIR.tollgate.send("+12015550106", &["X-Case: named", "Connection: X-Secret, close", "X-Secret: 1"]);
    assert_eq!(PAIR.upstream.request("named").header("x-secret"), None);
}

#[test]
fn framing_host_and_identity_cannot_be_removed_by_naming_them() {
    let connection = "Connection: Content-Length, Host, X-Forwarded-For, Transfer-Encoding, Forwarded, X-Request-Id, \
                     , X-Forwarded-Proto";
    PAIR.tollgate.send("+12015550107", &["X-Case: stripping", connection]);
    let seen = PAIR.upstream.request("stripping");
    assert_eq!(seen.text(), json("+12015550107"));
    assert_eq!(seen.header("host"), Some("app.example"));
    assert_eq!(seen.header("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(seen.header("forwarded"), Some("for=127.0.0.1;proto=http"));
}

#[test]
fn a_content_type_that_was_judged_cannot_be_taken_away_by_naming_it() {
    PAIR.tollgate.send("+12015550108", &["X-Case: judged-type", "Connection: Content-Type"]);
    for seen in PAIR.upstream.requests("judged-type") {
        assert_eq!(seen.header("content-type"), Some("application/json"));
    }
}

#[test]
fn an_expectation_is_met_by_the_proxy_and_not_passed_on() {
    let mut client = Client::connect(PAIR.tollgate.address);
    let request = otp("+12015550109", &["X-Case: expect", "Expect: 100-continue"]);
    let end = request.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    client.write(&request[..end]);
    assert_eq!(client.wire.head().unwrap().status(), 100);
    assert_eq!(client.ask(&request[end..]).status(), 201);
    assert_eq!(PAIR.upstream.request("expect").header("expect"), None);
}

#[test]
fn the_answer_is_passed_with_status_headers_and_body() {
    let answer = PAIR.tollgate.send("+12015550110", &["X-Case: answer"]);
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.header("x-app"), Some("yes"));
    assert_eq!(answer.headers("set-cookie"), ["a=1", "b=2"]);
    assert_eq!(answer.text(), "created");
}

#[test]
fn hop_by_hop_headers_of_the_answer_stay_on_their_connection() {
    let answer = PAIR.tollgate.send("+12015550111", &["X-Case: answer-hops"]);
    assert_eq!(answer.header("x-hop"), None);
    assert_eq!(answer.header("keep-alive"), None);
}

#[test]
fn an_unguarded_request_is_passed_with_its_body() {
    let answer = PAIR.tollgate.ask(&post("/other?a=b%20c", &["X-Case: open"], b"\x00\xff any bytes"));
    let seen = PAIR.upstream.request("open");
    assert_eq!(answer.status(), 201);
    assert_eq!(seen.start_line(), "POST /other?a=b%20c HTTP/1.1");
    assert_eq!(seen.body, b"\x00\xff any bytes");
}

#[test]
fn several_requests_on_one_connection_are_answered_in_order() {
    let mut client = Client::connect(PAIR.tollgate.address);
    let mut pipelined = Vec::new();
    for number in ["+12015550112", "+12015550113", "+12015550114"] {
        pipelined.extend(otp(number, &["X-Case: pipelined"]));
    }
    client.write(&pipelined);
    let statuses: Vec<u16> = (0..3).map(|_| client.read().status()).collect();
    assert_eq!(statuses, [201; 3]);
    let seen: Vec<String> = PAIR.upstream.requests("pipelined").iter().map(|seen| seen.text().to_owned()).collect();
    assert_eq!(seen, [json("+12015550112"), json("+12015550113"), json("+12015550114")]);
}

#[test]
fn what_is_smuggled_behind_a_length_is_no_second_request() {
    let smuggled = b"POST /api/auth/send-otp HTTP/1.1\r\nHost: app.example\r\nX-Case: smuggled\r\n\
        Content-Type: application/json\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n\
        18\r\n{\"phone\":\"+12015550115\"}\r\n0\r\n\r\n";
    let mut client = Client::connect(PAIR.tollgate.address);
    client.ask(smuggled);
    for seen in PAIR.upstream.requests("smuggled") {
        assert_eq!(seen.header("content-length"), Some("24"));
        assert_eq!(seen.header("transfer-encoding"), None);
    }
}

#[test]
fn a_header_that_shadows_another_with_an_underscore_is_refused() {
    for header in ["Content_Length: 4", "Transfer_Encoding: chunked", "X_Forwarded_For: 192.0.2.1", "Content_Type: a/b"]
    {
        let answer = PAIR.tollgate.send("+12015550116", &["X-Case: twin", header]);
        assert_eq!(answer.status(), 400, "{header}");
    }
    assert_eq!(PAIR.upstream.requests("twin").len(), 0);
}
