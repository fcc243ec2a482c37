//! What is told of a search: its trials as a table or as lines of JSON, and the recommendation with its evidence.

use super::decide::Decision;
use super::search::{Duel, Search};
use super::settings::Settings;
use crate::report::figure;
use crate::stats::{self, Summary};
use serde_json::{Value, json};
use std::fmt::Write;

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// All stages were gone through.
    Complete,
    /// The budget ended it, perhaps before all rounds were done.
    UsedUp,
    /// By Ctrl-C, or by a failure.
    Halted,
}

/// Returns the trials, stage by stage. The first of a stage is what was best before.
pub(super) fn table(search: &Search<'_>, unit: &str) -> String {
    let mut out = String::new();
    for heat in search.heats.iter().filter(|heat| heat.is_begun()) {
        let head = format!("{} [{unit}]", heat.name.to_uppercase());
        let _ = writeln!(
            out,
            "\n{head:<64} {:>9} {:>19} {:>6} {:>7}",
            "median", "middle half", "rounds", "x first"
        );
        let first = heat.tried.first().and_then(|one| stats::summary(&one.samples));
        for one in &heat.tried {
            let ratio = |summary: Summary| first.map(|first| summary.median / first.median);
            let Some(summary) = stats::summary(&one.samples) else {
                let _ = writeln!(out, "  {:<62} {:>9}", one.settings.to_string(), "-");
                continue;
            };
            let Summary { median, q1, q3, runs, .. } = summary;
            let _ = writeln!(
                out,
                "  {:<62} {:>9} {:>19} {runs:>6} {:>7.2}",
                one.settings.to_string(),
                figure(median),
                format!("{}..{}", figure(q1), figure(q3)),
                ratio(summary).unwrap_or(1.0)
            );
        }
        if let Some(duel) = &heat.duel {
            out.push_str(&told(duel));
        }
    }
    if let Some(duel) = &search.last {
        let _ = write!(out, "\nALL TOGETHER [{unit}]\n{}", told(duel));
    }
    out
}

/// Tells of a duel.
fn told(duel: &Duel) -> String {
    let Duel { challenger, incumbent, rounds } = duel;
    let median = |figures: Vec<f64>| {
        let Some(Summary { median, q1, q3, .. }) = stats::summary(&figures) else {
            return "-".to_owned();
        };
        format!("{} ({}..{})", figure(median), figure(q1), figure(q3))
    };
    let Some(decision) = duel.decision() else {
        return format!("  {challenger}: no round against {incumbent}\n");
    };
    let theirs = median(rounds.iter().map(|(incumbent, _)| *incumbent).collect());
    let own = median(rounds.iter().map(|(_, challenger)| *challenger).collect());
    let verdict = if duel.is_won() { "better" } else { "within the noise" };
    format!(
        "  again, in turn: {challenger}: {own}\n  against         {incumbent}: {theirs}\n  {verdict}: {}\n",
        evidence(decision)
    )
}

/// Says how sure a decision is.
fn evidence(decision: Decision) -> String {
    let Decision { gain, wins, rounds, chance } = decision;
    let (part, direction) = (100.0 * gain.abs(), if gain < 0.0 { "more" } else { "less" });
    format!(
        "{part:.1}% {direction} in the median, less in {wins} of {rounds} rounds (by chance alone: {:.2}%)",
        100.0 * chance
    )
}

/// Returns the recommendation: a making of the executor in Rust, and why.
pub(super) fn recommendation(search: &Search<'_>, end: End) -> String {
    let (settings, decision) = search.recommended();
    if end == End::Halted && decision.is_none() {
        // Not even the default settings: nothing was shown either way.
        return String::new();
    }
    let mut out = String::from("\nRECOMMENDED: ");
    match decision {
        None => out.push_str("the default settings; nothing was better beyond the noise\n"),
        Some(decision) => {
            let _ = writeln!(out, "{settings}\n  {}", evidence(decision));
            let variables = settings.as_variables(&search.default);
            let _ = writeln!(out, "  without a change to the program: {variables}");
        }
    }
    out.push_str(match end {
        End::Complete => "",
        End::UsedUp => "  (the budget was used up: --budget for more)\n",
        End::Halted => "  (by what was done so far)\n",
    });
    let _ = writeln!(out, "\n{}", settings.as_rust(&search.default));
    out
}

