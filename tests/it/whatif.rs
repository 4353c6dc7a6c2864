//! What another policy would have done: over a generated week, and over the log of a tollgate that ran.

use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use tollgate::app::App;
use tollgate::config::Config;
use tollgate::proxy::Listen;

use crate::harness::{Upstream, config_text, eventually, fetch, otp, post};

/// Refuses nobody.
const LAX: &str = "[policy]\nthresholds = { challenge = 101, block = 101 }\n[limits]\nnumber = []\n\
     [budget]\nrange = { floor = \"$100000\" }\ncountry = { floor = \"$100000\" }\ntotal = { floor = \"$100000\" }\n";

/// As the lax one, but for one country and third messages to one number.
const STRICT: &str = "[policy]\nthresholds = { challenge = 101, block = 101 }\n[countries]\ndeny = [\"UZ\"]\n\
                      [limits]\nnumber = [{ count = 2, per = \"1h\" }]\n\
                      [budget]\nrange = { floor = \"$100000\" }\ncountry = { floor = \"$100000\" }\ntotal = { floor = \"$100000\" }\n";

// === a generated week ===

#[test]
fn savings_and_losses_are_told_side_by_side() {
    let report = Week::default().report(&[]);
    let totals = &report["totals"];
    assert_eq!(
        (&totals["converted"], &totals["unconverted"], &totals["unknown"]),
        (&71.into(), &200.into(), &0.into())
    );
    assert_eq!((&totals["old"]["allowed"], &totals["new"]["allowed"]), (&271.into(), &70.into()));
    assert_eq!((&totals["new"]["saved_messages"], &totals["difference"]["saved_messages"]), (&200.into(), &200.into()));
    assert_eq!(totals["old"]["saved_usd_micros"], 0);
    assert!(totals["new"]["saved_usd_micros"].as_u64() > Some(1_000_000), "{totals}");
    assert_eq!((&totals["old"]["customers_blocked"], &totals["new"]["customers_blocked"]), (&0.into(), &1.into()));
}

#[test]
fn each_breakdown_names_what_was_hit() {
    let report = Week::default().report(&[]);
    let row = |table: &str, key: &str| {
        let rows = report[table].as_array().unwrap();
        rows.iter().find(|row| row["key"] == key).unwrap_or_else(|| panic!("{key} in {rows:?}")).clone()
    };
    assert_eq!(row("countries", "UZ")["new"]["blocked"], 201);
    assert_eq!(row("countries", "US")["difference"]["blocked"], 0);
    assert_eq!(row("ranges", "+99891234xxxx")["new"]["saved_messages"], 200);
    assert_eq!(row("reasons", "country_denied")["new"]["blocked"], 201);
    assert_eq!(row("reasons", "country_denied")["old"]["blocked"], 0);
    assert_eq!(row("hours", "2026-11-18T00:00Z")["new"]["saved_messages"], 200);
}

#[test]
fn a_customer_who_would_be_blocked_is_explained() {
    let report = Week::default().report(&[]);
    let worst = &report["worst"]["customers_blocked"];
    assert_eq!(worst["old"], Value::Array(Vec::new()));
    let case = &worst["new"][0];
    assert_eq!(
        (&case["number"], &case["country"], &case["verdict"]),
        (&"+998*******77".into(), &"UZ".into(), &"block".into())
    );
    assert_eq!(case["reasons"][0]["signal"], "country_denied");
    assert_eq!(report["worst"]["unanswered_allowed"]["old"].as_array().unwrap().len(), 10, "the dearest of 200");
}

#[test]
fn the_text_fits_a_hundred_columns_and_says_the_same() {
    let said = text(&Week::default().replay(&[]).stdout);
    for line in said.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    let has = |words: &[&str]| said.lines().any(|line| line.split_whitespace().collect::<Vec<_>>() == words);
    assert!(has(&["unanswered", "messages", "saved", "0", "200", "+200"]), "{said}");
    assert!(has(&["blocked", "0", "201", "+201"]), "{said}");
    assert!(said.contains("+99891234xxxx") && said.contains("country_denied"), "{said}");
    assert!(said.contains("Customers blocked, new: 1\n"), "{said}");
}

#[test]
fn no_whole_number_is_in_any_report() {
    let week = Week::default();
    let written = [&[][..], &["--json"]].map(|options| text(&week.replay(options).stdout)).concat();
    let digits: String = written.chars().filter(|letter| !"+ -().,\n".contains(*letter)).collect();
    for number in &week.numbers {
        assert!(!digits.contains(number.trim_start_matches("+998").trim_start_matches("+1")), "{number}");
    }
}

#[test]
fn a_policy_compared_with_itself_makes_no_difference() {
    let week = Week::default();
    let report =
        report(&replay(&week.file("strict.toml"), &week.file("strict.toml"), &week.file("week.jsonl"), &["--json"]));
    assert!(report["totals"]["difference"].as_object().unwrap().values().all(|value| *value == 0 || value.is_object()));
    assert_eq!(report["totals"]["old"], report["totals"]["new"]);
    assert_eq!(report["worst"]["customers_blocked"]["old"], report["worst"]["customers_blocked"]["new"]);
}

