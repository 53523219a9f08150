//! Undoing a false campaign.

use tashika::desk::{Done, Task, Undone, carry_out, waiting};
use tashika::model::{
    Actor, Body, Command, Outcome, Policy, Position, Reason, ReportKind, Role, SetChange, SetRule, SetTarget,
    UndoScope, Verdict,
};

use crate::nation::{actor, at, person};
use crate::office::{Office, all_of, card_of, key_of, phone_of, refusal};

/// Orders an undo and approves it; the desk breaks off after `slices` tasks.
fn undo(office: &mut Office, scope: UndoScope, slices: usize) -> Result<Option<Undone>, tashika::desk::DeskError> {
    let Ok(Outcome::Queued { queued }) = office.command(person(Role::Ops, 1), Command::Undo(scope)) else {
        panic!("an undo waits")
    };
    approve(office, queued, slices)
}

fn approve(office: &mut Office, queued: Position, slices: usize) -> Result<Option<Undone>, tashika::desk::DeskError> {
    let approver = person(Role::Ops, 2);
    let approved = office.command(approver, Command::DecideQueued { queued, verdict: Verdict::Approved })?;
    let (ledger, now, mut left) = (office.ledger.clone(), office.now, slices);
    let mut submit = |task: Task| -> Done {
        left = left.checked_sub(1).expect("broken off");
        office.desk.one(&task, now)
    };
    carry_out(&ledger, &mut submit, &approver, queued, approved, &mut |_, _| {})
}

fn thief() -> Actor {
    actor(Role::CallCentre)
}

fn by_thief() -> UndoScope {
    UndoScope::ByActor { actor: thief(), since: at(0), until: at(86_400) }
}

#[test]
fn a_campaign_is_undone_by_its_sender_and_nothing_else_is_touched() {
    let mut office = Office::open();
    office.report(thief(), ReportKind::CardLost, card_of(1)).unwrap();
    office.report(thief(), ReportKind::PhoneLost, phone_of(2)).unwrap();
    let honest = office.hold(actor(Role::Window(None)), key_of(1));
    let undone = undo(&mut office, by_thief(), 99).unwrap().unwrap();
    assert_eq!((undone.certificates, undone.rejected), (3, 0));
    // One-way profiles too: a card's SIGN is good again when nothing but the campaign held it.
    assert!(office.status(2).is_good() && office.status(6).is_good());
    assert_eq!(office.status(1).holds.iter().map(|hold| hold.id).collect::<Vec<_>>(), [honest]);
    assert!(waiting(&office.ledger).unwrap().is_empty());
}

#[test]
fn a_campaign_is_undone_by_its_cause() {
    let mut office = Office::open();
    let Ok(Outcome::Done { first, .. }) = office.report(thief(), ReportKind::CardLost, card_of(1)) else { panic!() };
    office.report(thief(), ReportKind::CardLost, card_of(2)).unwrap();
    undo(&mut office, UndoScope::Cause(first), 99).unwrap();
    assert!(office.status(1).is_good() && office.status(2).is_good());
    assert!(!office.status(4).is_good(), "another cause");
    let order = (1..=office.position().0).find(|p| matches!(office.event(Position(*p)).body, Body::UndoOrdered(_)));
    let release = office.event(Position(order.unwrap() + 1));
    assert_eq!(release.cause, Some(Position(order.unwrap())), "every release names the order");
}

#[test]
fn what_a_campaign_left_waiting_is_rejected_with_it() {
    let mut office = Office::with(Policy { budget_floor: 1, ..Policy::default() });
    office.hold(thief(), key_of(1));
    office.command(thief(), Command::Hold { key: key_of(2), lost_at: None }).unwrap();
    office.command(thief(), Command::Hold { key: key_of(4), lost_at: None }).unwrap();
    let undone = undo(&mut office, by_thief(), 99).unwrap().unwrap();
    assert_eq!((undone.certificates, undone.rejected), (1, 2));
    assert!(waiting(&office.ledger).unwrap().is_empty());
}

#[test]
fn a_revocation_is_never_undone() {
    let mut office = Office::open();
    office.report(thief(), ReportKind::CardLost, card_of(1)).unwrap();
    let reason = Reason::KeyCompromise;
    office.command(actor(Role::Window(None)), Command::Revoke { key: key_of(1), reason, lost_at: None }).unwrap();
    undo(&mut office, by_thief(), 99).unwrap();
    assert_eq!(office.status(1).revocation().unwrap().reason, Reason::KeyCompromise);
    assert!(office.status(2).is_good());
}

#[test]
fn an_undo_that_broke_off_goes_on_when_it_is_approved_again() {
    let mut office = Office::open();
    for number in 1..=3 {
        office.report(thief(), ReportKind::CardLost, card_of(number)).unwrap();
    }
    let Ok(Outcome::Queued { queued }) = office.command(person(Role::Ops, 1), Command::Undo(by_thief())) else {
        panic!()
    };
    // The approval is recorded, then the process dies before the first slice.
    let approver = person(Role::Ops, 2);
    office.command(approver, Command::DecideQueued { queued, verdict: Verdict::Approved }).unwrap();
    assert_eq!(waiting(&office.ledger).unwrap()[0].queued, queued, "it still waits");
    assert!(!office.status(1).is_good());
    let undone = approve(&mut office, queued, 99).unwrap().unwrap();
    assert_eq!(undone.certificates, 6);
    assert!(office.status(8).is_good());
    assert!(waiting(&office.ledger).unwrap().is_empty());
}

#[test]
fn one_person_undoes_nothing() {
    let mut office = Office::open();
    office.report(thief(), ReportKind::CardLost, all_of(1)).unwrap();
    let ops = person(Role::Ops, 1);
    let Ok(Outcome::Queued { queued }) = office.command(ops, Command::Undo(by_thief())) else { panic!() };
    refusal(office.command(ops, Command::DecideQueued { queued, verdict: Verdict::Approved }));
    assert!(!office.status(1).is_good());
}

#[test]
fn a_false_set_event_is_undone_too() {
    let mut office = Office::with(Policy { sets: SetRule::OnePerson, ..Policy::default() });
    let target = SetTarget::Batch(tashika::model::Batch(1));
    let done = office.command(person(Role::Ops, 7), Command::Set { target, change: SetChange::Held });
    let Ok(Outcome::Done { first, .. }) = done else { panic!("{done:?}") };
    assert!(!office.status(1).is_good());
    let undone = undo(&mut office, UndoScope::Cause(first), 99).unwrap().unwrap();
    assert_eq!(undone.sets, 1);
    assert!(office.status(1).is_good());
}
