//! Feeds events to a scorer one by one and withholds what could not have happened.
//!
//! 1. The scorer sees [`Seen`], never the label.
//! 2. A challenge is passed by 3 % of bots and 97 % of people. The draw belongs to the line, so that every scorer meets
//!    the same ones; a passed challenge is reported eight seconds later.
//! 3. A code is typed only if its message was sent: a verify of a send that was stopped is dropped.

use std::collections::{HashSet, VecDeque};

use super::metrics::{Action, BOTS_PASS, PEOPLE_PASS};
use crate::sim::{Event, Kind, Label, Seen, share_of};

/// Whoever decides.
pub(crate) trait Decide {
    /// Asks what to do with a send, and waits for the answer.
    fn decide(&mut self, send: &Seen) -> Result<Action, String>;
    /// Tells of a code that was typed, in time for the next send.
    fn tell(&mut self, verify: &Seen) -> Result<(), String>;
    /// Tells that a challenge was solved, in time for the next send.
    fn challenge_passed(&mut self, send_line: u64, ts: f64) -> Result<(), String>;
}

/// Plays the events in order; returns what was done with each, nothing for a verify.
pub(crate) fn play(events: &[Event], scorer: &mut impl Decide) -> Result<Vec<Option<Action>>, String> {
    let mut actions = Vec::with_capacity(events.len());
    let mut forwarded: HashSet<u64> = HashSet::new();
    // All take equally long to solve, so they are due in the order of their sends.
    let mut solving: VecDeque<(f64, u64)> = VecDeque::new();
    for event in events {
        let seen = &event.seen;
        while let Some(&(ts, line)) = solving.front().filter(|(ts, _)| *ts <= seen.ts) {
            scorer.challenge_passed(line, ts)?;
            solving.pop_front();
        }
        actions.push(match seen.kind {
            Kind::Send => {
                let action = scorer.decide(seen)?;
                match action {
                    Action::Allow => drop(forwarded.insert(seen.line)),
                    Action::Challenge if passes(event) => {
                        forwarded.insert(seen.line);
                        solving.push_back((seen.ts + SOLVED_AFTER, seen.line));
                    }
                    Action::Challenge | Action::Block => {}
                }
                Some(action)
            }
            Kind::Verify => {
                if seen.send_line.is_some_and(|line| forwarded.contains(&line)) {
                    scorer.tell(seen)?;
                }
                None
            }
        });
    }
    Ok(actions)
}

/// Whether whoever made that send would solve a challenge.
fn passes(event: &Event) -> bool {
    let share = match event.label {
        Label::Attack => BOTS_PASS,
        Label::Legit => PEOPLE_PASS,
    };
    share_of(event.seen.line) < share
}

const SOLVED_AFTER: f64 = 8.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::tests::event;

    /// Does the same with every send, and keeps what it was told.
    struct Always(Action, Vec<String>);

    impl Decide for Always {
        fn decide(&mut self, send: &Seen) -> Result<Action, String> {
            self.1.push(format!("send {}", send.line));
            Ok(self.0)
        }

        fn tell(&mut self, verify: &Seen) -> Result<(), String> {
            self.1.push(format!("verify {}", verify.send_line.unwrap_or_default()));
            Ok(())
        }

        fn challenge_passed(&mut self, send_line: u64, ts: f64) -> Result<(), String> {
            self.1.push(format!("passed {send_line} at {ts}"));
            Ok(())
        }
    }

    /// Two people and their codes; the second verifies while the first challenge is being solved.
    fn run(action: Action) -> Vec<String> {
        let mut events =
            [(0.0, Kind::Send), (2.0, Kind::Send), (5.0, Kind::Verify), (20.0, Kind::Verify), (21.0, Kind::Send)]
                .map(|(ts, kind)| event(ts, kind, Label::Legit, "ann", "+12025550123"));
        for (event, line) in events.iter_mut().zip(PASSING) {
            event.seen.line = line;
        }
        events[2].seen.send_line = Some(PASSING[0]);
        events[3].seen.send_line = Some(PASSING[1]);
        let mut scorer = Always(action, Vec::new());
        let actions = play(&events, &mut scorer).unwrap();
        assert_eq!(actions, [Some(action), Some(action), None, None, Some(action)]);
        scorer.1
    }

    #[test]
    fn a_code_whose_message_was_sent_is_told() {
        assert_eq!(run(Action::Allow), ["send 1", "send 2", "verify 1", "verify 2", "send 3"]);
    }

    #[test]
    fn a_code_whose_message_was_stopped_never_was() {
        assert_eq!(run(Action::Block), ["send 1", "send 2", "send 3"]);
    }

    #[test]
    fn a_solved_challenge_is_told_eight_seconds_later_and_its_code_too() {
        let told = run(Action::Challenge);
        assert_eq!(told, ["send 1", "send 2", "verify 1", "passed 1 at 8", "passed 2 at 10", "verify 2", "send 3"]);
    }

    #[test]
    fn three_in_a_hundred_bots_pass_and_as_many_people_do_not() {
        let n_passing = |label| {
            let lines = (1..20_000).filter(|&line| {
                let mut event = event(0.0, Kind::Send, label, "x", "+12025550123");
                event.seen.line = line;
                passes(&event)
            });
            lines.count()
        };
        assert!((500..700).contains(&n_passing(Label::Attack)));
        assert!((19_300..19_500).contains(&n_passing(Label::Legit)));
    }

    /// Lines whose draws let people pass.
    const PASSING: [u64; 5] = [1, 2, 4, 5, 3];
}
