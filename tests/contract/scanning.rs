//! The scan: every certificate at one position, whatever is written meanwhile.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tashika::model::{CertificateNo, Entry, HoldId, HoldKind, LastHold, Reason, Wish};

use crate::nation;
use crate::reader::Reader;
use crate::world::World;
use crate::writer::{cards, change, furnish, register};

pub fn a_scan_tells_what_a_search_tells(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    furnish(&*ledger, &cards(300));
    let hold = Wish::Hold { kind: HoldKind::CallCentre, lost_at: None, becomes: None };
    let end = Wish::Revoke { reason: Reason::KeyCompromise, lost_at: Some(nation::at(-5)) };
    let every = |step: usize| (1..=300).step_by(step).map(CertificateNo).collect::<Vec<_>>();
    change(&*ledger, &every(7), nation::at(3), &hold).unwrap();
    change(&*ledger, &every(11), nation::at(4), &end).unwrap();
    let mut scanned = Vec::new();
    let head = ledger.scan(&mut |entry| {
        scanned.push(entry);
        ControlFlow::Continue(())
    });
    assert_eq!(head.unwrap(), ledger.head().unwrap());
    assert!(scanned.iter().map(|entry| entry.no.0).eq(1..=300), "by number, each once");
    let numbers = every(1);
    let found = ledger.find(&tashika::ledger::Wanted { numbers, ..Default::default() }).unwrap();
    assert_eq!(scanned, found.entries);
    Some(())
}

pub fn a_scan_stops_when_told_to(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    furnish(&*ledger, &cards(50));
    let mut seen = 0;
    let head = ledger.scan(&mut |_| {
        seen += 1;
        if seen == 7 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!((seen, head.unwrap()), (7, ledger.head().unwrap()));
    // And leaves nothing behind that would stop a writer.
    register(&*ledger, &cards(51)[50..]);
    Some(())
}

pub fn a_scan_is_consistent_while_writers_go_on(world: &dyn World) -> Option<()> {
    furnish(&*world.open(), &cards(2 * PAIRS));
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..2)
            .map(|odd| {
                scope.spawn({
                    let stop = &stop;
                    move || write_pairs(world, odd, stop)
                })
            })
            .collect();
        let ledger = world.open();
        for round in 0..SCANS {
            let mut scanned: Vec<Entry> = Vec::new();
            let mut grown = false;
            let head = ledger.scan(&mut |entry| {
                if !grown {
                    // Written by this very process while the scan is open: must neither block nor be seen.
                    let late = nation::on_card(nation::key(2, 1_000 + round), 1_000, tashika::model::Usage::Auth);
                    register(&*world.open(), &[late]);
                    grown = true;
                }
                scanned.push(entry);
                ControlFlow::Continue(())
            });
            let head = head.unwrap();
            let mut reader = Reader::new();
            reader.follow(&*ledger, head.position.0).unwrap();
            assert_eq!(reader.head, head, "the position that was said is one of the history's");
            assert_eq!(scanned.len() as u64, head.certificates);
            for (scanned, replayed) in scanned.iter().zip(reader.entries()) {
                assert_eq!(scanned.certificate, replayed.certificate);
                assert_eq!(
                    (scanned.status.life, &scanned.status.holds),
                    (replayed.status.life, &replayed.status.holds)
                );
            }
            for pair in scanned[..2 * PAIRS as usize].chunks(2) {
                assert_eq!(pair[0].status.holds.len(), pair[1].status.holds.len(), "half of a batch was seen");
            }
        }
        stop.store(true, Ordering::SeqCst);
        assert!(writers.into_iter().map(|writer| writer.join().unwrap()).sum::<u64>() > 0, "nobody wrote meanwhile");
    });
    Some(())
}

/// Holds and frees certificates in pairs, both of a pair in one batch, until told to stop.
fn write_pairs(world: &dyn World, odd: u64, stop: &AtomicBool) -> u64 {
    let ledger = world.open();
    let (hold, mut written) = (Wish::Hold { kind: HoldKind::Window, lost_at: None, becomes: None }, 0);
    for round in 0.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let pair = (2 * round + odd) % PAIRS;
        let numbers = [CertificateNo(2 * pair + 1), CertificateNo(2 * pair + 2)];
        let Some(batch) = change(&*ledger, &numbers, nation::at(5), &hold) else { continue };
        let holds = batch.events.iter().map(|event| HoldId(event.position)).collect::<Vec<_>>();
        crate::writer::commit(&*ledger, &wanted(&numbers), |found, batch| {
            for (entry, hold) in found.entries.iter().zip(&holds) {
                let wish = Wish::Release { holds: vec![*hold], last: LastHold::MayBeLifted };
                let Ok(tashika::model::Decided::Do(change)) = entry.status.decide(&wish, nation::at(6)) else {
                    continue;
                };
                let (no, key, status) = (entry.no, entry.certificate.key, entry.status.clone());
                crate::writer::record_change(batch, no, key, status, nation::at(6), &change);
            }
        });
        written += 2;
    }
    written
}

fn wanted(numbers: &[CertificateNo]) -> tashika::ledger::Wanted {
    tashika::ledger::Wanted { numbers: numbers.to_vec(), ..Default::default() }
}

const PAIRS: u64 = 20;
const SCANS: u64 = 5;
