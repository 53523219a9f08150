//! What the clock does by itself.

use tashika::desk::{Sequencer, due_task};
use tashika::ledger::Ledger;
use tashika::model::{
    Body, Change, Command, Delivery, IssuerNo, Millis, NodeId, Outcome, Reason, ReportKind, Role, Seconds, Usage,
};

use crate::nation::{actor, key, on_card, operator};
use crate::office::{Office, all_of, key_of, phone_of};

fn tick(office: &mut Office) {
    while let Some(task) = due_task(&office.ledger, office.now).unwrap() {
        office.desk.one(&task, office.now).unwrap();
    }
}

#[test]
fn a_carriers_hold_becomes_final_unless_contradicted() {
    let mut office = Office::open();
    let carrier = actor(Role::Carrier(operator("mno-1")));
    let since = office.now;
    let done = office.report(carrier, ReportKind::ContractEnded, phone_of(1)).unwrap();
    let Outcome::Done { first: report, .. } = done else { panic!("{done:?}") };
    office.report(carrier, ReportKind::ContractEnded, phone_of(2)).unwrap();
    tick(&mut office);
    assert!(office.status(3).revocation().is_none(), "a carrier's report alone never revokes");
    office.wait(86_400 * 29);
    office.report(carrier, ReportKind::PhoneFound, phone_of(2)).unwrap();
    office.wait(86_400 + 1);
    tick(&mut office);
    let revocation = *office.status(3).revocation().unwrap();
    assert_eq!((revocation.reason, revocation.at), (Reason::CessationOfOperation, since));
    let Some(hold) = office.event(revocation.by).cause else { panic!("a revocation by the clock names its cause") };
    assert!(
        matches!(office.event(hold).body, Body::Changed { change: Change::Held { .. }, key, .. } if key == key_of(3))
    );
    assert_eq!(office.event(hold).cause, Some(report), "and by way of it the report");
    assert!(office.status(6).is_good(), "contradicted in time");
    assert!(due_task(&office.ledger, office.now).unwrap().is_none(), "timers that were seen to are gone");
}

/// A clock set weeks ahead would turn holds final, which nobody can take back.
#[test]
fn a_clock_that_leapt_does_nothing() {
    let mut office = Office::open();
    office.report(actor(Role::Carrier(operator("mno-1"))), ReportKind::ContractEnded, phone_of(1)).unwrap();
    let ledger = office.ledger.clone();
    let wall = |office: &Office, days: u32| Millis((office.now + Seconds::days(days)).unix() * 1_000);
    let (now, later) = (wall(&office, 0), wall(&office, 40));
    let mut step = |sequencer: &mut Sequencer, at: Millis| {
        sequencer.step(&ledger, &mut |task| office.desk.one(&task, at.time()), at).unwrap()
    };
    let mut careful = Sequencer::new(NodeId([1; 16])).leaping_at_most(Some(Seconds::days(3)));
    // Whatever the time, a ledger that nobody ever led is led.
    assert!(step(&mut careful, now).leads);
    let head = Ledger::head(&ledger).unwrap();
    let stepped = step(&mut careful, later);
    assert_eq!((stepped.leads, stepped.leap), (false, Some(Seconds::days(40))));
    assert_eq!(Ledger::head(&ledger).unwrap(), head, "no event, and no heartbeat that would lift the ledger's time");
    let mut other = Sequencer::new(NodeId([2; 16])).leaping_at_most(Some(Seconds::days(3)));
    assert!(step(&mut other, now).leads, "the lease was given back");
    // Told to trust its clock, it does what is due.
    other.stop(&ledger).unwrap();
    assert!(step(&mut Sequencer::new(NodeId([3; 16])), later).leads);
    assert!(office.status(3).revocation().is_some());
}

#[test]
fn the_dead_keep_their_holds_until_the_registry_is_sure() {
    let mut office = Office::open();
    office.report(actor(Role::Registry), ReportKind::Died, all_of(1)).unwrap();
    assert!((1..=3).all(|no| !office.status(no).is_good()), "all at once");
    office.wait(86_400 * 2 + 1);
    tick(&mut office);
    assert!((1..=3).all(|no| office.status(no).revocation().unwrap().reason == Reason::AffiliationChanged));
}

#[test]
fn what_nobody_acknowledged_is_given_up() {
    let mut office = Office::open();
    let mut certificate = on_card(key(1, 50), 4, Usage::Auth);
    certificate.delivery = Delivery::Awaited;
    certificate.not_before = office.now;
    let mut other = certificate.clone();
    other.key = key(1, 51);
    let task =
        tashika::desk::Task::Register { actor: actor(Role::Ca(IssuerNo(1))), certificates: vec![certificate, other] };
    office.desk.one(&task, office.now).unwrap();
    assert!(!office.status(10).is_good(), "pending is not good");
    office.command(actor(Role::SpTsm), Command::Activate(key(1, 51))).unwrap_err();
    office.command(actor(Role::Window(None)), Command::Activate(key(1, 51))).unwrap();
    office.now = office.now + Seconds::days(91);
    tick(&mut office);
    assert_eq!(office.status(10).revocation().unwrap().reason, Reason::Unspecified);
    assert!(office.status(11).is_good());
}

#[test]
fn one_sequencer_leads_and_another_takes_over_within_a_second() {
    let office = Office::open();
    let mut never = |task| panic!("nothing is due: {task:?}");
    let (mut first, mut second) = (Sequencer::new(NodeId([1; 16])), Sequencer::new(NodeId([2; 16])));
    let start = Millis(office.now.unix() * 1000);
    assert!(first.step(&office.ledger, &mut never, start).unwrap().leads);
    assert!(!second.step(&office.ledger, &mut never, start.plus(500)).unwrap().leads);
    assert!(second.step(&office.ledger, &mut never, start.plus(1_000)).unwrap().leads);
    assert!(!first.step(&office.ledger, &mut never, start.plus(1_001)).unwrap().leads);
    second.stop(&office.ledger).unwrap();
    assert!(first.step(&office.ledger, &mut never, start.plus(1_002)).unwrap().leads, "given back");
    let beat = office.ledger.heartbeat().unwrap().unwrap();
    assert_eq!(beat.position, office.position());
}

#[test]
fn nothing_is_dated_before_the_last_heartbeat() {
    let mut office = Office::open();
    let beat = office.ledger.beat(office.now + Seconds(90)).unwrap();
    // This desk's clock is a minute and a half behind the one that beats.
    let hold = office.hold(actor(Role::CallCentre), key_of(1));
    assert_eq!(office.event(hold.0).time, beat.time, "whoever read the heartbeat has been told of all before it");
    assert_eq!(office.status(1).holds[0].since, beat.time);
    office.wait(600);
    let later = office.hold(actor(Role::CallCentre), key_of(4));
    assert_eq!(office.event(later.0).time, office.now);
}
