//! DOMAIN §5, row by row: who reports what, what stood before, what stands afterwards. What a row doesn't name stays.

use tashika::model::{
    Backing, CertificateNo, HoldKind, Life, MediumId, Municipality, Position, Reason, Refusal, ReportKind, Role,
    Seconds, SimId, Subject, Wish,
};

use crate::family::{AUTH, CARD, HOLDER, OTHER, PENDING, PHONE, SIGN, SIM, World, actor, operator, policies, report};

/// What is done before the report.
#[derive(Clone, Copy, Debug)]
enum Before {
    Held(u64, HoldKind),
    Revoked(u64, Reason),
}

/// How a certificate stands afterwards.
#[derive(Clone, Copy, Debug)]
enum After {
    Good(u64),
    /// Held by just these.
    Held(u64, &'static [Kind]),
    Revoked(u64, Reason),
}

/// Kinds of holds, as a constant can name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    CallCentre,
    Carrier,
    Holder,
    Registry,
    RuleX,
    Window,
}

/// Under which release policy the row is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Under {
    AllReleasable,
    Both,
    Default,
}

#[derive(Clone)]
struct Row {
    row: &'static str,
    by: Role,
    kind: ReportKind,
    about: Subject,
    /// Days before the report, if a loss is stated.
    lost_days: Option<u32>,
    under: Under,
    before: &'static [Before],
    after: &'static [After],
}

const WINDOW: Role = Role::Window(None);
const HOLDERS: Subject = Subject::Holder(HOLDER);
const CARDS: Subject = Subject::Medium(CARD);
const SIMS: Subject = Subject::Medium(SIM);
const WITH_CARD: Role = Role::Holder { presented: Some(CARD) };
const WITH_PHONE: Role = Role::Holder { presented: Some(SIM) };

fn carrier() -> Role {
    Role::Carrier(operator("mvno"))
}

#[rustfmt::skip]
#[allow(clippy::too_many_arguments, reason = "the columns of a table")]
fn row(row: &'static str, by: Role, kind: ReportKind, about: Subject, lost_days: Option<u32>, under: Under, before: &'static [Before], after: &'static [After]) -> Row {
    Row { row, by, kind, about, lost_days, under, before, after }
}

