//! A group as a chart: for each row a line, and on it each subject at so many times ours, on a logarithmic scale.
//!
//! The chart is an SVG without fonts, scripts or links. Its text has the colour of the text around it, or what the reader's light
//! or dark background asks for.

use crate::bench::{FLOOR, OURS};
use crate::judge;
use crate::results::{GroupResults, RowResults};
use crate::rounds::Outcome;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

const WIDTH: u32 = 900;
/// What is left of the plot: the names of the rows.
const MARGIN: u32 = 230;
const ROW_HEIGHT: u32 = 38;
/// The legend above, the scale below.
const EDGES: u32 = 78;
/// More numbers than these are too close together.
const MOST_TICKS: usize = 9;

/// Stands for the colour of text until the drawing is done: no subject has it.
const INK: RGBColor = RGBColor(1, 2, 3);
const INK_WRITTEN: &str = "#010203";

/// Readable on white and on black.
const PALETTE: [RGBColor; 7] = [
    RGBColor(224, 108, 41),
    RGBColor(40, 160, 96),
    RGBColor(160, 104, 200),
    RGBColor(176, 140, 24),
    RGBColor(208, 72, 104),
    RGBColor(32, 152, 168),
    RGBColor(144, 112, 88),
];
const OURS_COLOUR: RGBColor = RGBColor(48, 120, 224);
const FLOOR_COLOUR: RGBColor = RGBColor(136, 136, 136);

/// Why a chart could not be drawn.
pub(crate) type ChartError = DrawingAreaErrorKind<std::io::Error>;

type Plot<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<LogCoord<f64>, RangedCoordf64>>;

/// A mark on the chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Mark {
    subject: &'static str,
    /// The quarters and the median, as multiples of our median.
    low: f64,
    middle: f64,
    high: f64,
}

impl Mark {
    /// A figure without spread.
    pub(crate) fn point(subject: &'static str, times: f64) -> Mark {
        Mark { subject, low: times, middle: times, high: times }
    }
}

/// Draws a group. `None` where no row has a figure of ours and of another.
///
/// # Errors
/// What the library says.
pub(crate) fn draw(group: &GroupResults<'_>) -> Result<Option<String>, ChartError> {
    let rows: Vec<(&str, Vec<Mark>)> = group
        .rows
        .iter()
        .map(|row| (row.row.workload.name, marks(row)))
        .filter(|(_, marks)| marks.len() > 1)
        .collect();
    plot(group.group.name, &rows)
}

/// Draws named rows of marks, which are multiples of ours. `None` where there is no mark.
///
/// # Errors
/// What the library says.
pub(crate) fn plot(name: &str, rows: &[(&str, Vec<Mark>)]) -> Result<Option<String>, ChartError> {
    let Some((from, to)) = range(rows) else { return Ok(None) };
    let subjects = subjects(rows);
    let mut svg = String::new();
    {
        let height = EDGES + ROW_HEIGHT * rows.len() as u32;
        let root = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        let mut plot = ChartBuilder::on(&root)
            .margin_left(MARGIN)
            .margin_right(28)
            .margin_top(30)
            .x_label_area_size(44)
            .build_cartesian_2d((from..to).log_scale(), 0.0..rows.len() as f64)?;
        draw_scale(&root, &mut plot)?;
        draw_legend(&root, &subjects)?;
        for (index, (row, marks)) in rows.iter().enumerate() {
            // The first row is the upper one.
            let y = (rows.len() - index) as f64 - 0.5;
            let (_, pixel) = plot.backend_coord(&(1.0, y));
            let right = Pos::new(HPos::Right, VPos::Center);
            root.draw(&Text::new(*row, (MARGIN as i32 - 12, pixel), ink(17).pos(right)))?;
            draw_row(&mut plot, y, marks, &subjects)?;
        }
        root.present()?;
    }
    Ok(Some(coloured(&svg, name)))
}

