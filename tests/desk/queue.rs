//! Budgets and the second person.

use tashika::desk::{Foreseen, Foresight, Task, waiting};
use tashika::model::{
    Body, Channel, Command, IdempotencyKey, Outcome, Policy, Position, ReportKind, Request, Role, Verdict, WhyQueued,
};

use crate::nation::{actor, operator, person};
use crate::office::{Office, card_of, key_of, phone_of, refusal};

fn queued(done: tashika::desk::Done) -> Position {
    match done {
        Ok(Outcome::Queued { queued }) => queued,
        other => panic!("expected to wait, got {other:?}"),
    }
}

fn word(queued: Position, verdict: Verdict) -> Command {
    Command::DecideQueued { queued, verdict }
}

#[test]
fn what_exceeds_a_budget_waits_and_is_neither_lost_nor_applied() {
    let mut office = Office::with(Policy { budget_floor: 2, ..Policy::default() });
    let thief = actor(Role::CallCentre);
    office.hold(thief, key_of(1));
    office.hold(thief, key_of(2));
    let name = queued(office.command(thief, Command::Hold { key: key_of(4), lost_at: None }));
    assert!(office.status(4).is_good(), "not applied");
    let listed = waiting(&office.ledger).unwrap();
    assert_eq!((listed[0].queued, listed[0].why), (name, WhyQueued::OverBudget), "not lost");
    // Another sender's budget is its own, and the next hour is another hour.
    office.hold(actor(Role::Window(None)), key_of(5));
    office.wait(3600);
    office.hold(thief, key_of(4));
}

#[test]
fn refused_commands_and_repeats_draw_no_budget() {
    let mut office = Office::with(Policy { budget_floor: 1, ..Policy::default() });
    let clerk = actor(Role::CallCentre);
    refusal(office.command(clerk, Command::Hold { key: key_of(77), lost_at: None }));
    office.hold(clerk, key_of(1));
    let again = office.command(clerk, Command::Hold { key: key_of(1), lost_at: None });
    assert!(matches!(again, Ok(Outcome::AlreadySo)), "{again:?}");
}

#[test]
fn the_second_person_is_another_person_who_may() {
    let mut office = Office::with(Policy { budget_floor: 1, ..Policy::default() });
    let first = actor(Role::CallCentre);
    office.hold(first, key_of(1));
    let name = queued(office.command(first, Command::Hold { key: key_of(2), lost_at: None }));
    assert!(refusal(office.command(first, word(name, Verdict::Approved))).contains("second person"));
    let carrier = person(Role::Carrier(operator("mno-1")), 2);
    assert!(refusal(office.command(carrier, word(name, Verdict::Approved))).contains("may not"));
    office.command(person(Role::CallCentre, 2), word(name, Verdict::Approved)).unwrap();
    let status = office.status(2);
    assert_eq!(status.holds.len(), 1);
    // The hold is the one who asked's; its cause is the approval, whose cause is what waited.
    let event = office.event(status.holds[0].id.0);
    assert_eq!(event.actor, first);
    let approval = event.cause.unwrap();
    assert_eq!(office.event(approval).cause, Some(name));
    // Said again it is so already, whoever may say it; the other way round it is refused, and stays.
    for (verdict, by) in [(Verdict::Approved, Role::Ops), (Verdict::Approved, Role::CallCentre)] {
        assert_eq!(office.command(person(by, 3), word(name, verdict)).unwrap(), Outcome::AlreadySo);
    }
    let said = refusal(office.command(person(Role::Ops, 3), word(name, Verdict::Rejected)));
    assert!(said.contains("was approved already"), "{said}");
    assert!(
        refusal(office.command(carrier, word(name, Verdict::Approved))).contains("may not"),
        "nor is a stranger told"
    );
    let none = word(Position(1), Verdict::Approved);
    assert!(refusal(office.command(person(Role::Ops, 3), none)).contains("no command waits"));
}

