//! The scan: every certificate at one position, whatever is written meanwhile.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tashika::ledger::{Ledger, Wanted};
use tashika::model::{CertificateNo, Decided, Entry, HoldId, HoldKind, LastHold, Reason, Usage, Wish};

use crate::nation;
use crate::reader::Reader;
use crate::world::World;
use crate::writer::{StopsOthers, cards, change, commit, furnish, record_change, register};

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
    let found = ledger.find(&Wanted { numbers, ..Wanted::default() }).unwrap();
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
    let (stop, written) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        let _stops = StopsOthers(&stop);
        for odd in 0..2 {
            let (stop, written) = (&stop, &written);
            scope.spawn(move || write_pairs(world, odd, stop, written));
        }
        let ledger = world.open();
        for round in 0..SCANS {
            let before = written.load(Ordering::SeqCst);
            scan_once(world, &*ledger, round);
            // The next scan is of another state.
            let writes = (0..WRITE_POLLS_MAX).any(|_| {
                thread::sleep(Duration::from_millis(1));
                written.load(Ordering::SeqCst) > before
            });
            assert!(writes, "nobody writes any more");
        }
    });
    Some(())
}

fn scan_once(world: &dyn World, ledger: &dyn Ledger, round: u64) {
    let mut scanned: Vec<Entry> = Vec::new();
    let head = ledger.scan(&mut |entry| {
        if scanned.is_empty() {
            // Written by this very process while the scan is open: must neither block nor be seen.
            let late = nation::on_card(nation::key(2, 1_000 + round), 1_000, Usage::Auth);
            register(&*world.open(), &[late]);
        }
        scanned.push(entry);
        ControlFlow::Continue(())
    });
    let head = head.unwrap();
    let mut reader = Reader::new();
    reader.follow(ledger, head.position.0).unwrap();
    assert_eq!(reader.head, head, "the position that was said is one of the history's");
    assert_eq!(scanned.len() as u64, head.certificates);
    for (scanned, replayed) in scanned.iter().zip(reader.entries()) {
        assert_eq!(scanned.certificate, replayed.certificate);
        assert_eq!((scanned.status.life, &scanned.status.holds), (replayed.status.life, &replayed.status.holds));
    }
    for pair in scanned[..2 * PAIRS as usize].chunks(2) {
        assert_eq!(pair[0].status.holds.len(), pair[1].status.holds.len(), "half of a batch was seen");
    }
}

/// Holds and frees certificates in pairs, both of a pair in one batch, until told to stop.
fn write_pairs(world: &dyn World, odd: u64, stop: &AtomicBool, written: &AtomicU64) {
    let ledger = world.open();
    let hold = Wish::Hold { kind: HoldKind::Window, lost_at: None, becomes: None };
    for round in (0..).take_while(|_| !stop.load(Ordering::SeqCst)) {
        let pair = (2 * round + odd) % PAIRS;
        let numbers = [CertificateNo(2 * pair + 1), CertificateNo(2 * pair + 2)];
        let Some(batch) = change(&*ledger, &numbers, nation::at(5), &hold) else { continue };
        let holds = batch.events.iter().map(|event| HoldId(event.position)).collect::<Vec<_>>();
        let wanted = Wanted { numbers: numbers.to_vec(), ..Wanted::default() };
        commit(&*ledger, &wanted, |found, batch| {
            for (entry, hold) in found.entries.iter().zip(&holds) {
                let wish = Wish::Release { holds: vec![*hold], last: LastHold::MayBeLifted };
                let Ok(Decided::Do(change)) = entry.status.decide(&wish, nation::at(6)) else { continue };
                let (no, key, status) = (entry.no, entry.certificate.key, entry.status.clone());
                record_change(batch, no, key, status, nation::at(6), &change);
            }
        });
        written.fetch_add(1, Ordering::SeqCst);
    }
}

const PAIRS: u64 = 20;
const SCANS: u64 = 5;
/// A minute.
const WRITE_POLLS_MAX: u32 = 60_000;
