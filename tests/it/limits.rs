//! Exact limits: whoever races whom, no more pass than the limit says.

use std::net::TcpListener;
use std::sync::{Arc, Barrier, LazyLock};

use crate::harness::{AREAS, Message, Reply, Tollgate, Upstream, fetch, fictional, json, ok, otp, post};

struct Pair {
    upstream: Upstream,
    tollgate: Tollgate,
}

static PAIR: LazyLock<Pair> = LazyLock::new(|| {
    let upstream = Upstream::start(|request| match request.header("x-act") {
        Some("500") => Reply::Bytes(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n".to_vec()),
        Some(_) | None => Reply::Bytes(ok("sent")),
    });
    let tollgate = Tollgate::start(&upstream, "trusted_proxies = [\"127.0.0.1\"]", RULES);
    Pair { upstream, tollgate }
});

const RULES: &str = "[policy]\nthresholds = { challenge = 101, block = 101 }\n\
    [limits]\nnumber = [{ count = 5, per = \"10m\" }]\nclient = [{ count = 7, per = \"1h\" }]\n\
    net = [{ count = 11, per = \"1h\" }]\nrange = [{ count = 13, per = \"1h\" }]\n\
    [countries]\ndeny = [\"DE\"]\n[ceiling]\nburst = 100000\n\
    [[endpoint]]\nname = \"one\"\npath = \"/api/auth/send-otp\"\nnumber = [\"json:/phone\", \"form:phone\"]\n\
    [[endpoint]]\nname = \"batch\"\npath = \"/batch\"\nnumber = [\"json:/smsRecipients/*/to\"]\n";

/// Sends all of them at once and counts the answers that are 200; any other must be 429.
fn burst(requests: Vec<Vec<u8>>) -> usize {
    let start = Arc::new(Barrier::new(requests.len()));
    let address = PAIR.tollgate.address;
    let threads: Vec<_> = requests
        .into_iter()
        .map(|request| {
            let start = Arc::clone(&start);
            std::thread::spawn(move || {
                start.wait();
                fetch(address, &request).status()
            })
        })
        .collect();
    let statuses: Vec<u16> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(statuses.iter().all(|status| matches!(status, 200 | 429)), "{statuses:?}");
    statuses.iter().filter(|status| **status == 200).count()
}

fn from(ip: &str) -> String {
    format!("X-Forwarded-For: {ip}")
}

fn send(phone: &str, ip: &str) -> Message {
    PAIR.tollgate.send(phone, &[&from(ip)])
}

#[test]
fn of_sixty_at_once_for_one_number_exactly_five_pass() {
    let case = "X-Case: number-burst";
    let requests = (0..60).map(|n| otp("+13055550100", &[case, &from(&format!("198.18.{n}.1"))]));
    assert_eq!(burst(requests.collect()), 5);
    assert_eq!(PAIR.upstream.requests("number-burst").len(), 5);
}

#[test]
fn of_sixty_at_once_from_one_client_exactly_seven_pass() {
    let requests =
        (0..60).map(|n| otp(&fictional(1000 + 100 * (n % 30) + n), &["X-Case: client-burst", &from("198.18.64.1")]));
    assert_eq!(burst(requests.collect()), 7);
    assert_eq!(PAIR.upstream.requests("client-burst").len(), 7);
}

#[test]
fn of_sixty_at_once_from_one_network_exactly_eleven_pass() {
    let requests = (0..60).map(|n| {
        otp(&fictional(1000 + 100 * (n % 30) + n), &["X-Case: net-burst", &from(&format!("198.18.65.{}", n + 1))])
    });
    assert_eq!(burst(requests.collect()), 11);
}

#[test]
fn of_sixty_at_once_in_one_block_exactly_thirteen_pass() {
    let requests = (0..60).map(|n| otp(&format!("+13085550{}", 100 + n), &[&from(&format!("198.19.{n}.1"))]));
    assert_eq!(burst(requests.collect()), 13);
}

#[test]
fn a_number_is_the_same_however_it_is_spelled() {
    let spellings = [
        "+12075550100",
        " +12075550100 ",
        "+1 207 555 0100",
        "+1-207-555-0100",
        "+1 (207) 555-0100",
        "+1.207.555.0100",
        "+1(207)5550100",
        r"\u002b12075550100",
    ];
    let requests = (0..60).map(|n| otp(spellings[n % spellings.len()], &[&from(&format!("198.18.{n}.2"))]));
    assert_eq!(burst(requests.collect()), 5);
}

#[test]
fn a_number_is_the_same_in_a_form_and_in_json() {
    for n in 0..5 {
        let ip = from(&format!("198.18.{n}.3"));
        let request =
            post("/api/auth/send-otp", &[&ip, "Content-Type: application/x-www-form-urlencoded"], "phone=+12075550101");
        assert_eq!(PAIR.tollgate.ask(&request).status(), 200);
    }
    assert_eq!(send("+12075550101", "198.18.9.3").status(), 429);
}

#[test]
fn one_ipv6_subscriber_is_one_client_however_it_picks_its_addresses() {
    for n in 0..7 {
        let ip = format!("2001:db8:1:2:{:x}::{n:x}", n * 4097);
        assert_eq!(send(&fictional(800 + 100 * n), &ip).status(), 200, "{ip}");
    }
    assert_eq!(send(&fictional(899), "2001:db8:1:2:ffff::1").status(), 429);
    assert_eq!(send(&fictional(899), "2001:db8:1:3::1").status(), 200, "its neighbour is somebody else");
}

#[test]
fn a_mapped_address_is_the_ipv4_client() {
    for n in 0..7 {
        let ip = if n % 2 == 0 { "198.18.66.1" } else { "::ffff:198.18.66.1" };
        assert_eq!(send(&fictional(850 + 100 * n), ip).status(), 200);
    }
    assert_eq!(send(&fictional(1890), "198.18.66.1").status(), 429);
}

#[test]
fn a_spoofed_left_part_opens_no_new_limit() {
    for n in 0..7 {
        let ip = format!("192.0.2.{n}, 198.18.67.1");
        assert_eq!(send(&fictional(830 + 100 * n), &ip).status(), 200);
    }
    assert_eq!(send(&fictional(1870), "192.0.2.99, 198.18.67.1").status(), 429);
}

#[test]
fn a_refused_request_consumes_nothing() {
    let ip = "198.18.68.1";
    for _ in 0..20 {
        assert_eq!(send("+4915123456789", ip).status(), 403);
        assert_eq!(send("nonsense", ip).status(), 422);
    }
    let n_passed = (0..20).filter(|n| send(&fictional(600 + 100 * n), ip).status() == 200).count();
    assert_eq!(n_passed, 7);
}

#[test]
fn a_request_over_one_limit_consumes_nothing_of_another() {
    let (used_up, ip) = ("+14145550100", "198.18.69.1");
    for n in 0..5 {
        assert_eq!(send(used_up, &format!("198.18.{}.4", 100 + n)).status(), 200);
    }
    for _ in 0..20 {
        assert_eq!(send(used_up, ip).status(), 429);
    }
    let n_passed = (0..20).filter(|n| send(&fictional(640 + 100 * n), ip).status() == 200).count();
    assert_eq!(n_passed, 7);
}

#[test]
fn an_answer_of_the_upstream_counts_even_if_it_is_an_error() {
    for n in 0..5 {
        let headers = [&*from(&format!("198.18.{n}.5")), "X-Act: 500"];
        assert_eq!(PAIR.tollgate.send("+14125550100", &headers).status(), 500);
    }
    assert_eq!(send("+14125550100", "198.18.9.5").status(), 429);
}

#[test]
fn an_upstream_that_cannot_be_reached_gives_back_what_was_taken() {
    let place = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", place.local_addr().unwrap());
    drop(place);
    let tollgate = Tollgate::at(&url, "", "[limits]\nnumber = [{ count = 1, per = \"1h\" }]\n");
    for _ in 0..5 {
        assert_eq!(tollgate.send("+14125550101", &[]).status(), 502);
    }
}

#[test]
fn a_batch_is_refused_whole_when_one_of_its_numbers_is() {
    let answer = batch("b-denied", &["+14055550100", "+4915123456789", "+14065550100"], "198.18.70.1");
    assert_eq!(answer.status(), 403);
    assert_eq!(PAIR.upstream.requests("b-denied").len(), 0);
    let line = PAIR.tollgate.logged(&answer);
    assert_eq!((&line["country"], &line["numbers"]), (&"DE".into(), &3.into()));
}

#[test]
fn a_batch_is_refused_whole_when_one_of_its_numbers_cannot_be_read() {
    assert_eq!(batch("b-garbled", &["+14055550101", "nonsense"], "198.18.71.1").status(), 422);
    assert_eq!(PAIR.upstream.requests("b-garbled").len(), 0);
}

#[test]
fn each_number_of_a_batch_counts() {
    assert_eq!(batch("b-six", &["+14055550102"; 6], "198.18.72.1").status(), 429);
    assert_eq!(batch("b-five", &["+14055550102"; 5], "198.18.73.1").status(), 200, "the six were not counted");
    assert_eq!(batch("b-more", &["+14055550102"], "198.18.74.1").status(), 429);
}

#[test]
fn a_batch_of_more_numbers_than_allowed_is_refused() {
    let numbers: Vec<String> = (0..101).map(|n| fictional(100 * n + 40)).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    assert_eq!(batch("b-many", &numbers, "198.18.75.1").status(), 422);
}

#[test]
fn a_batch_without_numbers_is_refused() {
    assert_eq!(batch("b-none", &[], "198.18.76.1").status(), 422);
}

fn batch(case: &str, numbers: &[&str], ip: &str) -> Message {
    let recipients: Vec<String> = numbers.iter().map(|number| format!(r#"{{"to":"{number}"}}"#)).collect();
    let body = format!(r#"{{"smsRecipients":[{}]}}"#, recipients.join(","));
    let headers = [&*format!("X-Case: {case}"), &*from(ip), "Content-Type: application/json"];
    PAIR.tollgate.ask(&post("/batch", &headers, body))
}

#[test]
fn the_helper_makes_different_numbers() {
    let numbers: std::collections::HashSet<String> = (0..100 * AREAS.len()).map(fictional).collect();
    assert_eq!(numbers.len(), 100 * AREAS.len());
    assert!(json(&fictional(0)).contains("+12015550100"));
}
