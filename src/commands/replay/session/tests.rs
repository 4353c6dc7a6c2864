//! What a policy sees of what happened.

use super::super::testing::{decision, gate, send, tape, typed};
use super::*;
use crate::risk::FeedState;

const DENYING: &str = "[countries]\ndeny = [\"US\"]\n";
const ALLOWING: &str = "[policy]\nthresholds = { challenge = 101, block = 101 }\n";
const CHALLENGING: &str = "[policy]\nthresholds = { challenge = 0, block = 101 }\n";

/// What became of each send, and whether a code was seen by the end.
fn played(config: &str, lines: &[String]) -> (Vec<(Verdict, bool)>, FeedState) {
    let tape = tape(lines);
    let mut session = session(&tape, gate(config));
    session.play(&tape);
    let rulings = session.outturn.rulings.iter().map(|ruling| (ruling.verdict, ruling.is_sent));
    (rulings.collect(), session.gate.judge.engine.feed(Timestamp::from_seconds(100.0)))
}

#[test]
fn the_code_of_what_a_policy_allows_is_seen() {
    assert_eq!(played(ALLOWING, &[send(1, 1), typed(20, 1)]), (vec![(Verdict::Allow, true)], FeedState::Present));
}

#[test]
fn the_code_of_what_a_policy_blocks_was_never_typed() {
    assert_eq!(played(DENYING, &[send(1, 1), typed(20, 1)]), (vec![(Verdict::Block, false)], FeedState::Unknown));
}

#[test]
fn a_person_passes_a_challenge_and_types_the_code() {
    assert_eq!(
        played(CHALLENGING, &[send(1, 1), typed(20, 1)]),
        (vec![(Verdict::Challenge, true)], FeedState::Present)
    );
}

#[test]
fn a_code_that_was_typed_at_once_is_typed_after_the_challenge() {
    assert_eq!(played(CHALLENGING, &[send(1, 1), typed(2, 1)]), (vec![(Verdict::Challenge, true)], FeedState::Present));
}

#[test]
fn nobody_else_passes_a_challenge() {
    assert_eq!(played(CHALLENGING, &[send(1, 1)]), (vec![(Verdict::Challenge, false)], FeedState::Unknown));
    let refused = decision(1, 1, "block", "enforce", "null");
    assert_eq!(played(CHALLENGING, &[refused]).0, [(Verdict::Challenge, false)]);
}

#[test]
fn a_challenge_that_is_passed_when_the_limit_is_used_up_sends_nothing() {
    let config = format!("{CHALLENGING}[limits]\nnet = [{{ count = 1, per = \"1h\" }}]\n");
    let lines = [send(1, 1), send(2, 2), typed(20, 1), typed(21, 2)];
    assert_eq!(played(&config, &lines).0, [(Verdict::Challenge, true), (Verdict::Challenge, false)]);
}

#[test]
fn what_a_limit_refuses_is_blocked() {
    let config = format!("{ALLOWING}[limits]\nnumber = [{{ count = 1, per = \"1h\" }}]\n");
    let tape = tape(&[send(1, 1), send(2, 1)]);
    let rulings = play(&tape, gate(&config)).rulings;
    assert_eq!((rulings[1].verdict, rulings[1].signal), (Verdict::Block, Signal::Limit));
}

#[test]
fn a_code_without_a_send_is_seen_by_every_policy() {
    assert_eq!(played(DENYING, &[typed(20, 1)]), (vec![], FeedState::Present));
}

#[test]
fn the_ten_dearest_messages_that_nobody_answered_are_kept_for_a_look() {
    let mut lines: Vec<String> = (1..=15).map(|n| send(n, n)).collect();
    lines.push(send(16, 16).replace("+12015550116", "+998912345678"));
    let worst = play(&tape(&lines), gate(ALLOWING)).worst.unanswered_allowed;
    let kept: Vec<usize> = worst.iter().map(|case| case.index).collect();
    assert_eq!((kept.len(), kept[0]), (10, 15), "{kept:?}");
}
