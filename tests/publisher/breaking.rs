//! A round that breaks off at each of its steps, in each way: whoever looks sees the old publication or the new one, whole;
//! the next round goes on; and nothing is left of what was never published.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tashika::model::{CrlNumber, Seconds};
use tashika::publisher::{
    Due, IsDelta, Issuing, ObjectKind, ObjectName, Press, PressError, Shelf, Store, StoreError, Why,
};

use crate::nth_call::{HOWS, How, NthCall};
use crate::rng::Rng;
use crate::scene::{Scene, Whole, open, whole};
use crate::shelf_store::{Crash, MemoryStore};

#[test]
fn a_round_that_breaks_off_anywhere_leaves_the_old_or_the_new() {
    let mut met = BTreeSet::new();
    for prior in [Prior::Nothing, Prior::Rounds] {
        for how in HOWS {
            let mut calls = 0;
            while let Seen::Broken { new } = break_off(prior, calls, how) {
                met.insert((prior, how, new));
                calls += 1;
            }
            assert_eq!(calls, 4, "CRLs, those that were brought, the round's own objects, and the pointer");
        }
    }
    for prior in [Prior::Nothing, Prior::Rounds] {
        for how in HOWS {
            assert!(met.contains(&(prior, how, false)), "{how:?}");
            assert_eq!(met.contains(&(prior, how, true)), how.persists(), "{how:?}");
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Prior {
    Nothing,
    Rounds,
}

enum Seen {
    /// The call was reached; whether the round counts all the same.
    Broken { new: bool },
    /// There are fewer calls.
    Unbroken,
}

fn break_off(prior: Prior, call: usize, how: How) -> Seen {
    let mut scene = Scene::new(call as u64);
    let mut rng = Rng::new(7);
    if prior == Prior::Rounds {
        let mut press = scene.open();
        let first = scene.everywhere(Issuing::Full, Why::First);
        scene.round(&mut press, &first);
        scene.world.pass(7_000);
        let due = scene.everywhere(Issuing::Full, Why::Scheduled);
        scene.round(&mut press, &due);
    }
    scene.events(&mut rng, 30);
    let due = scene.everywhere(Issuing::Full, Why::Scheduled);
    let (own, others) = (Arc::new(Shelf::default()), Arc::new(Shelf::default()));
    let mut follower = Press::open(Arc::new(scene.store.clone()), others.clone()).unwrap();
    let old = whole(&others);
    let store = NthCall::new(scene.store.clone());
    let mut press = Press::open(Arc::new(store.clone()), own.clone()).unwrap();
    store.breaks(call, how);
    let done = catch_unwind(AssertUnwindSafe(|| scene.publish(&mut press, &due).map(|published| published.number)));
    if !store.has_broken() {
        assert!(matches!(done, Ok(Ok(_))));
        return Seen::Unbroken;
    }
    follower.refresh().unwrap();
    let seen = whole(&others);
    let round = CrlNumber::from(scene.number);
    let new = seen != old;
    assert_eq!(follower.highest() == Some(round), new);
    if new {
        assert_eq!(follower.index().unwrap().number, round);
        scene.is_proved(&follower);
    }
    match done {
        Ok(Ok(number)) => {
            assert_eq!((number, new), (round, true), "what is said to be published is");
            assert_eq!(whole(&own), seen);
        }
        Ok(Err(error)) => {
            assert!(matches!(&error, PressError::Store(error) if error.may_pass()), "{error}");
            assert_eq!(whole(&own), old, "what isn't known to count is not exposed");
            // The process lives on.
            press.refresh().unwrap();
            assert_eq!(whole(&own), seen);
            goes_on(&mut scene, press, &due);
            return Seen::Broken { new };
        }
        Err(why) => assert!(why.is::<Crash>(), "only the store kills"),
    }
    drop(press);
    let again = scene.open();
    goes_on(&mut scene, again, &due);
    Seen::Broken { new }
}

/// The next round comes, all see it, and after a while nothing lies in the store but what it needs.
fn goes_on(scene: &mut Scene, mut press: Press, due: &[Due]) {
    scene.world.pass(60);
    scene.publish(&mut press, due).unwrap();
    assert_eq!(press.highest(), Some(CrlNumber::from(scene.number)));
    scene.is_proved(&press);
    press.sweep(scene.world.time).unwrap();
    assert!(has_all(&scene.store, &press));
    press.sweep(scene.world.time + Seconds(599)).unwrap();
    press.sweep(scene.world.time + Seconds(1_200)).unwrap();
    let left: BTreeSet<_> = scene.store.names().unwrap().into_iter().collect();
    assert_eq!(left, needed(&press), "no more and no less than what the round needs");
    let again = open(scene.store.clone());
    scene.is_proved(&again);
}

/// The objects of a round: its own, what its index lists, and the full CRLs that deltas may be made against.
fn needed(press: &Press) -> BTreeSet<ObjectName> {
    let index = press.index().unwrap();
    let own = [ObjectKind::Index, ObjectKind::State].map(|kind| ObjectName::of_round(kind, index.number));
    let listed = index.issues().map(|(listing, is_delta, _)| listing.object(is_delta).unwrap());
    let bases = press
        .state()
        .places
        .iter()
        .flat_map(|(path, issued)| issued.fulls.iter().map(|full| ObjectName::crl(path, IsDelta::No, full.number)));
    own.into_iter().chain(listed).chain(bases).collect()
}

fn has_all(store: &MemoryStore, press: &Press) -> bool {
    needed(press).iter().all(|name| store.get(name).unwrap().is_some())
}

/// Each reading call of a follower fails once: what it shows stays whole, and the next time it gets there.
#[test]
fn a_follower_that_cannot_read_shows_what_it_had() {
    let mut scene = Scene::new(1);
    let mut press = scene.open();
    let first = scene.everywhere(Issuing::Full, Why::First);
    scene.round(&mut press, &first);
    let (old, shelf) = (scene.store.fork(), Arc::new(Shelf::default()));
    scene.world.pass(100);
    let due = scene.everywhere(Issuing::Full, Why::Scheduled);
    scene.round(&mut press, &due);
    let mut calls = 0;
    loop {
        let now = scene.store.fork();
        scene.store.become_(&old);
        let store = NthCall::new(scene.store.clone());
        let mut follower = Press::open(Arc::new(store.clone()), shelf.clone()).unwrap();
        let before = whole(&shelf);
        scene.store.become_(&now);
        store.breaks(calls, How::FailsBefore);
        let refreshed = follower.refresh();
        if !store.has_broken() {
            assert!(refreshed.unwrap());
            break;
        }
        assert!(matches!(refreshed, Err(PressError::Store(_))));
        assert_eq!(whole(&shelf), before);
        assert!(follower.refresh().unwrap());
        assert_ne!(whole(&shelf), before);
        scene.is_proved(&follower);
        calls += 1;
    }
    assert_eq!(calls, 11, "the pointer, index, state, signature, four full CRLs and three deltas");
}

/// What could not be removed is removed later, and nothing that is needed ever is.
#[test]
fn a_sweep_that_breaks_off_is_done_later() {
    for how in HOWS {
        let mut calls = 0;
        loop {
            let mut scene = Scene::new(2);
            let store = NthCall::new(scene.store.clone());
            let mut press = open(store.clone());
            for issuing in [Issuing::Full, Issuing::Delta, Issuing::Full] {
                let due = scene.everywhere(issuing, Why::Demanded);
                scene.publish(&mut press, &due).unwrap();
                scene.world.pass(60);
            }
            let later = |minutes: u32| scene.world.time + Seconds(60 * minutes);
            store.breaks(calls, how);
            let swept = catch_unwind(AssertUnwindSafe(|| press.sweep(later(0)).and_then(|_| press.sweep(later(20)))));
            let broken = store.has_broken();
            assert!(has_all(&scene.store, &press));
            match swept {
                Ok(swept) => assert_eq!(swept.is_err(), broken),
                Err(_) => press = scene.open(),
            }
            press.sweep(later(40)).unwrap();
            press.sweep(later(60)).unwrap();
            let left: BTreeSet<_> = scene.store.names().unwrap().into_iter().collect();
            assert_eq!(left, needed(&press), "{how:?} in call {calls}");
            if !broken {
                break;
            }
            calls += 1;
        }
        assert_eq!(calls, 4, "the pointer, all names, the pointer again, and the removal");
    }
}

/// A round of its own number in the store, from a time that a restored ledger forgot: it fails, and the next one passes.
#[test]
fn objects_of_a_forgotten_round_are_not_taken_for_ones_own() {
    let mut scene = Scene::new(3);
    let due = scene.everywhere(Issuing::Full, Why::First);
    let store = NthCall::new(scene.store.clone());
    store.breaks(4, How::DiesBefore);
    let mut press = open(store.clone());
    assert!(catch_unwind(AssertUnwindSafe(|| scene.publish(&mut press, &due))).is_err());
    let left = scene.store.names().unwrap();
    assert_eq!(left.len(), 9, "all but the pointer");
    scene.world.pass(10);
    scene.number = 0;
    let mut press = scene.open();
    let refused = scene.publish(&mut press, &due).unwrap_err();
    assert!(matches!(refused, PressError::Store(StoreError::Taken(_))), "{refused}");
    assert!(press.index().is_none());
    goes_on(&mut scene, press, &due);
}

/// Two publishers, both from the same round: one wins; the other sees it, and goes on from there.
#[test]
fn of_two_publishers_one_wins_and_the_other_goes_on_from_there() {
    let mut scene = Scene::new(4);
    let shelf = Arc::new(Shelf::default());
    let mut slow = Press::open(Arc::new(scene.store.clone()), shelf.clone()).unwrap();
    let mut quick = scene.open();
    let mut rounds = vec![Whole::new()];
    for issuing in [Issuing::Full, Issuing::Delta, Issuing::Full, Issuing::Full] {
        let due = scene.everywhere(issuing, if rounds.len() == 1 { Why::First } else { Why::Scheduled });
        scene.world.pass(700);
        scene.publish(&mut quick, &due).unwrap();
        let refused = scene.publish(&mut slow, &due).unwrap_err();
        assert!(matches!(refused, PressError::Store(StoreError::Moved)), "{refused}");
        assert_eq!(whole(&shelf), rounds[rounds.len() - 1], "what lost is not exposed");
        // The one that lost doesn't know what the other needs, and removes nothing.
        slow.sweep(scene.world.time).unwrap();
        slow.sweep(scene.world.time + Seconds(10_000)).unwrap();
        assert!(has_all(&scene.store, &quick));
        assert!(slow.refresh().unwrap());
        assert!(!slow.refresh().unwrap());
        assert_eq!(slow.index(), quick.index());
        rounds.push(whole(&shelf));
        std::mem::swap(&mut slow, &mut quick);
        // And back: each wins once from where the other left off.
        scene.world.pass(700);
        scene.publish(&mut quick, &due).unwrap();
        slow.refresh().unwrap();
        std::mem::swap(&mut slow, &mut quick);
        rounds.push(whole(&shelf));
        scene.is_proved(&quick);
    }
    scene.world.pass(700);
    // Whoever publishes next removes what both left behind.
    let due = scene.everywhere(Issuing::Full, Why::Scheduled);
    goes_on(&mut scene, quick, &due);
}
