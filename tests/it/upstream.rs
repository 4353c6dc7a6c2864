//! An upstream that fails: what the client is told, and that no message is ever asked for twice.

use std::net::TcpListener;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::harness::{Reply, Tollgate, Upstream, eventually, fetch, json, ok, otp, post};

struct Pair {
    upstream: Upstream,
    tollgate: Tollgate,
}

static PAIR: LazyLock<Pair> = LazyLock::new(|| {
    let upstream = Upstream::start(|request| match request.header("x-act") {
        Some("close") => Reply::Close,
        Some("silence") => Reply::Silence,
        Some("garbage") => Reply::Last(b"\x16\x03\x01 no HTTP at all\r\n\r\n".to_vec()),
        Some("500") => Reply::Bytes(b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\nRetry-After: 9\r\n\r\noops".to_vec()),
        Some(_) | None => Reply::Bytes(ok("sent")),
    });
    let tollgate = Tollgate::start(
        &upstream,
        "",
        &format!("[upstream]\nresponse_timeout = \"500ms\"\nconnect_timeout = \"400ms\"\n{LENIENT}"),
    );
    Pair { upstream, tollgate }
});

const LENIENT: &str =
    "[policy]\nthresholds = { challenge = 101, block = 101 }\n[limits]\nnumber = []\nclient = []\nnet = []\n";

#[test]
fn an_upstream_that_nobody_listens_at_is_502() {
    let place = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", place.local_addr().unwrap());
    drop(place);
    let tollgate = Tollgate::at(&url, "", "");
    let answer = tollgate.send("+12145550100", &[]);
    assert_eq!(answer.status(), 502);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
}

#[test]
fn an_upstream_that_does_not_accept_in_time_is_504() {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = std::net::TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        waiting.push(stream);
    }
    let tollgate = Tollgate::at(
        &format!("http://{address}"),
        "",
        "[upstream]\nconnect_timeout = \"300ms\"\n[limits]\nnumber = [{ count = 1, per = \"1h\" }]\n",
    );
    assert_eq!(tollgate.send("+12145550101", &[]).status(), 504);
    assert_eq!(tollgate.send("+12145550101", &[]).status(), 504, "what was taken is given back");
}

#[test]
fn an_upstream_that_does_not_answer_in_time_is_504() {
    let started = Instant::now();
    let answer = PAIR.tollgate.send("+12145550102", &["X-Case: silent", "X-Act: silence"]);
    assert_eq!(answer.status(), 504);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_guarded_request_without_an_answer_is_502_and_was_asked_once() {
    // The first exchange leaves a pooled connection behind, on which a careless proxy would try again.
    PAIR.tollgate.send("+12145550103", &[]);
    let answer = PAIR.tollgate.send("+12145550103", &["X-Case: closed", "X-Act: close"]);
    assert_eq!(answer.status(), 502);
    PAIR.tollgate.send("+12145550103", &[]);
    assert_eq!(PAIR.upstream.requests("closed").len(), 1);
}

#[test]
fn an_unguarded_request_without_an_answer_is_502_and_was_asked_once() {
    PAIR.tollgate.ask(&post("/other", &[], "x"));
    let answer = PAIR.tollgate.ask(&post("/other", &["X-Case: open-closed", "X-Act: close"], "x"));
    assert_eq!(answer.status(), 502);
    assert_eq!(PAIR.upstream.requests("open-closed").len(), 1);
}

#[test]
fn an_answer_that_is_no_http_is_502() {
    assert_eq!(PAIR.tollgate.send("+12145550104", &["X-Case: garbage", "X-Act: garbage"]).status(), 502);
    assert_eq!(PAIR.upstream.requests("garbage").len(), 1);
}

#[test]
fn an_error_of_the_upstream_is_passed() {
    let answer = PAIR.tollgate.send("+12145550105", &["X-Act: 500"]);
    assert_eq!((answer.status(), answer.text()), (500, "oops"));
    assert_eq!(answer.header("retry-after"), Some("9"));
}

#[test]
fn the_log_says_what_the_upstream_did() {
    let failed = PAIR.tollgate.send("+12145550106", &["X-Act: 500"]);
    let line = PAIR.tollgate.logged(&failed);
    assert_eq!((&line["status"], &line["upstream_status"]), (&500.into(), &500.into()));
    let broken = PAIR.tollgate.send("+12145550106", &["X-Act: close"]);
    let line = PAIR.tollgate.logged(&broken);
    assert_eq!(line["status"], 502);
    assert!(line["upstream_status"].is_null());
}

#[test]
fn a_failure_has_the_same_body_whatever_failed() {
    let closed = PAIR.tollgate.send("+12145550107", &["X-Act: close"]);
    let silent = PAIR.tollgate.send("+12145550107", &["X-Act: silence"]);
    assert_eq!(closed.body, silent.body);
}

#[test]
fn connections_to_the_upstream_are_used_again() {
    let upstream = Upstream::friendly();
    let tollgate = Tollgate::lenient(&upstream, "");
    let mut client = crate::harness::Client::connect(tollgate.address);
    for _ in 0..20 {
        assert_eq!(client.ask(&otp("+12145550108", &[])).status(), 200);
    }
    assert_eq!(upstream.n_connections(), 1);
}

#[test]
fn a_connection_that_the_upstream_closed_meanwhile_costs_no_request() {
    let upstream = Upstream::start(|_| Reply::Last(ok("sent")));
    let tollgate = Tollgate::lenient(&upstream, "");
    for n in 0..40 {
        let answer = fetch(tollgate.address, &otp("+12145550109", &["X-Case: stale"]));
        assert_eq!(answer.status(), 200, "request {n}");
        eventually("the upstream to close", || (n < upstream.n_closed()).then_some(()));
    }
    assert_eq!(upstream.requests("stale").len(), 40);
}

#[test]
fn a_streamed_upload_is_no_silence() {
    let mut client = crate::harness::Client::connect(PAIR.tollgate.address);
    client.write(b"POST /up HTTP/1.1\r\nHost: app.example\r\nX-Case: long-upload\r\nContent-Length: 8\r\n\r\n");
    for _ in 0..8 {
        // Not a wait for an event: the pace of the upload is what is tested.
        std::thread::sleep(Duration::from_millis(150));
        client.write(b"x");
    }
    assert_eq!(client.read().status(), 200);
}

#[test]
fn a_hanging_upstream_does_not_hold_up_others() {
    let slow =
        std::thread::spawn(|| PAIR.tollgate.send("+12145550110", &["X-Case: hanging", "X-Act: silence"]).status());
    PAIR.upstream.wait_for("hanging", 1);
    let answer =
        PAIR.tollgate.ask(&post("/api/auth/send-otp", &["Content-Type: application/json"], json("+12145550111")));
    assert_eq!(answer.status(), 200);
    assert_eq!(slow.join().unwrap(), 504);
}
