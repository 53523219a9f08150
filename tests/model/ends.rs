//! How one party's holds end: whatever it says, in whatever order, the clock ends them at the first term that was stated,
//! for the worst of the reasons, and what adds nothing to that opens no hold.

use proptest::prelude::*;
use tashika::model::{
    Change, Final, HoldKind, Policy, Position, Reason, Seconds, Status, Time, Wish, next_due, timer_wish,
};

use crate::family::{PHONE, World, operator, policies, rank};

fn end() -> impl Strategy<Value = Option<(u32, Reason)>> {
    prop::option::weighted(0.7, (1..40_u32, prop::sample::select(Reason::ALL.to_vec())))
}

fn kind() -> impl Strategy<Value = HoldKind> {
    let carrier = HoldKind::Carrier(operator("mvno"));
    prop::sample::select(vec![HoldKind::CallCentre, HoldKind::Registry, HoldKind::Window, carrier])
}

/// When the clock revokes, and how bad the reason is.
fn outlook(world: &World, status: &Status) -> Option<(Time, u8)> {
    let (certificate, policy): (_, &Policy) = (&world.entry(PHONE).certificate, &world.policy);
    let due = next_due(certificate, status, policy)?;
    assert_eq!(timer_wish(certificate, status, policy, due - Seconds(1)), None, "the clock is early");
    match timer_wish(certificate, status, policy, due).expect("something is due").wish {
        Wish::Revoke { reason, .. } => Some((due, rank(reason))),
        other => panic!("the clock wants {other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_first_term_and_the_worst_reason_win_in_any_order(kind in kind(), ends in prop::collection::vec(end(), 1..12)) {
        let mut world = World::new(policies()[0].clone());
        let start = world.now;
        let mut said: Vec<Final> = Vec::new();
        for (index, end) in ends.into_iter().enumerate() {
            let becomes = end.map(|(days, reason)| Final { due: start + Seconds::days(days), reason });
            said.extend(becomes);
            let was = outlook(&world, world.status(PHONE));
            let wish = Wish::Hold { kind, lost_at: None, becomes };
            let done = world.fulfil(PHONE, &wish, Position(1)).unwrap();
            let expected = said.iter().map(|end| end.due).min().zip(said.iter().map(|end| rank(end.reason)).max());
            prop_assert_eq!(outlook(&world, world.status(PHONE)), expected);
            let opens = index == 0 || was != expected;
            prop_assert_eq!(done.len(), usize::from(opens), "{:?} on {:?}", becomes, was);
            let only_holds = done.iter().all(|done| matches!(done.change, Change::Held { .. }));
            prop_assert!(only_holds, "something else than a hold");
            prop_assert!(world.fulfil(PHONE, &wish, Position(1)).unwrap().is_empty(), "said twice");
        }
    }
}
