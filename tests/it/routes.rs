//! Which requests are guarded, and which are refused before anybody looks for a number.

use std::sync::LazyLock;

use crate::harness::{Client, Tollgate, Upstream, json, post};

struct Pair {
    upstream: Upstream,
    tollgate: Tollgate,
}

static PAIR: LazyLock<Pair> = LazyLock::new(|| {
    let upstream = Upstream::friendly();
    let tollgate = Tollgate::lenient(&upstream, "max_body = \"1KiB\"\nbody_timeout = \"400ms\"");
    Pair { upstream, tollgate }
});

#[test]
fn every_spelling_of_the_path_that_a_router_takes_is_guarded() {
    for path in [
        "/api/auth/send-otp/",
        "/API/auth/Send-OTP",
        "/api/auth/send-otp.json",
        "/api/auth/send-otp.",
        "/api/auth/send-otp?x=1",
    ] {
        assert_eq!(PAIR.tollgate.ask(&post(path, &["X-Case: spelled"], "")).status(), 422, "{path}");
    }
    assert_eq!(PAIR.upstream.requests("spelled").len(), 0);
}

#[test]
fn a_path_that_only_decodes_to_a_guarded_one_is_refused() {
    for path in [
        "/api/auth/%73end-otp",
        "/index.php/api/auth/send-otp",
        "/App.PHP/api/auth/Send-OTP/",
        "/api/auth//send-otp",
        "/api/x/../auth/send-otp",
        "/api/./auth/send-otp",
        "/api/auth%2fsend-otp",
        "/api/auth%5Csend-otp",
        "/api/auth/send-otp;x=y",
        "/api/auth;a=b/send-otp",
        "/x/..;/api/auth/send-otp",
        "/x/%2e%2e/api/auth/send-otp",
        "/api/auth/%2573end-otp",
        "/api/auth/send-otp%00",
        "/api/auth/send-otp%20",
        "/api/auth/send-otp%3fx=1",
        "//api/auth/send-otp",
    ] {
        let answer = PAIR.tollgate.ask(&post(
            path,
            &["X-Case: doubtful", "Content-Type: application/json"],
            json("+12025550100"),
        ));
        assert!(matches!(answer.status(), 400 | 422), "{path}: {}", answer.status());
    }
    assert_eq!(PAIR.upstream.requests("doubtful").len(), 0);
}

#[test]
fn another_path_is_passed() {
    for path in ["/", "/api/auth/send-otp-status", "/api/auth", "/api/auth/send-otp/history", "/a%20b"] {
        assert_eq!(PAIR.tollgate.ask(&post(path, &[], "x")).status(), 200, "{path}");
    }
}

#[test]
fn another_method_is_refused_with_the_list_of_those_taken() {
    for method in ["GET", "PUT", "PATCH", "DELETE", "HEAD", "post", "FOO"] {
        let request = format!(
            "{method} /api/auth/send-otp HTTP/1.1\r\nHost: app.example\r\nX-Case: method\r\nContent-Length: 0\r\n\r\n"
        );
        let mut client = Client::connect(PAIR.tollgate.address);
        client.write(request.as_bytes());
        let head = client.wire.head().unwrap();
        assert_eq!((head.status(), head.header("allow")), (405, Some("POST")), "{method}");
    }
    assert_eq!(PAIR.upstream.requests("method").len(), 0);
}

#[test]
fn a_browsers_preflight_passes() {
    let request = "OPTIONS /api/auth/send-otp HTTP/1.1\r\nHost: app.example\r\nX-Case: preflight\r\n\
                   Origin: https://app.example\r\nAccess-Control-Request-Method: POST\r\n\r\n";
    assert_eq!(PAIR.tollgate.ask(request.as_bytes()).status(), 200);
    assert_eq!(PAIR.upstream.request("preflight").start_line(), "OPTIONS /api/auth/send-otp HTTP/1.1");
}

#[test]
fn a_preflight_with_a_body_is_no_preflight() {
    let request = "OPTIONS /api/auth/send-otp HTTP/1.1\r\nHost: app.example\r\nX-Case: preflight-body\r\n\
                   Content-Type: application/json\r\nContent-Length: 24\r\n\r\n{\"phone\":\"+12025550101\"}";
    assert_eq!(PAIR.tollgate.ask(request.as_bytes()).status(), 405);
    assert_eq!(PAIR.upstream.requests("preflight-body").len(), 0);
}

#[test]
fn a_request_that_names_no_host_two_hosts_or_another_authority_is_refused() {
    for head in [
        "GET /page HTTP/1.1\r\n",
        "GET /page HTTP/1.1\r\nHost: app.example\r\nHost: evil.example\r\n",
        "GET /page HTTP/1.1\r\nHost: app.example, evil.example\r\n",
        "GET /page HTTP/1.1\r\nHost: user@app.example\r\n",
        "GET http://evil.example/page HTTP/1.1\r\nHost: app.example\r\n",
        "POST http://app.example/api/auth/send-otp HTTP/1.1\r\nHost: app.example\r\n",
    ] {
        let answer = PAIR.tollgate.ask(format!("{head}X-Case: host\r\nContent-Length: 0\r\n\r\n").as_bytes());
        assert_eq!(answer.status(), 400, "{head}");
    }
    assert_eq!(PAIR.upstream.requests("host").len(), 0);
}