/// Rows 2 to 6.
#[rustfmt::skip]
fn cards() -> Vec<Row> {
    use After::{Good, Held, Revoked};
    use Before::Held as WasHeld;
    use Reason as R;
    use ReportKind as K;
    use Under::{AllReleasable, Both, Default};
    vec![
        row("2 acknowledged", Role::SpTsm, K::Delivered, Subject::Medium(MediumId([4; 16])), None, Both, &[], &[Good(PENDING)]),
        row("2 acknowledged while held", Role::SpTsm, K::Delivered, Subject::Medium(MediumId([4; 16])), None, Both,
            &[WasHeld(PENDING, HoldKind::CallCentre)], &[Held(PENDING, &[Kind::CallCentre])]),
        row("3 not delivered", Role::SpTsm, K::NotDelivered, Subject::Medium(MediumId([4; 16])), None, Both, &[], &[Revoked(PENDING, R::Unspecified)]),
        row("3 not delivered touches what is pending only", WINDOW, K::NotDelivered, HOLDERS, None, Both, &[], &[Revoked(PENDING, R::Unspecified)]),
        row("4 card lost, called in", Role::CallCentre, K::CardLost, HOLDERS, None, Both, &[],
            &[Held(SIGN, &[Kind::CallCentre]), Held(AUTH, &[Kind::CallCentre]), Revoked(PENDING, R::Unspecified)]),
        row("4 card lost, at the window", WINDOW, K::CardLost, CARDS, None, Both, &[],
            &[Held(SIGN, &[Kind::Window]), Held(AUTH, &[Kind::Window]), Revoked(PENDING, R::Unspecified)]),
        row("4 card lost, by the holder with the phone", WITH_PHONE, K::CardLost, CARDS, None, Both, &[],
            &[Held(SIGN, &[Kind::Holder]), Held(AUTH, &[Kind::Holder]), Revoked(PENDING, R::Unspecified)]),
        row("X enrolled after the loss", Role::CallCentre, K::CardLost, HOLDERS, Some(5), Both, &[],
            &[Held(SIGN, &[Kind::CallCentre]), Held(AUTH, &[Kind::CallCentre]), Held(PHONE, &[Kind::RuleX]), Revoked(PENDING, R::Unspecified)]),
        row("X enrolled before the loss", Role::CallCentre, K::CardLost, HOLDERS, Some(2), Both, &[],
            &[Held(SIGN, &[Kind::CallCentre]), Held(AUTH, &[Kind::CallCentre]), Revoked(PENDING, R::Unspecified)]),
        row("X a second hold beside the carrier's", Role::CallCentre, K::CardLost, HOLDERS, Some(5), Both, &[WasHeld(PHONE, HoldKind::Holder)],
            &[Held(SIGN, &[Kind::CallCentre]), Held(AUTH, &[Kind::CallCentre]), Held(PHONE, &[Kind::Holder, Kind::RuleX]), Revoked(PENDING, R::Unspecified)]),
        row("5 card found, release not allowed", WINDOW, K::CardFound, HOLDERS, None, Default,
            &[WasHeld(SIGN, HoldKind::CallCentre), WasHeld(AUTH, HoldKind::CallCentre)],
            &[Revoked(SIGN, R::CessationOfOperation), Revoked(AUTH, R::CessationOfOperation)]),
        row("8 card found, releasable", WINDOW, K::CardFound, HOLDERS, None, AllReleasable,
            &[WasHeld(SIGN, HoldKind::CallCentre), WasHeld(AUTH, HoldKind::CallCentre)], &[Good(SIGN), Good(AUTH)]),
        row("5 card found, another's hold stays", WINDOW, K::CardFound, HOLDERS, None, Both,
            &[WasHeld(SIGN, HoldKind::CallCentre), WasHeld(SIGN, HoldKind::Registry)], &[Held(SIGN, &[Kind::Registry])]),
        row("6 card not found", WINDOW, K::CardNotFound, CARDS, None, Both, &[WasHeld(SIGN, HoldKind::CallCentre)],
            &[Revoked(SIGN, R::KeyCompromise), Revoked(AUTH, R::KeyCompromise), Revoked(PHONE, R::Superseded), Revoked(PENDING, R::Superseded)]),
    ]
}

