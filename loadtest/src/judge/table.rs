//! Runs as a table for a terminal, as Markdown for documentation, and as lines of JSON for programs.

use std::fmt;
use std::fmt::Write as _;

use serde::Serialize;

use super::metrics::{Attack, Metrics, People};
use super::summary::{Summary, Worst, median};

/// One finished run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Run {
    pub(crate) profile: String,
    pub(crate) scenario: String,
    pub(crate) seed: u64,
    #[serde(flatten)]
    pub(crate) metrics: Metrics,
}

/// All of them, in order.
#[derive(Debug)]
pub(crate) struct Runs(pub(crate) Vec<Run>);

/// The last line of JSON.
#[derive(Serialize)]
struct Closing {
    summary: Summary,
}

// === impl Runs ===

impl Runs {
    /// A line for each run, and one for the summary.
    pub(crate) fn json(&self) -> serde_json::Result<String> {
        let mut out = String::new();
        for run in &self.0 {
            out += &serde_json::to_string(run)?;
            out.push('\n');
        }
        out += &serde_json::to_string(&Closing { summary: Summary::of(&self.0) })?;
        out.push('\n');
        Ok(out)
    }

    /// The summary, then a row for each scenario and for each profile.
    pub(crate) fn markdown(&self) -> String {
        let mut out = String::new();
        // Writing into memory does not fail.
        let _written = self.write_markdown(&mut out);
        out
    }

    fn write_markdown(&self, out: &mut String) -> fmt::Result {
        let summary = Summary::of(&self.0);
        writeln!(out, "| of {} runs, {} with an attack | |\n|---|---:|", summary.runs, summary.attacks)?;
        for (name, value) in rows(&summary) {
            writeln!(out, "| {name} | {value} |")?;
        }
        writeln!(out, "\n{SCENARIO_HEAD}")?;
        for scenario in distinct(self.0.iter().map(|run| &run.scenario)) {
            let runs = || self.0.iter().filter(|run| run.scenario == scenario).map(|run| &run.metrics);
            writeln!(out, "{}", scenario_row(scenario, &runs().collect::<Vec<_>>()))?;
        }
        writeln!(out, "\n{PROFILE_HEAD}")?;
        for profile in distinct(self.0.iter().map(|run| &run.profile)) {
            writeln!(out, "{}", self.profile_row(profile))?;
        }
        Ok(())
    }

    fn profile_row(&self, profile: &str) -> String {
        let people = |attacked: bool| {
            let runs =
                self.0.iter().filter(|run| run.profile == profile && (0 < run.metrics.attack.messages) == attacked);
            runs.fold(People::default(), |sum, run| sum.plus(&run.metrics.people))
        };
        let (peace, attack) = (people(false), people(true));
        let cells = [peace, attack].map(|people| {
            let (challenged, blocked) = (people.challenged_per_mille(), people.blocked_per_mille());
            format!("{challenged:.2} | {blocked:.2} | {:.2}", people.lost_per_mille())
        });
        format!("| {profile} | {} |", cells.join(" | "))
    }
}

impl fmt::Display for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD}")?;
        for run in &self.0 {
            writeln!(f, "{run}")?;
        }
        writeln!(f)?;
        for (name, value) in rows(&Summary::of(&self.0)) {
            writeln!(f, "{name:<58}{value:>24}")?;
        }
        Ok(())
    }
}

// === impl Run ===

impl Run {
    /// The run alone, under a head.
    pub(crate) fn with_head(&self) -> String {
        format!("{HEAD}\n{self}\n")
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Metrics { attack, people } = &self.metrics;
        write!(f, "{:<12} {:<20} {:>4} ", self.profile, self.scenario, self.seed)?;
        write!(f, "{:>6} {:>8.1} {:>8.1} ", attack.messages, attack.leaked, attack.leaked_before)?;
        write!(f, "{:>9} {:>8.2} {:>6.2} ", contained(attack), attack.dollars_leaked, attack.percent_of_dollars())?;
        let (challenged, blocked) = (people.challenged_per_mille(), people.blocked_per_mille());
        write!(f, "{challenged:>7.2} {blocked:>7.2} {:>7.2}", people.lost_per_mille())
    }
}

fn contained(attack: &Attack) -> String {
    match attack.contained_after {
        Some(seconds) => format!("{seconds:.0}"),
        None if attack.messages == 0 => "-".to_owned(),
        None => "never".to_owned(),
    }
}

