//! The search on invented figures.

use super::search::{Search, Stage};
use super::settings::Settings;
use super::trial::Halt;
use bastion_executor::Topology;
use std::cell::Cell;

fn default() -> Settings {
    Settings::default_on(&Topology::flat(4))
}

fn stages() -> Vec<Stage> {
    let workers = |best: &Settings| {
        let of = |workers| Settings { workers, ..best.clone() };
        [1, 2, 3, 4].map(of).to_vec()
    };
    let spin = |best: &Settings| {
        let of = |spin_us| Settings { spin_us, ..best.clone() };
        [0, 10, 50].map(of).to_vec()
    };
    vec![
        Stage { name: "workers", ends_at: 0.5, candidates: Box::new(workers) },
        Stage { name: "spin", ends_at: 1.0, candidates: Box::new(spin) },
    ]
}

/// Returns noise of a few percent that is the same in each run.
fn noise() -> impl FnMut() -> f64 {
    let mut random = fastrand::Rng::with_seed(7);
    move || 0.97 + 0.06 * random.f64()
}

#[test]
fn what_is_better_is_found_and_shown_to_be() {
    let mut noise = noise();
    let mut measure = |settings: &Settings| {
        let workers = if settings.workers == 2 { 70.0 } else { 100.0 };
        let spin = if settings.spin_us == 10 { 0.8 } else { 1.0 };
        Ok(workers * spin * noise())
    };
    let mut search = Search::new(default(), 11, &mut measure, &|| 0.0);
    assert!(search.run(&stages()).is_ok());
    let (settings, decision) = search.recommended();
    assert_eq!(*settings, Settings { workers: 2, spin_us: 10, ..default() });
    let decision = decision.expect("two stages were won, so there was a last duel");
    assert_eq!((decision.wins, decision.rounds), (11, 11));
    assert!((0.4..0.48).contains(&decision.gain), "{}", decision.gain);
    assert!(search.last.is_some());
}

#[test]
fn noise_recommends_the_default() {
    let mut noise = noise();
    let mut measure = |_: &Settings| Ok(100.0 * noise());
    let mut search = Search::new(default(), 11, &mut measure, &|| 0.0);
    assert!(search.run(&stages()).is_ok());
    assert_eq!(search.recommended(), (&default(), None));
    assert_eq!(search.heats.len(), 2);
}

#[test]
fn one_stage_that_is_won_needs_no_second_duel() {
    let mut measure = |settings: &Settings| Ok(100.0 + settings.spin_us as f64 * 0.1);
    let at_fifty = Settings { spin_us: 50, ..default() };
    let mut search = Search::new(at_fifty, 11, &mut measure, &|| 0.0);
    assert!(search.run(&stages()).is_ok());
    assert!(search.last.is_none());
    let (settings, decision) = search.recommended();
    assert_eq!(*settings, default());
    assert!(decision.is_some_and(|decision| decision.gain > 0.04));
}

#[test]
fn a_budget_that_is_used_up_ends_it_without_a_word_that_was_not_shown() {
    let used = Cell::new(0.0);
    let mut measure = |settings: &Settings| {
        // Enough for the first choice, and for three rounds of its duel.
        used.set(used.get() + 0.5 / 18.0);
        Ok(if settings.workers == 1 { 10.0 } else { 100.0 })
    };
    let look = || used.get();
    let mut search = Search::new(default(), 11, &mut measure, &look);
    assert!(search.run(&stages()).is_ok());
    let duel = search.heats[0].duel.as_ref().expect("a challenger was found");
    assert_eq!(duel.challenger.workers, 1);
    assert!((1..7).contains(&duel.rounds.len()), "{}", duel.rounds.len());
    assert_eq!(search.recommended(), (&default(), None));
}

#[test]
fn what_was_done_before_a_halt_is_kept() {
    let mut left = 5;
    let mut measure = |_: &Settings| {
        left -= 1;
        if left < 0 { Err(Halt::Interrupted) } else { Ok(1.0) }
    };
    let mut search = Search::new(default(), 11, &mut measure, &|| 0.0);
    assert!(matches!(search.run(&stages()), Err(Halt::Interrupted)));
    let taken: usize = search.heats[0].tried.iter().map(|one| one.samples.len()).sum();
    assert_eq!(taken, 5);
    assert_eq!(search.recommended(), (&default(), None));
}
