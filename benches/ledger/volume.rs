//! Registering and scanning by the million.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use tashika::desk::{Desk, Task};
use tashika::ledger::{Ledger, Upkeep};
use tashika::model::Policy;

use crate::population;
use crate::table::{Table, Verdict, thousands};

/// Registers a million more, in chunks that hold the write lock at most 50 ms, look-ups and upkeep included.
pub fn register(name: &str, state: &str, ledger: &Arc<dyn Ledger>, count: usize, table: &mut Table) {
    let mut desk = Desk::new(ledger.clone(), Policy::default());
    let before = ledger.head().expect("a head").certificates as usize;
    if before == 0 {
        population::found(&mut desk);
    }
    let certificates: Vec<_> = (before..before + count).map(population::certificate).collect();
    let mut slices = Vec::new();
    let mut slice = |work: &mut dyn FnMut()| {
        let begun = Instant::now();
        work();
        slices.push(begun.elapsed().as_secs_f64() * 1e3);
    };
    let begun = Instant::now();
    for chunk in certificates.chunks(CHUNK) {
        let task = Task::Register { actor: population::ca(), certificates: chunk.to_vec() };
        slice(&mut || _ = desk.one(&task, crate::start()).expect("new"));
        slice(&mut || _ = ledger.upkeep().expect("upkeep"));
    }
    while ledger.upkeep().expect("upkeep") == Upkeep::More {}
    let rate = count as f64 / begun.elapsed().as_secs_f64();
    slices.sort_by(f64::total_cmp);
    let at = |share: f64| slices[((slices.len() - 1) as f64 * share) as usize];
    let (must, aim) = match (name, state) {
        ("SQLite", "empty") => (100_000.0, 200_000.0),
        ("SQLite", _) => (10_000.0, 40_000.0),
        (_, "empty") => (50_000.0, 80_000.0),
        (_, _) => (15_000.0, 40_000.0),
    };
    let span = format!("{} → {}", thousands(before as f64), thousands((before + count) as f64));
    table.row(
        format!("{name}: registering with all look-ups, {span}"),
        format!("{}/s (slices: p99 {:.0} ms, worst {:.0} ms)", thousands(rate), at(0.99), at(1.0)),
        &format!("≥ {}/s", thousands(must)),
        &format!("≥ {}/s", thousands(aim)),
        Verdict::at_least(rate, must, aim),
    );
}

/// Scans everything into model types, three times; the best counts, since noise only adds.
pub fn scan(name: &str, ledger: &Arc<dyn Ledger>, table: &mut Table) {
    let mut best = 0f64;
    for _ in 0..3 {
        let begun = Instant::now();
        let (mut rows, mut good) = (0u64, 0u64);
        ledger
            .scan(&mut |entry| {
                rows += 1;
                good += u64::from(entry.status.is_good());
                ControlFlow::Continue(())
            })
            .expect("a scan");
        assert!(rows > 0 && good <= rows);
        best = best.max(rows as f64 / begun.elapsed().as_secs_f64());
    }
    let (must, aim) = if name == "SQLite" { (2e6, 3e6) } else { (0.8e6, 1.2e6) };
    table.row(
        format!("{name}: scan into model types"),
        format!("{} rows/s", thousands(best)),
        &format!("≥ {} rows/s", thousands(must)),
        &format!("≥ {} rows/s", thousands(aim)),
        Verdict::at_least(best, must, aim),
    );
}

/// Certificates in one append.
const CHUNK: usize = 1_500;
