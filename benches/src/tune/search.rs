//! The search: stages, each with its candidates, of which the better half goes on until one is left; that one is then measured
//! against what was best before, by figures that had no part in its choice.
//!
//! It knows neither processes nor time: a function measures, another says how much of the budget is used.

use super::decide::{self, Decision};
use super::settings::Settings;
use super::trial::Halt;

/// How often each candidate is measured before the worse half is left out.
const ROUNDS_OF_A_HEAT: usize = 3;

/// The part of a stage that the choice of the challenger may take.
const CHOICE: f64 = 0.6;

/// One question about the settings, and its possible answers.
pub(super) struct Stage {
    pub(super) name: &'static str,
    /// The part of the budget that is used when it ends, at the latest.
    pub(super) ends_at: f64,
    /// What is tried beside what was best before.
    pub(super) candidates: Box<Candidates>,
}

/// Makes candidates out of what was best before.
pub(super) type Candidates = dyn Fn(&Settings) -> Vec<Settings>;

/// A configuration and its figures.
pub(super) struct Tried {
    pub(super) settings: Settings,
    pub(super) samples: Vec<f64>,
}

/// What became of a stage.
pub(super) struct Heat {
    pub(super) name: &'static str,
    /// The first is what was best before.
    pub(super) tried: Vec<Tried>,
    pub(super) duel: Option<Duel>,
}

/// Two configurations in turn: what was best before, and the challenger.
pub(super) struct Duel {
    pub(super) incumbent: Settings,
    pub(super) challenger: Settings,
    pub(super) rounds: Vec<(f64, f64)>,
}

impl Duel {
    pub(super) fn decision(&self) -> Option<Decision> {
        decide::decide(&self.rounds)
    }

    pub(super) fn is_won(&self) -> bool {
        self.decision().is_some_and(Decision::is_better)
    }
}

/// The search so far. When it is halted, it has what was done.
pub(super) struct Search<'a> {
    pub(super) default: Settings,
    pub(super) best: Settings,
    pub(super) heats: Vec<Heat>,
    /// The best against the default settings, when more than one stage has changed something.
    pub(super) last: Option<Duel>,
    duel_rounds: usize,
    measure: &'a mut dyn FnMut(&Settings) -> Result<f64, Halt>,
    used: &'a dyn Fn() -> f64,
}

impl<'a> Search<'a> {
    /// Begins at the default settings.
    pub(super) fn new(
        default: Settings,
        duel_rounds: usize,
        measure: &'a mut dyn FnMut(&Settings) -> Result<f64, Halt>,
        used: &'a dyn Fn() -> f64,
    ) -> Search<'a> {
        let best = default.clone();
        Search { default, best, heats: Vec::new(), last: None, duel_rounds, measure, used }
    }

    /// Goes through the stages.
    ///
    /// # Errors
    /// What the measuring function says; what was done is kept.
    pub(super) fn run(&mut self, stages: &[Stage]) -> Result<(), Halt> {
        let mut won = 0;
        for stage in stages {
            self.stage(stage)?;
            won += usize::from(self.heats.last().is_some_and(Heat::is_won));
        }
        if won > 1 {
            let duel = Duel {
                incumbent: self.default.clone(),
                challenger: self.best.clone(),
                rounds: Vec::new(),
            };
            let duel = self.last.insert(duel);
            fight(duel, self.duel_rounds, 1.0, self.measure, self.used)?;
        }
        Ok(())
    }

    /// Returns what is recommended, and the figures against the default settings that speak for it. The default settings, where
    /// nothing was shown to be better.
    pub(super) fn recommended(&self) -> (&Settings, Option<Decision>) {
        let won: Vec<&Duel> = self
            .heats
            .iter()
            .filter_map(|heat| heat.duel.as_ref())
            .filter(|one| one.is_won())
            .collect();
        let against_default = match (won.as_slice(), &self.last) {
            ([only], _) => Some(*only),
            (_, last) => last.as_ref(),
        };
        match against_default.filter(|duel| duel.is_won()) {
            Some(duel) => (&duel.challenger, duel.decision()),
            None => (&self.default, None),
        }
    }

    fn stage(&mut self, stage: &Stage) -> Result<(), Halt> {
        let mut candidates = vec![self.best.clone()];
        for settings in (stage.candidates)(&self.best) {
            if !candidates.contains(&settings) {
                candidates.push(settings);
            }
        }
        if candidates.len() == 1 {
            return Ok(());
        }
        let tried = candidates.into_iter().map(|settings| Tried { settings, samples: Vec::new() });
        self.heats.push(Heat { name: stage.name, tried: tried.collect(), duel: None });
        let Some(heat) = self.heats.last_mut() else { return Ok(()) };
        let begun = (self.used)();
        let choice_ends = begun + (stage.ends_at - begun).max(0.0) * CHOICE;
        let winner = heat.choose(choice_ends, self.measure, self.used)?;
        if winner == 0 {
            return Ok(());
        }
        let challenger = heat.tried[winner].settings.clone();
        let duel = Duel { incumbent: self.best.clone(), challenger, rounds: Vec::new() };
        let duel = heat.duel.insert(duel);
        fight(duel, self.duel_rounds, stage.ends_at, self.measure, self.used)?;
        if duel.is_won() {
            self.best = duel.challenger.clone();
        }
        Ok(())
    }
}

