//! Timers, the queue, answers, budgets, the inbox, heartbeats, leases, upkeep.

use std::thread;

use tashika::ledger::{Answer, Batch, Found, InboxResult, Lease, Ledger, Upkeep, Wanted};
use tashika::model::{
    Actor, Body, BudgetKey, CertificateNo, Command, Event, IdempotencyKey, IssuerNo, Millis, NodeId, Outcome, Position,
    Request, Role, UndoScope, Verdict, WhyQueued,
};

use crate::nation;
use crate::reader::Reader;
use crate::world::World;
use crate::writer::{append, cards, commit, furnish, mark, marker};

/// Records a marker with something beside it.
fn with_marker(ledger: &dyn Ledger, beside: impl Fn(&mut Batch, Position)) -> Batch {
    let fill = |found: &Found, batch: &mut Batch| {
        let (position, _) = batch.record(marker("beside", found.head.time));
        beside(batch, position);
    };
    commit(ledger, &Wanted::default(), fill).expect("an event")
}

pub fn timers_come_due_in_order_and_are_done_once(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    furnish(&*ledger, &cards(3));
    let timer = |seconds, no| (nation::at(seconds), CertificateNo(no));
    let set = [timer(300, 1), timer(100, 3), timer(100, 2), timer(200, 2), timer(-86_400, 1)];
    with_marker(&*ledger, |batch, _| batch.timers.extend(set));
    // Setting one twice is setting it once.
    with_marker(&*ledger, |batch, _| batch.timers.push(set[0]));
    assert!(ledger.due(nation::at(-86_401), 10).unwrap().is_empty());
    assert_eq!(ledger.due(nation::at(99), 10).unwrap(), [timer(-86_400, 1)]);
    let in_order = [timer(-86_400, 1), timer(100, 2), timer(100, 3), timer(200, 2), timer(300, 1)];
    assert_eq!(ledger.due(nation::at(100), 10).unwrap(), in_order[..3], "due at its very second");
    assert_eq!(ledger.due(nation::at(5_000), 2).unwrap(), in_order[..2]);
    assert_eq!(ledger.due(nation::at(5_000), 10).unwrap(), in_order);
    // Looked at without any event following from it: a batch may consist of that alone.
    let fill = |_: &Found, batch: &mut Batch| batch.timers_done.extend([in_order[1], in_order[3]]);
    commit(&*ledger, &Wanted::default(), fill).unwrap();
    assert_eq!(ledger.due(nation::at(5_000), 10).unwrap(), [in_order[0], in_order[2], in_order[4]]);
    // Done and set again in one batch: it is set.
    with_marker(&*ledger, |batch, _| {
        batch.timers_done.extend([in_order[0], in_order[2]]);
        batch.timers.extend([timer(250, 3), in_order[2]]);
    });
    assert_eq!(ledger.due(nation::at(5_000), 10).unwrap(), [in_order[2], timer(250, 3), in_order[4]]);
    assert_eq!(ledger.head().unwrap(), Reader::of(&*ledger).head);
    Some(())
}

pub fn the_queue_says_what_waits(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    let actor = nation::actor(Role::Ops);
    let wait = |ledger: &dyn Ledger| {
        let command = Command::Undo(UndoScope::Cause(Position(1)));
        let request = Box::new(Request { actor, command, idempotency: None });
        let body = Body::Queued { request, why: WhyQueued::TwoPeople };
        let event = Event { time: nation::at(5), actor, cause: None, body };
        commit(ledger, &Wanted::default(), |_, batch| _ = batch.record(event.clone())).unwrap().next.position
    };
    let decide = |queued: Position, verdict: Verdict| {
        let actor = nation::person(Role::Ops, 2);
        let event = Event { time: nation::at(6), actor, cause: None, body: Body::QueueDecided { queued, verdict } };
        commit(&*ledger, &Wanted::default(), |_, batch| _ = batch.record(event.clone())).unwrap();
    };
    assert!(ledger.queue().unwrap().is_empty());
    let (first, second, third) = (wait(&*ledger), wait(&*world.open()), wait(&*ledger));
    assert_eq!(ledger.queue().unwrap(), [first, second, third]);
    decide(second, Verdict::Approved);
    assert_eq!(ledger.queue().unwrap(), [first, third]);
    decide(first, Verdict::Rejected);
    decide(third, Verdict::Approved);
    assert!(world.open().queue().unwrap().is_empty());
    Some(())
}

