//! Positions, heads, comparison of heads, all or nothing, pages, wake-ups.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tashika::desk::{Desk, Task};
use tashika::ledger::{Answer, Batch, Head, Heard, Ledger, LedgerError, Settled, Severity, Wanted, settle};
use tashika::model::{
    Body, CertificateNo, Event, HoldKind, IdempotencyKey, IssuerNo, Outcome, Policy, Position, Role, Wish,
};

use crate::nation;
use crate::processes::Process;
use crate::reader::Reader;
use crate::world::World;
use crate::writer::{StopsOthers, append, cards, change, commit, furnish, mark, marker, register};

pub fn positions_are_contiguous_under_concurrent_threads(world: &dyn World) -> Option<()> {
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            scope.spawn(move || {
                let ledger = world.open();
                (0..WRITES).for_each(|number| _ = mark(&*ledger, &format!("{writer}-{number:03}")));
            });
        }
    });
    let ledger = world.open();
    let reader = Reader::of(&*ledger);
    assert_eq!(ledger.head().unwrap(), reader.head);
    let tags = reader.tags();
    for writer in 0..WRITERS {
        let own: Vec<_> = (0..WRITES).map(|number| format!("{writer}-{number:03}")).collect();
        assert!(own.iter().all(|tag| tags.get(tag) == Some(&1)), "each once: {tags:?}");
        let in_order =
            reader.events.iter().filter_map(crate::writer::tag_of).filter(|tag| own.iter().any(|o| o == tag));
        assert!(in_order.is_sorted(), "a writer's own events keep their order");
    }
    Some(())
}

pub fn positions_are_contiguous_under_concurrent_processes(world: &dyn World) -> Option<()> {
    let address = world.address()?;
    let names: Vec<_> = (0..WRITERS).map(|writer| format!("process-{writer}")).collect();
    let processes: Vec<_> = names.iter().map(|name| Process::start(&address, name, WRITES)).collect();
    let acknowledged: Vec<_> = processes.into_iter().map(Process::finish).collect();
    let ledger = world.open();
    let reader = Reader::of(&*ledger);
    assert_eq!(ledger.head().unwrap(), reader.head);
    let tags = reader.tags();
    for (own, name) in acknowledged.iter().zip(&names) {
        assert_eq!(own.len(), WRITES);
        assert!(own.iter().all(|tag| tags.get(tag) == Some(&1)), "{name}: each once: {tags:?}");
    }
    Some(())
}

/// Each of several publishers, each with a handle and a desk of its own, gets numbers that nobody else does, and they rise in
/// the order of events, also where somebody knew of a higher one.
pub fn rounds_of_crls_get_rising_numbers_under_concurrent_publishers(world: &dyn World) -> Option<()> {
    let given = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for publisher in 0..WRITERS as u64 {
            let given = &given;
            scope.spawn(move || {
                let ledger: Arc<dyn Ledger> = Arc::from(world.open());
                let mut desk = Desk::new(ledger.clone(), Policy::default());
                for _ in 0..WRITES {
                    let reader = Reader::of(&*ledger);
                    let (above, read_to) = (numbers(&reader).into_values().max(), Position(reader.events.len() as u64));
                    let task = Task::NumberCrls { actor: nation::person(Role::Ops, publisher), above, read_to };
                    // Where it isn't known whether it was written, the next number is another.
                    let done = (0..100).find_map(|_| desk.one(&task, nation::at(9)).ok());
                    let Some(Outcome::Done { first, .. }) = done else { panic!("a number: {done:?}") };
                    let number = numbers(&Reader::of(&*ledger))[&first];
                    given.lock().unwrap().push(number);
                }
            });
        }
    });
    // A store that is far ahead; whoever comes after has not read of it yet.
    let mut desk = Desk::new(Arc::from(world.open()), Policy::default());
    let reader = Reader::of(&*world.open());
    let (highest, read_to) = (numbers(&reader).into_values().max().unwrap(), Position(reader.events.len() as u64));
    for above in [Some(highest + 1_000_000), None, Some(highest)] {
        let task = Task::NumberCrls { actor: nation::actor(Role::Ops), above, read_to };
        let done = (0..100).find_map(|_| desk.one(&task, nation::at(9)).ok());
        assert!(matches!(done, Some(Outcome::Done { .. })), "{done:?}");
    }
    let all = numbers(&Reader::of(&*world.open()));
    assert!(all.values().is_sorted_by(|one, next| one < next), "{all:?}");
    let given = given.into_inner().unwrap();
    assert_eq!(given.len(), WRITERS * WRITES);
    assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), given.len(), "each once");
    assert!(given.iter().all(|number| all.values().any(|recorded| recorded == number)), "and recorded");
    Some(())
}

