//! The report for people, at most a hundred columns wide.

mod table;

use std::fmt;

use super::compare::less;
use super::report::{Compared, Explained, Pair, Report};
use super::worst::MOST;
use crate::risk::Money;
use table::{Head, Line, Numbers};

/// Shows a report.
pub(super) struct Text<'a>(pub(super) &'a Report);

// === impl Text ===

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head(f)?;
        self.totals(f)?;
        let Report { countries, ranges, reasons, hours, worst, .. } = self.0;
        rows(f, "by country", countries.iter().take(MOST_ROWS), countries.len())?;
        rows(f, "by range", ranges.iter().take(MOST_ROWS), ranges.len())?;
        rows(f, "by reason", reasons.iter(), reasons.len())?;
        rows(f, "by hour (UTC)", busiest(hours).into_iter(), hours.len())?;
        let totals = &self.0.totals;
        let n_blocked = (totals.old.customers_blocked, totals.new.customers_blocked);
        cases(f, "Customers blocked", "score", &worst.customers_blocked, n_blocked)?;
        let n_challenged = (totals.old.customers_challenged, totals.new.customers_challenged);
        cases(f, "Customers challenged", "score", &worst.customers_challenged, n_challenged)?;
        let unconverted = totals.sends.unwrap_or_default().unconverted;
        let n_unanswered = |n_saved: u64| unconverted.saturating_sub(n_saved);
        let n_unanswered = (n_unanswered(totals.old.saved_messages), n_unanswered(totals.new.saved_messages));
        cases(f, "Unanswered messages allowed", "price", &worst.unanswered_allowed, n_unanswered)
    }
}

impl Text<'_> {
    fn head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { recording, old, new, warnings, .. } = self.0;
        let none = "never".to_owned();
        let (from, until) = (recording.from.as_ref().unwrap_or(&none), recording.until.as_ref().unwrap_or(&none));
        writeln!(f, "Sends from {from} to {until}, {} typed codes", recording.codes)?;
        wrapped(f, "  events  ", &recording.events)?;
        for (name, policy) in [("old", old), ("new", new)] {
            let monitored = if policy.mode == "monitor" { ", replayed as if enforced" } else { "" };
            let said = format!("{} (policy {}, mode {}{monitored})", policy.config, policy.version, policy.mode);
            wrapped(f, &format!("  {name}     "), &said)?;
        }
        if 0 < recording.stand_ins {
            writeln!(f, "  {} numbers stand for masked ones", recording.stand_ins)?;
        }
        for warning in warnings {
            wrapped(f, "warning: ", warning)?;
        }
        Ok(())
    }

    fn totals(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Compared { sends, old, new, difference, .. } = &self.0.totals;
        let sends = sends.unwrap_or_default();
        writeln!(f, "\n{:<44}{:>16}{:>16}{:>16}", "", "old", "new", "difference")?;
        writeln!(f, "{:<44}{:>16}{:>16}", "sends", sends.n(), sends.n())?;
        let counts = [
            ("  allowed", old.known.allowed, new.known.allowed, difference.known.allowed),
            ("  challenged", old.known.challenged, new.known.challenged, difference.known.challenged),
            ("  blocked", old.known.blocked, new.known.blocked, difference.known.blocked),
            ("unanswered messages saved", old.saved_messages, new.saved_messages, difference.saved_messages),
        ];
        counts.iter().try_for_each(|count| total(f, *count))?;
        money(f, "  money saved", old.saved_usd_micros, new.saved_usd_micros)?;
        let challenged = (old.customers_challenged, new.customers_challenged, difference.customers_challenged);
        let blocked = (old.customers_blocked, new.customers_blocked, difference.customers_blocked);
        writeln!(f, "{:<44}{:>16}{:>16}", "customers (sends whose code was typed)", sends.converted, sends.converted)?;
        total(f, ("  challenged", challenged.0, challenged.1, challenged.2))?;
        total(f, ("  blocked", blocked.0, blocked.1, blocked.2))?;
        if sends.unknown == 0 {
            return Ok(());
        }
        writeln!(f, "{:<44}{:>16}{:>16}", "not sent at the time, outcome unknown", sends.unknown, sends.unknown)?;
        let counts = [
            ("  allowed", old.unknown.allowed, new.unknown.allowed, difference.unknown.allowed),
            ("  challenged", old.unknown.challenged, new.unknown.challenged, difference.unknown.challenged),
            ("  blocked", old.unknown.blocked, new.unknown.blocked, difference.unknown.blocked),
        ];
        counts.iter().try_for_each(|count| total(f, *count))?;
        money(f, "  cost of those sent", old.unknown_cost_usd_micros, new.unknown_cost_usd_micros)
    }
}

