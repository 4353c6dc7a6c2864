//! What is written down: enough to explain every decision, and never a whole number or a secret.

use std::sync::LazyLock;

use serde_json::Value;

use crate::harness::{Client, Gate, Reply, SEND, Tollgate, Upstream, eventually, fetch, json, ok, otp, post};

static TOLLGATE: LazyLock<Tollgate> = LazyLock::new(|| {
    let rules = "[countries]\ndeny = [\"DE\"]\n[limits]\nnumber = [{ count = 2, per = \"1h\" }]\n";
    Tollgate::start(&Upstream::friendly(), "", rules)
});

#[test]
fn a_line_has_every_field() {
    let line = TOLLGATE.logged(&TOLLGATE.send("+12175550100", &[]));
    let keys: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = [
        "ts",
        "event",
        "request_id",
        "endpoint",
        "verdict",
        "mode",
        "score",
        "reasons",
        "client_ip",
        "client_net",
        "asn",
        "client_country",
        "agent",
        "channel",
        "number",
        "number_hash",
        "country",
        "prefix",
        "number_type",
        "price_usd_micros",
        "numbers",
        "policy_version",
        "status",
        "upstream_status",
        "latency_us",
        "technique",
    ];
    expected.sort_unstable();
    let mut keys = keys;
    keys.sort_unstable();
    assert_eq!(keys, expected);
}

#[test]
fn a_line_says_who_asked_for_what_and_what_came_of_it() {
    let line = TOLLGATE.logged(&TOLLGATE.send("+12175550101", &[]));
    for (key, value) in [
        ("event", Value::from("decision")),
        ("endpoint", "send-otp".into()),
        ("verdict", "allow".into()),
        ("mode", "enforce".into()),
        ("client_ip", "127.0.0.1".into()),
        ("client_net", "127.0.0.0/24".into()),
        ("number", "+1********01".into()),
        ("country", "US".into()),
        ("numbers", 1.into()),
        ("status", 200.into()),
        ("upstream_status", 200.into()),
        ("technique", "T1496.003".into()),
    ] {
        assert_eq!(line[key], value, "{key}");
    }
}

#[test]
fn a_time_is_utc_with_milliseconds() {
    let line = TOLLGATE.logged(&TOLLGATE.send("+12175550102", &[]));
    let ts = line["ts"].as_str().unwrap();
    assert_eq!((ts.len(), ts.get(19..20), ts.get(23..)), (24, Some("."), Some("Z")), "{ts}");
}

#[test]
fn one_number_has_one_pseudonym_and_another_has_another() {
    let hash = |phone: &str| TOLLGATE.logged(&TOLLGATE.send(phone, &[]))["number_hash"].clone();
    let first = hash("+12175550103");
    assert_eq!(hash("+1 (217) 555-0103"), first);
    assert_ne!(hash("+12175550104"), first);
}

#[test]
fn a_line_about_an_unreadable_request_has_no_number() {
    let answer = TOLLGATE.ask(&post(SEND, &["Content-Type: application/json"], json("tel:+12175550105")));
    let line = TOLLGATE.logged(&answer);
    assert_eq!((&line["number"], &line["country"], &line["numbers"]), (&Value::Null, &Value::Null, &0.into()));
    assert_eq!(line["reasons"][0]["signal"], "unreadable");
}

#[test]
fn no_number_and_no_secret_is_written_anywhere() {
    let secrets = ["2175550177", "4915123456789", "175550177", "sekret-token", "c2VjcmV0"];
    let form = "Content-Type: application/x-www-form-urlencoded";
    let auth =
        ["Authorization: Bearer sekret-token", "Cookie: session=sekret-token", "Proxy-Authorization: Basic c2VjcmV0"];
    let with = |content_type: &'static str| [content_type, auth[0], auth[1], auth[2]];
    let query = format!("{SEND}?x=%2B12175550177");
    let requests = [
        post(SEND, &with("Content-Type: application/json"), json("+12175550177")),
        post(SEND, &with("Content-Type: application/json"), json("+1 217-555-0177")),
        post(SEND, &with(form), "phone=%2B12175550177"),
        post(SEND, &with(form), "phone=+12175550177"),
        post(SEND, &with(form), "phone=%2B12175550177&phone=%2B12175550177"),
        post(SEND, &with("Content-Type: application/json"), json("tel:+12175550177")),
        post(SEND, &with("Content-Type: application/json"), json("+4915123456789")),
        post(SEND, &with("Content-Type: text/+12175550177"), json("+12175550177")),
        post(&query, &with("Content-Type: application/json"), json("+12175550177")),
        post("/pages/+12175550177", &with("Content-Type: application/json"), json("+12175550177")),
    ];
    let mut answers: Vec<_> = requests.iter().map(|request| fetch(TOLLGATE.address, request)).collect();
    let last = TOLLGATE.send("+12175550106", &[]);
    TOLLGATE.logged(&last);
    answers.retain(|answer| answer.status() != 200);
    let mut written: Vec<String> = answers.iter().map(|answer| format!("{}{}", answer.head, answer.text())).collect();
    written.push(TOLLGATE.ask_admin("/metrics").text().to_owned());
    written.push(std::fs::read_to_string(TOLLGATE.log_path()).unwrap());
    assert!(answers.len() >= 5);
    for text in written {
        let digits: String = text.chars().filter(|letter| !"+ -().%".contains(*letter)).collect();
        for secret in secrets {
            assert!(!text.contains(secret) && !digits.contains(secret), "{secret} in {text}");
        }
    }
}