/// By event.
fn numbers(reader: &Reader) -> BTreeMap<Position, u64> {
    let number = |(event, at): (&Event, u64)| match event.body {
        Body::CrlsNumbered { number } => Some((Position(at), number)),
        _ => None,
    };
    reader.events.iter().zip(1..).filter_map(number).collect()
}

pub fn the_head_is_where_the_last_batch_led(world: &dyn World) -> Option<()> {
    let (ledger, other) = (world.open(), world.open());
    let genesis = nation::genesis(1);
    assert_eq!(ledger.head().unwrap(), genesis.next);
    furnish(&*ledger, &cards(3));
    let hold = Wish::Hold { kind: HoldKind::Window, lost_at: None, becomes: None };
    let batch = change(&*ledger, &[CertificateNo(2)], nation::at(9), &hold).unwrap();
    for handle in [&ledger, &other] {
        assert_eq!(handle.head().unwrap(), batch.next);
    }
    assert_eq!(batch.next.certificates, 3);
    Some(())
}

pub fn a_batch_on_an_old_head_is_refused(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    let mut late = Batch::on(ledger.head().unwrap());
    late.record(marker("late", nation::at(0)));
    let faster = mark(&*ledger, "faster");
    match ledger.append(&late) {
        Err(LedgerError::Moved { now }) => assert!(now >= faster),
        // A ledger that lies may fail in another way; it may not write.
        other => assert!(other.is_err(), "written on an old head"),
    }
    assert!(!append(&*ledger, &late), "written on an old head");
    assert!(!Reader::of(&*ledger).tags().contains_key("late"));
    Some(())
}

pub fn a_batch_on_another_history_is_refused(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    mark(&*ledger, "first");
    let head = ledger.head().unwrap();
    let mut forked = head.clone();
    forked.link[0] ^= 1;
    let mut later_epoch = head.clone();
    later_epoch.epoch.0 += 1;
    let mut ahead = head.clone();
    ahead.position = ahead.position.next();
    for wrong in [forked, later_epoch, ahead] {
        let mut batch = Batch::on(wrong);
        batch.record(marker("other history", nation::at(0)));
        assert!(!append(&*ledger, &batch));
    }
    assert!(!Reader::of(&*ledger).tags().contains_key("other history"));
    Some(())
}

pub fn one_change_of_one_status_wins(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    furnish(&*ledger, &cards(1));
    let (start, wish) =
        (Barrier::new(WRITERS), Wish::Hold { kind: HoldKind::CallCentre, lost_at: None, becomes: None });
    let written: usize = thread::scope(|scope| {
        let race = || {
            let ledger = world.open();
            start.wait();
            usize::from(change(&*ledger, &[CertificateNo(1)], nation::at(5), &wish).is_some())
        };
        let racers: Vec<_> = (0..WRITERS).map(|_| scope.spawn(race)).collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).sum()
    });
    assert_eq!(written, 1, "the others saw that it was held already");
    let entry = Reader::of(&*ledger).entry(CertificateNo(1)).unwrap();
    assert_eq!(entry.status.holds.len(), 1);
    Some(())
}

