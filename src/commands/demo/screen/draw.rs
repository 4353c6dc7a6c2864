//! Turns what was counted into text. Fits a terminal of 80 columns and 24 lines.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use super::View;
use crate::commands::demo::log::{Line, Verdict};
use crate::commands::demo::party::Party;
use crate::commands::demo::script::{ATTACK_FROM, ATTACK_TO, STORY};
use crate::commands::demo::stage::Stage;
use crate::commands::demo::tally::FirstStop;
use crate::commands::demo::traffic::SEND;
use crate::risk::Money;

/// Whether the terminal is to show colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    On,
    Off,
}

/// What to try by hand.
pub(super) fn hints(stage: &Stage) -> String {
    let (proxy, admin) = (stage.proxy(), stage.admin());
    let mut out = String::new();
    let _ = writeln!(out, "Try it by hand meanwhile:");
    let _ = writeln!(out, "  curl http://{proxy}{SEND} --json '{{\"phone\":\"07400123456\"}}'");
    let _ = writeln!(out, "  curl http://{admin}/metrics    curl http://{admin}/readyz");
    let _ = writeln!(out, "  tail -f {}", stage.log().display());
    out
}

/// The screen, without the hints.
pub(super) fn screen(view: &View<'_>, colour: Colour) -> String {
    let mut out = String::new();
    let title = format!(
        "tollgate demo   {:>3} of {} s   {}",
        view.elapsed.as_secs(),
        view.script.pace.length().as_secs(),
        chapter(view)
    );
    let _ = writeln!(out, "{}\n", paint(colour, BOLD, &title));
    out.push_str(&table(view));
    let _ = writeln!(out, "\nspent {}   saved {}", view.delivered.all().spent, view.tally.saved());
    out.push_str(&minute(view));
    let _ =
        writeln!(out, "\n{:<9}{:<10}{:>5}  {:<15}{:<21}main reason", "time", "verdict", "score", "number", "client");
    for line in view.tally.latest() {
        let _ = writeln!(out, "{}", decision(line, colour));
    }
    out
}

/// All of it on one line.
pub(super) fn line(view: &View<'_>) -> String {
    let (ordinary, attack) = (view.tally.row(Party::Ordinary), view.tally.row(Party::Attack));
    format!(
        "{:>4} s  ordinary: {} asked, {} sent, {} refused  attack: {} asked, {} sent, {} refused  spent {}, saved {}\n",
        view.elapsed.as_secs(),
        ordinary.n_requests,
        ordinary.n_sent,
        ordinary.n_refused(),
        attack.n_requests,
        attack.n_sent,
        attack.n_refused(),
        view.delivered.all().spent,
        view.tally.saved(),
    )
}

/// What it came to.
pub(super) fn summary(view: &View<'_>, n_failed: u64, log: &Path) -> String {
    let (ordinary, attack) = (view.tally.row(Party::Ordinary), view.tally.row(Party::Attack));
    let (with, by_hand) = (view.delivered.all(), view.delivered.of(Party::Visitor));
    let n_without = ordinary.n_requests + attack.n_requests + by_hand.n_messages;
    let without = ordinary.asked.plus(attack.asked).plus(by_hand.spent);
    let mut out = format!("\n{}\n", table(view));
    let _ = writeln!(out, "{:<22}{:>10}{:>12}", format!("In {} s", view.elapsed.as_secs()), "messages", "money");
    let _ = writeln!(out, "{:<22}{:>10}{:>12}", "with tollgate", with.n_messages, with.spent.to_string());
    let _ = writeln!(out, "{:<22}{n_without:>10}{:>12}\n", "without it", without.to_string());
    let _ = writeln!(out, "{}", attack_came_to(view));
    let _ = writeln!(
        out,
        "Ordinary customers refused: {} of {} requests. They typed {} codes.",
        ordinary.n_refused(),
        ordinary.n_requests,
        view.delivered.n_codes
    );
    if 0 < n_failed {
        let _ = writeln!(out, "Requests without an answer: {n_failed}.");
    }
    let _ = writeln!(out, "No message was sent to anybody; the prices are the shipped table's.");
    let _ = writeln!(out, "Every decision, with its reasons: {}", log.display());
    out
}