#[test]
fn a_mode_that_only_watches_is_replayed_as_if_it_were_enforced() {
    let week = Week::default();
    week.write("watching.toml", &format!("{STRICT}[admin]\n").replace("[policy]", "[policy]\nmode = \"monitor\""));
    let report =
        report(&replay(&week.file("watching.toml"), &week.file("strict.toml"), &week.file("week.jsonl"), &["--json"]));
    assert_eq!(report["new"]["mode"], "monitor");
    assert_eq!(report["totals"]["old"], report["totals"]["new"]);
}

#[test]
fn what_is_no_event_ends_the_comparison_with_its_line() {
    let week = Week::default();
    week.write("broken.jsonl", "{\"ts\":1,\"kind\":\"send\",\"phone\":\"+12015550123\"}\nnonsense\n");
    let output = replay(&week.file("strict.toml"), &week.file("lax.toml"), &week.file("broken.jsonl"), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("broken.jsonl:2: "), "{}", text(&output.stderr));
}

#[test]
fn decisions_count_addresses_that_cannot_be_read_and_go_on() {
    let week = Week::default();
    week.write("odd.jsonl", "{\"ts\":1,\"kind\":\"send\",\"client_ip\":\"nowhere\",\"phone\":\"+12015550123\"}\n");
    let output = run(&["replay", "--config", &week.file("lax.toml"), "--events", &week.file("odd.jsonl")]);
    assert_eq!(text(&output.stdout).lines().count(), 1);
    assert!(text(&output.stderr).contains("1 events with an unreadable client address"), "{}", text(&output.stderr));
}

// === the log of a tollgate that ran ===

#[test]
fn the_log_of_a_running_tollgate_replays_to_the_same_decisions() {
    let live = Live::ran("range");
    let output = run(&["replay", "--config", &live.config, "--events", &live.log]);
    let replayed: Vec<Value> = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let replayed: Vec<(&Value, &Value)> = replayed.iter().map(|line| (&line["action"], &line["score"])).collect();
    let logged: Vec<(&Value, &Value)> = live.decisions().map(|line| (&line["verdict"], &line["score"])).collect();
    assert_eq!(replayed, logged);
}

#[test]
fn the_log_of_a_running_tollgate_is_compared_as_it_was_decided() {
    let live = Live::ran("range");
    let report = report(&replay(&live.config, &live.config, &live.log, &["--json"]));
    let n = |verdict: &str| live.decisions().filter(|line| line["verdict"] == verdict).count() as u64;
    let (known, unknown) = (&report["totals"]["new"], &report["totals"]["new"]["unknown"]);
    assert_eq!((n("allow"), n("block")), (14, 2), "seven sends and resends; one denied, one over the limit");
    assert_eq!(known["allowed"].as_u64(), Some(n("allow")));
    assert_eq!(unknown["blocked"].as_u64(), Some(n("block")), "refused at the time, so counted apart");
    assert_eq!(report["totals"]["old"], report["totals"]["new"]);
    assert_eq!((&report["totals"]["converted"], &report["recording"]["codes"]), (&7.into(), &7.into()));
    assert_eq!(report["recording"]["stand_ins"], 8);
    let keys: Vec<&str> = report["ranges"].as_array().unwrap().iter().map(|row| row["key"].as_str().unwrap()).collect();
    assert!(keys.contains(&"+1217555xxxx"), "{keys:?}");
}

#[test]
fn a_log_with_masked_numbers_is_compared_without_ranges_and_says_why() {
    let live = Live::ran("masked");
    let report = report(&replay(&live.config, &live.config, &live.log, &["--json"]));
    assert_eq!(report["ranges"], Value::Array(Vec::new()));
    let warning = report["warnings"][0].as_str().unwrap();
    assert!(warning.contains("set block_log.numbers = \"range\""), "{warning}");
}

#[test]
fn a_log_of_ranges_holds_no_whole_number_and_neither_does_its_report() {
    let live = Live::ran("range");
    let report = text(&replay(&live.config, &live.config, &live.log, &["--json"]).stdout);
    let written = std::fs::read_to_string(&live.log).unwrap() + &report;
    for number in Live::numbers() {
        assert!(!written.contains(number.trim_start_matches("+1")), "{number}");
    }
    assert!(live.lines.iter().any(|line| line["event"] == "verified" && line["number"] == "+1217555****"));
}

/// 70 customers over a week, one of them abroad, and an attack on the third day.
struct Week {
    dir: TempDir,
    numbers: Vec<String>,
}

// === impl Week ===

