//! Whose code was whose.

use super::super::testing::{decision, send, tape, try_tape, typed, verified};
use super::Outcome::{Converted, Unconverted, Unknown};
use super::*;

fn outcomes(lines: &[String]) -> Vec<Outcome> {
    tape(lines).sends.iter().map(|sent| sent.outcome).collect()
}

#[test]
fn a_code_belongs_to_the_last_send_to_its_number() {
    assert_eq!(outcomes(&[send(1, 1), send(2, 1), send(3, 2), typed(4, 1)]), [Unconverted, Converted, Unconverted]);
}

#[test]
fn a_code_that_names_its_send_belongs_to_that_one() {
    let code = typed(3, 1).replace("\"kind\"", "\"send_line\":1,\"kind\"");
    assert_eq!(outcomes(&[send(1, 1), send(2, 1), code]), [Converted, Unconverted]);
}

#[test]
fn a_wrong_code_converts_nothing() {
    assert_eq!(outcomes(&[send(1, 1), typed(2, 1).replace("true", "false")]), [Unconverted]);
}

#[test]
fn one_number_in_two_spellings_is_one() {
    let code = typed(2, 1).replace("+12015550101", "+1 (201) 555-0101");
    assert_eq!(outcomes(&[send(1, 1), code]), [Converted]);
}

#[test]
fn what_was_refused_has_an_unknown_outcome_and_no_code() {
    let lines = [
        decision(1, 1, "allow", "enforce", "200"),
        decision(2, 1, "block", "enforce", "null"),
        decision(3, 2, "challenge", "enforce", "null"),
        verified(4, 1),
    ];
    assert_eq!(outcomes(&lines), [Converted, Unknown, Unknown]);
}

#[test]
fn an_answer_that_is_missing_leaves_the_outcome_open_until_a_code_is_typed() {
    let lines = [1, 2].map(|n| decision(n, n, "allow", "enforce", "null"));
    assert_eq!(outcomes(&[lines[0].clone(), lines[1].clone(), verified(3, 2)]), [Unknown, Converted]);
}

#[test]
fn lines_are_played_in_the_order_of_their_times() {
    let tape =
        tape(&[decision(5, 1, "allow", "enforce", "200"), verified(9, 1), decision(3, 2, "allow", "enforce", "200")]);
    let times: Vec<u64> = tape.play().map(|played| played.at().millis() / 1000 % 60).collect();
    assert_eq!(times, [3, 5, 9]);
}

#[test]
fn what_a_stand_in_makes_up_is_not_shown() {
    let tape = tape(&[decision(1, 1, "allow", "enforce", "200")]);
    assert_eq!(tape.sends[0].shown().as_deref(), Some("+1201555****"));
    assert_eq!(tape.notes.n_stand_ins, 1);
}

#[test]
fn a_log_with_masked_numbers_is_read_with_a_warning_and_its_remedy() {
    let line = decision(1, 1, "allow", "enforce", "200").replace("+1201555****", "+1********23");
    let tape = tape(&[line]);
    assert_eq!(tape.sends[0].shown().as_deref(), Some("+1********23"));
    assert_eq!(tape.sends[0].knowledge, Knowledge::Prefix);
    assert!(tape.notes.warnings[0].contains("set block_log.numbers = \"range\""), "{:?}", tape.notes.warnings);
}

#[test]
fn addresses_that_cannot_be_read_are_counted() {
    let tape = tape(&[send(1, 1).replace("192.0.2.1", "nowhere"), send(2, 2)]);
    assert_eq!((tape.sends.len(), tape.notes.n_unreadable_clients), (2, 1));
    assert!(tape.notes.warnings.contains(&"1 events with an unreadable client address".to_owned()));
}

#[test]
fn a_request_of_the_log_without_a_number_is_left_out_and_counted() {
    let line = decision(1, 1, "block", "enforce", "null").replace("\"+1201555****\"", "null");
    let tape = tape(&[line, send(2, 2)]);
    assert_eq!((tape.sends.len(), tape.notes.n_without_number), (1, 1));
}

#[test]
fn a_send_without_a_number_ends_the_replay_and_is_named() {
    let problem = try_tape(&[send(1, 1), r#"{"ts":2,"kind":"send"}"#.to_owned()]).unwrap_err();
    assert!(problem.ends_with(":2: a send needs `phone`"), "{problem}");
}