fn attack_came_to(view: &View<'_>) -> String {
    let n_sent = view.tally.row(Party::Attack).n_sent;
    match view.tally.first_stop() {
        FirstStop::Never(0) => "The attack had not begun.".to_owned(),
        FirstStop::Never(_) => format!("Nothing of the attack was stopped: {n_sent} messages went out."),
        FirstStop::After(n_before) => {
            format!("The attack's first message was stopped after {n_before} got through; {n_sent} did in all.")
        }
    }
}

fn chapter(view: &View<'_>) -> &'static str {
    let played = |story: Duration| view.script.pace.played(story);
    match view.elapsed {
        elapsed if elapsed < played(ATTACK_FROM) => "people sign up",
        elapsed if elapsed < played(ATTACK_TO) => "people sign up, and somebody pumps",
        _ => "people sign up, the attack is over",
    }
}

fn table(view: &View<'_>) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{:<10}{:>10}{:>10}{:>12}{:>10}{:>12}{:>12}",
        "", "requests", "sent", "challenged", "blocked", "spent", "saved"
    );
    for party in Party::ALL {
        let row = view.tally.row(party);
        let (spent, saved) = (view.delivered.of(party).spent.to_string(), unknown_by_hand(party, row.saved));
        let _ = writeln!(
            out,
            "{:<10}{:>10}{:>10}{:>12}{:>10}{spent:>12}{saved:>12}",
            party.as_str(),
            row.n_requests,
            row.n_sent,
            row.n_challenged,
            row.n_blocked
        );
    }
    out
}

/// What a visitor was refused has a price that only the proxy knows.
fn unknown_by_hand(party: Party, saved: Money) -> String {
    match party {
        Party::Ordinary | Party::Attack => saved.to_string(),
        Party::Visitor => "–".to_owned(),
    }
}

fn minute(view: &View<'_>) -> String {
    let seconds = view.tally.last_minute(view.elapsed);
    let most = seconds.iter().map(|second| second.n_ordinary.max(second.n_attack)).max().unwrap_or(0);
    let length = view.script.pace.played(STORY / 2).as_secs();
    let mut out = format!("the last {length} s, a full bar is {most} requests\n");
    let rows: [(&str, Vec<u64>); 3] = [
        ("ordinary", seconds.iter().map(|second| second.n_ordinary).collect()),
        ("attack", seconds.iter().map(|second| second.n_attack).collect()),
        ("… sent", seconds.iter().map(|second| second.n_attack_sent).collect()),
    ];
    for (name, counts) in rows {
        let bars: String = counts.iter().map(|count| bar(*count, most)).collect();
        let _ = writeln!(out, "{name:<10}{bars}");
    }
    out
}

/// Something is never shown as nothing.
fn bar(count: u64, most: u64) -> char {
    let eighths = (count * 8).div_ceil(most.max(1));
    match eighths {
        0 => ' ',
        1 => '▁',
        2 => '▂',
        3 => '▃',
        4 => '▄',
        5 => '▅',
        6 => '▆',
        7 => '▇',
        _ => '█',
    }
}

fn decision(line: &Line, colour: Colour) -> String {
    let time = line.ts.get(11..19).unwrap_or("");
    let shade = match line.verdict {
        Verdict::Allow => GREEN,
        Verdict::Challenge => YELLOW,
        Verdict::Block => RED,
    };
    let verdict = paint(colour, shade, &format!("{:<10}", line.verdict.as_str()));
    let (number, client) = (line.number.as_deref().unwrap_or("–"), line.client_net.as_deref().unwrap_or("–"));
    format!("{time:<9}{verdict}{:>5}  {number:<15}{client:<21}{}", line.score, line.main_reason())
}

fn paint(colour: Colour, code: &str, text: &str) -> String {
    match colour {
        Colour::On => format!("\x1b[{code}m{text}\x1b[0m"),
        Colour::Off => text.to_owned(),
    }
}

const BOLD: &str = "1";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_is_a_bar_and_none_is_not() {
        assert_eq!(bar(0, 100), ' ');
        assert_eq!(bar(1, 100), '▁');
        assert_eq!(bar(100, 100), '█');
        assert_eq!(bar(0, 0), ' ');
    }
}
