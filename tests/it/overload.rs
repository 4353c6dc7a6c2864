//! Too much at once, and too slowly: what is shed, and what is cut.

use std::sync::LazyLock;
use std::time::Duration;

use crate::harness::{Client, Gate, Reply, Tollgate, Upstream, eventually, ok, otp};

#[test]
fn requests_over_max_in_flight_are_503_at_once() {
    let gate = Gate::default();
    let wait = gate.clone();
    let upstream = Upstream::start(move |_| Reply::Held(wait.clone(), ok("sent")));
    let tollgate = Tollgate::lenient(&upstream, "max_in_flight = 1");
    let mut first = Client::connect(tollgate.address);
    first.write(&otp("+12155550100", &["X-Case: first"]));
    upstream.wait_for("first", 1);
    let second = tollgate.send("+12155550101", &["X-Case: second"]);
    assert_eq!((second.status(), second.header("retry-after")), (503, Some("1")));
    gate.open();
    assert_eq!(first.read().status(), 200);
    assert_eq!(upstream.requests("second").len(), 0);
    assert_eq!(tollgate.send("+12155550102", &[]).status(), 200, "there is room again");
}

#[test]
fn requests_over_the_ceiling_are_429() {
    let upstream = Upstream::friendly();
    let tollgate =
        Tollgate::start(&upstream, "trusted_proxies = [\"127.0.0.1\"]", "[ceiling]\nburst = 3\nper_second = 1\n");
    let page = |ip: &str| {
        let request = format!("GET /page HTTP/1.1\r\nHost: app.example\r\nX-Forwarded-For: {ip}\r\n\r\n");
        tollgate.ask(request.as_bytes())
    };
    let n_passed = (0..100).take_while(|_| page("192.0.2.1").status() == 200).count();
    assert!((3..100).contains(&n_passed), "{n_passed}");
    let refused = std::iter::repeat_with(|| page("192.0.2.1")).take(100).find(|answer| answer.status() == 429).unwrap();
    assert!(matches!(refused.header("retry-after"), Some("1" | "2")));
    assert_eq!(page("192.0.2.2").status(), 200, "somebody else");
    assert!(tollgate.ask_admin("/metrics").text().contains("tollgate_refused_early_total{why=\"ceiling\"}"));
}

#[test]
fn a_head_that_comes_too_slowly_is_cut() {
    let mut client = Client::connect(IMPATIENT.address);
    client.write(b"GET /page HTTP/1.1\r\nHost: app.exa");
    let took = client.wait_for_close();
    assert!(took < Duration::from_secs(8), "{took:?}");
}

#[test]
fn a_head_that_drips_is_cut() {
    let mut client = Client::connect(IMPATIENT.address);
    let mut dripping = Client::connect(IMPATIENT.address);
    client.write(b"GET / HTTP/1.1\r\nHost: app.example\r\n\r\n");
    assert_eq!(client.read().status(), 200);
    let dripper = std::thread::spawn(move || {
        let is_cut = (0..100).any(|_| {
            // Not a wait for an event: a byte now and then is the attack.
            std::thread::sleep(Duration::from_millis(50));
            !dripping.wire.write(b"G")
        });
        assert!(is_cut);
    });
    dripper.join().unwrap();
}

#[test]
fn a_silent_connection_is_closed() {
    let took = Client::connect(IMPATIENT.address).wait_for_close();
    assert!(took < Duration::from_secs(8), "{took:?}");
}

#[test]
fn a_connection_that_falls_silent_is_closed() {
    let mut client = Client::connect(IMPATIENT.address);
    assert_eq!(client.ask(b"GET / HTTP/1.1\r\nHost: app.example\r\n\r\n").status(), 200);
    let took = client.wait_for_close();
    assert!(took < Duration::from_secs(8), "{took:?}");
}

#[test]
fn a_request_in_work_is_not_silence() {
    let gate = Gate::default();
    let wait = gate.clone();
    let upstream = Upstream::start(move |_| Reply::Held(wait.clone(), ok("sent")));
    let tollgate = Tollgate::lenient(&upstream, IMPATIENCE);
    let mut client = Client::connect(tollgate.address);
    client.write(&otp("+12155550103", &["X-Case: held"]));
    upstream.wait_for("held", 1);
    let mut other = Client::connect(tollgate.address);
    other.wait_for_close();
    gate.open();
    assert_eq!(client.read().status(), 200);
}

#[test]
fn connections_over_max_connections_wait_for_a_place() {
    let upstream = Upstream::friendly();
    let tollgate = Tollgate::lenient(&upstream, "max_connections = 4");
    let clients: Vec<Client> = (0..4).map(|_| Client::connect(tollgate.address)).collect();
    // Each listening thread takes its place before it accepts, so two of the four may be waiting already.
    drop(clients);
    let answer =
        eventually("an answer", || Some(tollgate.send("+12155550104", &[]).status()).filter(|status| *status == 200));
    assert_eq!(answer, 200);
}

#[test]
fn a_head_of_much_more_than_32_kib_is_refused() {
    let long = "x".repeat(128 << 10);
    let answer = IMPATIENT.ask(format!("GET / HTTP/1.1\r\nHost: app.example\r\nX-Long: {long}\r\n\r\n").as_bytes());
    assert_eq!(answer.status(), 431);
}

#[test]
fn more_than_a_hundred_headers_are_refused() {
    let many: String = (0..101).map(|n| format!("X-{n}: 1\r\n")).collect();
    let answer = IMPATIENT.ask(format!("GET / HTTP/1.1\r\nHost: app.example\r\n{many}\r\n").as_bytes());
    assert_eq!(answer.status(), 431);
}

static IMPATIENT: LazyLock<Tollgate> = LazyLock::new(|| Tollgate::lenient(&Upstream::friendly(), IMPATIENCE));

const IMPATIENCE: &str = "header_timeout = \"300ms\"\nidle_timeout = \"400ms\"";
