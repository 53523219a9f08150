//! What the simulation found, each told by itself, so that it stays found whatever the seeds come by.

use tashika::desk::{Task, carry_out, due_task};
use tashika::model::{
    Actor, Certificate, Command, HoldId, IdempotencyKey, IssuerNo, Outcome, Policy, Position, Reason, ReportKind,
    Request, Role, Seconds, UndoScope, Usage, Verdict,
};

use crate::nation::{actor, key, on_card, operator, person};
use crate::office::{Office, all_of, card_of, key_of, phone_of, refusal};

fn queued(done: tashika::desk::Done) -> Position {
    match done {
        Ok(Outcome::Queued { queued }) => queued,
        other => panic!("expected it to wait, got {other:?}"),
    }
}

fn approval(queued: Position) -> Command {
    Command::DecideQueued { queued, verdict: Verdict::Approved }
}

fn second_person() -> Actor {
    person(Role::Ops, 2)
}

#[test]
fn a_lifted_hold_does_not_take_the_term_of_a_later_one_with_it() {
    let mut office = Office::open();
    let registry = actor(Role::Registry);
    office.report(registry, ReportKind::Died, all_of(1)).unwrap();
    let died = office.status(3).holds[0].id;
    let since = office.now;
    office.wait(60);
    office.report(actor(Role::Carrier(operator("mno-1"))), ReportKind::ContractEnded, phone_of(1)).unwrap();
    office.command(registry, Command::Release { key: key_of(3), holds: vec![died] }).unwrap();
    for days in [3, 31] {
        office.now = since + Seconds::days(days);
        while let Some(task) = due_task(&office.ledger, office.now).unwrap() {
            office.desk.one(&task, office.now).unwrap();
        }
    }
    assert_eq!(office.status(3).revocation().map(|ended| ended.reason), Some(Reason::CessationOfOperation));
}

#[test]
fn a_slow_clock_does_not_stretch_a_budget() {
    let mut office = Office::with(Policy { budget_floor: 2, ..Policy::default() });
    let slow = office.now;
    office.wait(2 * 3600);
    office.hold(actor(Role::Window(None)), key_of(9));
    office.now = slow;
    let caller = actor(Role::CallCentre);
    office.report(caller, ReportKind::CardLost, card_of(1)).unwrap();
    office.report(caller, ReportKind::CardLost, card_of(2)).unwrap();
    queued(office.report(caller, ReportKind::CardLost, card_of(3)));
}

#[test]
fn a_decision_sent_twice_is_answered_with_the_first_result() {
    for verdict in [Verdict::Approved, Verdict::Rejected] {
        let mut office = Office::with(Policy { budget_floor: 0, ..Policy::default() });
        let queued = queued(office.report(actor(Role::CallCentre), ReportKind::CardLost, card_of(1)));
        let idempotency = Some(IdempotencyKey([4; 16]));
        let command = Command::DecideQueued { queued, verdict };
        let word = Request { actor: person(Role::CallCentre, 2), command, idempotency };
        let first = office.request(word.clone()).unwrap();
        assert_eq!(office.request(word).unwrap(), first);
    }
}

#[test]
fn an_undo_that_two_approve_is_closed_once() {
    let mut office = Office::open();
    let thief = person(Role::CallCentre, 66);
    let hold = office.hold(thief, key_of(1));
    let since = office.now - Seconds(60);
    let scope = UndoScope::ByActor { actor: thief, since, until: office.now };
    let waiting = queued(office.command(actor(Role::Ops), Command::Undo(scope)));
    let orders = [2, 3].map(|number| office.command(person(Role::Ops, number), approval(waiting)).unwrap());
    for order in orders {
        assert!(carry(&mut office, waiting, order), "each carries the undo out");
    }
    assert!(office.status(1).hold(hold).is_none());
    let again = office.command(person(Role::Ops, 4), approval(waiting));
    assert_eq!(again.unwrap(), Outcome::AlreadySo);
}

/// Carries an undo out; says whether the order was one.
fn carry(office: &mut Office, queued: Position, order: Outcome) -> bool {
    let (ledger, now) = (office.ledger.clone(), office.now);
    let mut submit = |task: Task| office.desk.one(&task, now);
    carry_out(&ledger, &mut submit, &second_person(), queued, order, &mut |_, _| {}).unwrap().is_some()
}

#[test]
fn an_undo_reaches_nothing_that_came_after_its_order() {
    let mut office = Office::open();
    let suspect = person(Role::CallCentre, 66);
    let before = office.hold(suspect, key_of(1));
    let until = office.now + Seconds::days(1);
    let scope = UndoScope::ByActor { actor: suspect, since: office.now - Seconds(60), until };
    let waiting = queued(office.command(actor(Role::Ops), Command::Undo(scope)));
    let order = office.command(second_person(), approval(waiting)).unwrap();
    let after: HoldId = office.hold(suspect, key_of(4));
    carry(&mut office, waiting, order);
    assert!(office.status(1).hold(before).is_none());
    assert!(office.status(4).hold(after).is_some(), "nobody has looked at this one");
}

#[test]
fn a_single_certificate_is_not_lost_before_it_was_registered() {
    let mut office = Office::open();
    let not_before = office.now - Seconds::days(1);
    let certificates = vec![Certificate { not_before, ..on_card(key(1, 50), 4, Usage::Auth) }];
    office.desk.one(&Task::Register { actor: actor(Role::Ca(IssuerNo(1))), certificates }, office.now).unwrap();
    let lost_at = Some(office.now - Seconds::days(2));
    let hold = |key| Command::Hold { key, lost_at };
    let refused = office.command(actor(Role::CallCentre), hold(key(1, 50)));
    assert!(refusal(refused).contains("too long ago"));
    queued(office.command(actor(Role::Window(None)), hold(key(1, 50))));
    office.command(actor(Role::CallCentre), hold(key_of(1))).unwrap();
    let revoke = Command::Revoke { key: key(1, 50), reason: Reason::KeyCompromise, lost_at };
    queued(office.command(actor(Role::Window(None)), revoke));
}

/// Told beside the others, though found by reading: two dates of the sender's own must not vouch for each other.
#[test]
fn an_old_report_does_not_make_an_old_loss_believable() {
    let mut office = Office::open();
    let stated = office.now - Seconds::days(20);
    let mut report = office.report_of(ReportKind::CardLost, card_of(1));
    (report.lost_at, report.reported_at) = (Some(stated), stated);
    let refused = office.command(actor(Role::CallCentre), Command::Report(report.clone()));
    assert!(refusal(refused).contains("too long ago"));
    queued(office.command(actor(Role::Window(None)), Command::Report(report)));
}
