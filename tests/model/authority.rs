//! DOMAIN §2 as tables: what each role may do at all, and to whose certificates.

use tashika::model::{
    Action, IssuerNo, MediumId, Municipality, Operator, Policy, Refusal, ReportKind, Role, may, may_touch,
    window_is_open,
};
use tashika::model::{OfficeHours, Time};

use crate::family::{AUTH, CARD, OTHER, PENDING, PHONE, SIGN, SIM, TOWN, World, actor, operator, policies};

fn carrier() -> Operator {
    operator("mvno")
}

/// Every role, in the order of the columns below.
fn roles() -> [Role; 10] {
    [
        Role::Auditor,
        Role::Ca(IssuerNo(1)),
        Role::CallCentre,
        Role::Carrier(carrier()),
        Role::Holder { presented: Some(CARD) },
        Role::Ops,
        Role::Registry,
        Role::SpTsm,
        Role::System,
        Role::Window(Some(TOWN)),
    ]
}

#[test]
fn who_may_do_what_at_all() {
    //                                   aud ca  call carr hold ops  reg  tsm  sys  win
    let table = [
        (Action::Activate, /*         */ [0, 1, 0, 0, 0, 0, 0, 1, 0, 1]),
        (Action::AdoptEpoch, /*       */ [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]),
        (Action::Configure, /*        */ [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]),
        (Action::DecideQueued, /*     */ [0, 0, 1, 1, 0, 1, 1, 0, 0, 1]),
        (Action::Hold, /*             */ [0, 0, 1, 1, 1, 1, 1, 0, 0, 1]),
        (Action::Register, /*         */ [0, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
        (Action::Release, /*          */ [0, 0, 0, 1, 1, 1, 1, 0, 0, 1]),
        (Action::Revoke, /*           */ [0, 1, 0, 0, 1, 0, 0, 0, 1, 1]),
        (Action::Set, /*              */ [0, 1, 0, 0, 0, 1, 0, 0, 0, 0]),
        (Action::Undo, /*             */ [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]),
    ];
    for (action, row) in table {
        compare(action, row);
    }
}

#[test]
fn who_may_report_what() {
    use ReportKind as K;
    //                       aud ca call carr hold ops reg tsm sys win
    let table = [
        (K::CardFound, /*    */ [0, 0, 0, 0, 1, 0, 0, 0, 0, 1]),
        (K::CardLost, /*     */ [0, 0, 1, 0, 1, 0, 0, 0, 0, 1]),
        (K::CardNotFound, /* */ [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        (K::ContractEnded, /**/ [0, 0, 0, 1, 0, 0, 0, 0, 0, 1]),
        (K::Delivered, /*    */ [0, 0, 0, 0, 0, 0, 0, 1, 0, 1]),
        (K::Died, /*         */ [0, 0, 0, 0, 0, 0, 1, 0, 0, 1]),
        (K::HolderApplies, /**/ [0, 0, 0, 0, 1, 0, 0, 0, 0, 1]),
        (K::Moved, /*        */ [0, 0, 0, 0, 0, 0, 1, 0, 0, 1]),
        (K::NotDelivered, /* */ [0, 0, 0, 0, 0, 0, 0, 1, 0, 1]),
        (K::PhoneFound, /*   */ [0, 0, 0, 1, 1, 0, 0, 0, 0, 1]),
        (K::PhoneLost, /*    */ [0, 0, 1, 1, 1, 0, 0, 0, 0, 1]),
        (K::PhoneNotFound, /**/ [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        (K::Renamed, /*      */ [0, 0, 0, 0, 0, 0, 1, 0, 0, 1]),
        (K::Renewed, /*      */ [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        (K::Returned, /*     */ [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        (K::SimDisposed, /*  */ [0, 0, 0, 1, 0, 0, 0, 0, 0, 1]),
        (K::SimSwapped, /*   */ [0, 0, 0, 1, 0, 0, 0, 0, 0, 1]),
    ];
    assert_eq!(table.map(|(kind, _)| kind), K::ALL, "every kind has its row");
    for (kind, row) in table {
        compare(Action::Report(kind), row);
    }
}

fn compare(action: Action, row: [u8; 10]) {
    for (role, allowed) in roles().into_iter().zip(row) {
        match may(role, action) {
            Ok(()) => assert_eq!(allowed, 1, "{role} may {}", action.name()),
            Err(Refusal::NotAllowed { role: said, .. }) => {
                assert_eq!((allowed, said), (0, role), "{role} may not {}", action.name());
            }
            Err(other) => panic!("{role}, {}: {other}", action.name()),
        }
    }
}

#[test]
fn each_touches_its_own_only() {
    let world = World::new(policies()[0].clone());
    let strangers_card = MediumId([77; 16]);
    //                                                                        sign auth phone pending other
    let table: [(Role, [u8; 5]); 17] = [
        (Role::Auditor, [0, 0, 0, 0, 0]),
        (Role::Ca(IssuerNo(1)), [1, 1, 0, 0, 0]),
        (Role::Ca(IssuerNo(2)), [0, 0, 1, 1, 1]),
        (Role::CallCentre, [1, 1, 1, 1, 1]),
        (Role::Carrier(carrier()), [0, 0, 1, 1, 1]),
        (Role::Carrier(operator("mno")), [0, 0, 1, 1, 1]),
        (Role::Carrier(operator("other")), [0, 0, 0, 0, 0]),
        (Role::Holder { presented: Some(CARD) }, [1, 1, 1, 1, 1]),
        (Role::Holder { presented: Some(SIM) }, [1, 1, 1, 1, 1]),
        (Role::Holder { presented: Some(strangers_card) }, [0, 0, 0, 0, 0]),
        (Role::Holder { presented: None }, [0, 0, 0, 0, 0]),
        (Role::Ops, [1, 1, 1, 1, 1]),
        (Role::Registry, [1, 1, 1, 1, 1]),
        (Role::SpTsm, [0, 0, 1, 1, 1]),
        (Role::Window(None), [1, 1, 1, 1, 1]),
        (Role::Window(Some(TOWN)), [1, 1, 1, 1, 1]),
        (Role::Window(Some(Municipality(1))), [0, 0, 0, 0, 0]),
    ];
    for (role, row) in table {
        for (no, allowed) in [SIGN, AUTH, PHONE, PENDING, OTHER].into_iter().zip(row) {
            let touched = may_touch(&actor(role), world.entry(no), &world.family, &world.policy);
            assert_eq!(u8::from(touched.is_ok()), allowed, "{role:?} and certificate {no}: {touched:?}");
            assert!(matches!(touched, Ok(()) | Err(Refusal::NotCompetent { .. })));
        }
    }
}

/// A virtual carrier doesn't speak for its host, nor one for another's guests.
#[test]
fn a_host_speaks_for_its_guests_and_not_the_other_way() {
    let policy = &policies()[0];
    assert!(policy.speaks_for(operator("mno"), operator("mvno")));
    assert!(!policy.speaks_for(operator("mvno"), operator("mno")));
    assert!(!policy.speaks_for(operator("other"), operator("mvno")));
    assert!(Policy::default().hosts.is_empty());
}

#[test]
fn the_window_is_open_on_weekdays_in_its_hours() {
    let hours = Some(OfficeHours { opens: 9 * 3600, closes: 17 * 3600 });
    let at = |text: &str| text.parse::<Time>().unwrap();
    for (time, open) in [
        ("2026-11-20T08:59:59+09:00", false),
        ("2026-11-20T09:00:00+09:00", true),
        ("2026-11-20T16:59:59+09:00", true),
        ("2026-11-20T17:00:00+09:00", false),
        ("2026-11-21T12:00:00+09:00", false),
        ("2026-11-22T12:00:00+09:00", false),
        ("2026-11-23T12:00:00+09:00", true),
        // Friday evening in Greenwich is Saturday morning in Japan.
        ("2026-11-20T20:00:00Z", false),
    ] {
        assert_eq!(window_is_open(hours, at(time)), open, "{time}");
        assert!(window_is_open(None, at(time)));
    }
}