/// Returns the marks of a row; none where ours was not measured.
fn marks(row: &RowResults<'_>) -> Vec<Mark> {
    let ours = row.outcomes.iter().find(|outcome| outcome.subject == OURS);
    let Some(ours) = ours.and_then(judge::summary).filter(|ours| ours.median > 0.0) else {
        return Vec::new();
    };
    let mark = |outcome: &Outcome| {
        let figures = judge::summary(outcome).filter(|figures| figures.q1 > 0.0)?;
        let [low, middle, high] =
            [figures.q1, figures.median, figures.q3].map(|figure| figure / ours.median);
        Some(Mark { subject: outcome.subject, low, middle, high })
    };
    row.outcomes.iter().filter_map(mark).collect()
}

/// Returns the ends of the scale: all marks are between them, and so is some room.
fn range(rows: &[(&str, Vec<Mark>)]) -> Option<(f64, f64)> {
    let marks = || rows.iter().flat_map(|(_, marks)| marks);
    let low = marks().map(|mark| mark.low).reduce(f64::min)?;
    let high = marks().map(|mark| mark.high).reduce(f64::max)?;
    Some((low.min(0.8) / 1.2, high.max(1.25) * 1.2))
}

/// Returns who is on the chart, in the order of the tables.
fn subjects(rows: &[(&str, Vec<Mark>)]) -> Vec<(&'static str, RGBColor)> {
    let mut names: Vec<&'static str> = Vec::new();
    for mark in rows.iter().flat_map(|(_, marks)| marks) {
        if !names.contains(&mark.subject) {
            names.push(mark.subject);
        }
    }
    let mut others = PALETTE.iter().cycle();
    let colour = |name: &'static str| match name {
        OURS => (name, OURS_COLOUR),
        FLOOR => (name, FLOOR_COLOUR),
        _ => (name, others.next().copied().unwrap_or(FLOOR_COLOUR)),
    };
    names.into_iter().map(colour).collect()
}

fn ink(size: i32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&INK)
}

/// Returns the round numbers between the ends of the scale: few enough to be read.
fn ticks(from: f64, to: f64) -> Vec<f64> {
    let decade = |power: i32| 10_f64.powi(power);
    let powers = (from.log10().floor() as i32)..=(to.log10().ceil() as i32);
    let inside = |tick: &f64| (from..=to).contains(tick);
    // A division, so that a tenth is the number that is written so.
    let times = |many: f64| {
        let scaled =
            move |power: i32| if power < 0 { many / decade(-power) } else { many * decade(power) };
        powers.clone().map(scaled).filter(inside)
    };
    let mut all: Vec<f64> = [1.0, 2.0, 5.0].into_iter().flat_map(times).collect();
    if all.len() > MOST_TICKS {
        all = times(1.0).collect();
    }
    all.sort_by(f64::total_cmp);
    all
}

/// Draws the scale below the rows. The library's own has powers of ten only, and a narrow scale has just one.
fn draw_scale(
    root: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    plot: &mut Plot<'_, '_>,
) -> Result<(), ChartError> {
    let ends = plot.x_range();
    let top = plot.y_range().end;
    let centred = ink(16).pos(Pos::new(HPos::Center, VPos::Top));
    for tick in ticks(ends.start, ends.end) {
        let shade = if tick == 1.0 { 0.6 } else { 0.18 };
        plot.draw_series([PathElement::new(vec![(tick, 0.0), (tick, top)], INK.mix(shade))])?;
        let (x, y) = plot.backend_coord(&(tick, 0.0));
        root.draw(&Text::new(format!("{tick}"), (x, y + 4), centred.clone()))?;
    }
    let (_, y) = plot.backend_coord(&(1.0, 0.0));
    let middle = (MARGIN + (WIDTH - MARGIN) / 2) as i32;
    root.draw(&Text::new("times ours, less is better", (middle, y + 22), centred))
}

