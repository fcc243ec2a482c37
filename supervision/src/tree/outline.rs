//! The lines of a tree, whoever writes them: what is alike is counted, what is too much is left out and said.

use super::look::{self, Look};
use super::{Branch, Supervision, Tree};
use crate::plan::{AutoShutdown, ChildKind, ChildState, Order, RestartType, Strategy};
use std::fmt::{self, Write};
use std::time::Duration;

/// How many lines of one supervisor are written when not all are wanted.
pub(super) const LINES: usize = 20;

/// A line. Parents come before their children, and children in order.
pub(super) struct Row<'a> {
    /// The line of its supervisor.
    pub(super) parent: Option<usize>,
    pub(super) depth: usize,
    /// It is the last one of its supervisor.
    pub(super) is_last: bool,
    pub(super) what: What<'a>,
}

pub(super) enum What<'a> {
    One(&'a Branch),
    Alike(Alike),
    More(More),
}

/// Workers without a name that are alike.
pub(super) struct Alike {
    restart: RestartType,
    significant: bool,
    state: ChildState,
    count: usize,
    restarts: u64,
    queued: usize,
    /// The shortest and the longest.
    uptime: Option<(Duration, Duration)>,
}

/// What is left out of one supervisor's lines.
pub(super) struct More {
    count: usize,
    states: Vec<(ChildState, usize)>,
}

/// Returns the lines, at most `limit` of each supervisor and one that says how many more there are. No limit: each process has a line.
pub(super) fn outline(tree: &Tree, limit: Option<usize>) -> Vec<Row<'_>> {
    let what = What::One(&tree.root);
    let mut rows = vec![Row { parent: None, depth: 0, is_last: true, what }];
    below(&tree.root, 0, limit, &mut rows);
    rows
}

fn below<'a>(branch: &'a Branch, depth: usize, limit: Option<usize>, rows: &mut Vec<Row<'a>>) {
    let parent = Some(rows.len() - 1);
    let mut lines = lines(branch.children(), limit.is_some());
    if let Some(limit) = limit
        && lines.len() > limit
    {
        let more = More::of(&lines[limit..]);
        lines.truncate(limit);
        lines.push(What::More(more));
    }
    let count = lines.len();
    for (index, what) in lines.into_iter().enumerate() {
        let nested = if let What::One(branch) = what { Some(branch) } else { None };
        rows.push(Row { parent, depth: depth + 1, is_last: index + 1 == count, what });
        if let Some(nested) = nested {
            below(nested, depth + 1, limit, rows);
        }
    }
}

fn lines(children: &[Branch], merged: bool) -> Vec<What<'_>> {
    let mut lines: Vec<What<'_>> = Vec::new();
    // There are as many kinds as there are states and restart types: few.
    let mut groups: Vec<(usize, &Branch)> = Vec::new();
    for child in children {
        if !merged || child.name.is_some() || child.kind == ChildKind::Supervisor {
            lines.push(What::One(child));
            continue;
        }
        match groups.iter().find(|(_, first)| are_alike(first, child)) {
            Some(&(line, first)) => {
                if let What::One(_) = lines[line] {
                    lines[line] = What::Alike(Alike::of(first));
                }
                if let What::Alike(alike) = &mut lines[line] {
                    alike.add(child);
                }
            }
            None => {
                groups.push((lines.len(), child));
                lines.push(What::One(child));
            }
        }
    }
    lines
}

fn are_alike(one: &Branch, other: &Branch) -> bool {
    let kind = |branch: &Branch| (branch.state, branch.restart, branch.significant);
    kind(one) == kind(other)
}

impl Alike {
    fn of(first: &Branch) -> Alike {
        Alike {
            restart: first.restart,
            significant: first.significant,
            state: first.state,
            count: 1,
            restarts: first.restarts,
            queued: first.queued,
            uptime: first.uptime.map(|uptime| (uptime, uptime)),
        }
    }

    fn add(&mut self, other: &Branch) {
        self.count += 1;
        self.restarts += other.restarts;
        self.queued += other.queued;
        if let (Some((shortest, longest)), Some(uptime)) = (&mut self.uptime, other.uptime) {
            *shortest = uptime.min(*shortest);
            *longest = uptime.max(*longest);
        }
    }
}

impl More {
    fn of(lines: &[What<'_>]) -> More {
        let mut more = More { count: 0, states: Vec::new() };
        for line in lines {
            let (state, count) = match line {
                What::One(branch) => (branch.state, 1),
                What::Alike(alike) => (alike.state, alike.count),
                What::More(_) => continue,
            };
            more.count += count;
            match more.states.iter_mut().find(|(known, _)| *known == state) {
                Some((_, known)) => *known += count,
                None => more.states.push((state, count)),
            }
        }
        more
    }
}

impl What<'_> {
    pub(super) fn look(&self) -> Look {
        match self {
            What::One(branch) if branch.unknown => look::UNKNOWN,
            What::One(branch) => look::of(branch.state),
            What::Alike(alike) => look::of(alike.state),
            What::More(_) => look::MORE,
        }
    }

    pub(super) fn is_supervisor(&self) -> bool {
        matches!(self, What::One(branch) if branch.kind == ChildKind::Supervisor)
    }

    /// Who it is.
    pub(super) fn title(&self) -> String {
        match self {
            What::One(Branch { name: Some(name), pid, .. }) => format!("{} {pid}", Plain(name)),
            What::One(Branch { name: None, pid, .. }) => pid.to_string(),
            What::Alike(alike) => format!("{} without a name,", Number(alike.count as u64)),
            What::More(more) => format!("… and {} more:", Number(more.count as u64)),
        }
    }

    /// What it does.
    pub(super) fn detail(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = match self {
            What::One(branch) => branch.write(&mut text),
            What::Alike(alike) => alike.write(&mut text),
            What::More(more) => more.write(&mut text),
        };
        text
    }
}

