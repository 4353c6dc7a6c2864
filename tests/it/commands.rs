//! The commands as a user runs them: exit codes, and what is printed where.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Tollgate, Upstream, fictional};

// === check ===

#[test]
fn check_accepts_the_shipped_configuration() {
    let output = run(&["check", "--config", SHIPPED], &[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("good, 2 guarded endpoints"), "{}", text(&output.stdout));
}

#[test]
fn check_prints_every_mistake_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir, "config.toml", "[server]\nlisten = \"nowhere\"\n\n[policy]\nmode = \"maybe\"\n");
    let output = run(&["check", "--config", &path], &[]);
    assert_eq!(output.status.code(), Some(1));
    let errors = text(&output.stderr);
    assert!(errors.contains("config.toml:2: server.listen: "), "{errors}");
    assert!(errors.contains("config.toml:5: policy.mode: "), "{errors}");
}

#[test]
fn check_fails_without_a_file() {
    let output = run(&["check", "--config", "/nonexistent/config.toml"], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("/nonexistent/config.toml"));
}

#[test]
fn check_reads_the_files_that_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(
        &dir,
        "config.toml",
        "[risk]\nprices = \"/nonexistent/prices.csv\"\n[block_log]\nhash_key = \"/nonexistent/key\"\n",
    );
    let output = run(&["check", "--config", &path], &[]);
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors.contains("/nonexistent/prices.csv") && errors.contains("/nonexistent/key"), "{errors}");
}

#[test]
fn check_warns_of_what_is_allowed_and_unwise() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir, "config.toml", "");
    let output = run(&["check", "--config", &path], &[]);
    assert_eq!(output.status.code(), Some(0));
    let warnings = text(&output.stdout);
    assert!(warnings.contains("warning: no [[endpoint]]"), "{warnings}");
    assert!(warnings.contains("warning: no [geo] database is given: client country and hosting networks are not seen"));
}

#[test]
fn a_wrong_argument_is_exit_code_2() {
    assert_eq!(run(&["check", "--nonsense"], &[]).status.code(), Some(2));
}

// === the environment ===

#[test]
fn a_variable_overrides_a_key() {
    let versions: Vec<String> = [&[][..], &[("TOLLGATE_POLICY__MODE", "monitor")]]
        .into_iter()
        .map(|variables| text(&run(&["explain", "--config", SHIPPED, "+12015550123"], variables).stdout))
        .collect();
    assert!(versions[0].contains("mode enforce"), "{}", versions[0]);
    assert!(versions[1].contains("mode monitor"), "{}", versions[1]);
}