pub fn an_answer_is_kept_and_not_overwritten(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    let (key, other) = (IdempotencyKey([7; 16]), IdempotencyKey([8; 16]));
    let fill = |batch: &mut Batch, at: Position| {
        let outcome = Outcome::Done { first: at, last: at };
        batch.answers.push((key, Answer { command: [1; 32], outcome }));
    };
    let first = with_marker(&*ledger, fill).answers;
    let wanted = Wanted { answers: vec![other, key], ..Wanted::default() };
    assert_eq!(world.open().find(&wanted).unwrap().answers, first);
    // A second answer under the same name is refused with all that comes with it.
    for _ in 0..3 {
        let mut batch = Batch::on(ledger.head().unwrap());
        let at = batch.record(marker("overwritten", nation::at(9))).0;
        batch.answers.push((key, Answer { command: [2; 32], outcome: Outcome::Done { first: at, last: at } }));
        assert!(ledger.append(&batch).is_err());
    }
    assert_eq!(ledger.find(&wanted).unwrap().answers, first);
    assert!(!Reader::of(&*ledger).tags().contains_key("overwritten"));
    // Every outcome comes back as it was given.
    let fill = |batch: &mut Batch, _| {
        batch.answers.push((other, Answer { command: [3; 32], outcome: Outcome::AlreadySo }));
    };
    let second = with_marker(&*ledger, fill).answers;
    let mut both = ledger.find(&wanted).unwrap().answers;
    both.sort_by_key(|(key, _)| *key);
    assert_eq!(both, [first[0], second[0]]);
    Some(())
}

/// What was so already is answered without an event, so the head can't tell two writers apart: the answer must.
pub fn one_answer_without_an_event_wins(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    mark(&*ledger, "something");
    let key = IdempotencyKey([3; 16]);
    let answer = |command| (key, Answer { command: [command; 32], outcome: Outcome::AlreadySo });
    let wanted = Wanted { answers: vec![key], ..Wanted::default() };
    commit(&*ledger, &wanted, |found, batch| {
        if found.answers.is_empty() {
            batch.answers.push(answer(1));
        }
    });
    // Another decided on the same head, before that was written.
    let mut second = Batch::on(ledger.head().unwrap());
    second.answers.push(answer(2));
    assert!(!append(&*world.open(), &second), "not moved, so nobody would decide again");
    assert_eq!(ledger.find(&wanted).unwrap().answers, [answer(1)]);
    Some(())
}

pub fn budgets_count_the_hour_and_the_peak_of_four_weeks(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    let (key, other) = (BudgetKey("call-centre hold".into()), BudgetKey("carrier:mno-a hold".into()));
    let hour = nation::at(0).japan_hour();
    let mut used = vec![(key.clone(), hour, 4), (other.clone(), hour, 90)];
    // Yesterday and four weeks ago at this hour count for the peak; the hour before, and five weeks ago, don't.
    for (days, count) in [(1, 20), (28, 31), (29, 1_000), (35, 2_000)] {
        used.push((key.clone(), hour - 24 * days, count));
    }
    used.push((key.clone(), hour - 1, 500));
    used.push((key.clone(), hour + 24, 700));
    with_marker(&*ledger, |batch, _| batch.budgets.extend(used.iter().cloned()));
    with_marker(&*world.open(), |batch, _| batch.budgets.push((key.clone(), hour, 3)));
    let ask = |key: &BudgetKey, hour| {
        let found = ledger.find(&Wanted { budgets: vec![key.clone()], hour, ..Wanted::default() }).unwrap();
        assert!(found.budgets.iter().all(|(named, _)| named == key), "only what was asked for");
        let budget = found.budgets.first().map_or_else(Default::default, |(_, budget)| *budget);
        (budget.this_hour, budget.peak)
    };
    assert_eq!(ask(&key, hour), (7, 31));
    assert_eq!(ask(&key, hour + 1), (0, 0));
    assert_eq!(ask(&key, hour + 24), (700, 20));
    assert_eq!(ask(&key, hour - 1), (500, 0));
    assert_eq!(ask(&key, hour - 24), (20, 1_000));
    assert_eq!(ask(&other, hour), (90, 0));
    assert_eq!(ask(&BudgetKey("nobody".into()), hour), (0, 0));
    Some(())
}

