//! Single status changes of a crowd of 64.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tashika::app::Writer;
use tashika::desk::{Desk, Task};
use tashika::ledger::Ledger;
use tashika::model::{Actor, Channel, Command, Outcome, PersonId, Policy, Request, Role, Time};

use crate::lone::LONE_ROUNDS;
use crate::table::{Table, Verdict, thousands};
use crate::{Scale, population};

/// Budgets aren't what is measured here.
pub fn generous() -> Policy {
    Policy { budget_floor: u32::MAX, ..Policy::default() }
}

pub fn hold(n: usize) -> Task {
    let actor = Actor { role: Role::CallCentre, person: PersonId([7; 16]), channel: Channel::Api };
    Task::Request(Request {
        actor,
        command: Command::Hold { key: population::key(n), lost_at: None },
        idempotency: None,
    })
}

pub fn clock() -> Time {
    crate::start()
}

/// 64 callers, each waiting for its answer before the next; every answer is durable.
pub fn crowd(name: &str, ledger: &Arc<dyn Ledger>, scale: Scale, table: &mut Table) {
    let writer = Writer::new(Desk::new(ledger.clone(), generous()), clock);
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let begun = Instant::now();
    let mut latencies: Vec<f64> = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let (writer, next, stop) = (writer.clone(), &next, &stop);
                scope.spawn(move || {
                    let mut latencies = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        if n >= scale.million - LONE_ROUNDS {
                            break;
                        }
                        let begun = Instant::now();
                        let done = writer.submit(hold(n)).expect("a hold");
                        latencies.push(begun.elapsed().as_secs_f64() * 1e3);
                        assert!(matches!(done, Outcome::Done { .. }), "every hold is new");
                    }
                    latencies
                })
            })
            .collect();
        std::thread::sleep(Duration::from_secs(scale.seconds));
        stop.store(true, Ordering::Relaxed);
        callers.into_iter().flat_map(|caller| caller.join().expect("a caller ends")).collect()
    });
    let rate = latencies.len() as f64 / begun.elapsed().as_secs_f64();
    latencies.sort_by(f64::total_cmp);
    let p99 = latencies[latencies.len() * 99 / 100];
    let (must, aim) = if name == "SQLite" { (10_000.0, 20_000.0) } else { (6_000.0, 10_000.0) };
    let verdict = if p99 <= 20.0 { Verdict::at_least(rate, must, aim) } else { Verdict::Short };
    table.row(
        format!("{name}: single changes acknowledged durably, 64 callers"),
        format!("{}/s, p99 {p99:.1} ms", thousands(rate)),
        &format!("≥ {}/s, p99 ≤ 20 ms", thousands(must)),
        &format!("≥ {}/s", thousands(aim)),
        verdict,
    );
}

const CALLERS: usize = 64;
