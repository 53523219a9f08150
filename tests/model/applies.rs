//! "It is so already" and "it does not apply" are two answers: the first leaves the sender nothing to do.

use tashika::model::{
    Backing, HoldKind, MediumId, Reason, Refusal, Report, ReportKind, Role, Seconds, StatusRefusal, Subject, Usage,
    Wish,
};

use crate::family::{
    AUTH, Applied, CARD, HOLDER, OTHER, PENDING, PHONE, SIGN, SIM, World, actor, operator, policies, report,
};

const CARDS: Subject = Subject::Medium(CARD);
const SIMS: Subject = Subject::Medium(SIM);
const PENDING_SIM: Subject = Subject::Medium(MediumId([4; 16]));
const WINDOW: Role = Role::Window(None);

fn world() -> World {
    let mut world = World::new(policies()[0].clone());
    world.pass(Seconds(60));
    world
}

fn told(world: &mut World, by: Role, kind: ReportKind, about: Subject) -> Result<Vec<Applied>, Refusal> {
    let told: Report = report(kind, about, world.now);
    world.report(&actor(by), &told, Backing::One)
}

fn is_so_already(world: &mut World, by: Role, kind: ReportKind, about: Subject) {
    assert_eq!(told(world, by, kind, about), Ok(Vec::new()), "{kind}");
}

#[test]
fn what_is_so_already_is_no_refusal() {
    let mut world = world();
    is_so_already(&mut world, WINDOW, ReportKind::CardFound, CARDS);
    is_so_already(&mut world, Role::SpTsm, ReportKind::Delivered, SIMS);
    told(&mut world, WINDOW, ReportKind::NotDelivered, Subject::Holder(HOLDER)).unwrap();
    is_so_already(&mut world, WINDOW, ReportKind::NotDelivered, Subject::Holder(HOLDER));
    is_so_already(&mut world, Role::SpTsm, ReportKind::NotDelivered, PENDING_SIM);
    told(&mut world, WINDOW, ReportKind::Returned, CARDS).unwrap();
    for kind in [ReportKind::Returned, ReportKind::CardLost, ReportKind::Renewed] {
        is_so_already(&mut world, WINDOW, kind, CARDS);
    }
    told(&mut world, WINDOW, ReportKind::Renamed, SIMS).unwrap();
    is_so_already(&mut world, WINDOW, ReportKind::Renamed, SIMS);
}

#[test]
fn a_report_that_has_nothing_to_say_about_its_subject_is_refused() {
    let mut world = world();
    let carrier = Role::Carrier(operator("mvno"));
    let refused = told(&mut world, carrier, ReportKind::PhoneLost, CARDS);
    assert_eq!(refused, Err(Refusal::UnknownSubject(ReportKind::PhoneLost)), "a carrier's report for a card");
    for about in [CARDS, SIMS] {
        let refused = told(&mut world, WINDOW, ReportKind::NotDelivered, about);
        assert!(matches!(refused, Err(Refusal::NotApplicable { kind: ReportKind::NotDelivered, .. })), "{refused:?}");
    }
    let refused = told(&mut world, Role::Registry, ReportKind::Renamed, PENDING_SIM);
    assert!(matches!(refused, Err(Refusal::NotApplicable { kind: ReportKind::Renamed, .. })), "AUTH names nobody");
    assert_eq!(world.entry(PENDING).certificate.usage, Usage::Auth);
}

#[test]
fn what_is_over_is_not_so_already() {
    let mut world = world();
    told(&mut world, Role::SpTsm, ReportKind::NotDelivered, PENDING_SIM).unwrap();
    let over = |reason| Err(Refusal::Status(StatusRefusal::Revoked { reason }));
    let delivered = told(&mut world, Role::SpTsm, ReportKind::Delivered, PENDING_SIM);
    assert_eq!(delivered, over(Reason::Unspecified), "delivered, and yet it will never be in use");
    [SIGN, AUTH].into_iter().for_each(|no| world.revoke(no, Reason::KeyCompromise));
    let found = told(&mut world, WINDOW, ReportKind::CardFound, CARDS);
    assert_eq!(found, over(Reason::KeyCompromise), "found, and yet it won't be good");
    // One of several being over stops nothing.
    world.revoke(PHONE, Reason::KeyCompromise);
    world.hold(OTHER, HoldKind::Window);
    assert_eq!(told(&mut world, WINDOW, ReportKind::PhoneFound, SIMS).unwrap().len(), 1);
}

#[test]
fn a_carrier_is_told_that_its_hold_stays() {
    let mut world = world();
    let carrier = Role::Carrier(operator("mvno"));
    let lost = Wish::Hold { kind: HoldKind::Carrier(operator("mvno")), lost_at: None, becomes: None };
    world.fulfil(OTHER, &lost, world.position).unwrap();
    let found = told(&mut world, carrier, ReportKind::PhoneFound, SIMS);
    assert_eq!(found, Err(Refusal::Status(StatusRefusal::LastHoldStays)), "one-way: not good, and not by its word");
    world.fulfil(PHONE, &lost, world.position).unwrap();
    assert_eq!(told(&mut world, carrier, ReportKind::PhoneFound, SIMS).unwrap().len(), 1, "what can be lifted is");
}
