//! Lines of both kinds become the same events.

use super::super::testing;
use super::*;
use crate::attempt::agent::Agent;

fn sent(line: &str) -> Send<'_> {
    match Event::parse(line).unwrap() {
        Event::Send(send) => send,
        other => panic!("{other:?} is no send"),
    }
}

#[test]
fn an_address_that_cannot_be_read_is_an_unknown_client() {
    for address in [r#""nowhere""#, "7", "[1]", r#"{"a":1}"#, "true", r#""""#] {
        let line = format!(r#"{{"ts":1,"kind":"send","client_ip":{address},"phone":"+12015550123"}}"#);
        let event = Event::parse(&line).unwrap();
        assert!(event.has_unreadable_client(), "{address}");
        let Event::Send(send) = event else { panic!("a send") };
        assert_eq!(send.ask.client, None);
    }
}

#[test]
fn no_address_is_an_unknown_client_and_nothing_to_count() {
    for line in [r#"{"ts":1,"kind":"send","client_ip":null}"#, r#"{"ts":1,"kind":"send"}"#] {
        assert!(!Event::parse(line).unwrap().has_unreadable_client());
    }
}

#[test]
fn an_event_may_say_its_channel_and_nonsense_says_nothing() {
    let channel = |text: &str| sent(&format!(r#"{{"ts":1,"kind":"send","channel":{text}}}"#)).ask.channel;
    assert_eq!([r#""voice""#, r#""text""#].map(channel), [Some(Channel::Voice), Some(Channel::Text)]);
    assert_eq!([r#""pigeon""#, "4", "null"].map(channel), [None; 3]);
}

#[test]
fn a_field_called_event_does_not_make_a_line_the_block_logs() {
    let line = r#"{"ts":1.5,"kind":"send","event":"signup","phone":"+12015550123"}"#;
    assert!(matches!(sent(line), Send { request_id: None, fate: Fate::Sent, .. }));
}

#[test]
fn a_decision_of_the_block_log_says_all_that_a_policy_is_told() {
    let line = r#"{"ts":"2026-11-22T09:12:22.739Z","event":"decision","request_id":"r1","endpoint":"call-me",
        "verdict":"allow","mode":"enforce","client_ip":"203.0.113.9","asn":64500,"client_country":"NL",
        "agent":"00ab00000000000f","channel":"voice","number":"+1201555****","number_hash":"k0000:0f",
        "country":"US","prefix":"+1201","number_type":"mobile","numbers":2,"upstream_status":200}"#;
    let send = sent(line);
    assert_eq!(send.ask.at.to_string(), "2026-11-22T09:12:22.739Z");
    assert_eq!(send.ask.client.unwrap().ip().to_string(), "203.0.113.9");
    assert_eq!(send.ask.origin.asn.unwrap().get(), 64_500);
    assert_eq!(send.ask.origin.country.unwrap().to_string(), "NL");
    assert_eq!(send.ask.agent, Some(Agent::from_bits(0x00ab_0000_0000_000f)));
    assert_eq!((send.ask.channel, send.n_numbers, send.fate), (Some(Channel::Voice), 2, Fate::Sent));
    assert_eq!(send.place, Place::Endpoint("call-me".into()));
    assert!(matches!(send.phone, Some(Phone::Masked(Masked { kind: Some(Kind::Mobile), .. }))));
}

#[test]
fn what_was_refused_at_the_time_is_told_from_what_was_sent() {
    for (verdict, mode, upstream, fate) in [
        ("allow", "enforce", "200", Fate::Sent),
        ("allow", "enforce", "302", Fate::Sent),
        ("allow", "enforce", "null", Fate::Doubtful),
        ("allow", "enforce", "500", Fate::Doubtful),
        ("allow", "enforce", "429", Fate::Refused),
        ("challenge", "enforce", "null", Fate::Refused),
        ("block", "enforce", "null", Fate::Refused),
        ("block", "monitor", "200", Fate::Sent),
    ] {
        let line = testing::decision(1, 1, verdict, mode, upstream);
        assert_eq!(sent(&line).fate, fate, "{verdict} under {mode}, answered {upstream}");
    }
}

#[test]
fn what_is_no_event_is_an_error() {
    for line in ["nonsense", "{}", r#"{"ts":1}"#, r#"{"ts":"x","event":"decision"}"#, r#"{"event":"decision"}"#] {
        assert!(Event::parse(line).is_err(), "{line}");
    }
}
