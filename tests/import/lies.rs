//! A ledger that breaks connections, is overtaken and finds no space: nothing is lost, nothing is there twice.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tashika::desk::bulk::BulkError;
use tashika::ledger::import::Format;
use tashika::ledger::{Batch, Head, Ledger, LedgerError, Severity};
use tashika::model::{Body, CertificateNo, Event, IssuerNo, Life, Report, ReportKind, Role, Subject, Usage};

use crate::lying_ledger::{Lies, LyingLedger};
use crate::memory_ledger::MemoryLedger;
use crate::nation;
use crate::rng::Rng;
use crate::town::Town;

const ENTRIES: u64 = 1_500;

/// Every third is revoked, every fifth held.
fn index() -> String {
    (1..=ENTRIES)
        .map(|serial| {
            let (flag, revocation) = match serial {
                n if n % 3 == 0 => ("R", "260101000000Z,superseded"),
                n if n % 5 == 0 => ("R", "260101000000Z,certificateHold"),
                _ => ("V", ""),
            };
            format!("{flag}\t310101000000Z\t{revocation}\t{serial:06X}\tunknown\t/CN=x\n")
        })
        .collect()
}

#[test]
fn whatever_the_ledger_does_an_import_done_again_until_it_succeeds_is_done_once() {
    let (mut written, mut lost, mut full) = (0, 0, 0);
    // How many chunks there are, and so how often there is something to lie about, depends on the machine's speed.
    for seed in 0..SEEDS_MAX {
        if seed >= SEEDS_MIN && written > 5 && lost > 5 && full > 5 {
            break;
        }
        let truth = MemoryLedger::create(&nation::genesis(seed));
        let mut batch = Batch::on(truth.head().unwrap());
        nation::add_issuers(&mut batch, 2);
        truth.append(&batch).unwrap();
        let lies = Lies {
            unreachable: 30,
            full: 100,
            uncertain_written: 200,
            uncertain_lost: 200,
            short_page: 300,
            ..Lies::default()
        };
        let liar = LyingLedger::new(truth.clone(), Rng::new(seed), lies);
        let town = Town::on(Box::new(liar.clone()));
        let mut attempts = 0;
        while let Err(refused) = town.import(index(), Format::OpensslIndex) {
            attempts += 1;
            assert!(attempts < 1_000, "never done");
            match refused.error {
                BulkError::Ledger(error) if error.severity() == Severity::Retry => {}
                BulkError::Overtaken(_) => {}
                error => panic!("seed {seed}: {error}"),
            }
        }
        let told = liar.told();
        written += told.uncertain_written;
        lost += told.uncertain_lost;
        full += told.full;
        let state = truth.state();
        assert!(state.complaints.is_empty(), "seed {seed}: {:?}", state.complaints);
        assert_eq!(state.rows.len() as u64, ENTRIES);
        let (mut revoked, mut held) = (0, 0);
        for no in 1..=ENTRIES {
            let status = state.entry(CertificateNo(no)).unwrap().status;
            revoked += u64::from(matches!(status.life, Life::Revoked(_)));
            assert!(status.holds.len() <= 1, "held twice by one line");
            held += status.holds.len() as u64;
        }
        assert_eq!((revoked, held), (ENTRIES / 3, ENTRIES / 5 - ENTRIES / 15), "seed {seed}");
    }
    assert!(written > 5 && lost > 5 && full > 5, "not lied to enough: {written} {lost} {full}");
}

/// Rivals write between look-up and turn: what doesn't concern the import, what may (other registrations), what does.
#[test]
fn beside_busy_writers_an_import_comes_to_its_end_and_sees_what_they_did() {
    let truth = MemoryLedger::create(&nation::genesis(1));
    let mut batch = Batch::on(truth.head().unwrap());
    nation::add_issuers(&mut batch, 2);
    truth.append(&batch).unwrap();
    let town = Town::on(Box::new(truth.clone()));
    let done = AtomicBool::new(false);
    let rivals = thread::scope(|scope| {
        let rival = scope.spawn(|| {
            let mut turns = 0;
            while !done.load(Ordering::Relaxed) {
                turns += 1;
                rival_turn(&truth, turns);
                thread::yield_now();
            }
            turns
        });
        let imported = town.import(index(), Format::OpensslIndex);
        let again = town.import(index(), Format::OpensslIndex);
        done.store(true, Ordering::Relaxed);
        assert_eq!(imported.unwrap().counts.registered, ENTRIES);
        assert!(again.unwrap().plan.is_empty());
        rival.join().unwrap()
    });
    let state = truth.state();
    assert!(state.complaints.is_empty(), "{:?}", state.complaints);
    assert_eq!(state.rows.len() as u64, ENTRIES + rivals / 3);
}

/// A report, a report, a registration by another CA.
fn rival_turn(ledger: &MemoryLedger, turn: u64) {
    let build = &mut |head: &Head| {
        let mut batch = Batch::on(head.clone());
        if turn.is_multiple_of(3) {
            let certificate = nation::on_card(nation::key(2, turn), turn, Usage::Auth);
            batch.register(nation::actor(Role::Ca(IssuerNo(2))), head.time, vec![certificate]);
        } else {
            let report = Report {
                kind: ReportKind::PhoneLost,
                subject: Subject::Holder(nation::holder(turn)),
                lost_at: None,
                reported_at: head.time,
                moved_to: None,
                evidence: None,
            };
            let actor = nation::actor(Role::CallCentre);
            batch.record(Event { time: head.time, actor, cause: None, body: Body::Reported(report) });
        }
        Ok(batch)
    };
    ledger.append_in_turn(build).unwrap();
}

#[test]
fn a_full_disk_stops_an_import_where_it_can_go_on() {
    let truth = MemoryLedger::create(&nation::genesis(1));
    let mut batch = Batch::on(truth.head().unwrap());
    nation::add_issuers(&mut batch, 2);
    truth.append(&batch).unwrap();
    let liar = LyingLedger::new(truth.clone(), Rng::new(1), Lies { full: 1_000, ..Lies::default() });
    let town = Town::on(Box::new(liar.clone()));
    let refused = town.import(index(), Format::OpensslIndex).unwrap_err();
    assert!(matches!(refused.error, BulkError::Ledger(LedgerError::Full(_))), "{refused:?}");
    liar.set_lies(Lies::default());
    assert_eq!(town.import(index(), Format::OpensslIndex).unwrap().counts.registered, ENTRIES);
}

const SEEDS_MIN: u64 = 12;
const SEEDS_MAX: u64 = 100;
