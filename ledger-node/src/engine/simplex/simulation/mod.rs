//! Whole validators on a simulated runtime, network, clock and disk: real engine, executor and certifier, stores in
//! memory. One seed decides everything: delays, losses, who fails when ([`faults`]), who lies how ([`liars`]). Whatever
//! happens must hold:
//!
//! - *agreement*: no two nodes have different trees after one block, and no size is ever certified with two roots;
//! - *validity*: no block is of a time that has not come, and nothing is accepted twice or too long;
//! - *nothing acknowledged is lost*: it stands in every honest node's log, where its sender was told;
//! - *progress*: once everything is healed, every honest node certifies new blocks, the liar still lying;
//! - *no part of a validator ends* unless its disk fails.
//!
//! At most one validator lies, and at most one of the others has a wrong clock or a failing disk at a time. That is more
//! than four validators must go on with, but not more than they must be safe with. Engines keep so few blocks
//! ([`life`]) that whoever is away for some seconds may find gone what it missed.
//!
//! `SIMULATION_SEEDS` (20 by default) and `SIMULATION_HEIGHTS` (50) say how much to do, `SIMULATION_FIRST` from which
//! seed on. A seed that fails is named; alone it fails again in the same way. `cargo simulate simulation` runs it
//! optimised, five times as fast; `SIMULATION_SEEDS=77000 cargo simulate simulation` is the long form, 100 100 seeds.

mod chain;
mod checks;
mod cluster;
mod dice;
mod disk;
mod faults;
mod liars;
mod life;
mod machine;
mod panics;
mod peers;
mod pests;
mod politics;
mod scenes;
mod story;
mod wires;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

pub(super) use dice::Dice;
use faults::{CLOCK_OFF_MILLIS, Fault};
use liars::Lie;
use scenes::{Absence, Returned};
use story::{Outcome, Story};

use chain::Founding;

/// A number from the environment.
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

/// Of seven validators, and of validators that change, there are so many times fewer seeds: seven cost more than twice as
/// much as four, and changes are rare.
const SEVEN: u64 = 5;
const CHANGING: u64 = 10;

/// In so many seeds each fault and each lie occurs: that one does not, by chance alone, is less likely than 1 in 10⁸.
const EVERYTHING_HAPPENS: u64 = 300;

/// Beside faults and lies: a validator was away for longer than the others' engines keep blocks for, and noticed.
const FALLEN_BEHIND: &str = "fallen behind";

/// Runs `story` for each seed, or one in `every` as many, on as many threads as there are processors.
fn for_all_seeds(what: &str, every: u64, story: impl Fn(u64) -> Story + Sync) {
    let (first, seeds) = (number("SIMULATION_FIRST", 1), number("SIMULATION_SEEDS", 20).div_ceil(every));
    let (next, blocks) = (AtomicU64::new(first), AtomicU64::new(0));
    let kinds = Mutex::new(BTreeMap::<String, u64>::new());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + seeds {
                return;
            }
            let outcome = catch_unwind(AssertUnwindSafe(|| story(seed).run()));
            let outcome = outcome.unwrap_or_else(|_| panic!("{what}, seed {seed}: it broke off, see above"));
            assert!(outcome.violations.is_empty(), "{what}, seed {seed}: {:#?}", outcome.violations);
            blocks.fetch_add(outcome.height, Ordering::Relaxed);
            let mut kinds = kinds.lock().unwrap();
            let fallen_behind = std::iter::repeat_n(FALLEN_BEHIND.to_owned(), outcome.fallen_behind);
            let happened = names(&outcome.faults, &[outcome.lie]).chain(fallen_behind);
            happened.for_each(|name| *kinds.entry(name).or_default() += 1);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let (blocks, kinds) = (blocks.into_inner(), kinds.into_inner().unwrap());
    println!("{what}: {seeds} seeds from {first} on, {blocks} heights, {kinds:?}");
    if seeds >= EVERYTHING_HAPPENS {
        let everything = names(&Fault::ALL, &Lie::ALL).chain([FALLEN_BEHIND.to_owned()]);
        let missing: Vec<_> = everything.filter(|name| !kinds.contains_key(name)).collect();
        assert!(missing.is_empty(), "{what}: in {seeds} seeds there was no {missing:?}");
    }
}

/// What happened, and how somebody lied.
fn names(faults: &[Fault], lies: &[Lie]) -> impl Iterator<Item = String> + use<> {
    let mut names: Vec<_> = faults.iter().map(|fault| format!("{fault:?}")).collect();
    names.extend(lies.iter().map(|lie| format!("liar {lie:?}")));
    names.into_iter()
}

#[test]
fn four_validators_survive_whatever_happens() {
    let heights = number("SIMULATION_HEIGHTS", 50);
    for_all_seeds("four validators", 1, |seed| Story::new(seed, Founding::of(4), heights));
}

#[test]
fn seven_validators_survive_whatever_happens() {
    let heights = number("SIMULATION_HEIGHTS", 50);
    for_all_seeds("seven validators", SEVEN, |seed| Story::new(seed, Founding::of(7), heights));
}

