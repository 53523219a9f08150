//! Set events laid over stored statuses: whenever a reader looks, and however often, it must come to the same.

use proptest::prelude::*;
use tashika::model::{
    Batch, Book, HoldId, IssuerNo, Life, ListNo, Position, Reason, Seconds, SetChange, SetEvent, SetTarget, Status,
    Time,
};

use crate::family::{AUTH, PHONE, SIGN, World, policies};

fn target() -> impl Strategy<Value = SetTarget> {
    prop_oneof![
        (1..4_u16).prop_map(|no| SetTarget::Issuer(IssuerNo(no))),
        (6..9_u32).prop_map(|no| SetTarget::Batch(Batch(no))),
        (1..4_u32).prop_map(|no| SetTarget::Listed { list: ListNo(no), count: 1, digest: [0; 32] }),
    ]
}

/// Set events at rising positions; releases name an earlier hold of the same set.
fn sets() -> impl Strategy<Value = Vec<SetEvent>> {
    prop::collection::vec((target(), 0..4_u8, 0..8_usize, prop::sample::select(Reason::ALL.to_vec())), 0..12).prop_map(
        |drawn| {
            let mut sets: Vec<SetEvent> = Vec::new();
            for ((target, what, earlier, reason), index) in drawn.into_iter().zip(1..) {
                let held = sets.get(earlier).filter(|set| set.change == SetChange::Held).cloned();
                let (target, change) = match (what, held) {
                    (0, Some(held)) => (held.target, SetChange::Released { hold: HoldId(held.position) }),
                    (1, _) => (target, SetChange::Revoked { reason }),
                    _ => (target, SetChange::Held),
                };
                let (position, time) = (Position(1_000 + 10 * index), Time::from_unix(1_800_000_000).unwrap());
                let time = time + Seconds(60 * index as u32);
                sets.push(SetEvent { position, time, cause: position, target, change });
            }
            sets
        },
    )
}

proptest! {
    #[test]
    fn reading_late_and_reading_often_come_to_the_same(sets in sets(), stop in 0..12_usize) {
        let world = World::new(policies()[0].clone());
        for no in [SIGN, AUTH, PHONE] {
            let entry = world.entry(no);
            let lists = [ListNo(1 + (no as u32 % 3))];
            let whole = Book { sets: sets.clone(), ..Book::default() };
            let early = Book { sets: sets[..stop.min(sets.len())].to_vec(), ..Book::default() };
            let mut late = entry.status.clone();
            whole.overlay(&entry.certificate, &mut late, &lists);
            let mut often = entry.status.clone();
            early.overlay(&entry.certificate, &mut often, &lists);
            whole.overlay(&entry.certificate, &mut often, &lists);
            whole.overlay(&entry.certificate, &mut often, &lists);
            prop_assert_eq!(&late, &often);
            prop_assert_eq!(late, by_hand(&entry.status, &sets, entry, &lists));
        }
    }
}

/// The same, told event by event without any of the overlay's code.
fn by_hand(before: &Status, sets: &[SetEvent], entry: &tashika::model::Entry, lists: &[ListNo]) -> Status {
    let mut status = before.clone();
    for set in sets {
        let member = match &set.target {
            SetTarget::Batch(batch) => entry.certificate.batch == *batch,
            SetTarget::Issuer(issuer) => entry.certificate.key.issuer == *issuer,
            SetTarget::Listed { list, .. } => lists[0] == *list,
        };
        if !member {
            continue;
        }
        let first_hold = status.holds.iter().map(|hold| hold.since).min();
        match (&mut status.life, set.change) {
            (Life::Revoked(ended), SetChange::Revoked { reason }) if reason.outweighs(ended.reason) => {
                (ended.reason, ended.by) = (reason, set.position);
            }
            (Life::Revoked(_), _) => {}
            (life, SetChange::Revoked { reason }) => {
                let at = first_hold.unwrap_or(set.time);
                *life = Life::Revoked(tashika::model::Revocation { reason, at, lost_at: None, by: set.position });
                status.holds.clear();
            }
            (_, SetChange::Released { hold }) => status.holds.retain(|open| open.id != hold),
            (_, SetChange::Held) => status.holds.push(tashika::model::Hold {
                id: HoldId(set.position),
                kind: tashika::model::HoldKind::Set,
                since: set.time,
                cause: set.cause,
                lost_at: None,
                becomes: None,
            }),
        }
        status.as_of = set.position;
    }
    status
}
