//! The end of a run: told first, then finished, then gone. And its beginning, on a port that is taken.

use std::net::TcpStream;

use tollgate::app::App;
use tollgate::config::Config;

use crate::harness::{Client, Gate, Reply, Tollgate, Upstream, config_text, eventually, fetch, ok, otp};

#[test]
fn readiness_goes_off_before_anything_closes() {
    let upstream = Upstream::friendly();
    let tollgate = Tollgate::lenient(&upstream, "drain_delay = \"2s\"");
    assert_eq!(tollgate.ask_admin("/readyz").status(), 200);
    let (address, admin) = (tollgate.address, tollgate.admin);
    let drained = drain(tollgate);
    eventually("readiness to go off", || (fetch(admin, READY).status() == 503).then_some(()));
    assert_eq!(fetch(address, &otp("+12165550100", &[])).status(), 200);
    assert!(drained.join().unwrap());
}

#[test]
fn a_request_in_work_is_finished_and_then_all_ends() {
    let gate = Gate::default();
    let wait = gate.clone();
    let upstream = Upstream::start(move |_| Reply::Held(wait.clone(), ok("sent")));
    let tollgate = Tollgate::lenient(&upstream, "drain_timeout = \"15s\"");
    let address = tollgate.address;
    let mut client = Client::connect(address);
    client.write(&otp("+12165550101", &["X-Case: in-work"]));
    upstream.wait_for("in-work", 1);
    let drained = drain(tollgate);
    eventually("the listener to close", || TcpStream::connect(address).is_err().then_some(()));
    gate.open();
    assert_eq!(client.read().status(), 200);
    assert!(drained.join().unwrap());
}

#[test]
fn a_request_that_takes_too_long_is_cut() {
    let upstream = Upstream::start(|_| Reply::Silence);
    let tollgate = Tollgate::lenient(&upstream, "drain_timeout = \"300ms\"");
    let mut client = Client::connect(tollgate.address);
    client.write(&otp("+12165550102", &["X-Case: cut"]));
    upstream.wait_for("cut", 1);
    assert!(!drain(tollgate).join().unwrap());
    client.wait_for_close();
}

#[test]
fn an_idle_connection_does_not_hold_up_the_end() {
    let upstream = Upstream::friendly();
    let tollgate = Tollgate::lenient(&upstream, "drain_timeout = \"15s\"");
    let mut idle = Client::connect(tollgate.address);
    assert_eq!(idle.ask(&otp("+12165550103", &[])).status(), 200);
    let drained = drain(tollgate);
    let took = idle.wait_for_close();
    assert!(drained.join().unwrap());
    assert!(took.as_secs() < 5, "{took:?}");
}

#[test]
fn a_connection_that_never_said_a_word_does_not_hold_up_the_end() {
    let tollgate = Tollgate::lenient(&Upstream::friendly(), "drain_timeout = \"3s\"");
    let silent = Client::connect(tollgate.address);
    eventually("the connection to be counted", || {
        tollgate.ask_admin("/metrics").text().contains("tollgate_connections 1").then_some(())
    });
    assert!(drain(tollgate).join().unwrap());
    drop(silent);
}

#[test]
fn every_decision_is_on_disk_when_all_has_ended() {
    let upstream = Upstream::friendly();
    let mut tollgate = Tollgate::lenient(&upstream, "");
    for _ in 0..10 {
        tollgate.send("+12165550104", &[]);
    }
    let dir = std::mem::replace(&mut tollgate.dir, tempfile::tempdir().unwrap());
    assert!(drain(tollgate).join().unwrap());
    let log = std::fs::read_to_string(dir.path().join("block.jsonl")).unwrap();
    assert_eq!(log.lines().count(), 10);
}

#[test]
fn a_second_app_on_the_same_port_does_not_start() {
    let upstream = Upstream::friendly();
    let first = Tollgate::lenient(&upstream, "");
    let dir = tempfile::tempdir().unwrap();
    let text = config_text(&dir, upstream.url(), &format!("listen = \"{}\"", first.address), "");
    let problems = App::start(&Config::parse(&text).unwrap()).unwrap_err();
    assert!(problems[0].contains(&format!("cannot listen on {}", first.address)), "{problems:?}");
    assert_eq!(first.send("+12165550105", &[]).status(), 200);
}

fn drain(tollgate: Tollgate) -> std::thread::JoinHandle<bool> {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(tollgate.app.drain())
    })
}

const READY: &[u8] = b"GET /readyz HTTP/1.1\r\nHost: admin.example\r\n\r\n";
