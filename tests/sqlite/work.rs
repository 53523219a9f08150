//! Work for a ledger, and proof that none of it is missing afterwards.

use std::ops::ControlFlow;
use std::path::Path;

use tashika::ledger::sqlite::SqliteLedger;
use tashika::ledger::{Batch, Head, Ledger, LedgerError, NewStatus, Wanted};
use tashika::model::{Body, Certificate, Decided, Event, HoldKind, LedgerId, Position, Role, Status, Usage, Wish};

use crate::nation;

/// A new ledger with issuers 1 and 2.
pub fn new_ledger(path: &Path) -> SqliteLedger {
    let ledger = SqliteLedger::create(path, &nation::genesis(1)).unwrap();
    let mut batch = Batch::on(ledger.head().unwrap());
    nation::add_issuers(&mut batch, 2);
    ledger.append(&batch).unwrap();
    ledger
}

/// Card `number`.
pub fn card(number: u64) -> Certificate {
    nation::on_card(nation::key(1, number), number, Usage::Sign)
}

/// Registers the next `count` cards, however often others are faster. Says how many cards there are then.
pub fn register(ledger: &dyn Ledger, count: u64) -> u64 {
    loop {
        let head = ledger.head().unwrap();
        let first = head.certificates + 1;
        let mut batch = Batch::on(head);
        batch.register(nation::actor(Role::Ops), nation::at(1), (first..first + count).map(card).collect());
        match ledger.append(&batch) {
            Ok(()) => return batch.next.certificates,
            Err(LedgerError::Moved { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Opens a hold on card `number`, however often others are faster. Says where it was recorded.
pub fn hold(ledger: &dyn Ledger, number: u64) -> Position {
    decide(ledger, number, &Wish::Hold { kind: HoldKind::Review, lost_at: None, becomes: None })
}

pub fn decide(ledger: &dyn Ledger, number: u64, wish: &Wish) -> Position {
    loop {
        let wanted = Wanted { keys: vec![nation::key(1, number)], ..Wanted::default() };
        let found = ledger.find(&wanted).unwrap();
        let mut batch = Batch::on(found.head);
        let entry = &found.entries[0];
        let Ok(Decided::Do(change)) = entry.status.decide(wish, nation::at(2)) else { panic!("nothing to do") };
        let body = Body::Changed { no: entry.no, key: entry.certificate.key, change: change.clone() };
        let actor = nation::actor(Role::Ops);
        let (position, time) = batch.record(Event { time: nation::at(2), actor, cause: None, body });
        let mut status = entry.status.clone();
        status.apply(&change, position, time, position);
        batch.statuses.push(NewStatus { no: entry.no, status });
        match ledger.append(&batch) {
            Ok(()) => return position,
            Err(LedgerError::Moved { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Reads the whole ledger: its events continue one another up to its head, and the rows, statuses and look-ups are those
/// that the events speak of. Says where it stands.
pub fn check(ledger: &dyn Ledger) -> Head {
    let mut head = Head::before_first(LedgerId(nation::name(9, 1)));
    let mut holds = Vec::new();
    loop {
        let events = ledger.events_after(head.position, 1000).unwrap();
        if events.is_empty() {
            break;
        }
        for sealed in &events {
            let event = head.follow(sealed).unwrap();
            match event.body {
                Body::Changed { no, .. } => holds.push((no, sealed.position)),
                Body::Registered { count, .. } => head.certificates += u64::from(count),
                Body::IssuerAdded(_) | Body::ScopeAdded(_) | Body::SetChanged { .. } => head.book = sealed.position,
                _ => {}
            }
        }
    }
    assert_eq!(head, ledger.head().unwrap());
    let mut numbers = 0;
    let scanned = ledger.scan(&mut |entry| {
        numbers += 1;
        assert_eq!((entry.no.0, &entry.certificate), (numbers, &card(numbers)));
        let mut expected = Status::at_registration(&entry.certificate, Position(0));
        let mine: Vec<_> = holds.iter().filter(|(no, _)| *no == entry.no).map(|(_, position)| *position).collect();
        expected.as_of = mine.last().copied().unwrap_or_default();
        let open: Vec<_> = entry.status.holds.iter().map(|hold| hold.id.0).collect();
        assert_eq!((open, entry.status.as_of), (mine, expected.as_of));
        ControlFlow::Continue(())
    });
    assert_eq!((scanned.unwrap(), numbers), (head.clone(), head.certificates));
    let keys: Vec<_> = (1..=numbers + 1).map(|number| nation::key(1, number)).collect();
    let known = ledger.registered(&keys).unwrap();
    assert!(known.iter().zip(1..=numbers).all(|(known, number)| known.map(|no| no.0) == Some(number)));
    assert_eq!(known.last(), Some(&None));
    for number in (1..=numbers).step_by(97) {
        let wanted = Wanted { holders: vec![nation::holder(number)], ..Wanted::default() };
        let found = ledger.find(&wanted).unwrap().entries;
        assert_eq!(found.iter().map(|entry| entry.no.0).collect::<Vec<_>>(), [number]);
    }
    head
}