#[test]
fn a_request_that_is_no_http_is_refused() {
    for head in [
        "GET /page HTTP/1.1\r\nHost: app.example\r\nContent-Length: 4\r\nContent-Length: 5\r\n",
        "POST /page HTTP/1.1\r\nHost: app.example\r\nTransfer-Encoding: xchunked\r\n",
        "POST /page HTTP/1.1\r\nHost: app.example\r\nTransfer-Encoding: chunked, identity\r\n",
        "POST /page HTTP/1.1\r\nHost: app.example\r\nContent-Length: +4\r\n",
        "GET /page HTTP/1.1\r\nHost: app.example\r\nX-Case : space\r\n",
        "GET /page HTTP/1.1\r\nHost: app.example\r\nX-A: 1\r\n folded\r\n",
        "GET  /page HTTP/1.1\r\nHost: app.example\r\n",
    ] {
        let answer = PAIR.tollgate.ask(format!("{head}X-Case: broken\r\n\r\n").as_bytes());
        assert_eq!(answer.status(), 400, "{head}");
    }
    assert_eq!(PAIR.upstream.requests("broken").len(), 0);
}

#[test]
fn a_body_announced_as_too_large_is_refused_before_it_comes() {
    let request = "POST /api/auth/send-otp HTTP/1.1\r\nHost: app.example\r\nX-Case: announced\r\n\
                   Content-Type: application/json\r\nContent-Length: 1025\r\n\r\n";
    assert_eq!(PAIR.tollgate.ask(request.as_bytes()).status(), 413);
    assert_eq!(PAIR.upstream.requests("announced").len(), 0);
}

#[test]
fn a_chunked_body_that_grows_too_large_is_refused() {
    let mut request = b"POST /api/auth/send-otp HTTP/1.1\r\nHost: app.example\r\nX-Case: grown\r\n\
        Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        .to_vec();
    for _ in 0..11 {
        request.extend_from_slice(format!("64\r\n{}\r\n", " ".repeat(100)).as_bytes());
    }
    assert_eq!(PAIR.tollgate.ask(&request).status(), 413);
    assert_eq!(PAIR.upstream.requests("grown").len(), 0);
}

#[test]
fn a_body_of_just_the_allowed_size_passes() {
    let body = format!("{:<1024}", json("+12025550102"));
    assert_eq!(PAIR.tollgate.ask(&post("/api/auth/send-otp", &["Content-Type: application/json"], body)).status(), 200);
}

#[test]
fn a_slow_body_is_given_up_in_time() {
    let mut client = Client::connect(PAIR.tollgate.address);
    client.write(
        b"POST /api/auth/send-otp HTTP/1.1\r\nHost: app.example\r\nX-Case: slow-body\r\n\
        Content-Type: application/json\r\nContent-Length: 24\r\n\r\n{\"pho",
    );
    assert_eq!(client.read().status(), 408);
    assert_eq!(PAIR.upstream.requests("slow-body").len(), 0);
}

#[test]
fn a_body_that_breaks_off_is_not_sent() {
    let mut client = Client::connect(PAIR.tollgate.address);
    client.write(
        b"POST /api/auth/send-otp HTTP/1.1\r\nHost: app.example\r\nX-Case: cut-body\r\n\
        Content-Type: application/json\r\nContent-Length: 60\r\n\r\n{\"phone\":\"+12025550103\"}",
    );
    client.leave();
    // The next request is answered after the first has failed, at the latest when its time is up.
    let answer = PAIR.tollgate.send("+12025550104", &[]);
    assert_eq!(answer.status(), 200);
    assert_eq!(PAIR.upstream.requests("cut-body").len(), 0);
}

#[test]
fn a_tunnel_or_an_echo_of_the_request_is_no_method_for_an_app() {
    for head in
        ["CONNECT app.example:443 HTTP/1.1\r\nHost: app.example:443", "TRACE /page HTTP/1.1\r\nHost: app.example"]
    {
        let request = format!("{head}\r\nX-Case: tunnel\r\nAuthorization: Bearer secret\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(PAIR.tollgate.ask(request.as_bytes()).status(), 405, "{head}");
    }
    assert_eq!(PAIR.upstream.requests("tunnel").len(), 0);
}

#[test]
fn what_an_app_might_route_by_instead_of_the_path_does_not_reach_it() {
    let headers = ["X-Case: override", "X-Original-URL: /api/auth/send-otp", "X-HTTP-Method-Override: PUT"];
    assert_eq!(PAIR.tollgate.ask(&post("/page", &headers, "x")).status(), 200);
    let seen = PAIR.upstream.request("override");
    assert_eq!((seen.header("x-original-url"), seen.header("x-http-method-override")), (None, None));
}

#[test]
fn a_refusal_before_any_number_was_read_leaves_a_line_that_says_why() {
    for (request, why) in [
        (post("/api/auth/%73end-otp", &[], ""), "spelled"),
        (b"DELETE /api/auth/send-otp HTTP/1.1\r\nHost: app.example\r\n\r\n".to_vec(), "method"),
        (post("/api/auth/send-otp", &["Content-Type: application/json"], "x".repeat(2000)), "larger"),
    ] {
        let answer = PAIR.tollgate.ask(&request);
        let line = PAIR.tollgate.logged(&answer);
        assert_eq!(line["status"], answer.status());
        assert!(line["reasons"][0]["detail"].as_str().unwrap().contains(why), "{line}");
    }
}