fn draw_row(
    plot: &mut Plot<'_, '_>,
    y: f64,
    marks: &[Mark],
    subjects: &[(&str, RGBColor)],
) -> Result<(), ChartError> {
    let (left, right) = (plot.x_range().start, plot.x_range().end);
    let line = PathElement::new(vec![(left, y), (right, y)], INK.mix(0.12));
    plot.draw_series([line])?;
    for (index, mark) in marks.iter().enumerate() {
        let found = subjects.iter().find(|(name, _)| *name == mark.subject);
        let Some((_, colour)) = found else { continue };
        // A little apart, so that equals do not hide each other.
        let y = y + 0.22 - 0.44 * index as f64 / (marks.len() - 1).max(1) as f64;
        let spread = vec![(mark.low, y), (mark.high, y)];
        plot.draw_series([PathElement::new(spread, colour.mix(0.7).stroke_width(3))])?;
        plot.draw_series([Circle::new((mark.middle, y), 5, colour.filled())])?;
    }
    Ok(())
}

fn draw_legend(
    root: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    subjects: &[(&str, RGBColor)],
) -> Result<(), ChartError> {
    let mut x = 16;
    for (name, colour) in subjects {
        root.draw(&Circle::new((x, 16), 5, colour.filled()))?;
        let beside = Pos::new(HPos::Left, VPos::Center);
        root.draw(&Text::new(*name, (x + 10, 16), ink(16).pos(beside)))?;
        // Letters of this size are about seven wide.
        x += 40 + 7 * name.len() as i32;
    }
    Ok(())
}

/// Gives the text the colour of its surroundings, and the drawing a name for those who cannot see it.
fn coloured(svg: &str, name: &str) -> String {
    const STYLE: &str = "svg{color:#222}@media(prefers-color-scheme:dark){svg{color:#ddd}}";
    let svg = svg.replace(INK_WRITTEN, "currentColor");
    let title = format!("<title>{name}: times ours</title><style>{STYLE}</style>");
    match svg.split_once('>') {
        Some((head, rest)) => format!("{head} role=\"img\">{title}{rest}"),
        None => svg,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::sample;

    #[test]
    fn marks_are_multiples_of_ours() {
        let row = sample::row(&[(OURS, 100.0), ("tokio", 200.0)]);
        let expected = [
            Mark { subject: OURS, low: 0.75, middle: 1.0, high: 1.25 },
            Mark { subject: "tokio", low: 1.5, middle: 2.0, high: 2.5 },
        ];
        assert_eq!(marks(&row), expected);
        assert_eq!(range(&[("w", expected.to_vec())]), Some((0.75 / 1.2, 3.0)));
        assert_eq!(marks(&sample::row(&[("tokio", 200.0)])), []);
    }

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(ticks(0.4, 3.0), [0.5, 1.0, 2.0]);
        assert_eq!(ticks(0.04, 1.5), [0.05, 0.1, 0.2, 0.5, 1.0]);
        assert_eq!(ticks(0.0009, 120.0), [0.001, 0.01, 0.1, 1.0, 10.0, 100.0]);
    }

    #[test]
    fn a_chart_has_each_subject_and_no_colour_of_its_own_for_text() {
        let results = sample::results(&[(OURS, 100.0), ("tokio", 200.0), (FLOOR, 10.0)]);
        let svg = draw(&results.groups[0]).unwrap().unwrap();
        assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
        assert_eq!(svg.matches("<circle").count(), 6, "three marks and three in the legend");
        for part in ["tokio", "currentColor", "prefers-color-scheme", "<title>g: times ours"] {
            assert!(svg.contains(part), "{part}");
        }
        assert!(!svg.contains(INK_WRITTEN) && !svg.contains("NaN"));
    }

    #[test]
    fn there_is_no_chart_of_ours_alone() {
        let alone = sample::results(&[(OURS, 100.0)]);
        assert!(draw(&alone.groups[0]).unwrap().is_none());
    }
}