/// Rows 7 to 11.
#[rustfmt::skip]
fn phones() -> Vec<Row> {
    use After::{Good, Held, Revoked};
    use Before::Held as WasHeld;
    use Reason as R;
    use ReportKind as K;
    use Under::{Both, Default};
    let sim = Subject::Sim { sim: SimId([13; 16]), operator: operator("mvno") };
    vec![
        row("7 phone lost, at the carrier", carrier(), K::PhoneLost, sim, None, Both, &[],
            &[Held(PHONE, &[Kind::Carrier]), Held(OTHER, &[Kind::Carrier])]),
        row("7 phone lost, at the host of a virtual carrier", Role::Carrier(operator("mno")), K::PhoneLost, sim, None, Both, &[],
            &[Held(PHONE, &[Kind::Carrier]), Held(OTHER, &[Kind::Carrier])]),
        row("7 phone lost, called in", Role::CallCentre, K::PhoneLost, HOLDERS, None, Both, &[],
            &[Held(PHONE, &[Kind::CallCentre]), Held(PENDING, &[Kind::CallCentre]), Held(OTHER, &[Kind::CallCentre])]),
        row("7 phone lost, both report", Role::CallCentre, K::PhoneLost, SIMS, None, Both, &[WasHeld(PHONE, HoldKind::Window)],
            &[Held(PHONE, &[Kind::Window, Kind::CallCentre]), Held(OTHER, &[Kind::CallCentre])]),
        row("8 phone found", WINDOW, K::PhoneFound, SIMS, None, Both, &[WasHeld(PHONE, HoldKind::CallCentre)], &[Good(PHONE)]),
        row("8 phone found, with the card", WITH_CARD, K::PhoneFound, SIMS, None, Both, &[WasHeld(PHONE, HoldKind::CallCentre)], &[Good(PHONE)]),
        row("5 a phone's SIGN is one-way by default", WINDOW, K::PhoneFound, SIMS, None, Default, &[WasHeld(OTHER, HoldKind::CallCentre)],
            &[Revoked(OTHER, R::CessationOfOperation)]),
        row("9 phone not found", WINDOW, K::PhoneNotFound, SIMS, None, Both, &[WasHeld(PHONE, HoldKind::CallCentre)],
            &[Revoked(PHONE, R::KeyCompromise), Revoked(OTHER, R::KeyCompromise)]),
        row("9 SIM disposed, by the carrier", carrier(), K::SimDisposed, sim, None, Both, &[],
            &[Held(PHONE, &[Kind::Carrier]), Held(OTHER, &[Kind::Carrier])]),
        row("9 contract ended, by the carrier", carrier(), K::ContractEnded, sim, None, Both, &[],
            &[Held(PHONE, &[Kind::Carrier]), Held(OTHER, &[Kind::Carrier])]),
        row("9 SIM disposed, at the window", WINDOW, K::SimDisposed, sim, None, Both, &[],
            &[Revoked(PHONE, R::CessationOfOperation), Revoked(OTHER, R::CessationOfOperation)]),
        row("11 new SIM, by the carrier alone", carrier(), K::SimSwapped, sim, None, Both, &[],
            &[Held(PHONE, &[Kind::Carrier]), Held(OTHER, &[Kind::Carrier])]),
    ]
}

/// Rows 12 to 20.
#[rustfmt::skip]
fn holders() -> Vec<Row> {
    use After::{Held, Revoked};
    use Before::Revoked as WasRevoked;
    use Reason as R;
    use ReportKind as K;
    use Under::Both;
    vec![
        row("12 card renewed", WINDOW, K::Renewed, CARDS, None, Both, &[],
            &[Revoked(SIGN, R::Superseded), Revoked(AUTH, R::Superseded), Revoked(PHONE, R::Superseded), Revoked(PENDING, R::Superseded)]),
        row("13 moved", Role::Registry, K::Moved, HOLDERS, None, Both, &[],
            &[Revoked(SIGN, R::AffiliationChanged), Revoked(OTHER, R::AffiliationChanged)]),
        row("13 renamed", Role::Registry, K::Renamed, HOLDERS, None, Both, &[],
            &[Revoked(SIGN, R::AffiliationChanged), Revoked(OTHER, R::AffiliationChanged)]),
        row("14 died", Role::Registry, K::Died, HOLDERS, None, Both, &[],
            &[Held(SIGN, &[Kind::Registry]), Held(AUTH, &[Kind::Registry]), Held(PHONE, &[Kind::Registry]), Held(PENDING, &[Kind::Registry]), Held(OTHER, &[Kind::Registry])]),
        row("15 card returned", WINDOW, K::Returned, CARDS, None, Both, &[],
            &[Revoked(SIGN, R::CessationOfOperation), Revoked(AUTH, R::CessationOfOperation), Revoked(PHONE, R::Superseded), Revoked(PENDING, R::Superseded)]),
        row("16 holder applies, for all", WITH_CARD, K::HolderApplies, HOLDERS, None, Both, &[],
            &[Revoked(SIGN, R::CessationOfOperation), Revoked(AUTH, R::CessationOfOperation), Revoked(PHONE, R::CessationOfOperation),
              Revoked(PENDING, R::CessationOfOperation), Revoked(OTHER, R::CessationOfOperation)]),
        row("16 holder applies, for one medium", WITH_CARD, K::HolderApplies, SIMS, None, Both, &[],
            &[Revoked(PHONE, R::CessationOfOperation), Revoked(OTHER, R::CessationOfOperation)]),
        row("20 a worse reason later", WINDOW, K::CardNotFound, CARDS, None, Both, &[WasRevoked(SIGN, R::Superseded), WasRevoked(PHONE, R::Superseded)],
            &[Revoked(SIGN, R::KeyCompromise), Revoked(AUTH, R::KeyCompromise), Revoked(PENDING, R::Superseded)]),
        row("20 a weaker reason later", WINDOW, K::Renewed, CARDS, None, Both, &[WasRevoked(SIGN, R::KeyCompromise)],
            &[Revoked(AUTH, R::Superseded), Revoked(PHONE, R::Superseded), Revoked(PENDING, R::Superseded)]),
        row("20 discarded before delivery, then the card renewed", WINDOW, K::Renewed, CARDS, None, Both, &[WasRevoked(PENDING, R::Unspecified)],
            &[Revoked(SIGN, R::Superseded), Revoked(AUTH, R::Superseded), Revoked(PHONE, R::Superseded)]),
        row("20 discarded before delivery, then the phone was stolen", WINDOW, K::PhoneNotFound, Subject::Medium(MediumId([4; 16])), None, Both,
            &[WasRevoked(PENDING, R::Unspecified)], &[Revoked(PENDING, R::KeyCompromise)]),
        row("20 lost after it was revoked", Role::CallCentre, K::CardLost, CARDS, None, Both, &[WasRevoked(SIGN, R::Superseded), WasRevoked(PENDING, R::Superseded)],
            &[Held(AUTH, &[Kind::CallCentre])]),
    ]
}