/// One is voted in, one gets other keys, one is voted out, whoever fails meanwhile.
#[test]
fn validators_come_and_go_whatever_happens() {
    let founding = Founding { validators: 4, seats: 5, senders: 5, epoch: Some(6) };
    for_all_seeds("validators that change", CHANGING, |seed| Story::new(seed, founding, 20).with_politics());
}

/// A story in which every transaction that waits stands in a block that missed being made final, and needs one on top. As
/// long as validators stay, nobody makes an empty block for anything else. Which seed tells it changes with everything that
/// takes time, so it is looked for.
#[test]
fn a_block_that_missed_being_final_holds_up_nobody() {
    let told = (1..=100).any(|seed| {
        let outcome = Story::new(seed, Founding::of(4), 25).run();
        assert!(outcome.violations.is_empty(), "seed {seed}: {:#?}", outcome.violations);
        outcome.empty > 0
    });
    assert!(told, "in no story a block was needed for the one before it");
}

#[test]
fn proposals_slow_down_while_certification_lags_and_go_on() {
    let pace = scenes::held_up(1);
    assert!(pace.violations.is_empty(), "{:#?}", pace.violations);
    let scenes::Pace { before, lagging, after, .. } = pace;
    println!("{before} blocks a second, {lagging} while certification lags, {after} afterwards");
    // A leader waits for three quarters of a second, and then proposes all the same.
    assert!(lagging > 0.5 && lagging < 1.4, "{lagging} blocks a second");
    assert!(before > 2.0 * lagging && after > 2.0 * lagging, "{before} before, {after} after");
}

#[test]
fn a_clock_that_is_set_right_holds_up_nobody() {
    for seed in 1..=4 {
        let (undisturbed, _) = scenes::set_right(seed, 0);
        let (blocks, violations) = scenes::set_right(seed, CLOCK_OFF_MILLIS);
        println!("seed {seed}: {blocks} blocks in half a minute, {undisturbed} where no clock was wrong");
        assert!(violations.is_empty(), "seed {seed}: {violations:#?}");
        assert!(2 * blocks > undisturbed, "seed {seed}: {blocks} blocks in half a minute, {undisturbed} undisturbed");
    }
}

#[test]
fn clocks_that_are_wrong_one_after_the_other_date_no_block() {
    for seed in 1..=4 {
        let violations = scenes::wrong_in_turn(seed);
        assert!(violations.is_empty(), "seed {seed}: {violations:#?}");
    }
}

#[test]
fn whoever_was_away_for_longer_than_blocks_are_kept_comes_back() {
    for absence in [Absence::Dead, Absence::Lost, Absence::CutOff] {
        for seed in 1..=4 {
            let Returned { missed, fallen_behind, sections, violations } = scenes::away(seed, absence);
            println!("{absence:?}, seed {seed}: {missed} missed, {fallen_behind} noticed, {sections:?} sections kept");
            assert!(violations.is_empty(), "{absence:?}, seed {seed}: {violations:#?}");
            // With what is let go of in sections, and what is not executed yet.
            assert!(sections.iter().all(|kept| (1..=8).contains(kept)), "{absence:?}, seed {seed}: {sections:?}");
            assert_eq!(fallen_behind > 0, absence == Absence::CutOff, "{absence:?}, seed {seed}: {fallen_behind}");
        }
    }
}

#[test]
fn what_is_not_certified_is_kept_for_whoever_lost_it() {
    for seed in 1..=2 {
        let (uncertified, followed, violations) = scenes::lost_while_held_up(seed);
        println!("seed {seed}: {uncertified} blocks stood uncertified");
        assert!(violations.is_empty(), "seed {seed}: {violations:#?}");
        assert!(
            uncertified >= 40 && followed,
            "seed {seed}: {uncertified} stood uncertified, all there again: {followed}"
        );
    }
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let tell = |seed| Story::new(seed, Founding::of(4), 12).run();
    let (one, again, other) = (tell(1), tell(1), tell(2));
    let marks = |outcome: &Outcome| (outcome.notes, outcome.trace.clone());
    assert_eq!(marks(&one), marks(&again));
    assert_ne!(marks(&one), marks(&other));
}

#[test]
fn too_many_unsafe_voters_are_caught() {
    let violations = scenes::two_worlds(1);
    assert!(violations.iter().any(|violation| violation.contains("two certified roots")), "{violations:#?}");
}

#[test]
fn a_validator_that_votes_twice_is_cut_off() {
    let (by, violations) = scenes::two_votes(1);
    assert_eq!(by, [0, 1, 2].into());
    assert!(violations.is_empty(), "and yet no harm is done: {violations:#?}");
}

#[test]
fn a_cosigner_of_two_histories_is_caught_with_evidence() {
    let caught = scenes::two_histories(1);
    assert!(caught.contradictions > 0, "no node noticed");
    assert!(caught.evidence > 0, "no evidence was kept");
    assert!(caught.violations.is_empty(), "and yet no harm is done: {:#?}", caught.violations);
}
