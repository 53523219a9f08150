//! What databases, disks, connections and intruders do: nothing acknowledged is lost, nothing appears twice, and what
//! can't be trusted is said to be so.

use std::ops::ControlFlow;

use tashika::ledger::{Answer, Batch, BrokenLink, LedgerError, Settled, Severity, Wanted, settle};
use tashika::model::{CertificateNo, HoldKind, IdempotencyKey, Outcome, Position, Wish};

use crate::nation;
use crate::processes::Process;
use crate::reader::{Reader, broken};
use crate::world::{Corruption, World};
use crate::writer::{append, cards, change, furnish, mark, marker};

pub fn a_connection_lost_after_the_commit_is_found_out(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    for round in 0..5 {
        let breaking = world.breaking_after_commit()?;
        let (mut batch, tag) = (Batch::on(ledger.head().unwrap()), format!("lost {round}"));
        batch.record(marker(&tag, nation::at(5)));
        let error = breaking.append(&batch).expect_err("the connection was lost");
        assert!(matches!(error, LedgerError::Uncertain(_)), "{error}");
        assert_eq!(error.severity(), Severity::Retry);
        // The handle reconnects by itself, and what it finds out is what is true.
        assert_eq!(settle(&*breaking, &batch).unwrap(), Settled::Written);
        assert_eq!(settle(&*ledger, &batch).unwrap(), Settled::Written);
        assert_eq!(ledger.head().unwrap(), batch.next);
        // Sending it again, as somebody would who guesses, doesn't write it twice.
        assert!(!append(&*ledger, &batch));
        assert_eq!(Reader::of(&*ledger).tags().get(&tag), Some(&1));
    }
    let mut never_sent = Batch::on(ledger.head().unwrap());
    never_sent.record(marker("never sent", nation::at(5)));
    assert_eq!(settle(&*ledger, &never_sent).unwrap(), Settled::NotWritten);
    mark(&*ledger, "instead");
    assert_eq!(settle(&*ledger, &never_sent).unwrap(), Settled::NotWritten, "another event stands in its place");
    Some(())
}

/// Two writers that decide the same at the same second seal the very same event. Only one of them has written it.
pub fn a_twin_of_a_lost_batch_is_not_taken_for_it(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    mark(&*ledger, "before");
    let head = ledger.head().unwrap();
    let twin = |key: u8| {
        let mut batch = Batch::on(head.clone());
        let at = batch.record(marker("twins", nation::at(5))).0;
        let answer = Answer { command: [key; 32], outcome: Outcome::Done { first: at, last: at } };
        batch.answers.push((IdempotencyKey([key; 16]), answer));
        batch
    };
    let (lost, written) = (twin(1), twin(2));
    assert_eq!(lost.events, written.events);
    if !append(&*ledger, &written) {
        // Another writer was let in between, and neither can be written any more.
        assert_eq!(settle(&*ledger, &written).unwrap(), Settled::NotWritten);
    }
    assert_eq!(settle(&*ledger, &lost).unwrap(), Settled::NotWritten);
    Some(())
}

pub fn a_killed_writer_loses_nothing_acknowledged(world: &dyn World) -> Option<()> {
    let address = world.address()?;
    for round in 0..KILLS {
        // Two at once, so that one dies while the other goes on.
        let survivor = Process::start(&address, &format!("survivor-{round}"), 40);
        let mut victim = Process::start(&address, &format!("victim-{round}"), usize::MAX);
        victim.wait_for(3 + 5 * round);
        let (killed, survived) = (victim.kill(), survivor.finish());
        all_there(world, &[killed, survived].concat());
    }
    // And whoever comes next can write.
    mark(&*world.open(), "afterwards");
    Some(())
}

pub fn a_killed_server_loses_nothing_acknowledged(world: &dyn World) -> Option<()> {
    world.address()?;
    // Idle first: a world without a server says so here.
    world.kill()?;
    world.revive();
    for round in 0..KILLS {
        // A server that was started again may listen elsewhere.
        let address = world.address()?;
        let mut writers: Vec<_> =
            (0..4).map(|writer| Process::start(&address, &format!("writer-{round}-{writer}"), usize::MAX)).collect();
        writers.iter_mut().for_each(|writer| writer.wait_for(5 + 5 * round));
        world.kill()?;
        let acknowledged: Vec<_> = writers.into_iter().flat_map(Process::kill).collect();
        world.revive();
        all_there(world, &acknowledged);
        mark(&*world.open(), &format!("after kill {round}"));
    }
    Some(())
}

/// What was acknowledged is there, once; what is there is whole.
fn all_there(world: &dyn World, acknowledged: &[String]) {
    let ledger = world.open();
    let reader = Reader::of(&*ledger);
    assert_eq!(ledger.head().unwrap(), reader.head);
    let tags = reader.tags();
    for tag in acknowledged {
        assert_eq!(tags.get(tag), Some(&1), "{tag} was acknowledged");
    }
    assert!(tags.values().all(|times| *times == 1), "something appears twice: {tags:?}");
}