#[test]
fn every_row_does_what_it_says_and_nothing_else() {
    for row in [cards(), phones(), holders()].concat() {
        for (policy, own) in policies().into_iter().zip([Under::Default, Under::AllReleasable]) {
            if row.under == Under::Both || row.under == own {
                check(&row, World::new(policy));
            }
        }
    }
}

fn check(row: &Row, mut world: World) {
    let name = row.row;
    let began = world.now;
    for before in row.before {
        match *before {
            Before::Held(no, kind) => _ = world.hold(no, kind),
            Before::Revoked(no, reason) => world.revoke(no, reason),
        }
    }
    world.pass(Seconds(600));
    let before = world.clone();
    let mut told = report(row.kind, row.about, world.now);
    told.lost_at = row.lost_days.map(|days| world.now - Seconds::days(days));
    let applied =
        world.report(&actor(row.by), &told, Backing::One).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
    let cause = Position(before.position.0 + 1);
    assert!(applied.iter().all(|done| done.cause == cause), "{name}: every child names its cause");
    for no in [SIGN, AUTH, PHONE, PENDING, OTHER] {
        let status = world.status(no);
        let expected = row.after.iter().find(|after| number(after) == no);
        match expected {
            None if row.kind == ReportKind::Moved => assert_eq!(status.life, before.status(no).life, "{name}: {no}"),
            None => assert_eq!(status, before.status(no), "{name}: certificate {no} is not concerned"),
            Some(After::Good(_)) => assert!(status.is_good(), "{name}: {no} is {status:?}"),
            Some(After::Held(_, kinds)) => {
                let held: Vec<Kind> = status.holds.iter().map(|hold| kind(hold.kind)).collect();
                assert_eq!(held, *kinds, "{name}: certificate {no}");
                assert!(status.revocation().is_none() && !status.is_good(), "{name}: {no}");
            }
            Some(After::Revoked(_, reason)) => {
                let ended = status.revocation().unwrap_or_else(|| panic!("{name}: {no} is {status:?}"));
                let was = before.status(no);
                let since = was.revocation().map(|before| before.at).or(was.held_since()).unwrap_or(world.now);
                assert_eq!((ended.reason, ended.at), (*reason, since), "{name}: certificate {no}");
                assert!(since == began || since == world.now, "{name}");
            }
        }
    }
    // Row 20: said once more, it changes nothing.
    let again = world.clone();
    let repeated = world.report(&actor(row.by), &told, Backing::One).unwrap_or_default();
    assert!(repeated.is_empty(), "{name}: {repeated:?}");
    assert_eq!(world.family, again.family, "{name}");
}