impl Heat {
    /// Says whether anything was measured.
    pub(super) fn is_begun(&self) -> bool {
        self.tried.iter().any(|one| !one.samples.is_empty())
    }

    fn is_won(&self) -> bool {
        self.duel.as_ref().is_some_and(Duel::is_won)
    }

    /// Measures the candidates until one is left, and returns it.
    fn choose(
        &mut self,
        ends_at: f64,
        measure: &mut dyn FnMut(&Settings) -> Result<f64, Halt>,
        used: &dyn Fn() -> f64,
    ) -> Result<usize, Halt> {
        let mut field: Vec<usize> = (0..self.tried.len()).collect();
        while field.len() > 1 {
            for round in 0..ROUNDS_OF_A_HEAT {
                for turn in 0..field.len() {
                    // Nobody is always measured after the same other.
                    let one = &mut self.tried[field[(turn + round) % field.len()]];
                    one.samples.push(measure(&one.settings)?);
                }
                // A round is whole, or the candidates would not be equal.
                if used() >= ends_at {
                    return Ok(self.best_of(&field));
                }
            }
            let samples: Vec<&[f64]> =
                field.iter().map(|index| self.tried[*index].samples.as_slice()).collect();
            field = decide::better_half(&samples).into_iter().map(|place| field[place]).collect();
        }
        Ok(field[0])
    }

    fn best_of(&self, field: &[usize]) -> usize {
        let median = |index: &&usize| {
            let summary = crate::stats::summary(&self.tried[**index].samples);
            summary.map_or(f64::INFINITY, |summary| summary.median)
        };
        let best = field.iter().min_by(|one, other| median(one).total_cmp(&median(other)));
        best.copied().unwrap_or(0)
    }
}

fn fight(
    duel: &mut Duel,
    rounds: usize,
    ends_at: f64,
    measure: &mut dyn FnMut(&Settings) -> Result<f64, Halt>,
    used: &dyn Fn() -> f64,
) -> Result<(), Halt> {
    while duel.rounds.len() < rounds && used() < ends_at {
        // Each begins every other round.
        let pair = if duel.rounds.len().is_multiple_of(2) {
            let incumbent = measure(&duel.incumbent)?;
            (incumbent, measure(&duel.challenger)?)
        } else {
            let challenger = measure(&duel.challenger)?;
            (measure(&duel.incumbent)?, challenger)
        };
        duel.rounds.push(pair);
    }
    Ok(())
}