impl Default for Week {
    fn default() -> Self {
        let mut week = Self { dir: tempfile::tempdir().unwrap(), numbers: Vec::new() };
        let mut events: Vec<(u64, String)> = Vec::new();
        for n in 0..70 {
            let (at, phone) = (MONDAY + n * 8_000, format!("+1201555{:04}", 100 + n));
            events.push(week.send(at, &phone, n));
            events.push((at + 20, typed(at + 20, &phone)));
        }
        let abroad = MONDAY + 3 * 86_400;
        events.push(week.send(abroad, "+998907654377", 200));
        events.push((abroad + 20, typed(abroad + 20, "+998907654377")));
        events
            .extend((0..200).map(|n| week.send(MONDAY + 2 * 86_400 + n * 10, &format!("+99891234{:04}", 5000 + n), n)));
        events.sort();
        week.write("week.jsonl", &events.into_iter().map(|(_, line)| line + "\n").collect::<String>());
        week.write("lax.toml", LAX);
        week.write("strict.toml", STRICT);
        week
    }
}

impl Week {
    fn send(&mut self, at: u64, phone: &str, n: u64) -> (u64, String) {
        self.numbers.push(phone.to_owned());
        (at, format!("{{\"ts\":{at},\"kind\":\"send\",\"client_ip\":\"198.18.{n}.1\",\"phone\":\"{phone}\"}}"))
    }

    fn report(&self, options: &[&str]) -> Value {
        report(&self.replay(&[options, &["--json"]].concat()))
    }

    fn replay(&self, options: &[&str]) -> Output {
        replay(&self.file("strict.toml"), &self.file("lax.toml"), &self.file("week.jsonl"), options)
    }

    fn write(&self, name: &str, contents: &str) {
        std::fs::write(self.dir.path().join(name), contents).unwrap();
    }

    fn file(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }
}

/// A tollgate that was asked, and what it left.
struct Live {
    _dir: TempDir,
    config: String,
    log: String,
    lines: Vec<Value>,
}

// === impl Live ===

impl Live {
    /// Seven customers who each ask twice and type the code; one of them asks again and is over the limit, and
    /// somebody asks for a country that is denied.
    fn ran(masking: &str) -> Self {
        let upstream = Upstream::friendly();
        let dir = tempfile::tempdir().unwrap();
        let rules = "[countries]\ndeny = [\"DE\"]\n[limits]\nnumber = [{ count = 2, per = \"1h\" }]\n\
                     [[endpoint]]\nname = \"send-otp\"\npath = \"/api/auth/send-otp\"\nnumber = [\"json:/phone\"]\n\
                     [[endpoint]]\nname = \"verify-otp\"\npath = \"/verify\"\nnumber = [\"json:/phone\"]\nrole = \"verify\"\n";
        let masking = format!("[block_log]\nnumbers = \"{masking}\"");
        let written = config_text(&dir, upstream.url(), "", rules).replace("[block_log]", &masking);
        let app = App::start(&Config::parse(&written).unwrap()).unwrap();
        let Listen::Tcp(address) = app.listens()[0] else { panic!("a TCP listener") };
        let ask = |phone: &str| fetch(address, &otp(phone, &["User-Agent: app/1"])).status();
        let json = "Content-Type: application/json";
        for phone in Self::customers() {
            assert_eq!((ask(&phone), ask(&phone)), (200, 200));
            let body = format!("{{\"phone\":\"{phone}\"}}");
            assert_eq!(fetch(address, &post("/verify", &[json], body)).status(), 200);
        }
        assert_eq!((ask(&Self::customers()[0]), ask("+4915123456789")), (429, 403));
        let log = dir.path().join("block.jsonl");
        let lines = eventually("all lines of the log", || {
            let text = std::fs::read_to_string(&log).unwrap();
            Some(text).filter(|text| text.matches('\n').count() == 7 * 3 + 2)
        });
        let lines = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let config = dir.path().join("config.toml");
        std::fs::write(&config, written).unwrap();
        let [config, log] = [config, log].map(|path| path.to_str().unwrap().to_owned());
        Self { _dir: dir, config, log, lines }
    }

    fn customers() -> Vec<String> {
        [217, 312, 415, 503, 615, 713, 808].map(|area| format!("+1{area}5550177")).to_vec()
    }

    fn numbers() -> Vec<String> {
        let mut numbers = Self::customers();
        numbers.push("+4915123456789".to_owned());
        numbers
    }

    fn decisions(&self) -> impl Iterator<Item = &Value> {
        self.lines.iter().filter(|line| line["event"] == "decision")
    }
}

fn typed(at: u64, phone: &str) -> String {
    format!("{{\"ts\":{at},\"kind\":\"verify\",\"success\":true,\"phone\":\"{phone}\"}}")
}

fn replay(new: &str, old: &str, events: &str, options: &[&str]) -> Output {
    run(&[&["replay", "--config", new, "--against", old, "--events", events], options].concat())
}

fn report(output: &Output) -> Value {
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tollgate")).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// 2026-11-16, midnight.
const MONDAY: u64 = 1_794_787_200;