/// Returns each trial and, last, the recommendation, an object a line.
pub(super) fn json_lines(search: &Search<'_>, unit: &str, end: End) -> String {
    let mut out = String::new();
    for heat in &search.heats {
        for one in &heat.tried {
            let mut object = described(&one.settings);
            object["stage"] = json!(heat.name);
            object["unit"] = json!(unit);
            let summary = stats::summary(&one.samples);
            object["rounds"] = json!(one.samples.len());
            object["median"] = json!(summary.map(|summary| summary.median));
            object["q1"] = json!(summary.map(|summary| summary.q1));
            object["q3"] = json!(summary.map(|summary| summary.q3));
            let _ = writeln!(out, "{object}");
        }
    }
    let (settings, decision) = search.recommended();
    let recommended = json!({
        "recommended": described(settings),
        "complete": end == End::Complete,
        "is_default": *settings == search.default,
        "variables": settings.as_variables(&search.default),
        "gain": decision.map(|decision| to_ten_thousandths(decision.gain)),
        "wins": decision.map(|decision| decision.wins),
        "rounds": decision.map(|decision| decision.rounds),
        "chance": decision.map(|decision| to_ten_thousandths(decision.chance)),
    });
    let _ = writeln!(out, "{recommended}");
    out
}

fn to_ten_thousandths(part: f64) -> f64 {
    (part * 10_000.0).round() / 10_000.0
}

fn described(settings: &Settings) -> Value {
    let Settings { workers, placement, time_slice_us, lifo_chain, spin_us } = settings;
    json!({
        "workers": workers, "placement": placement.to_string(), "time_slice_us": time_slice_us,
        "lifo_chain": lifo_chain, "spin_us": spin_us,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tune::search::Stage;
    use crate::tune::trial::Halt;
    use bastion_executor::Topology;

    /// Searches among one and two workers, where one takes so much.
    fn searched(one: f64, told: impl FnOnce(&Search<'_>)) {
        let two_workers = Settings::default_on(&Topology::flat(2));
        let candidates =
            |best: &Settings| vec![Settings { workers: 1, ..best.clone() }, best.clone()];
        let stage = Stage { name: "workers", ends_at: 1.0, candidates: Box::new(candidates) };
        let mut measure = |settings: &Settings| -> Result<f64, Halt> {
            Ok(if settings.workers == 1 { one } else { 100.0 })
        };
        let mut search = Search::new(two_workers, 11, &mut measure, &|| 0.0);
        assert!(search.run(&[stage]).is_ok());
        told(&search);
    }

    #[test]
    fn what_is_better_is_recommended_with_its_evidence() {
        searched(80.0, |search| {
            let table = table(search, "ms");
            assert!(table.starts_with("\nWORKERS [ms] "), "{table}");
            assert!(table.contains("80.0          80.0..80.0      3    0.80\n"), "{table}");
            let text = recommendation(search, End::Complete);
            for part in [
                "RECOMMENDED: 1 worker, unbound, ",
                "20.0% less in the median, less in 11 of 11 rounds (by chance alone: 0.05%)",
                "without a change to the program: BASTION_WORKERS=1\n",
                "let executor = Executor::builder()\n    .workers(1)\n    .build()?;",
            ] {
                assert!(text.contains(part), "{part}: {text}");
            }
        });
    }

    #[test]
    fn without_a_difference_the_default_is_recommended() {
        searched(99.5, |search| {
            assert!(table(search, "ms").contains("within the noise: 0.5% less in the median"));
            let text = recommendation(search, End::UsedUp);
            assert!(text.contains("RECOMMENDED: the default settings"), "{text}");
            assert!(text.contains("budget"), "{text}");
            assert!(text.ends_with("let executor = Executor::builder().build()?;\n"), "{text}");
            assert_eq!(recommendation(search, End::Halted), "", "nothing was shown");
        });
    }

    #[test]
    fn json_ends_with_the_recommendation() {
        searched(80.0, |search| {
            let lines = json_lines(search, "ms", End::Complete);
            let values: Vec<Value> =
                lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
            assert_eq!(values.len(), 3);
            assert_eq!(values[1]["median"], 80.0);
            assert_eq!(values[1]["stage"], "workers");
            assert_eq!(values[2]["recommended"]["workers"], 1);
            assert_eq!((&values[2]["is_default"], &values[2]["wins"]), (&json!(false), &json!(11)));
            assert_eq!(values[2]["gain"], 0.2);
        });
    }
}