fn number(after: &After) -> u64 {
    match after {
        After::Good(no) | After::Held(no, _) | After::Revoked(no, _) => *no,
    }
}

fn kind(kind: HoldKind) -> Kind {
    match kind {
        HoldKind::CallCentre => Kind::CallCentre,
        HoldKind::Carrier(_) => Kind::Carrier,
        HoldKind::Holder => Kind::Holder,
        HoldKind::Registry => Kind::Registry,
        HoldKind::RuleX => Kind::RuleX,
        HoldKind::Window => Kind::Window,
        HoldKind::Imported | HoldKind::Review | HoldKind::Set => panic!("no report opens {kind:?}"),
    }
}

/// Rows 9, 11 and 14: what is only held now becomes final in time, with its reason and its date; not before.
#[test]
fn uncontradicted_holds_become_final_in_time() {
    use tashika::model::{Due, timer_wish};
    let sim = Subject::Sim { sim: SimId([13; 16]), operator: operator("mvno") };
    for (kind, by, about, days, reason) in [
        (ReportKind::PhoneLost, carrier(), sim, 30, Reason::KeyCompromise),
        (ReportKind::SimDisposed, carrier(), sim, 30, Reason::CessationOfOperation),
        (ReportKind::ContractEnded, carrier(), sim, 30, Reason::CessationOfOperation),
        (ReportKind::SimSwapped, carrier(), sim, 30, Reason::CessationOfOperation),
        (ReportKind::Died, Role::Registry, HOLDERS, 2, Reason::AffiliationChanged),
    ] {
        let mut world = World::new(policies()[0].clone());
        let began = world.now;
        world.report(&actor(by), &report(kind, about, began), Backing::One).unwrap();
        let due = began + Seconds::days(days);
        let wish = |world: &World| {
            let entry = world.entry(PHONE);
            timer_wish(&entry.certificate, &entry.status, &world.policy, world.now)
        };
        world.now = due - Seconds(1);
        assert_eq!(wish(&world), None, "{kind}: too early");
        world.now = due;
        let hold = world.status(PHONE).holds[0].id.0;
        let confirmed = Due { wish: Wish::Revoke { reason, lost_at: None }, cause: Some(hold) };
        assert_eq!(wish(&world).as_ref(), Some(&confirmed), "{kind}");
        world.fulfil(PHONE, &confirmed.wish, hold).unwrap();
        let ended = world.status(PHONE).revocation().unwrap();
        assert_eq!((ended.reason, ended.at), (reason, began), "{kind}");
        assert_eq!(wish(&world), None, "{kind}: once");
    }
}

/// Several terms: the one that ended is the cause, the worst that any of them would have become is the reason.
#[test]
fn the_hold_whose_term_ended_is_the_cause() {
    use tashika::model::{Final, timer_wish};
    let mut world = World::new(policies()[0].clone());
    let term = |days, reason| Some(Final { due: world.now + Seconds::days(days), reason });
    let terms = [(HoldKind::Registry, term(9, Reason::KeyCompromise)), (HoldKind::Window, term(2, Reason::Superseded))];
    let opened: Vec<_> = terms
        .into_iter()
        .map(|(kind, becomes)| {
            let wish = Wish::Hold { kind, lost_at: None, becomes };
            world.fulfil(PHONE, &wish, Position(1)).unwrap()[0].position
        })
        .collect();
    world.pass(Seconds::days(2));
    let entry = world.entry(PHONE);
    let due = timer_wish(&entry.certificate, &entry.status, &world.policy, world.now).unwrap();
    assert_eq!(due.cause, Some(opened[1]), "not the one that has a week left");
    assert_eq!(due.wish, Wish::Revoke { reason: Reason::KeyCompromise, lost_at: None });
}

