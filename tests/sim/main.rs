//! The ledger and the desk in simulation: time, entropy, storage, scheduling and crashes all follow from one seed, and
//! after every step the world is compared with an independent model (`naive.rs`, `rules.rs`).
//!
//! `SIM_SEED=n` replays one seed with its trace, `SIM_STEPS=n` up to a step, `SIM_SEEDS=n` widens the search.

#[path = "../support/bureau.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "shared with the suites of answers, which use other parts")]
mod bureau;
#[path = "../support/lying_ledger.rs"]
#[allow(dead_code, reason = "shared with the contract suite, which uses other parts")]
mod lying_ledger;
#[path = "../support/memory_ledger.rs"]
#[allow(dead_code, reason = "shared with the contract suite, which uses other parts")]
mod memory_ledger;
#[path = "../support/nation.rs"]
#[allow(dead_code, reason = "shared with the contract suite, which uses other parts")]
mod nation;
#[path = "../support/ocsp.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "shared with the suites of answers, which use other parts")]
mod ocsp;
#[path = "../support/police.rs"]
mod police;
#[path = "../support/rng.rs"]
mod rng;

mod answers;
mod check;
mod clients;
mod gate;
mod naive;
mod outside;
mod rows;
mod rules;
mod run;
mod setup;
mod workload;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use run::{Failure, Summary, run};
use setup::Sabotage;

#[test]
fn the_world_is_right_after_every_step_of_many_seeds() {
    if let Some(seed) = setting("SIM_SEED") {
        let summary = simulate(seed, setting("SIM_STEPS").unwrap_or(STEPS));
        println!("seed {seed}: {} events, {:#?}", summary.events, summary.tally);
        return;
    }
    let seeds = setting("SIM_SEEDS").unwrap_or(SEEDS);
    let (next, tally) = (AtomicU64::new(0), Mutex::new(BTreeMap::<String, u64>::new()));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(seed) = Some(next.fetch_add(1, Ordering::SeqCst)).filter(|seed| *seed < seeds) {
                    let summary = simulate(seed, STEPS);
                    let mut tally = tally.lock().unwrap();
                    summary.tally.into_iter().for_each(|(name, count)| *tally.entry(name).or_default() += count);
                }
            });
        }
    });
    let tally = tally.into_inner().unwrap();
    println!("{seeds} seeds of {STEPS} steps: {tally:#?}");
    let missing: Vec<_> = MUST_HAPPEN.iter().filter(|name| !tally.contains_key(**name)).collect();
    assert!(missing.is_empty(), "the workload no longer reaches {missing:?}");
}

#[test]
fn a_seed_tells_the_same_story_twice() {
    let (once, again) = (simulate(7, 600), simulate(7, 600));
    assert_eq!((once.link, once.events, once.tally), (again.link, again.events, again.tally));
    assert_ne!(once.link, simulate(8, 600).link);
}

/// Proof that the checks can fail: each fault is planted in a world that is right otherwise.
#[test]
fn every_planted_fault_is_found() {
    for (sabotage, word) in [
        (Sabotage::LoseTheLastEvent, "events were there"),
        (Sabotage::LiftAHold, "the ledger tells"),
        (Sabotage::ForgetATimer, "nothing will remind the clock"),
        (Sabotage::ChangeAnAnswer, "has changed"),
        (Sabotage::AnswerAnotherRow, "answers two rows"),
        (Sabotage::LieInTheTable, "answers: "),
    ] {
        let found =
            (0..10).filter_map(|seed| run(seed, 800, sabotage).err()).find(|failure| failure.what.contains(word));
        assert!(found.is_some(), "{sabotage:?} went unnoticed");
    }
}

fn simulate(seed: u64, steps: u64) -> Summary {
    run(seed, steps, Sabotage::None).unwrap_or_else(|Failure { step, what, trace }| {
        let lines = trace.len().saturating_sub(TRACE_LINES);
        panic!(
            "{}\nseed {seed} fails at step {step}, the first at which anything is wrong:\n{what}\nagain: SIM_SEED={seed} \
             SIM_STEPS={step} cargo test --test sim the_world",
            trace[lines..].join("\n")
        )
    })
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is a number, not {value}")))
}

/// What a run of all seeds must have come by, or it no longer tests what it is there for.
const MUST_HAPPEN: &[&str] = &[
    "activate done",
    "adopt-epoch done",
    "answer fenced",
    "answer kept",
    "answer refused",
    "answer signed",
    "approve done",
    "approve refused",
    "card-found done",
    "card-lost done",
    "card-lost queued",
    "card-lost refused",
    "card-not-found done",
    "contract-ended done",
    "delivered done",
    "died done",
    "hold done",
    "hold so-already",
    "holder-applies done",
    "inbox done",
    "inbox open",
    "inbox refused",
    "lie crash",
    "lie full",
    "lie second_writer",
    "lie short_page",
    "lie torn",
    "lie uncertain_lost",
    "lie uncertain_written",
    "lie unreachable",
    "moved done",
    "not-delivered done",
    "phone-found done",
    "phone-lost done",
    "phone-not-found done",
    "register done",
    "reject done",
    "release done",
    "release queued",
    "release refused",
    "renamed done",
    "renewed done",
    "returned done",
    "revoke done",
    "revoke queued",
    "set done",
    "set queued",
    "sim-disposed done",
    "sim-swapped done",
    "undo carried-out",
    "undo queued",
];

const SEEDS: u64 = 200;
const STEPS: u64 = 1_500;
const WORKERS: usize = 2;
const TRACE_LINES: usize = 40;
