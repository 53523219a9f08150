//! The writer: callers of several threads share rounds, each gets the own answer, and nobody waits for one who died.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use tashika::app::Writer;
use tashika::desk::{Desk, DeskError, Done, Task};
use tashika::ledger::{Ledger, LedgerError};
use tashika::model::{Command, IssuerNo, Outcome, Policy, Position, Request, Role, Time, Usage};

use crate::memory_ledger::MemoryLedger;
use crate::nation::{actor, at, key, on_card};
use crate::office::Office;

#[test]
fn callers_share_rounds_and_each_gets_the_own_answer() {
    let _alone = alone();
    let (writer, ledger) = writer();
    let before = Ledger::head(&ledger).unwrap().position;
    let answers = crowd(&writer);
    let mut positions: Vec<_> = answers
        .iter()
        .map(|(task, done)| match done {
            Ok(Ok(Outcome::Done { first, last })) if first == last => (*task, first.0),
            other => panic!("{task}: {other:?}"),
        })
        .collect();
    let head = Ledger::head(&ledger).unwrap();
    assert_eq!(head.position.0 - before.0, CALLERS as u64, "every hold is an event, and there is no other");
    for (task, position) in &positions {
        let event = Ledger::events_after(&ledger, Position(position - 1), 1).unwrap().remove(0);
        let serial = key(1, serial(*task)).serial;
        assert!(event.bytes.windows(serial.as_octets().len()).any(|part| part == serial.as_octets()), "{task}");
    }
    positions.sort_by_key(|(_, position)| *position);
    positions.dedup_by_key(|(_, position)| *position);
    assert_eq!(positions.len(), CALLERS);
    assert!(ROUNDS.load(Ordering::SeqCst) < CALLERS, "{ROUNDS:?} rounds");
    // Whoever comes later finds the pen lying there.
    assert!(matches!(writer.submit(hold(CALLERS)), Ok(Outcome::Done { .. })));
}

#[test]
fn nobody_waits_for_one_who_died_writing() {
    let _alone = alone();
    let (writer, ledger) = writer();
    let before = Ledger::head(&ledger).unwrap();
    DIES.store(true, Ordering::SeqCst);
    let answers = crowd(&writer);
    let died = answers.iter().filter(|(_, done)| done.is_err()).count();
    assert_eq!(died, 1, "the one who wrote");
    let stopped = |done: &Done| matches!(done, Err(DeskError::Ledger(LedgerError::Unreachable(_))));
    assert!(answers.iter().filter_map(|(_, done)| done.as_ref().ok()).all(stopped), "{answers:?}");
    assert!(stopped(&writer.submit(hold(0))), "and whoever comes later is told so");
    assert_eq!(Ledger::head(&ledger).unwrap(), before);
}

/// So many at once, the first of whom is kept waiting in its round until all others have come.
fn crowd(writer: &Writer) -> Vec<(usize, thread::Result<Done>)> {
    let closed = GATE.lock().unwrap_or_else(PoisonError::into_inner);
    let coming = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..CALLERS)
        .map(|task| {
            let (writer, coming) = (writer.clone(), coming.clone());
            thread::spawn(move || {
                coming.fetch_add(1, Ordering::SeqCst);
                writer.submit(hold(task))
            })
        })
        .collect();
    while coming.load(Ordering::SeqCst) < CALLERS {
        thread::yield_now();
    }
    drop(closed);
    callers.into_iter().map(thread::JoinHandle::join).enumerate().collect()
}

fn writer() -> (Writer, MemoryLedger) {
    let mut office = Office::open();
    let certificates = (0..=CALLERS).map(|task| on_card(key(1, serial(task)), 10 + task as u64, Usage::Sign)).collect();
    office.desk.one(&Task::Register { actor: actor(Role::Ca(IssuerNo(1))), certificates }, at(0)).unwrap();
    let ledger = office.ledger.clone();
    ROUNDS.store(0, Ordering::SeqCst);
    DIES.store(false, Ordering::SeqCst);
    (Writer::new(Desk::new(Arc::new(ledger.clone()), Policy::default()), gated_clock), ledger)
}

/// The clock that a writer asks once a round.
fn gated_clock() -> Time {
    drop(GATE.lock().unwrap_or_else(PoisonError::into_inner));
    ROUNDS.fetch_add(1, Ordering::SeqCst);
    assert!(!DIES.load(Ordering::SeqCst), "as it was told to");
    at(60)
}

fn hold(task: usize) -> Task {
    let command = Command::Hold { key: key(1, serial(task)), lost_at: None };
    Task::Request(Request { actor: actor(Role::CallCentre), command, idempotency: None })
}

/// A certificate of its own for each.
fn serial(task: usize) -> u64 {
    100 + task as u64
}

/// The clock is one for all tests of this process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

static GATE: Mutex<()> = Mutex::new(());
static ROUNDS: AtomicUsize = AtomicUsize::new(0);
static DIES: AtomicBool = AtomicBool::new(false);

const CALLERS: usize = 24;