pub fn a_batch_is_written_whole_or_not_at_all(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    furnish(&*ledger, &cards(2));
    let key = IdempotencyKey([1; 16]);
    let build = |head, first_serial: u64| {
        let mut batch = Batch::on(head);
        batch.record(marker("before", nation::at(2)));
        let mut certificates = cards(first_serial + 1);
        certificates.drain(..first_serial as usize - 1);
        let first = batch.register(nation::actor(Role::Ca(IssuerNo(1))), nation::at(2), certificates);
        let last = batch.record(marker("after", nation::at(2))).0;
        batch.timers.push((nation::at(50), CertificateNo(1)));
        batch.answers.push((key, Answer { command: [1; 32], outcome: Outcome::Done { first, last } }));
        batch
    };
    // Serial 2 is registered already: the batch fails after its first rows would have been written.
    let before = ledger.head().unwrap();
    for _ in 0..3 {
        assert!(ledger.append(&build(ledger.head().unwrap(), 2)).is_err());
    }
    let reader = Reader::of(&*ledger);
    assert!(!reader.tags().contains_key("before") && !reader.tags().contains_key("after"));
    assert_eq!(ledger.head().unwrap().certificates, before.certificates);
    assert_eq!(ledger.head().unwrap(), reader.head);
    assert_eq!(ledger.rows_from(CertificateNo(1), 10).unwrap().len(), 2);
    assert!(ledger.due(nation::at(100), 10).unwrap().is_empty());
    let wanted = Wanted { answers: vec![key], ..Wanted::default() };
    assert!(ledger.find(&wanted).unwrap().answers.is_empty());

    // The same with certificates that are new is written, with everything in it.
    commit(&*ledger, &Wanted::default(), |found, batch| *batch = build(found.head.clone(), 3)).unwrap();
    assert_eq!(ledger.rows_from(CertificateNo(1), 10).unwrap().len(), 4);
    assert_eq!(ledger.due(nation::at(100), 10).unwrap(), [(nation::at(50), CertificateNo(1))]);
    assert_eq!(ledger.find(&wanted).unwrap().answers.len(), 1);
    assert_eq!(Reader::of(&*ledger).tags().get("after"), Some(&1));
    Some(())
}

pub fn events_are_paged_in_order(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    (0..10).for_each(|number| _ = mark(&*ledger, &format!("{number}")));
    let end = ledger.head().unwrap().position;
    for limit in [1, 3, 1000] {
        let (mut after, mut read) = (Position(0), Vec::new());
        while after < end {
            let page = ledger.events_after(after, limit).unwrap();
            assert!((1..=limit).contains(&page.len()), "a page is neither empty nor over its limit");
            after = page.last().unwrap().position;
            read.extend(page.into_iter().map(|event| event.position.0));
        }
        assert_eq!(read, (1..=end.0).collect::<Vec<_>>());
    }
    assert!(ledger.events_after(end, 10).unwrap().is_empty());
    assert!(ledger.events_after(end.plus(7), 10).unwrap().is_empty());
    assert_eq!(ledger.events_after(Position(0), 1).unwrap()[0], nation::genesis(1).events[0]);
    Some(())
}

/// However busy others are: who has the turn is not overtaken, and may read meanwhile.
pub fn a_turn_keeps_others_from_writing(world: &dyn World) -> Option<()> {
    let stop = AtomicBool::new(false);
    let ledger = world.open();
    thread::scope(|scope| {
        let busy = |writer: usize| {
            let (ledger, stop) = (world.open(), &stop);
            move || {
                (0..).take_while(|_| !stop.load(Ordering::SeqCst)).for_each(|number| {
                    mark(&*ledger, &format!("busy {writer} {number}"));
                })
            }
        };
        let stops = StopsOthers(&stop);
        let writers = [scope.spawn(busy(0)), scope.spawn(busy(1))];
        for turn in 0..5 {
            let tag = format!("turn {turn}");
            let batch = in_turn(&*ledger, &mut |head| {
                thread::sleep(Duration::from_millis(20));
                let found = ledger.find(&Wanted::default())?;
                assert_eq!((&found.head, &ledger.head()?), (head, head), "somebody wrote in another's turn");
                let mut batch = Batch::on(head.clone());
                batch.record(marker(&tag, nation::at(7)));
                Ok(batch)
            });
            assert_eq!(batch.events.len(), 1);
        }
        drop(stops);
        writers.into_iter().for_each(|writer| writer.join().unwrap());
    });
    let tags = Reader::of(&*ledger).tags();
    assert!((0..5).all(|turn| tags.get(&format!("turn {turn}")) == Some(&1)), "{tags:?}");
    assert!(tags.keys().any(|tag| tag.starts_with("busy")), "nobody was busy");
    Some(())
}