impl Branch {
    fn write(&self, text: &mut String) -> fmt::Result {
        text.push_str(look::of(self.state).words);
        if let Some(uptime) = self.uptime {
            write!(text, " for {}", Span(uptime))?;
        }
        write_rules(text, self.restart, self.significant);
        if let Some(supervision) = &self.supervision {
            supervision.write(text)?;
        }
        write_counts(text, self.restarts, self.queued)?;
        if let Some(workload) = self.workload.filter(|workload| workload.messages > 0) {
            let (messages, busy) = (Number(workload.messages), Span(workload.busy));
            write!(text, ", {messages} handled in {busy}")?;
        }
        if let Some(current) = self.workload.and_then(|workload| workload.current) {
            write!(text, ", at one for {}", Span(current))?;
        }
        if self.unknown {
            text.push_str(", has not answered");
        }
        Ok(())
    }
}

impl Supervision {
    fn write(&self, text: &mut String) -> fmt::Result {
        text.push_str(match (self.order, self.strategy) {
            (Order::Unordered, _) => ", dynamic",
            (Order::Ordered, Strategy::OneForOne) => ", one-for-one",
            (Order::Ordered, Strategy::OneForAll) => ", one-for-all",
            (Order::Ordered, Strategy::RestForOne) => ", rest-for-one",
        });
        if let Some(intensity) = self.intensity {
            let (recent, period) = (self.recent_restarts, Span(intensity.period));
            let restarts = if intensity.max == 1 { "restart" } else { "restarts" };
            write!(text, ", bears {} {restarts} in {period}", intensity.max)?;
            if recent > 0 {
                write!(text, " ({recent} now)")?;
            }
        }
        text.push_str(match self.auto_shutdown {
            AutoShutdown::Never => "",
            AutoShutdown::AnySignificant => ", ends with any significant child",
            AutoShutdown::WhenEmpty => ", ends when it is empty",
            AutoShutdown::AllSignificant => ", ends with all significant children",
        });
        Ok(())
    }
}

impl Alike {
    fn write(&self, text: &mut String) -> fmt::Result {
        text.push_str(look::of(self.state).words);
        match self.uptime {
            Some((shortest, longest)) if Span(shortest).parts() == Span(longest).parts() => {
                write!(text, " for {}", Span(longest))?;
            }
            Some((shortest, longest)) => {
                write!(text, " for {} to {}", Span(shortest), Span(longest))?;
            }
            None => {}
        }
        write_rules(text, self.restart, self.significant);
        write_counts(text, self.restarts, self.queued)
    }
}

impl More {
    fn write(&self, text: &mut String) -> fmt::Result {
        for (index, &(state, count)) in self.states.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(text, "{comma}{} {}", Number(count as u64), look::of(state).words)?;
        }
        Ok(())
    }
}

/// What is not as in most children.
fn write_rules(text: &mut String, restart: RestartType, significant: bool) {
    text.push_str(match restart {
        RestartType::Permanent => "",
        RestartType::Transient => ", transient",
        RestartType::Temporary => ", temporary",
    });
    text.push_str(if significant { ", significant" } else { "" });
}

fn write_counts(text: &mut String, restarts: u64, queued: usize) -> fmt::Result {
    match restarts {
        0 => {}
        1 => text.push_str(", 1 restart"),
        _ => write!(text, ", {} restarts", Number(restarts))?,
    }
    match queued {
        0 => Ok(()),
        1 => text.write_str(", 1 message"),
        _ => write!(text, ", {} messages", Number(queued as u64)),
    }
}

/// A name on one line.
struct Plain<'a>(&'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            if character.is_control() {
                write!(f, "{}", character.escape_default())?;
            } else {
                f.write_char(character)?;
            }
        }
        Ok(())
    }
}

/// A number with commas.
pub(super) struct Number(pub(super) u64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                f.write_char(',')?;
            }
            f.write_char(digit)?;
        }
        Ok(())
    }
}

/// A duration in its two largest units.
struct Span(Duration);

impl Span {
    fn parts(&self) -> [(u64, &'static str); 2] {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        const DAY: u64 = 24 * HOUR;
        match self.0.as_secs() {
            0 => [(self.0.as_millis() as u64, "ms"), (0, "")],
            seconds @ ..MINUTE => [(seconds, "s"), (0, "")],
            seconds @ ..HOUR => [(seconds / MINUTE, "m"), (seconds % MINUTE, "s")],
            seconds @ ..DAY => [(seconds / HOUR, "h"), (seconds % HOUR / MINUTE, "m")],
            seconds => [(seconds / DAY, "d"), (seconds % DAY / HOUR, "h")],
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [(large, unit), (small, smaller_unit)] = self.parts();
        write!(f, "{large}{unit}")?;
        if small > 0 { write!(f, " {small}{smaller_unit}") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_their_two_largest_units() {
        let cases = [
            (0, "0ms"),
            (999, "999ms"),
            (1_000, "1s"),
            (59_999, "59s"),
            (60_000, "1m"),
            (61_000, "1m 1s"),
            (3_600_000, "1h"),
            (3_725_000, "1h 2m"),
            (86_400_000 + 7_300_000, "1d 2h"),
        ];
        for (millis, text) in cases {
            assert_eq!(Span(Duration::from_millis(millis)).to_string(), text);
        }
        assert_eq!(Span(Duration::MAX).to_string(), "213503982334601d 7h");
    }

    #[test]
    fn numbers_have_commas() {
        let texts = [0, 999, 1_000, 99_980, 1_000_000].map(|number| Number(number).to_string());
        assert_eq!(texts, ["0", "999", "1,000", "99,980", "1,000,000"]);
    }
}