fn rows(summary: &Summary) -> [(&'static str, String); 11] {
    let worst = |worst: &Option<Worst>| {
        worst.as_ref().map_or_else(|| "-".to_owned(), |worst| format!("{:.2} ({})", worst.per_mille, worst.profile))
    };
    [
        ("messages leaked per attack, median", format!("{:.1}", summary.leaked_median)),
        ("messages leaked per attack, mean", format!("{:.1}", summary.leaked_mean)),
        ("of the attacks' cost paid, per cent", format!("{:.2}", summary.percent_of_dollars)),
        ("attacks never contained", summary.never_contained.to_string()),
        ("attacks that leaked more than 20", summary.over_20.to_string()),
        ("attacks that leaked more than 100", summary.over_100.to_string()),
        ("people challenged without an attack, per mille, worst", worst(&summary.challenged_in_peace)),
        ("people challenged during attacks, per mille, worst", worst(&summary.challenged_under_attack)),
        ("people's messages blocked, per mille", format!("{:.3}", summary.blocked_per_mille)),
        ("people lost, per mille", format!("{:.3}", summary.lost_per_mille)),
        ("runs", summary.runs.to_string()),
    ]
}

fn scenario_row(scenario: &str, runs: &[&Metrics]) -> String {
    let of = |figure: fn(&Metrics) -> f64| runs.iter().map(|metrics| figure(metrics)).collect::<Vec<_>>();
    let leaked = of(|metrics| metrics.attack.leaked);
    let worst = leaked.iter().copied().fold(0.0, f64::max);
    let never = runs.iter().filter(|metrics| metrics.attack.contained_after.is_none()).count();
    let seconds: Vec<f64> = runs.iter().filter_map(|metrics| metrics.attack.contained_after).collect();
    let contained = match (seconds.is_empty(), never) {
        (true, _) => "-".to_owned(),
        (false, 0) => format!("{:.0}", median(seconds)),
        (false, _) => format!("{:.0} ({never} never)", median(seconds)),
    };
    let people = runs.iter().fold(People::default(), |sum, metrics| sum.plus(&metrics.people));
    format!(
        "| {scenario} | {:.0} | {:.1} | {worst:.1} | {contained} | {:.2} | {:.2} | {:.2} | {:.2} |",
        median(of(|metrics| metrics.attack.messages as f64)),
        median(leaked),
        median(of(|metrics| metrics.attack.dollars_leaked)),
        median(of(|metrics| metrics.attack.percent_of_dollars())),
        people.challenged_per_mille(),
        people.blocked_per_mille(),
    )
}

fn distinct<'a>(names: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if !seen.contains(&name.as_str()) {
            seen.push(name);
        }
    }
    seen
}

const HEAD: &str =
    "profile      scenario             seed attack   leaked   before contained  dollars      %  chall‰  block‰   lost‰";
const SCENARIO_HEAD: &str = "| scenario | messages | leaked, median | leaked, worst | contained after, s | $ leaked | % of $ | challenged ‰ | blocked ‰ |
|---|---:|---:|---:|---:|---:|---:|---:|---:|";
const PROFILE_HEAD: &str = "| profile | challenged ‰ | blocked ‰ | lost ‰ | challenged ‰ in attacks | blocked ‰ in attacks | lost ‰ in attacks |
|---|---:|---:|---:|---:|---:|---:|";

#[cfg(test)]
mod tests {
    use super::*;

    fn runs() -> Runs {
        let attack = Attack {
            messages: 3000,
            leaked: 4.5,
            contained_after: Some(12.0),
            dollars_asked: 900.0,
            dollars_leaked: 1.5,
            ..Attack::default()
        };
        let people = People { sends: 2000, challenged: 1, people: 1000, lost: 0.03, blocked: 0 };
        let run = |scenario: &str, attack| Run {
            profile: "hk-bank".to_owned(),
            scenario: scenario.to_owned(),
            seed: 1,
            metrics: Metrics { attack, people: people.clone() },
        };
        Runs(vec![run("none", Attack::default()), run("burst", attack)])
    }

    #[test]
    fn columns_stand_under_their_heads() {
        let text = runs().to_string();
        let lines: Vec<_> = text.lines().take(3).map(|line| line.chars().count()).collect();
        assert!(lines.iter().all(|&length| length == lines[0]), "{text}");
    }

    #[test]
    fn markdown_has_a_row_for_each_scenario_and_profile() {
        let text = runs().markdown();
        assert!(text.contains("| burst | 3000 | 4.5 | 4.5 | 12 | 1.50 | 0.17 | 0.50 | 0.00 |"), "{text}");
        assert!(text.contains("| hk-bank | 0.50 | 0.00 | 0.03 | 0.50 | 0.00 | 0.03 |"), "{text}");
    }

    #[test]
    fn json_ends_with_the_summary() {
        let text = runs().json().unwrap();
        let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!((text.lines().count(), &last["summary"]["attacks"]), (3, &1.into()));
    }
}