#[test]
fn who_asked_may_withdraw_and_never_approve() {
    let mut office = Office::with(Policy { budget_floor: 1, ..Policy::default() });
    let first = actor(Role::CallCentre);
    office.hold(first, key_of(1));
    let name = queued(office.command(first, Command::Hold { key: key_of(2), lost_at: None }));
    // The same person under another hat is not who asked.
    let other_hat = actor(Role::Ops);
    assert!(refusal(office.command(other_hat, word(name, Verdict::Rejected))).contains("second person"));
    assert!(refusal(office.command(first, word(name, Verdict::Approved))).contains("second person"));
    office.command(first, word(name, Verdict::Rejected)).unwrap();
    assert!(office.status(2).is_good() && waiting(&office.ledger).unwrap().is_empty());
    assert_eq!(office.command(first, word(name, Verdict::Rejected)).unwrap(), Outcome::AlreadySo);
    let late = refusal(office.command(person(Role::Ops, 2), word(name, Verdict::Approved)));
    assert!(late.contains("was rejected already"), "{late}");
}

#[test]
fn what_is_rejected_never_happens() {
    let mut office = Office::with(Policy { budget_floor: 1, ..Policy::default() });
    let first = actor(Role::CallCentre);
    office.hold(first, key_of(1));
    let name = queued(office.command(first, Command::Hold { key: key_of(2), lost_at: None }));
    office.command(person(Role::Ops, 2), word(name, Verdict::Rejected)).unwrap();
    assert!(office.status(2).is_good());
    assert!(waiting(&office.ledger).unwrap().is_empty());
    let said = refusal(office.command(person(Role::Ops, 3), word(name, Verdict::Approved)));
    assert!(said.contains("was rejected already"), "{said}");
}

#[test]
fn an_old_loss_is_the_windows_to_state_with_a_second_person() {
    let mut office = Office::open();
    let mut report = office.report_of(ReportKind::CardLost, card_of(1));
    report.lost_at = Some(crate::nation::at(-86_400 * 15));
    let before = office.position();
    let said = refusal(office.command(actor(Role::CallCentre), Command::Report(report.clone())));
    assert!(said.contains("without --lost-at"), "{said}");
    assert_eq!(office.position(), before, "nothing changed");
    let name = queued(office.command(actor(Role::Window(None)), Command::Report(report)));
    let status = office.status(1);
    assert!(!status.is_good() && status.lost_at().is_none(), "held at once; it is the date that waits");
    office.command(person(Role::Window(None), 2), word(name, Verdict::Approved)).unwrap();
    assert_eq!(office.status(1).lost_at(), Some(crate::nation::at(-86_400 * 15)));
    assert_eq!(office.status(1).holds.len(), 1);
}

#[test]
fn a_loss_before_the_registration_is_an_old_loss() {
    let mut office = Office::with(Policy { backdating_max: tashika::model::Seconds::days(400), ..Policy::default() });
    let mut report = office.report_of(ReportKind::PhoneLost, phone_of(1));
    report.lost_at = Some(crate::nation::at(-86_400 * 25));
    refusal(office.command(actor(Role::CallCentre), Command::Report(report.clone())));
    queued(office.command(actor(Role::Window(None)), Command::Report(report)));
}

#[test]
fn nobody_loses_a_card_in_the_future() {
    let mut office = Office::open();
    let mut report = office.report_of(ReportKind::CardLost, card_of(1));
    report.lost_at = Some(crate::nation::at(86_400));
    assert!(refusal(office.command(actor(Role::CallCentre), Command::Report(report))).contains("future"));
}

#[test]
fn what_waits_is_not_queued_a_second_time() {
    let mut office = Office::with(Policy { budget_floor: 0, ..Policy::default() });
    let first = actor(Role::CallCentre);
    let lost = |office: &mut Office, by, number| queued(office.report(by, ReportKind::CardLost, card_of(number)));
    let name = lost(&mut office, first, 1);
    let head = office.position();
    office.wait(30);
    assert_eq!(lost(&mut office, first, 1), name, "when the desk was told is no difference");
    let mut by_hand = first;
    by_hand.channel = Channel::Cli;
    assert_eq!(lost(&mut office, by_hand, 1), name, "nor is the way that it came");
    assert_eq!(office.position(), head, "nothing was recorded");
    // Under a key of its own it is answered the same, also when it is asked about later.
    let report = office.report_of(ReportKind::CardLost, card_of(1));
    let idempotency = Some(IdempotencyKey(crate::nation::name(8, 1)));
    let keyed = Request { actor: first, command: Command::Report(report), idempotency };
    assert_eq!(queued(office.request(keyed.clone())), name);
    let another = lost(&mut office, person(Role::CallCentre, 2), 1);
    let of_another = lost(&mut office, first, 2);
    assert!(another != name && of_another != name, "another person's word, another card");
    for waits in [name, another] {
        office.command(person(Role::Ops, 3), word(waits, Verdict::Rejected)).unwrap();
    }
    assert_eq!(queued(office.request(keyed)), name, "the first answer");
    for _ in 0..3 {
        let again = lost(&mut office, first, 1);
        assert!(again > of_another, "what was rejected may be asked for again");
        assert_eq!(lost(&mut office, first, 1), again);
        office.command(person(Role::Ops, 3), word(again, Verdict::Rejected)).unwrap();
    }
    assert_eq!(waiting(&office.ledger).unwrap().len(), 1);
}

