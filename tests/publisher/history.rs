//! Random histories: at each of many cut-offs, against each base that is in use, base and delta amount to the full CRL entry
//! for entry, and each CRL says what the whole history says.

use tashika::model::{Batch, Delivery, HoldId, HoldKind, LastHold, Reason, ScopeNo, Seconds, SetChange, Wish};

use crate::issued::{Occasion, Shelf};
use crate::rng::Rng;
use crate::world::World;

#[test]
fn every_crl_of_random_histories_says_what_is_so() {
    let mut removals = 0;
    for seed in 0..120 {
        removals += live(seed);
    }
    assert!(removals > 500, "the histories bring about removals: {removals}");
}

fn live(seed: u64) -> u64 {
    let mut rng = Rng::new(seed);
    let mut world = World::new(42, &mut rng);
    let mut shelves: Vec<Shelf> = (1..=3).map(|no| Shelf::new(ScopeNo(no))).collect();
    for _ in 0..400 {
        match rng.below(30) {
            0..24 => event(&mut world, &mut rng),
            24 | 25 => {
                let occasion = if rng.below(3) == 0 { Occasion::Emergency } else { Occasion::Regular };
                shelves[rng.below(3) as usize].full(&world, occasion);
            }
            26..29 => {
                let shelf = &mut shelves[rng.below(3) as usize];
                let count = shelf.fulls.len() as u64;
                if count > 0 {
                    // The oldest is what deltas are issued against; any other must do as well.
                    let base = if rng.below(2) == 0 { 0 } else { rng.below(count) as usize };
                    shelf.delta(&world, base);
                }
            }
            _ => maintain(&mut world, &mut shelves, seed, &mut rng),
        }
    }
    shelves.iter_mut().for_each(|shelf| shelf.full(&world, Occasion::Regular));
    shelves.iter_mut().for_each(|shelf| shelf.delta(&world, 0));
    shelves.iter().map(|shelf| shelf.removals).sum()
}

fn event(world: &mut World, rng: &mut Rng) {
    let index = rng.below(world.certificates.len() as u64) as usize;
    // A word about the loss of what expired and was dropped long ago lists it again or doesn't; neither is wrong.
    let told = rng.below(3) == 0 && !world.certificates[index].is_expired(world.time);
    let lost_at = told.then(|| world.time - Seconds(rng.below(5_000) as u32));
    match rng.below(20) {
        0..4 => {
            let delivery = if rng.below(2) == 0 { Delivery::Awaited } else { Delivery::Delivered };
            world.register(index, delivery);
        }
        4..8 => {
            let kinds = [HoldKind::CallCentre, HoldKind::Window, HoldKind::RuleX];
            let kind = kinds[rng.below(3) as usize];
            world.wish(index, &Wish::Hold { kind, lost_at, becomes: None });
        }
        8..11 => world.release(index),
        11 => {
            let first = world.statuses[index].iter().flat_map(|status| &status.holds).map(|hold| hold.id).next();
            world.wish(index, &Wish::Release { holds: first.into_iter().collect(), last: LastHold::MayBeLifted });
        }
        12 => {
            let reason = Reason::ALL[rng.below(8) as usize];
            world.wish(index, &Wish::Revoke { reason, lost_at });
        }
        13 | 14 => world.wish(index, &Wish::Acknowledge),
        15 if rng.below(4) == 0 => set(world, rng),
        _ => world.pass(rng.below(3_000) as u32),
    }
}

fn set(world: &mut World, rng: &mut Rng) {
    let batch = Batch(1 + rng.below(3) as u32);
    let change = match (rng.below(10), world.set_hold(batch)) {
        (0, _) => SetChange::Revoked { reason: Reason::KeyCompromise },
        (1..6, Some(held)) => SetChange::Released { hold: HoldId(held) },
        _ => SetChange::Held,
    };
    world.set(batch, change);
}

/// Every other world is never restarted: there, what is said is exactly what should be.
fn maintain(world: &mut World, shelves: &mut [Shelf], seed: u64, rng: &mut Rng) {
    if rng.below(2) == 0 || seed.is_multiple_of(2) {
        let shelf = &mut shelves[rng.below(3) as usize];
        shelf.forget(world, 1 + rng.below(2) as usize);
    } else {
        // After a restart each scope knows the removals since its own oldest base.
        let oldest = shelves.iter().filter_map(Shelf::oldest).min();
        world.restart(oldest.unwrap_or(world.cutoff()));
        shelves.iter().for_each(|shelf| shelf.reconcile(world));
        shelves.iter_mut().for_each(|shelf| shelf.forget(world, 0));
    }
}