fn total(f: &mut fmt::Formatter<'_>, (name, old, new, difference): (&str, u64, u64, i64)) -> fmt::Result {
    writeln!(f, "{name:<44}{old:>16}{new:>16}{difference:>+16}")
}

fn money(f: &mut fmt::Formatter<'_>, name: &str, old: u64, new: u64) -> fmt::Result {
    let difference = table::signed_dollars(less(new, old));
    writeln!(f, "{name:<44}{:>16}{:>16}{difference:>16}", table::dollars(old), table::dollars(new))
}

fn rows<'r>(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    shown: impl Iterator<Item = &'r Compared>,
    n_rows: usize,
) -> fmt::Result {
    let mut n_shown = 0;
    for row in shown {
        if n_shown == 0 {
            write!(f, "{}", Head(name))?;
        }
        write!(f, "{}", Line(Numbers::from(row)))?;
        n_shown += 1;
    }
    if 0 < n_shown && n_shown < n_rows {
        writeln!(f, "… and {} more, in --json", n_rows - n_shown)?;
    }
    Ok(())
}

/// The hours in which most was stopped, in the order of time; none in which nothing was.
fn busiest(hours: &[Compared]) -> Vec<&Compared> {
    let n_stopped = |hour: &Compared| hour.old.n_stopped().max(hour.new.n_stopped());
    let mut chosen: Vec<(usize, &Compared)> =
        hours.iter().enumerate().filter(|(_, hour)| 0 < n_stopped(hour)).collect();
    chosen.sort_by_key(|(_, hour)| std::cmp::Reverse(n_stopped(hour)));
    chosen.truncate(MOST_ROWS);
    chosen.sort_by_key(|(index, _)| *index);
    chosen.into_iter().map(|(_, hour)| hour).collect()
}

fn cases(f: &mut fmt::Formatter<'_>, name: &str, by: &str, pair: &Pair, n: (u64, u64)) -> fmt::Result {
    for (side, explained, n) in [("old", &pair.old, n.0), ("new", &pair.new, n.1)] {
        let most = if (MOST as u64) < n { format!(", the {MOST} of highest {by}") } else { String::new() };
        writeln!(f, "\n{name}, {side}: {n}{most}")?;
        explained.iter().try_for_each(|explained| case(f, explained))?;
    }
    Ok(())
}

fn case(f: &mut fmt::Formatter<'_>, explained: &Explained) -> fmt::Result {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".to_owned());
    let Explained { line, ts, verdict, score, .. } = explained;
    let (number, country, net) = (text(&explained.number), text(&explained.country), text(&explained.client_net));
    let price = Money::from_micros(explained.price_usd_micros);
    let head = format!("line {line}, {ts}, {number} {country} from {net}: {verdict}, score {score}, {price}");
    wrapped(f, "  ", &head)?;
    for reason in &explained.reasons {
        wrapped(f, &format!("    {:>+6.1}  {:<17}", reason.points, reason.signal), &reason.detail)?;
    }
    Ok(())
}

/// The words after `start`, on as many lines as they need, those after the first below its end.
fn wrapped(f: &mut fmt::Formatter<'_>, start: &str, words: &str) -> fmt::Result {
    let indent = start.chars().count();
    let mut column = indent;
    f.write_str(if words.is_empty() { start.trim_end() } else { start })?;
    for (index, word) in words.split(' ').enumerate() {
        let width = word.chars().count();
        if index == 0 {
            f.write_str(word)?;
            column += width;
        } else if column + 1 + width <= COLUMNS {
            write!(f, " {word}")?;
            column += 1 + width;
        } else {
            write!(f, "\n{:indent$}{word}", "")?;
            column = indent + width;
        }
    }
    f.write_str("\n")
}

/// Rows of a table that are shown.
const MOST_ROWS: usize = 24;

const COLUMNS: usize = 100;
