//! DOMAIN §4: who lifts whose hold, with one person behind it and with two; and never by the medium that is held.

use tashika::model::{Backing, HoldKind, IssuerNo, MediumId, Reason, Refusal, Role, may_lift};

use crate::family::{AUTH, CARD, PHONE, SIGN, SIM, World, actor, operator, policies};

/// Who tries, in the order of the columns below.
fn lifters() -> [Role; 11] {
    [
        Role::Auditor,
        Role::Ca(IssuerNo(2)),
        Role::CallCentre,
        Role::Carrier(operator("mvno")),
        Role::Carrier(operator("mno")),
        Role::Carrier(operator("other")),
        Role::Holder { presented: Some(CARD) },
        Role::Holder { presented: Some(SIM) },
        Role::Ops,
        Role::Registry,
        Role::Window(None),
    ]
}

#[test]
fn who_lifts_whose_hold_of_a_phone_certificate() {
    //                         aud ca call mvno mno other card sim ops reg win
    let table = [
        (HoldKind::CallCentre, [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]),
        (HoldKind::Carrier(operator("mvno")), [0, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0]),
        (HoldKind::Carrier(operator("mno")), [0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0]),
        (HoldKind::Holder, [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]),
        (HoldKind::Imported, [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]),
        (HoldKind::Registry, [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]),
        (HoldKind::Review, [0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2]),
        (HoldKind::RuleX, [0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2]),
        (HoldKind::Set, [0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2]),
        (HoldKind::Window, [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]),
    ];
    for (kind, row) in table {
        let mut world = World::new(policies()[0].clone());
        let id = world.hold(PHONE, kind);
        for (role, people) in lifters().into_iter().zip(row) {
            for (backing, enough) in [(Backing::One, people == 1), (Backing::Two, people >= 1)] {
                let lifted = lift(&world, role, PHONE, backing);
                assert_eq!(lifted.is_ok(), enough, "{kind:?} by {role:?}, {backing:?}: {lifted:?}");
                if let Err(refusal) = lifted {
                    assert_eq!(refusal, Refusal::NotLiftable { hold: id, kind: kind.name(), role });
                }
            }
        }
    }
}

fn lift(world: &World, role: Role, no: u64, backing: Backing) -> Result<(), Refusal> {
    let entry = world.entry(no);
    may_lift(&actor(role), &entry.status.holds[0], entry, &world.family, &world.policy, backing)
}

/// A thief must not free what they stole.
#[test]
fn the_held_medium_lifts_nothing_of_itself() {
    let mut world = World::new(policies()[1].clone());
    world.hold(SIGN, HoldKind::CallCentre);
    for shown in [CARD, SIM] {
        let lifted = lift(&world, Role::Holder { presented: Some(shown) }, SIGN, Backing::Two);
        assert!(lifted.is_err(), "the held card, or a phone, frees a card");
    }
}

#[test]
fn a_card_in_doubt_lifts_nothing() {
    let with_card = Role::Holder { presented: Some(CARD) };
    let held = || {
        let mut world = World::new(policies()[0].clone());
        world.hold(PHONE, HoldKind::CallCentre);
        world
    };
    assert!(lift(&held(), with_card, PHONE, Backing::One).is_ok());
    for held_too in [SIGN, AUTH] {
        let mut world = held();
        world.hold(held_too, HoldKind::Review);
        assert!(lift(&world, with_card, PHONE, Backing::One).is_err(), "certificate {held_too} of the card is held");
    }
    let mut world = held();
    [SIGN, AUTH].into_iter().for_each(|no| world.revoke(no, Reason::KeyCompromise));
    assert!(lift(&world, with_card, PHONE, Backing::One).is_err(), "the card is revoked");
    let strangers = Role::Holder { presented: Some(MediumId([77; 16])) };
    assert!(lift(&held(), strangers, PHONE, Backing::Two).is_err());
    assert!(lift(&held(), Role::Holder { presented: None }, PHONE, Backing::Two).is_err());
}
