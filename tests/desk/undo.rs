//! Undoing a false campaign.

use tashika::desk::{Done, Preview, Task, Undone, carry_out, waiting};
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
    let preview = Preview::of(&office.ledger, &by_thief()).unwrap();
    assert_eq!(preview, Preview { certificates: 1, holds: 1, revoked: 1, sets: 0, waiting: 0 });
    let undone = undo(&mut office, by_thief(), 99).unwrap().unwrap();
    assert_eq!((undone.certificates, undone.holds), (1, 1), "what was lifted, not what was looked at");
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

#[test]
fn an_undo_that_would_find_nothing_is_refused_at_once() {
    let mut office = Office::open();
    let ops = person(Role::Ops, 1);
    office.hold(actor(Role::Window(None)), key_of(1));
    let honest = office.position();
    let other = UndoScope::ByActor { actor: person(Role::CallCentre, 99), since: at(0), until: at(86_400) };
    let said = refusal(office.command(ops, Command::Undo(other)));
    assert!(said.contains("nothing to undo"), "{said}");
    for missing in [Position(0), honest.next()] {
        let said = refusal(office.command(ops, Command::Undo(UndoScope::Cause(missing))));
        assert!(said.contains(&format!("no event {missing}")), "{said}");
    }
    refusal(office.command(ops, Command::Undo(UndoScope::Cause(Position(1)))));
    // All that it did is revoked, or lifted already.
    let reason = Reason::KeyCompromise;
    office.hold(thief(), key_of(5));
    office.command(actor(Role::Window(None)), Command::Revoke { key: key_of(5), reason, lost_at: None }).unwrap();
    let hold = office.hold(thief(), key_of(3));
    let lift = Command::Release { key: key_of(3), holds: vec![hold] };
    office.command(actor(Role::Window(None)), lift).unwrap();
    let said = refusal(office.command(ops, Command::Undo(by_thief())));
    assert!(said.contains("1 certificate that it held was revoked"), "{said}");
    assert!(waiting(&office.ledger).unwrap().is_empty(), "nothing of it waits");
}

#[test]
fn an_undo_is_ordered_once() {
    let mut office = Office::open();
    office.report(thief(), ReportKind::CardLost, card_of(1)).unwrap();
    let order = |office: &mut Office, number| match office.command(person(Role::Ops, number), Command::Undo(by_thief()))
    {
        Ok(Outcome::Queued { queued }) => queued,
        other => panic!("{other:?}"),
    };
    let first = order(&mut office, 1);
    assert_eq!(order(&mut office, 1), first);
    assert_eq!(order(&mut office, 3), first, "whoever orders it");
    let approval = Command::DecideQueued { queued: first, verdict: Verdict::Approved };
    office.command(person(Role::Ops, 2), approval).unwrap();
    assert_eq!(order(&mut office, 4), first, "approved, and not yet carried out");
    approve(&mut office, first, 99).unwrap();
    assert!(refusal(office.command(person(Role::Ops, 1), Command::Undo(by_thief()))).contains("nothing to undo"));
}

#[test]
fn what_followed_from_a_cause_by_way_of_a_second_person_is_undone_with_it() {
    let mut office = Office::with(Policy { budget_floor: 0, ..Policy::default() });
    let done = office.report(thief(), ReportKind::CardLost, card_of(1));
    let Ok(Outcome::Queued { queued }) = done else { panic!("{done:?}") };
    office.command(person(Role::Ops, 9), Command::Hold { key: key_of(9), lost_at: None }).unwrap();
    let cause = UndoScope::Cause(queued);
    assert_eq!(Preview::of(&office.ledger, &cause).unwrap(), Preview { waiting: 1, ..Preview::default() });
    let word = Command::DecideQueued { queued, verdict: Verdict::Approved };
    office.command(person(Role::CallCentre, 2), word).unwrap();
    office.command(person(Role::Ops, 9), Command::Hold { key: key_of(6), lost_at: None }).unwrap();
    assert_eq!(Preview::of(&office.ledger, &cause).unwrap().certificates, 2);
    undo(&mut office, cause, 99).unwrap();
    assert!(office.status(1).is_good() && office.status(2).is_good());
}
