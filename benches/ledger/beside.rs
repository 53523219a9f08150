//! A single change beside a bulk registration, through a handle of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tashika::desk::{Desk, Task};
use tashika::ledger::Ledger;

use crate::changes::{generous, hold};
use crate::table::{Table, Verdict};
use crate::{Scale, population};

pub fn bulk(name: &str, ledger: &Arc<dyn Ledger>, scale: Scale, table: &mut Table) {
    let first = scale.million / 2;
    population::fill(ledger, first);
    let (mut bulk, mut single) = (Desk::new(ledger.clone(), generous()), Desk::new(ledger.clone(), generous()));
    let stop = AtomicBool::new(false);
    let mut latencies = std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in (first..scale.million).step_by(CHUNK) {
                let certificates = (n..scale.million.min(n + CHUNK)).map(population::certificate).collect();
                bulk.one(&Task::Register { actor: population::ca(), certificates }, crate::start()).expect("new");
                ledger.upkeep().expect("upkeep");
            }
            stop.store(true, Ordering::Relaxed);
        });
        let mut latencies = Vec::new();
        for n in 0..first {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let begun = Instant::now();
            single.one(&hold(n), crate::start()).expect("a hold");
            latencies.push(begun.elapsed().as_secs_f64() * 1e3);
            std::thread::sleep(Duration::from_millis(10));
        }
        latencies
    });
    latencies.sort_by(f64::total_cmp);
    let (worst, p99) = (latencies[latencies.len() - 1], latencies[latencies.len() * 99 / 100]);
    table.row(
        format!("{name}: a single change beside a bulk registration, {} changes", latencies.len()),
        format!("p99 {p99:.0} ms, worst {worst:.0} ms"),
        "≤ 100 ms",
        "≤ 100 ms",
        Verdict::at_most(worst, 100.0, 100.0),
    );
}

/// Certificates in one append: what an import, which paces itself, comes to.
const CHUNK: usize = 1_000;