#[test]
fn a_client_that_leaves_before_the_answer_is_logged_all_the_same() {
    let gate = Gate::default();
    let wait = gate.clone();
    let upstream = Upstream::start(move |_| Reply::Held(wait.clone(), ok("sent")));
    let tollgate = Tollgate::lenient(&upstream, "");
    let mut client = Client::connect(tollgate.address);
    client.write(&otp("+12175550107", &["X-Case: left"]));
    let seen = upstream.wait_for("left", 1).remove(0);
    client.leave();
    let line = tollgate.logged_as(seen.header("x-request-id").unwrap());
    assert_eq!((&line["verdict"], &line["status"]), (&"allow".into(), &Value::Null));
    gate.open();
}

#[test]
fn every_decision_is_one_line() {
    let upstream = Upstream::friendly();
    let tollgate = Tollgate::start(&upstream, "", "[countries]\ndeny = [\"DE\"]\n");
    for phone in ["+12175550108", "+4915123456789", "nonsense", "+12175550108"] {
        tollgate.send(phone, &[]);
    }
    tollgate.ask(&post("/other", &[], "x"));
    let last = tollgate.send("+12175550109", &[]);
    tollgate.logged(&last);
    assert_eq!(tollgate.log_lines().len(), 5);
}

#[test]
fn a_log_that_was_moved_away_is_opened_again() {
    let upstream = Upstream::friendly();
    let tollgate = Tollgate::lenient(&upstream, "");
    tollgate.logged(&tollgate.send("+12175550110", &[]));
    std::fs::rename(tollgate.log_path(), tollgate.dir.path().join("old.jsonl")).unwrap();
    let answer = tollgate.send("+12175550111", &[]);
    eventually("the log to be there again", || tollgate.log_path().exists().then_some(()));
    tollgate.logged(&answer);
}

#[test]
fn whole_numbers_are_written_only_when_asked_for() {
    let upstream = Upstream::friendly();
    let dir = tempfile::tempdir().unwrap();
    let text = crate::harness::config_text(&dir, upstream.url(), "", "")
        .replace("[block_log]", "[block_log]\nnumbers = \"full\"");
    let app = tollgate::app::App::start(&tollgate::config::Config::parse(&text).unwrap()).unwrap();
    let tollgate::proxy::Listen::Tcp(address) = app.listens()[0] else { panic!("a TCP listener") };
    fetch(address, &otp("+12175550112", &[]));
    eventually("the line", || {
        std::fs::read_to_string(dir.path().join("block.jsonl")).unwrap().contains("\"+12175550112\"").then_some(())
    });
}

#[test]
fn metrics_count_decisions_by_endpoint_and_verdict() {
    let upstream = Upstream::friendly();
    let tollgate = Tollgate::start(&upstream, "", "[countries]\ndeny = [\"DE\"]\n");
    for phone in ["+12175550113", "+4915123456789", "+4915123456780", "nonsense"] {
        tollgate.send(phone, &[]);
    }
    let metrics = tollgate.ask_admin("/metrics");
    for line in [
        "tollgate_decisions_total{endpoint=\"send-otp\",verdict=\"allow\"} 1",
        "tollgate_decisions_total{endpoint=\"send-otp\",verdict=\"block\"} 3",
        "tollgate_decisions_by_country_total{country=\"DE\",verdict=\"block\"} 2",
        "tollgate_ready 1",
    ] {
        assert!(metrics.text().contains(line), "{line} in {}", metrics.text());
    }
}

#[test]
fn metrics_want_the_token_that_is_set() {
    let upstream = Upstream::friendly();
    let dir = tempfile::tempdir().unwrap();
    let text = crate::harness::config_text(&dir, upstream.url(), "", "")
        .replace("[admin]", "[admin]\ntoken = \"0123456789abcdef\"");
    let app = tollgate::app::App::start(&tollgate::config::Config::parse(&text).unwrap()).unwrap();
    let status = |header: &str| {
        fetch(app.admin(), format!("GET /metrics HTTP/1.1\r\nHost: a\r\n{header}\r\n").as_bytes()).status()
    };
    assert_eq!(status(""), 401);
    assert_eq!(status("Authorization: Bearer 0123456789abcdee\r\n"), 401);
    assert_eq!(status("Authorization: Bearer 0123456789abcdef\r\n"), 200);
}