pub fn a_full_disk_refuses_and_loses_nothing(world: &dyn World) -> Option<()> {
    let ledger = world.filling_up()?;
    let (mut acknowledged, mut refused) = (Vec::new(), Vec::new());
    for number in 0..FILLING_APPENDS_MAX {
        let tag = format!("{number:05} {}", "filler ".repeat(500));
        let mut batch = Batch::on(ledger.head().unwrap());
        batch.record(marker(&tag, nation::at(5)));
        match ledger.append(&batch) {
            Ok(()) => acknowledged.push(tag),
            Err(error) => {
                assert!(matches!(error, LedgerError::Full(_)), "{error}");
                assert_eq!(error.severity(), Severity::Retry);
                refused.push(tag);
            }
        }
        if refused.len() >= 3 {
            break;
        }
    }
    assert!(!refused.is_empty(), "it never ran full");
    let holds = |ledger: &dyn tashika::ledger::Ledger| {
        let (reader, head) = (Reader::of(ledger), ledger.head().unwrap());
        assert_eq!(reader.head, head, "still read to its end");
        let tags = reader.tags();
        assert!(acknowledged.iter().all(|tag| tags.get(tag) == Some(&1)), "something acknowledged is lost");
        assert!(refused.iter().all(|tag| !tags.contains_key(tag)), "something refused was written");
    };
    holds(&*ledger);
    world.make_room();
    drop(ledger);
    mark(&*world.open(), "there is space again");
    holds(&*world.open());
    Some(())
}

/// Certificate 1 is held, so that it has a status of its own; event 2 is its issuer's.
fn something_to_corrupt(world: &dyn World) {
    let ledger = world.open();
    furnish(&*ledger, &cards(3));
    let hold = Wish::Hold { kind: HoldKind::Window, lost_at: None, becomes: None };
    change(&*ledger, &[CertificateNo(1)], nation::at(9), &hold).unwrap();
}

pub fn a_corrupted_event_is_noticed(world: &dyn World) -> Option<()> {
    something_to_corrupt(world);
    world.corrupt(Corruption::Event)?;
    let ledger = world.open();
    let error = Reader::new().follow(&*ledger, u64::MAX).expect_err("event 2 was altered");
    assert_eq!(error.severity(), Severity::Fatal);
    match error {
        LedgerError::Damaged(_) => {}
        other => assert!(matches!(broken(other), BrokenLink::Forked(Position(2)))),
    }
    Some(())
}

pub fn a_corrupted_row_is_damage(world: &dyn World) -> Option<()> {
    something_to_corrupt(world);
    world.corrupt(Corruption::Row)?;
    certificate_1_is_damaged(world);
    Some(())
}

pub fn a_corrupted_status_is_damage(world: &dyn World) -> Option<()> {
    something_to_corrupt(world);
    world.corrupt(Corruption::Status)?;
    certificate_1_is_damaged(world);
    Some(())
}

/// Both ways to read it say so, rather than leave it out or take it for good.
fn certificate_1_is_damaged(world: &dyn World) {
    let ledger = world.open();
    let wanted = Wanted { numbers: vec![CertificateNo(1)], ..Wanted::default() };
    let error = ledger.find(&wanted).expect_err("what is stored can't be read");
    assert!(matches!(error, LedgerError::Damaged(_)), "{error}");
    assert_eq!(error.severity(), Severity::Fatal);
    let error = ledger.scan(&mut |_| ControlFlow::Continue(())).expect_err("what is stored can't be read");
    assert!(matches!(error, LedgerError::Damaged(_)), "{error}");
}

pub fn a_forked_copy_is_noticed_by_a_reader(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    (0..5).for_each(|number| _ = mark(&*ledger, &format!("common {number}")));
    let copy = world.fork()?;
    let mut reader = Reader::of(&*ledger);
    reader.follow(&*copy, u64::MAX).expect("until here the histories agree");
    // Each goes its own way, and the copy further.
    mark(&*ledger, "on the original");
    (0..3).for_each(|number| _ = mark(&*copy, &format!("on the copy {number}")));
    reader.follow(&*ledger, u64::MAX).unwrap();
    let here = reader.head.position;
    let error = reader.follow(&*copy, u64::MAX).expect_err("the copy's events don't continue the original's");
    assert_eq!(error.severity(), Severity::Fatal);
    assert!(matches!(broken(error), BrokenLink::Forked(position) if position == here.next()));
    assert_eq!(reader.head.position, here, "and nothing of it was taken in");
    // A writer that decided on the original can't write to the copy.
    let mut batch = Batch::on(ledger.head().unwrap());
    batch.record(marker("stray", nation::at(5)));
    assert!(!append(&*copy, &batch));
    Some(())
}

pub fn a_newer_schema_is_left_alone(world: &dyn World) -> Option<()> {
    mark(&*world.open(), "before");
    match world.open_from_the_future()?.err().expect("a newer schema is not opened") {
        LedgerError::SchemaNewer { found, known } => assert!(found > known),
        other => panic!("{other}"),
    }
    Some(())
}

pub fn what_is_no_ledger_is_said_to_be_none(world: &dyn World) -> Option<()> {
    let error = world.open_rubbish()?.err().expect("rubbish is not opened");
    assert!(matches!(error, LedgerError::Damaged(_) | LedgerError::Missing(_) | LedgerError::Strange(_)), "{error}");
    assert_eq!(error.to_string().lines().count(), 1, "one line: {error}");
    Some(())
}

pub fn what_is_not_there_is_missing(world: &dyn World) -> Option<()> {
    let error = world.open_nothing()?.err().expect("nothing is not opened");
    assert!(matches!(error, LedgerError::Missing(_)), "{error}");
    assert_eq!(error.severity(), Severity::Reject);
    // Looking for it didn't make it.
    assert!(matches!(world.open_nothing()?.err(), Some(LedgerError::Missing(_))));
    Some(())
}

pub fn a_ledger_is_not_made_twice(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    mark(&*ledger, "first");
    let error = world.create_again()?.err().expect("it exists");
    assert!(matches!(error, LedgerError::Exists(_)), "{error}");
    assert_eq!(Reader::of(&*ledger).tags().get("first"), Some(&1));
    mark(&*world.open(), "second");
    Some(())
}

const KILLS: usize = 4;
/// Times some kilobytes: beyond any room that a world leaves.
const FILLING_APPENDS_MAX: u32 = 20_000;