#[test]
fn a_variable_may_hold_a_list_or_a_table() {
    let output = run(&["explain", "--config", SHIPPED, "+12015550123"], &[("TOLLGATE_COUNTRIES__DENY", "[\"US\"]")]);
    assert!(text(&output.stdout).contains("verdict   block"), "{}", text(&output.stdout));
    let output = run(&["check", "--config", SHIPPED], &[("TOLLGATE_POLICY__THRESHOLDS", "{challenge=60, block=50}")]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_variable_with_a_mistake_is_named() {
    let output = run(&["check", "--config", SHIPPED], &[("TOLLGATE_POLICY__MODE", "maybe")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("TOLLGATE_POLICY__MODE: policy.mode: "), "{}", text(&output.stderr));
}

#[test]
fn a_variable_for_a_key_that_does_not_exist_is_named() {
    let output = run(&["check", "--config", SHIPPED], &[("TOLLGATE_POLICY__MOOD", "good")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("TOLLGATE_POLICY__MOOD: policy.mood: "), "{}", text(&output.stderr));
}

// === healthcheck ===

#[test]
fn healthcheck_succeeds_while_the_proxy_lives() {
    let tollgate = Tollgate::lenient(&Upstream::friendly(), "");
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir, "config.toml", &format!("[admin]\nlisten = \"{}\"\n", tollgate.admin));
    assert_eq!(run(&["healthcheck", "--config", &path], &[]).status.code(), Some(0));
}

#[test]
fn healthcheck_fails_when_nobody_listens() {
    let place = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = place.local_addr().unwrap();
    drop(place);
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir, "config.toml", &format!("[admin]\nlisten = \"{address}\"\n"));
    let output = run(&["healthcheck", "--config", &path], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains(&address.to_string()));
}

// === explain ===

#[test]
fn explain_says_what_policy_makes_of_a_number_and_hides_it() {
    let output = run(&["explain", "--config", SHIPPED, "+1 201-555-0123", "--ip", "192.0.2.1"], &[]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0));
    assert!(said.contains("+1********23 (US,") && said.contains("verdict   allow"), "{said}");
    assert!(!said.contains("2015550123") && !said.contains("5550123"), "{said}");
}

#[test]
fn explain_says_why_a_text_is_no_number() {
    let output = run(&["explain", "--config", SHIPPED, "tel:+12015550123"], &[]);
    assert!(
        text(&output.stdout).starts_with("verdict   block (422)\nreason    unreadable"),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn explain_reads_national_numbers_as_an_endpoint_does() {
    let output = run(&["explain", "--config", SHIPPED, "(201) 555-0123", "--endpoint", "send-otp"], &[]);
    assert!(text(&output.stdout).contains("US"), "{}", text(&output.stdout));
    let output = run(&["explain", "--config", SHIPPED, "(201) 555-0123", "--endpoint", "nowhere"], &[]);
    assert_eq!(output.status.code(), Some(1));
}

// === replay ===

#[test]
fn replay_answers_every_send_in_order() {
    let decisions = replayed(&walk(40));
    let lines: Vec<u64> = decisions.iter().map(|decision| decision["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, (1..=40).collect::<Vec<u64>>());
    assert!(0 < n_refused(&decisions));
}

#[test]
fn replay_of_the_same_file_gives_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let events = file(&dir, "events.jsonl", &walk(200));
    let play = || run(&["replay", "--config", SHIPPED, "--events", &events], &[]).stdout;
    let first = play();
    assert!(!first.is_empty());
    assert!(first == play(), "the second run differs");
}

#[test]
fn replay_learns_from_codes_that_were_typed() {
    let send = |ts: usize, n: usize, phone: &str| {
        let ip = format!("198.18.{}.{}", n % 250, 1 + n / 250);
        format!("{{\"ts\":{ts},\"kind\":\"send\",\"client_ip\":\"{ip}\",\"phone\":\"{phone}\"}}\n")
    };
    let typed = |ts: usize, phone: &str| {
        format!("{{\"ts\":{ts},\"kind\":\"verify\",\"success\":true,\"phone\":\"{phone}\"}}\n")
    };
    let customers: String = (0..60)
        .map(|n| send(1000 + 60 * n, n, &fictional(97 * n)) + &typed(1010 + 60 * n, &fictional(97 * n)))
        .collect();
    let visitors = (0..12).map(|n| (5000 + 60 * n, 100 + n, format!("+9989123456{n:02}")));
    let unverified: String = visitors.clone().map(|(ts, n, phone)| send(ts, n, &phone)).collect();
    let verified: String = visitors.map(|(ts, n, phone)| send(ts, n, &phone) + &typed(ts + 10, &phone)).collect();
    let n_refused_unverified = n_refused(&replayed(&(customers.clone() + &unverified)));
    let n_refused_verified = n_refused(&replayed(&(customers + &verified)));
    assert!(n_refused_verified < n_refused_unverified, "{n_refused_verified}, {n_refused_unverified} unverified");
}

#[test]
fn replay_blocks_what_cannot_be_read() {
    let decisions = replayed("{\"ts\":1,\"kind\":\"send\",\"phone\":\"tel:+12015550123\"}\n");
    assert_eq!(
        (&decisions[0]["action"], &decisions[0]["reasons"][0]["signal"]),
        (&"block".into(), &"unreadable".into())
    );
}

#[test]
fn replay_names_the_line_that_is_no_event() {
    let dir = tempfile::tempdir().unwrap();
    let events = file(&dir, "events.jsonl", "{\"ts\":1,\"kind\":\"send\",\"phone\":\"+12015550123\"}\nnonsense\n");
    let output = run(&["replay", "--config", SHIPPED, "--events", &events], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("events.jsonl:2: "), "{}", text(&output.stderr));
}

#[test]
fn replay_by_stdio_answers_before_the_next_line_is_written() {
    let mut child = tollgate(&["replay", "--config", SHIPPED, "--stdio"], &[])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut input, mut output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    for event in walk(5).lines() {
        writeln!(input, "{event}").unwrap();
        let mut answer = String::new();
        output.read_line(&mut answer).unwrap();
        assert!(serde_json::from_str::<Value>(&answer).is_ok(), "{answer}");
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

// === run ===

#[test]
fn run_serves_until_it_is_told_to_end() {
    let dir = tempfile::tempdir().unwrap();
    let upstream = Upstream::friendly();
    let path = file(&dir, "config.toml", &crate::harness::config_text(&dir, upstream.url(), "", ""));
    let mut child = tollgate(&["--config", &path], &[]).stderr(Stdio::piped()).spawn().unwrap();
    let errors = BufReader::new(child.stderr.take().unwrap());
    let mut lines = errors.lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("ready")));
    let told = Command::new("kill").arg("-TERM").arg(child.id().to_string()).status().unwrap();
    assert!(told.success());
    assert!(lines.any(|line| line.contains("all requests finished")));
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

fn walk(n_numbers: usize) -> String {
    (0..n_numbers)
        .map(|n| {
            let (ts, tail) = (1_700_000_000 + 30 * n, 5000 + n);
            format!("{{\"ts\":{ts},\"kind\":\"send\",\"client_ip\":\"198.18.{}.{}\",\"phone\":\"+99891234{tail}\",\"extra\":1}}\n", n % 250, 1 + n / 250)
        })
        .collect()
}

fn replayed(events: &str) -> Vec<Value> {
    let dir = tempfile::tempdir().unwrap();
    let (events, decisions) = (file(&dir, "events.jsonl", events), dir.path().join("decisions.jsonl"));
    let output =
        run(&["replay", "--config", SHIPPED, "--events", &events, "--decisions", decisions.to_str().unwrap()], &[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    std::fs::read_to_string(decisions).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn n_refused(decisions: &[Value]) -> usize {
    decisions.iter().filter(|decision| decision["action"] != "allow").count()
}

fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    tollgate(arguments, variables).stdin(Stdio::null()).output().unwrap()
}

fn tollgate(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.args(arguments).envs(variables.iter().copied());
    command
}

fn file(dir: &TempDir, name: &str, contents: &str) -> String {
    let path = dir.path().join(name);
    std::fs::write(&path, contents).unwrap();
    path.to_str().unwrap().to_owned()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config.toml");
