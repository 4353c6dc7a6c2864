//! What a client is told, and what monitor mode does not do.

use std::sync::LazyLock;

use crate::harness::{Message, SEND, Tollgate, Upstream, json, post};

struct Pair {
    upstream: Upstream,
    tollgate: Tollgate,
}

static ENFORCING: LazyLock<Pair> = LazyLock::new(|| pair("enforce"));
static MONITORING: LazyLock<Pair> = LazyLock::new(|| pair("monitor"));

fn pair(mode: &str) -> Pair {
    let upstream = Upstream::friendly();
    let rules = format!(
        "[policy]\nmode = \"{mode}\"\nthresholds = {{ challenge = 101, block = 101 }}\n[countries]\ndeny = [\"DE\"]\n[limits]\nnumber = [{{ count = 1, per = \"1h\" }}]\n"
    );
    let tollgate = Tollgate::start(&upstream, "", &rules);
    Pair { upstream, tollgate }
}

#[test]
fn an_ordinary_request_is_allowed() {
    let answer = ENFORCING.tollgate.send("+12035550100", &["X-Case: allowed"]);
    assert_eq!((answer.status(), answer.text()), (200, "sent"));
}

#[test]
fn a_denied_destination_is_403() {
    assert_eq!(denied(&ENFORCING, "denied").status(), 403);
    assert_eq!(ENFORCING.upstream.requests("denied").len(), 0);
}

#[test]
fn a_used_up_limit_is_429() {
    assert_eq!(over_limit(&ENFORCING, "+12035550101", "limited").status(), 429);
    assert_eq!(ENFORCING.upstream.requests("limited").len(), 1);
}

#[test]
fn an_unreadable_number_is_422() {
    assert_eq!(unreadable(&ENFORCING, "garbled").status(), 422);
    assert_eq!(ENFORCING.upstream.requests("garbled").len(), 0);
}

#[test]
fn a_refusal_is_a_problem_document_that_nobody_caches() {
    for answer in [denied(&ENFORCING, "p"), over_limit(&ENFORCING, "+12035550102", "p"), unreadable(&ENFORCING, "p")] {
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(problem["title"], "Request refused");
    }
}

#[test]
fn every_refusal_has_the_same_body() {
    let bodies = [
        denied(&ENFORCING, "s").body,
        over_limit(&ENFORCING, "+12035550103", "s").body,
        unreadable(&ENFORCING, "s").body,
    ];
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(bodies[0], bodies[2]);
}

#[test]
fn a_limit_says_in_whole_seconds_when_to_come_back() {
    let answer = over_limit(&ENFORCING, "+12035550104", "wait");
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!(3590 < seconds && seconds <= 3600, "{seconds}");
}

#[test]
fn only_a_limit_says_when_to_come_back() {
    assert_eq!(denied(&ENFORCING, "r").header("retry-after"), None);
    assert_eq!(unreadable(&ENFORCING, "r").header("retry-after"), None);
}

#[test]
fn a_wait_of_less_than_a_second_is_told_as_one() {
    let upstream = Upstream::friendly();
    let tollgate = Tollgate::start(&upstream, "", "[limits]\nnumber = [{ count = 1, per = \"1s\" }]\n");
    let waits: Vec<String> = (0..20)
        .map(|_| tollgate.send("+12035550105", &[]))
        .filter_map(|answer| answer.header("retry-after").map(str::to_owned))
        .collect();
    assert!(!waits.is_empty());
    assert!(waits.iter().all(|wait| wait == "1"), "{waits:?}");
}

#[test]
fn monitor_mode_refuses_nothing() {
    assert_eq!(denied(&MONITORING, "m-denied").status(), 200);
    assert_eq!(over_limit(&MONITORING, "+12035550106", "m-limited").status(), 200);
    assert_eq!(unreadable(&MONITORING, "m-garbled").status(), 200);
    assert_eq!(MONITORING.upstream.requests("m-denied").len(), 1);
    assert_eq!(MONITORING.upstream.requests("m-limited").len(), 2);
    assert_eq!(MONITORING.upstream.requests("m-garbled").len(), 1);
}

#[test]
fn monitor_mode_logs_the_verdict_it_would_have_carried_out() {
    for (answer, reason) in [
        (denied(&MONITORING, "l"), "country_denied"),
        (over_limit(&MONITORING, "+12035550107", "l"), "limit"),
        (unreadable(&MONITORING, "l"), "unreadable"),
    ] {
        let line = MONITORING.tollgate.logged(&answer);
        assert_eq!((&line["verdict"], &line["mode"]), (&"block".into(), &"monitor".into()), "{line}");
        assert_eq!((&line["status"], &line["upstream_status"]), (&200.into(), &200.into()), "{line}");
        assert_eq!(line["reasons"].as_array().unwrap().last().unwrap()["signal"], reason);
    }
}

#[test]
fn a_refusal_is_logged_with_its_status_and_without_an_upstream() {
    let answer = denied(&ENFORCING, "logged");
    let line = ENFORCING.tollgate.logged(&answer);
    assert_eq!((&line["verdict"], &line["status"]), (&"block".into(), &403.into()));
    assert!(line["upstream_status"].is_null());
}

#[test]
fn the_verify_endpoint_is_passed_whatever_it_holds() {
    let upstream = Upstream::friendly();
    let tollgate = Tollgate::start(
        &upstream,
        "",
        "[countries]\ndeny = [\"DE\"]\n[[endpoint]]\nname = \"verify\"\npath = \"/verify\"\nnumber = [\"json:/phone\"]\nrole = \"verify\"\n",
    );
    for body in [json("+4915123456789"), json("+12035550108"), "garbage".to_owned()] {
        let answer = tollgate.ask(&post("/verify", &["Content-Type: application/json"], body));
        assert_eq!(answer.status(), 200);
    }
}

fn denied(pair: &Pair, case: &str) -> Message {
    pair.tollgate.send("+4915123456789", &[&format!("X-Case: {case}")])
}

fn over_limit(pair: &Pair, phone: &str, case: &str) -> Message {
    let case = format!("X-Case: {case}");
    assert_eq!(pair.tollgate.send(phone, &[&case]).status(), 200);
    pair.tollgate.send(phone, &[&case])
}

fn unreadable(pair: &Pair, case: &str) -> Message {
    let case = format!("X-Case: {case}");
    pair.tollgate.ask(&post(SEND, &[&case, "Content-Type: application/json"], "{}"))
}
