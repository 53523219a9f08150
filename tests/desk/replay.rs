//! The same command twice, and holds of earlier losses.

use tashika::model::{Command, IdempotencyKey, Outcome, ReportKind, Request, Role};

use crate::nation::{actor, name, operator};
use crate::office::{Office, card_of, key_of, phone_of, refusal};

#[test]
fn the_same_command_twice_is_answered_with_the_first_result() {
    let mut office = Office::open();
    let report = office.report_of(ReportKind::CardLost, card_of(1));
    let idempotency = Some(IdempotencyKey(name(8, 1)));
    let request = Request { actor: actor(Role::CallCentre), command: Command::Report(report), idempotency };
    let first = office.request(request.clone()).unwrap();
    let head = office.position();
    office.wait(86_400);
    let mut again = request.clone();
    let Command::Report(report) = &mut again.command else { panic!() };
    report.reported_at = office.now;
    assert_eq!(office.request(again).unwrap(), first, "when it was received doesn't make it another command");
    assert_eq!(office.position(), head);
    let other = Request { command: Command::Hold { key: key_of(4), lost_at: None }, ..request };
    assert!(refusal(office.request(other)).contains("another command"));
}

#[test]
fn what_changed_nothing_changes_nothing_when_it_comes_late() {
    let mut office = Office::open();
    let centre = actor(Role::CallCentre);
    let hold = office.hold(centre, key_of(3));
    let idempotency = Some(IdempotencyKey(name(8, 2)));
    let request = Request { actor: centre, command: Command::Hold { key: key_of(3), lost_at: None }, idempotency };
    assert_eq!(office.request(request.clone()).unwrap(), Outcome::AlreadySo);
    let release = Command::Release { key: key_of(3), holds: vec![hold] };
    office.command(actor(Role::Window(None)), release).unwrap();
    assert_eq!(office.request(request).unwrap(), Outcome::AlreadySo, "the first answer, not a second hold");
    assert!(office.status(3).is_good());
}

#[test]
fn a_late_release_of_the_first_loss_does_not_lift_the_second() {
    let mut office = Office::open();
    let (centre, window) = (actor(Role::CallCentre), actor(Role::Window(None)));
    let first = office.hold(centre, key_of(3));
    let release = Command::Release { key: key_of(3), holds: vec![first] };
    office.command(window, release.clone()).unwrap();
    office.wait(60);
    office.hold(centre, key_of(3));
    assert!(refusal(office.command(window, release)).contains("not open"));
    let unnamed = Command::Release { key: key_of(3), holds: Vec::new() };
    assert!(refusal(office.command(window, unnamed)).contains("names the holds"));
    assert!(!office.status(3).is_good());
}

#[test]
fn a_late_found_of_the_first_loss_does_not_lift_the_second() {
    let mut office = Office::open();
    let carrier = actor(Role::Carrier(operator("mno-1")));
    office.report(carrier, ReportKind::PhoneLost, phone_of(1)).unwrap();
    let found = office.report_of(ReportKind::PhoneFound, phone_of(1));
    office.command(carrier, Command::Report(found.clone())).unwrap();
    assert!(office.status(3).is_good());
    office.wait(3600);
    office.report(carrier, ReportKind::PhoneLost, phone_of(1)).unwrap();
    refusal(office.command(carrier, Command::Report(found)));
    assert!(!office.status(3).is_good());
}

#[test]
fn a_report_is_one_transaction_whose_children_name_it() {
    let mut office = Office::open();
    let Ok(Outcome::Done { first, last }) = office.report(actor(Role::CallCentre), ReportKind::CardLost, card_of(1))
    else {
        panic!()
    };
    assert_eq!(last.0 - first.0, 2, "the report, SIGN, AUTH");
    for position in first.0 + 1..=last.0 {
        assert_eq!(office.event(tashika::model::Position(position)).cause, Some(first));
    }
    assert_eq!(office.status(1).holds[0].cause, first);
}