/// Takes the turn until it was had: `Moved` is no excuse here.
fn in_turn(ledger: &dyn Ledger, build: &mut dyn FnMut(&Head) -> Result<Batch, LedgerError>) -> Batch {
    for _ in 0..1_000 {
        let mut built = None;
        let result = ledger.append_in_turn(&mut |head| {
            let batch = build(head)?;
            built = Some(batch.clone());
            Ok(batch)
        });
        match (result, built) {
            (Ok(batch), _) => return batch,
            (Err(LedgerError::Uncertain(_)), Some(batch)) => {
                if settle(ledger, &batch).unwrap() == Settled::Written {
                    return batch;
                }
            }
            (Err(LedgerError::Moved { now }), _) => panic!("overtaken in its turn, by {now}"),
            (Err(error), _) => assert_eq!(error.severity(), Severity::Retry, "{error}"),
        }
    }
    panic!("never had its turn");
}

pub fn a_turn_is_given_back_whatever_happens(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    let before = ledger.head().unwrap();
    let refused =
        (0..100).map(|_| ledger.append_in_turn(&mut |_| Err(LedgerError::Settings("changed its mind".into()))));
    // A ledger that lies may fail before it gives the turn.
    let refused = refused.map(Result::unwrap_err).find(|error| error.severity() != Severity::Retry);
    assert!(matches!(refused, Some(LedgerError::Settings(why)) if why == "changed its mind"), "handed on as it is");
    mark(&*ledger, "after a turn that failed");
    let empty = in_turn(&*ledger, &mut |head| Ok(Batch::on(head.clone())));
    assert!(empty.is_empty());
    let died = catch_unwind(AssertUnwindSafe(|| in_turn(&*ledger, &mut |_| resume_unwind(Box::new("died")))));
    assert!(died.is_err());
    mark(&*world.open(), "after a turn that nobody ended");
    assert!(before.position < ledger.head().unwrap().position);
    assert_eq!(Reader::of(&*ledger).head, ledger.head().unwrap());
    Some(())
}

pub fn a_wait_ends_with_anothers_commit_or_at_its_bound(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    let after = ledger.head().unwrap().position;
    // Nothing comes: the bound ends it.
    ledger.wait(after, Duration::from_millis(30)).unwrap();
    // Something is there already.
    let begun = Instant::now();
    mark(&*ledger, "there");
    ledger.wait(after, world.patience()).unwrap();
    // Another handle commits while this one waits.
    let here = ledger.head().unwrap().position;
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let ledger = world.open();
            while ledger.head().unwrap().position <= here {
                ledger.wait(here, world.patience()).unwrap();
            }
        });
        thread::sleep(Duration::from_millis(50));
        let last = register_while_waited_for(world);
        waiter.join().unwrap();
        assert!(last > here);
    });
    assert!(begun.elapsed() < WAKE_MAX, "woken by the bound alone");
    Some(())
}

pub fn a_wait_for_the_inbox_ends_with_a_submission_or_at_its_bound(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    furnish(&*ledger, &cards(1));
    // Nothing comes: it may wake for nothing, but not for ever.
    while ledger.wait_inbox(Duration::from_millis(30)).unwrap() == Heard::Something {}
    // What came while nobody waited isn't missed.
    let begun = Instant::now();
    world.put_in_inbox("{}")?;
    while ledger.inbox(1).unwrap().is_empty() {
        let _ = ledger.wait_inbox(world.patience()).unwrap();
    }
    // A CA submits while this one waits.
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            while ledger.inbox(2).unwrap().len() < 2 {
                let _ = ledger.wait_inbox(world.patience()).unwrap();
            }
        });
        thread::sleep(Duration::from_millis(50));
        world.put_in_inbox("{}").expect("as before");
        waiter.join().unwrap();
    });
    assert!(begun.elapsed() < WAKE_MAX, "woken by the bound alone");
    Some(())
}

fn register_while_waited_for(world: &dyn World) -> Position {
    let ledger = world.open();
    furnish(&*ledger, &cards(1));
    register(&*ledger, &cards(3)[1..]);
    ledger.head().unwrap().position
}

const WRITERS: usize = 4;
const WRITES: usize = 25;
/// Below the patience of an honest world, which therefore has to wake its waiters.
const WAKE_MAX: Duration = Duration::from_secs(30);
