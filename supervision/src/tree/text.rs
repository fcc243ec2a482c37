//! A tree for humans.

use super::Tree;
use super::outline::{LINES, Number, outline};
use std::fmt;

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = if f.alternate() { None } else { Some(LINES) };
        // Of each level above the line, whether that goes on further down.
        let mut above: Vec<bool> = Vec::new();
        for row in outline(self, limit) {
            if let Some(level) = row.depth.checked_sub(1) {
                above.truncate(level);
                for goes_on in &above {
                    f.write_str(if *goes_on { "│  " } else { "   " })?;
                }
                f.write_str(if row.is_last { "└─ " } else { "├─ " })?;
                above.push(!row.is_last);
            }
            write!(f, "{} {}", row.what.title(), row.what.detail())?;
            if row.depth == 0 {
                self.write_totals(f)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl Tree {
    fn write_totals(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let totals = &self.totals;
        let number = |count: usize| Number(count as u64);
        let (supervisors, workers) = (number(totals.supervisors), number(totals.workers));
        write!(f, "; in all {supervisors} supervisors, {workers} workers")?;
        write!(f, ", {} running", number(totals.running))
    }
}
