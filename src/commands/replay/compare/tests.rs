//! What is counted, and for whom.

use super::super::session::play;
use super::super::testing::{decision, gate, send, tape, typed, verified};
use super::*;

const ALLOWING: &str = "[policy]\nthresholds = { challenge = 101, block = 101 }\n";
const CHALLENGING: &str = "[policy]\nthresholds = { challenge = 0, block = 101 }\n";
const DENYING: &str = "[countries]\ndeny = [\"US\"]\n";

fn compared(old: &str, new: &str, lines: &[String]) -> Comparison {
    let tape = tape(lines);
    Comparison::new(&tape, &play(&tape, gate(old)), &play(&tape, gate(new)))
}

fn of_sends(allowed: u64, challenged: u64, blocked: u64) -> Verdicts<u64> {
    Verdicts { allowed, challenged, blocked }
}

#[test]
fn a_message_that_nobody_answered_is_saved_where_it_is_not_sent() {
    let Row { old, new, sends } = compared(ALLOWING, DENYING, &[send(1, 1), send(2, 2), typed(9, 2)]).totals;
    assert_eq!(sends, Sends { converted: 1, unconverted: 1, unknown: 0 });
    assert_eq!((old.saved_messages, new.saved_messages), (0, 1));
    assert!(old.saved_usd_micros == 0 && 0 < new.saved_usd_micros);
    assert_eq!((old.known, new.known), (of_sends(2, 0, 0), of_sends(0, 0, 2)));
}

#[test]
fn a_customer_who_is_blocked_is_a_loss_and_no_saving() {
    let row = compared(ALLOWING, DENYING, &[send(1, 1), typed(9, 1)]).totals;
    assert_eq!((row.new.customers_blocked, row.new.saved_messages), (1, 0));
    assert_eq!(row.new.less(&row.old).customers_blocked, 1);
}

#[test]
fn a_challenge_saves_what_nobody_would_have_passed_it_for() {
    let row = compared(ALLOWING, CHALLENGING, &[send(1, 1), typed(9, 1), send(10, 2)]).totals;
    assert_eq!((row.new.customers_challenged, row.new.saved_messages), (1, 1));
    assert_eq!(row.new.known, of_sends(0, 2, 0));
}

#[test]
fn what_was_refused_at_the_time_is_counted_apart() {
    let lines = [decision(1, 1, "allow", "enforce", "200"), verified(2, 1), decision(3, 2, "block", "enforce", "null")];
    let Row { old, new, sends } = compared(ALLOWING, DENYING, &lines).totals;
    assert_eq!(sends, Sends { converted: 1, unconverted: 0, unknown: 1 });
    assert_eq!((old.known, old.unknown), (of_sends(1, 0, 0), of_sends(1, 0, 0)));
    assert_eq!((new.known, new.unknown), (of_sends(0, 0, 1), of_sends(0, 0, 1)));
    assert!(0 < old.unknown_cost_usd_micros && new.unknown_cost_usd_micros == 0);
    assert_eq!(new.saved_messages, 0, "nobody knows whether it was a customer's");
}

#[test]
fn rows_add_up_to_the_totals() {
    let lines = [
        send(1, 1),
        send(4_000, 2),
        send(4_001, 3).replace("+1201555", "+1416555"),
        send(4_002, 4).replace("+1", "nonsense"),
        typed(5_000, 2),
    ];
    let Comparison { totals, countries, ranges, reasons, hours } = compared(ALLOWING, DENYING, &lines);
    let names = |rows: &[(String, Row)]| rows.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&countries), ["US", "unreadable", "CA"].map(str::to_owned));
    assert_eq!(names(&ranges), ["+1201555xxxx", "+1416555xxxx"].map(str::to_owned));
    assert_eq!(names(&hours), ["1970-01-01T00:00Z", "1970-01-01T01:00Z"].map(str::to_owned));
    for rows in [&countries, &hours] {
        assert_eq!(rows.iter().map(|(_, row)| row.sends.n()).sum::<u64>(), totals.sends.n());
    }
    assert_eq!(reasons.iter().map(|(_, row)| row.new.n_stopped()).sum::<u64>(), totals.new.n_stopped());
    assert!(names(&reasons).contains(&"country_denied".to_owned()));
}

#[test]
fn ranges_are_left_out_where_the_log_hides_them() {
    let line = decision(1, 1, "allow", "enforce", "200").replace("+1201555****", "+1********23");
    assert!(compared(ALLOWING, DENYING, &[line]).ranges.is_empty());
}