#[test]
fn a_later_found_is_not_the_same_as_an_earlier_one() {
    let mut office = Office::with(Policy { budget_floor: 0, ..Policy::default() });
    let window = actor(Role::Window(None));
    let name = queued(office.report(actor(Role::CallCentre), ReportKind::PhoneLost, phone_of(1)));
    office.command(person(Role::Ops, 2), word(name, Verdict::Approved)).unwrap();
    let early = office.report_of(ReportKind::PhoneFound, phone_of(1));
    office.wait(60);
    let late = office.report_of(ReportKind::PhoneFound, phone_of(1));
    let first = queued(office.command(window, Command::Report(early.clone())));
    assert_eq!(queued(office.command(window, Command::Report(early))), first);
    assert_ne!(queued(office.command(window, Command::Report(late))), first, "it means holds that the other doesn't");
}

#[test]
fn of_two_that_say_the_same_in_one_round_one_waits() {
    let mut office = Office::with(Policy { budget_floor: 0, ..Policy::default() });
    let report = Command::Report(office.report_of(ReportKind::CardLost, card_of(1)));
    let task = Task::Request(Request { actor: actor(Role::CallCentre), command: report, idempotency: None });
    let names: Vec<_> = office.desk.round(&[task.clone(), task], office.now).into_iter().map(queued).collect();
    assert_eq!(names[0], names[1]);
    assert_eq!(waiting(&office.ledger).unwrap().len(), 1);
}

#[test]
fn what_an_approval_would_do_is_what_it_does() {
    let mut office = Office::with(Policy { budget_floor: 0, ..Policy::default() });
    let clerk = actor(Role::Window(None));
    let name = queued(office.report(clerk, ReportKind::CardNotFound, card_of(1)));
    let seen = |office: &Office, name: Position| {
        let item = waiting(&office.ledger).unwrap().into_iter().find(|item| item.queued == name).unwrap();
        Foresight::open(&office.ledger, office.desk.policy(), office.now).unwrap().of(&item.request).unwrap()
    };
    let head = office.position();
    let Foreseen::Certificates(foreseen) = seen(&office, name) else { panic!("{:?}", seen(&office, name)) };
    assert_eq!(office.position(), head, "nothing is recorded");
    let numbers: Vec<_> = foreseen.iter().map(|(entry, _)| entry.no.0).collect();
    assert_eq!(numbers, [1, 2, 3], "the phone's certificate too, which the report doesn't name");
    office.command(person(Role::Ops, 2), word(name, Verdict::Approved)).unwrap();
    let last = office.position().0;
    let recorded: Vec<_> = (head.0 + 1..=last)
        .filter_map(|position| match office.event(Position(position)).body {
            Body::Changed { no, change, .. } => Some((no, vec![change])),
            _ => None,
        })
        .collect();
    assert_eq!(foreseen.into_iter().map(|(entry, changes)| (entry.no, changes)).collect::<Vec<_>>(), recorded);
    // What was overtaken by events would change nothing, or be refused.
    let held = office.report(actor(Role::CallCentre), ReportKind::PhoneLost, phone_of(2));
    let lost = queued(held);
    let again = queued(office.command(actor(Role::CallCentre), Command::Hold { key: key_of(6), lost_at: None }));
    office.command(person(Role::CallCentre, 2), word(lost, Verdict::Approved)).unwrap();
    assert_eq!(seen(&office, again), Foreseen::Certificates(Vec::new()));
    let hold = office.status(6).holds[0].id;
    let release = queued(office.command(clerk, Command::Release { key: key_of(6), holds: vec![hold] }));
    let by_another = person(Role::Window(None), 7);
    let first = queued(office.command(by_another, Command::Release { key: key_of(6), holds: vec![hold] }));
    office.command(person(Role::Ops, 2), word(first, Verdict::Approved)).unwrap();
    assert!(matches!(seen(&office, release), Foreseen::Refused(_)), "{:?}", seen(&office, release));
}