pub fn the_inbox_is_decided_once(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    furnish(&*ledger, &cards(1));
    assert!(ledger.inbox(10).unwrap().is_empty());
    let commands = [r#"{"a":1}"#, r#"{"b":2}"#, r#"{"c":3}"#];
    let numbers: Vec<_> = commands.iter().map(|command| world.put_in_inbox(command)).collect::<Option<_>>()?;
    let waiting = ledger.inbox(10).unwrap();
    assert_eq!(waiting.iter().map(|item| item.no).collect::<Vec<_>>(), numbers, "oldest first");
    for (item, command) in waiting.iter().zip(commands) {
        let (is, should_be) = (&item.command, command);
        let plain = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        assert_eq!((plain(is), item.issuer), (plain(should_be), IssuerNo(1)));
    }
    assert_eq!(ledger.inbox(2).unwrap(), waiting[..2]);
    with_marker(&*ledger, |batch, at| batch.inbox.push((numbers[0], InboxResult::Done { first: at, last: at })));
    let refuse = |_: &Found, batch: &mut Batch| {
        let (actor, why) = (system(), "nothing of that name".to_owned());
        let body = Body::InboxRefused { inbox: numbers[1], why: why.clone() };
        let (at, _) = batch.record(Event { time: nation::at(9), actor, cause: None, body });
        batch.inbox.push((numbers[1], InboxResult::Refused { at, why }));
    };
    commit(&*ledger, &Wanted::default(), refuse).unwrap();
    assert_eq!(world.open().inbox(10).unwrap(), waiting[2..]);
    Some(())
}

fn system() -> Actor {
    nation::actor(Role::System)
}

pub fn a_heartbeat_never_goes_back(world: &dyn World) -> Option<()> {
    let (ledger, other) = (world.open(), world.open());
    assert_eq!(ledger.heartbeat().unwrap(), None);
    let first = ledger.beat(nation::at(100)).unwrap();
    let head = ledger.head().unwrap();
    assert_eq!((first.epoch, first.position, first.link), (head.epoch, head.position, head.link));
    assert_eq!(first.time, nation::at(100));
    assert_eq!(other.heartbeat().unwrap(), Some(first.clone()));
    assert_eq!(other.beat(nation::at(40)).unwrap().time, nation::at(100), "another's slower clock");
    assert_eq!(ledger.beat(nation::at(101)).unwrap().time, nation::at(101));
    // An event dated later than any heartbeat.
    let mut batch = Batch::on(ledger.head().unwrap());
    loop {
        batch.record(marker("ahead", nation::at(5_000)));
        if append(&*ledger, &batch) {
            break;
        }
        batch = Batch::on(ledger.head().unwrap());
    }
    let after = ledger.beat(nation::at(102)).unwrap();
    assert_eq!((after.time, after.position), (nation::at(5_000), ledger.head().unwrap().position));
    mark(&*ledger, "one more");
    assert_eq!(ledger.heartbeat().unwrap(), Some(after), "only a heartbeat moves the heartbeat");
    Some(())
}

pub fn no_event_is_dated_before_a_heartbeat(world: &dyn World) -> Option<()> {
    let (ledger, other) = (world.open(), world.open());
    let mut decided = Batch::on(ledger.head().unwrap());
    decided.record(marker("late", nation::at(150)));
    let beaten = other.beat(nation::at(200)).unwrap();
    assert_eq!(beaten.time, nation::at(200));
    assert!(!append(&*ledger, &decided), "decided before the heartbeat, and dated before it");
    // One without events is held to the same: it would take the time back.
    let mut answered = decided.clone();
    answered.next = answered.at.clone();
    answered.events.clear();
    answered.answers.push((IdempotencyKey([7; 16]), Answer { command: [1; 32], outcome: Outcome::AlreadySo }));
    assert!(!append(&*ledger, &answered));
    let mut again = Batch::on(ledger.head().unwrap());
    let (_, dated) = again.record(marker("late", nation::at(150)));
    assert_eq!(dated, nation::at(200), "this clock is slow");
    // The fake may say that it moved though nothing did; then it is tried again.
    while !append(&*ledger, &again) {
        again = Batch::on(ledger.head().unwrap());
        again.record(marker("late", nation::at(150)));
    }
    assert_eq!(ledger.beat(nation::at(160)).unwrap().time, nation::at(200));
    Some(())
}

pub fn a_lease_is_taken_over_after_its_end_and_not_before(world: &dyn World) -> Option<()> {
    let (ledger, other) = (world.open(), world.open());
    let (mine, theirs) = (NodeId([1; 16]), NodeId([2; 16]));
    let (term_ms, start) = (900, Millis(nation::NOON * 1_000));
    let until = |ms| Lease::Mine { until: start.plus(ms) };
    let held_by = |node, ms| Lease::Others { node, until: start.plus(ms) };
    assert_eq!(ledger.lease("sequencer", mine, start, term_ms).unwrap(), until(900));
    assert_eq!(other.lease("sequencer", theirs, start.plus(899), term_ms).unwrap(), held_by(mine, 900));
    assert_eq!(other.lease("publisher", theirs, start.plus(899), term_ms).unwrap(), until(1_799), "another lease");
    assert_eq!(ledger.lease("sequencer", mine, start.plus(500), term_ms).unwrap(), until(1_400), "renewed");
    assert_eq!(other.lease("sequencer", theirs, start.plus(901), term_ms).unwrap(), held_by(mine, 1_400));
    assert_eq!(other.lease("sequencer", theirs, start.plus(1_400), term_ms).unwrap(), until(2_300), "it ended, sharp");
    assert_eq!(ledger.lease("sequencer", mine, start.plus(1_401), term_ms).unwrap(), held_by(theirs, 2_300));
    // Giving back what one doesn't hold changes nothing; giving back what one holds frees it at once.
    ledger.release_lease("sequencer", mine).unwrap();
    assert_eq!(ledger.lease("sequencer", mine, start.plus(1_402), term_ms).unwrap(), held_by(theirs, 2_300));
    other.release_lease("sequencer", theirs).unwrap();
    assert_eq!(ledger.lease("sequencer", mine, start.plus(1_403), term_ms).unwrap(), until(2_303));
    Some(())
}

/// Any number of nodes may ask at once: one of them leads.
pub fn a_lease_has_one_holder_under_concurrent_nodes(world: &dyn World) -> Option<()> {
    let start = Millis(nation::NOON * 1_000);
    for round in 0..5 {
        let now = start.plus(round * 1_000);
        let leaders: Vec<_> = thread::scope(|scope| {
            let ask = |node: u8| world.open().lease("sequencer", NodeId([node; 16]), now, 900).unwrap();
            let nodes: Vec<_> = (0..4).map(|node| scope.spawn(move || ask(node))).collect();
            nodes.into_iter().map(|node| node.join().unwrap()).collect()
        });
        let leading = leaders.iter().filter(|lease| matches!(lease, Lease::Mine { .. })).count();
        assert_eq!(leading, 1, "{leaders:?}");
    }
    Some(())
}

pub fn upkeep_comes_to_an_end(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    furnish(&*ledger, &cards(500));
    let slices = (0..1_000).take_while(|_| ledger.upkeep().unwrap() == Upkeep::More).count();
    assert!(slices < 1_000, "upkeep without an end");
    // And changes nothing that anybody can see.
    let reader = Reader::of(&*ledger);
    assert_eq!(reader.head, ledger.head().unwrap());
    let wanted = Wanted { numbers: (1..=500).map(CertificateNo).collect(), ..Wanted::default() };
    let found = ledger.find(&wanted).unwrap().entries;
    assert_eq!(found.len(), 500);
    assert!(found.iter().zip(reader.entries()).all(|(found, read)| found.certificate == read.certificate));
    Some(())
}