/// Row 3: what nobody acknowledged in time is given up; row 7 by the call centre alone never becomes final by itself.
#[test]
fn the_clock_ends_what_is_pending_and_no_hold_without_a_term() {
    use tashika::model::{Due, timer_wish};
    let mut world = World::new(policies()[0].clone());
    world.report(&actor(Role::CallCentre), &report(ReportKind::PhoneLost, SIMS, world.now), Backing::One).unwrap();
    world.pass(Seconds::days(20_000));
    let wish = |no| {
        let entry = world.entry(no);
        timer_wish(&entry.certificate, &entry.status, &world.policy, world.now)
    };
    assert_eq!(wish(PHONE), None);
    let given_up = Due { wish: Wish::Revoke { reason: Reason::Unspecified, lost_at: None }, cause: None };
    assert_eq!(wish(PENDING), Some(given_up));
}

/// Row 11: the new certificate is in use first, then the old one ends.
#[test]
fn a_swapped_sim_ends_the_old_certificate_once_its_successor_is_in_use() {
    let mut world = World::new(policies()[0].clone());
    let swapped = report(ReportKind::SimSwapped, SIMS, world.now);
    let early = world.report(&actor(WINDOW), &swapped, Backing::One);
    assert_eq!(early, Err(Refusal::SuccessorMissing(ReportKind::SimSwapped)));
    world.family[PENDING as usize - 1].certificate.links.succeeds = Some(CertificateNo(PHONE));
    let early = world.report(&actor(WINDOW), &swapped, Backing::One);
    assert_eq!(early, Err(Refusal::SuccessorMissing(ReportKind::SimSwapped)), "made, and not yet acknowledged");
    world.fulfil(PENDING, &Wish::Acknowledge, Position(1)).unwrap();
    world.report(&actor(WINDOW), &swapped, Backing::One).unwrap();
    assert_eq!(world.status(PHONE).revocation().unwrap().reason, Reason::Superseded);
    assert!(world.status(PENDING).is_good());
}

/// Row 13: who moved is handed over, AUTH goes on.
#[test]
fn who_moved_belongs_to_another_window() {
    let mut world = World::new(policies()[0].clone());
    let (old, new) = (actor(Role::Window(Some(crate::family::TOWN))), actor(Role::Window(Some(Municipality(13_102)))));
    let lost = |now| report(ReportKind::CardLost, CARDS, now);
    let refused = world.clone().report(&new, &lost(world.now), Backing::One);
    assert!(matches!(refused, Err(Refusal::NotCompetent { .. })), "{refused:?}");
    world.report(&old, &report(ReportKind::Moved, HOLDERS, world.now), Backing::One).unwrap();
    assert_eq!(world.status(AUTH).handed_to, Some(Municipality(13_102)));
    assert_eq!(world.status(AUTH).life, Life::Active);
    let found = world.clone().report(&old, &report(ReportKind::PhoneNotFound, SIMS, world.now), Backing::One);
    assert!(matches!(found, Err(Refusal::NotCompetent { .. })), "{found:?}");
}

/// A release or "found" that is late or replayed can't lift the hold of a later loss.
#[test]
fn a_found_of_the_first_loss_leaves_the_hold_of_the_second() {
    for policy in policies() {
        let mut world = World::new(policy);
        let first = world.hold(PHONE, HoldKind::CallCentre);
        let found = report(ReportKind::PhoneFound, SIMS, world.now);
        world.pass(Seconds(60));
        let second = world.hold(PHONE, HoldKind::Window);
        world.report(&actor(WINDOW), &found, Backing::One).unwrap();
        assert!(world.status(PHONE).hold(first).is_none());
        assert!(world.status(PHONE).hold(second).is_some());
        assert!(world.report(&actor(WINDOW), &found, Backing::One).is_err(), "replayed");
        assert!(world.status(PHONE).hold(second).is_some());
    }
}
