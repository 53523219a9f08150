//! Round after round: what is published is what the whole history says, each round follows from the one before, and what
//! can't be published leaves the last good one where it is.

use std::sync::Arc;

use tashika::asn1::crl::Crl;
use tashika::model::{CrlLimits, CrlNumber, DatedByDay, Delivery, Epoch, LedgerId, Listed, Reason, ScopeNo, Seconds};
use tashika::publisher::{
    Due, Expired, Fault, IsDelta, Issuing, ObjectKind, ObjectName, Press, PressError, Refused, Shelf, Store, Why,
};
use tashika::status::{LossDates, Revoked};

use crate::issued::owned;
use crate::naive::Entries;
use crate::rng::Rng;
use crate::scene::{Scene, open, whole};
use crate::shelf_store::MemoryStore;
use crate::world::WITHIN;

const FIRST: (Issuing, Why) = (Issuing::Full, Why::First);
const HOURLY: (Issuing, Why) = (Issuing::Full, Why::Scheduled);
const DELTA: (Issuing, Why) = (Issuing::Delta, Why::Scheduled);

#[test]
fn every_round_of_random_histories_says_what_is_so() {
    let (mut deltas, mut older) = (0, 0);
    for seed in 0..12 {
        let mut rng = Rng::new(seed);
        let mut scene = Scene::new(seed);
        let mut press = scene.open();
        let first = scene.everywhere(FIRST.0, FIRST.1);
        scene.round(&mut press, &first);
        for _ in 0..25 {
            scene.events(&mut rng, 10);
            scene.world.pass(rng.below(15_000) as u32);
            let due = some(&scene, &mut rng);
            if due.is_empty() {
                continue;
            }
            scene.round(&mut press, &due);
            if rng.below(4) == 0 {
                // As a process that begins anew.
                press = scene.open();
                scene.is_proved(&press);
            }
            press.sweep(scene.world.time).unwrap();
            for slot in &press.index().unwrap().slots {
                let Some(delta) = &slot.delta else { continue };
                deltas += 1;
                older += usize::from(delta.base != Some(slot.full.number));
            }
        }
    }
    assert!(
        older * 4 > deltas && older < deltas,
        "against the last full CRL and against older ones: {older}, {deltas}"
    );
}

/// At some places a full CRL, at others a delta, at others nothing.
fn some(scene: &Scene, rng: &mut Rng) -> Vec<Due> {
    let due = scene.places.values().filter_map(|place| {
        let (issuing, why) = match rng.below(6) {
            0 => return None,
            1 => HOURLY,
            2 => (Issuing::Full, Why::Demanded),
            _ if place.schedule.deltas.is_none() => return None,
            _ => DELTA,
        };
        Some(Due { path: place.path.clone(), issuing, why })
    });
    due.collect()
}

/// With a full CRL that lasts thirty hours and one a day, deltas go back to yesterday's until that has ended.
#[test]
fn the_base_is_the_oldest_full_crl_that_has_not_ended() {
    let mut scene = Scene::new(1);
    let mut press = scene.open();
    let base = |press: &Press| press.index().unwrap().slot("phone-1").unwrap().delta.as_ref().unwrap().base;
    let mut hours = 0;
    let mut go = |scene: &mut Scene, press: &mut Press, at: u32, (issuing, why): (Issuing, Why)| {
        scene.world.pass((at - hours) * 3_600);
        hours = at;
        let due = scene.everywhere(issuing, why);
        scene.round(press, &due);
        base(press)
    };
    let number = |number: u64| Some(CrlNumber::from(number));
    assert_eq!(go(&mut scene, &mut press, 0, FIRST), number(1));
    assert_eq!(go(&mut scene, &mut press, 24, HOURLY), number(1));
    assert_eq!(go(&mut scene, &mut press, 29, DELTA), number(1));
    assert_eq!(go(&mut scene, &mut press, 30, DELTA), number(2), "the first ended in that second");
    assert_eq!(go(&mut scene, &mut press, 48, HOURLY), number(2));
    assert_eq!(press.state().places["phone-1"].fulls.len(), 2);
    assert_eq!(go(&mut scene, &mut press, 54, DELTA), number(5));
    // After a silence of days, all have ended: the last one is what holders have.
    assert_eq!(go(&mut scene, &mut press, 200, DELTA), number(5));
    assert_eq!(go(&mut scene, &mut press, 201, HOURLY), number(8));
}

#[test]
fn a_clock_or_a_number_that_goes_back_exposes_nothing() {
    let mut scene = Scene::new(2);
    let shelf = Arc::new(Shelf::default());
    let mut press = Press::open(Arc::new(scene.store.clone()), shelf.clone()).unwrap();
    let first = scene.everywhere(FIRST.0, FIRST.1);
    scene.round(&mut press, &first);
    let (before, now) = (whole(&shelf), scene.world.time);
    scene.world.time = now - Seconds(10);
    for (issuing, crls) in [(Issuing::Full, 7), (Issuing::Delta, 3)] {
        let due = scene.everywhere(issuing, Why::Demanded);
        let published = scene.publish(&mut press, &due).unwrap();
        assert_eq!((published.crls, published.refused.len()), (0, crls));
        for alarm in &published.refused {
            assert!(matches!(alarm.why, Refused::Fault(Fault::ThisUpdateBack { .. })), "{}", alarm.why);
            let listing = press.index().unwrap().slot(&alarm.path).unwrap();
            let listed = match alarm.is_delta {
                IsDelta::No => &listing.full,
                IsDelta::Yes => listing.delta.as_ref().unwrap(),
            };
            assert_eq!(alarm.good_until, Some(listed.next_update));
        }
        assert_eq!(whole(&shelf), before);
    }
    scene.world.time = now + Seconds(1);
    scene.number = 0;
    let published = scene.publish(&mut press, &first).unwrap();
    assert_eq!((published.crls, published.refused.len()), (0, 7));
    let rises = |why: &Refused| !matches!(why, Refused::Fault(Fault::NumberNotRising { .. }));
    assert!(!published.refused.iter().any(|alarm| rises(&alarm.why)), "{:?}", published.refused);
    assert_eq!(whole(&shelf), before);
    scene.number = 5;
    let due = scene.everywhere(DELTA.0, DELTA.1);
    scene.round(&mut press, &due[..3]);
}

/// Other settings say of the same facts something else: everything is listed anew against a base that was made under the old
/// ones, and fits it.
#[test]
fn settings_may_change_between_rounds() {
    let mut scene = Scene::new(3);
    let mut rng = Rng::new(3);
    let (mut press, mut anew) = (scene.open(), 0);
    scene.events(&mut rng, 150);
    (0..8).for_each(|index| scene.world.revoke(index, Reason::AffiliationChanged));
    let first = scene.everywhere(FIRST.0, FIRST.1);
    scene.round(&mut press, &first);
    let told = scene.rules;
    let kept = Expired::Kept { since: scene.world.time - Seconds::days(100) };
    let by_second = |scene: &mut Scene| scene.rules.dates = DatedByDay::NONE;
    let keeps = move |scene: &mut Scene| scene.rules.expired = kept;
    let without_losses = |scene: &mut Scene| refill(scene, LossDates::Ignored);
    let late = |scene: &mut Scene| scene.rules.delivery_within = Seconds(105_000);
    let back = move |scene: &mut Scene| {
        scene.rules = told;
        refill(scene, LossDates::Kept);
    };
    let changes: [&dyn Fn(&mut Scene); 5] = [&by_second, &keeps, &without_losses, &late, &back];
    for (issuing, why) in [DELTA, HOURLY, (Issuing::Full, Why::Demanded)] {
        for change in changes {
            change(&mut scene);
            scene.events(&mut rng, 5);
            scene.world.pass(4_000);
            let due = scene.everywhere(issuing, why);
            let published = scene.publish(&mut press, &due).unwrap();
            assert!(published.refused.is_empty(), "{:?}", published.refused);
            scene.is_proved(&press);
            scene.forget(&press, &due);
            let again = open(scene.store.clone());
            scene.is_proved(&again);
            anew += said_anew(&scene, &press);
        }
    }
    assert!(anew > 20, "{anew} deltas went back to a base under other settings");
}

/// How many deltas go back to a base under other settings; each of them says all that the full CRL of its cut-off does.
fn said_anew(scene: &Scene, press: &Press) -> usize {
    let mark = scene.rules.mark(scene.world.revoked.losses());
    let mut anew = 0;
    for slot in &press.index().unwrap().slots {
        let Some(delta) = &slot.delta else { continue };
        let fulls = &press.state().places[&slot.path].fulls;
        if fulls.iter().any(|full| Some(full.number) == delta.base && full.rules == mark) {
            continue;
        }
        anew += 1;
        let octets = press.octets(&slot.object(IsDelta::Yes).unwrap()).unwrap();
        let said = owned(&Crl::read(octets, CrlLimits::WIDEST).unwrap());
        let said = said.into_iter().filter(|(_, entry)| entry.listed != Listed::Removed);
        if slot.full.number == delta.number {
            let full = press.full(&slot.path, slot.full.number).unwrap();
            assert_eq!(said.collect::<Entries>(), owned(&full), "everything is said anew");
        }
    }
    anew
}

/// The lists of a process that begins with other settings.
fn refill(scene: &mut Scene, losses: LossDates) {
    let world = &mut scene.world;
    world.revoked = Revoked::new(losses, scene.rules.delivery_within);
    for (certificate, status) in world.certificates.iter().zip(&world.statuses) {
        world.revoked.restore(certificate, status.as_ref().unwrap()).unwrap();
    }
    world.revoked.reach(world.position).unwrap();
    for was in &world.history {
        if let Some(gone) = was.gone {
            world.revoked.recall(&world.certificates[was.index], gone, was.position, was.time).unwrap();
        }
    }
}

#[test]
fn a_store_that_went_back_is_refused_and_what_was_exposed_stays() {
    let mut scene = Scene::new(4);
    let shelf = Arc::new(Shelf::default());
    let mut press = Press::open(Arc::new(scene.store.clone()), shelf.clone()).unwrap();
    let first = scene.everywhere(FIRST.0, FIRST.1);
    scene.round(&mut press, &first);
    let (old, empty) = (scene.store.fork(), MemoryStore::default());
    scene.world.pass(60);
    let due = scene.everywhere(HOURLY.0, HOURLY.1);
    scene.round(&mut press, &due);
    let (held, before) = (CrlNumber::from(2), whole(&shelf));
    for (other, number) in [(old, 1), (empty, 0)] {
        scene.store.become_(&other);
        let refused = press.refresh().unwrap_err();
        let went_back = matches!(refused, PressError::WentBack { held: seen, found } if seen == held && found == CrlNumber::from(number));
        assert!(went_back, "{refused}");
        assert_eq!(whole(&shelf), before);
        assert!(scene.publish(&mut press, &due).is_err(), "nothing goes on from what doesn't count");
        assert_eq!(press.sweep(scene.world.time + Seconds::days(1)).unwrap(), 0, "and nothing is removed");
    }
}

#[test]
fn the_store_of_another_ledger_is_refused() {
    let mut scene = Scene::new(5);
    let mut press = scene.open();
    let first = scene.everywhere(FIRST.0, FIRST.1);
    scene.round(&mut press, &first);
    let (own, names) = (scene.ledger, scene.store.names().unwrap());
    scene.ledger = LedgerId([8; 16]);
    scene.world.pass(60);
    let refused = scene.publish(&mut press, &first).unwrap_err();
    assert!(
        matches!(refused, PressError::OtherLedger { found, own: other } if found == own && other == scene.ledger),
        "{refused}"
    );
    assert_eq!(scene.store.names().unwrap(), names, "nothing was put there");
}

/// Each object in turn: missing, cut short, and with an octet turned over.
#[test]
fn what_is_damaged_in_the_store_is_refused_by_its_name() {
    let mut scene = Scene::new(6);
    let shelf = Arc::new(Shelf::default());
    let mut follower = Press::open(Arc::new(scene.store.clone()), shelf.clone()).unwrap();
    let mut press = scene.open();
    let first = scene.everywhere(FIRST.0, FIRST.1);
    scene.round(&mut press, &first);
    let sound = scene.store.fork();
    let all = sound.names().unwrap();
    assert_eq!(all.len(), 9, "four full CRLs, three deltas, index and state");
    let mut refusals = 0;
    for name in &all {
        let octets = sound.get(name).unwrap().unwrap();
        let (mut turned, cut) = (octets.clone(), octets[..octets.len() - 1].to_vec());
        turned[octets.len() / 2] ^= 0x80;
        for damaged in [None, Some(cut), Some(turned)] {
            // An index without its last octet is the same index in another form, but not of this round's hash chain.
            if name.kind() == ObjectKind::Index && damaged.as_ref().is_some_and(|octets| octets.last() == Some(&b'}')) {
                continue;
            }
            scene.store.become_(&sound);
            scene.store.damage(name, damaged);
            let refused = follower.refresh().unwrap_err();
            let number = CrlNumber::from(1);
            let right = match &refused {
                PressError::Untrue(found) => found == name,
                PressError::Index { number: found, .. } => name.kind() == ObjectKind::Index && *found == number,
                PressError::State { number: found, .. } => name.kind() == ObjectKind::State && *found == number,
                // The pointer never leads to nothing.
                PressError::Store(error) => error.to_string().contains(&name.to_string()),
                _ => false,
            };
            assert!(right, "{name}: {refused}");
            assert!(whole(&shelf).is_empty(), "nothing of it is exposed");
            refusals += 1;
        }
    }
    assert_eq!(refusals, 26);
    scene.store.become_(&sound);
    assert!(follower.refresh().unwrap());
    assert!(!whole(&shelf).is_empty());
}

/// A scope whose lists lack members of a set event keeps what it has, and so does every list that it is part of.
#[test]
fn a_scope_that_waits_keeps_its_crl_while_others_go_on() {
    let mut scene = Scene::new(7);
    let mut press = scene.open();
    let first = scene.everywhere(FIRST.0, FIRST.1);
    scene.round(&mut press, &first);
    scene.world.pass(60);
    scene.world.position = scene.world.position.next();
    scene.world.revoked.expect_members(scene.world.position, [ScopeNo(1)]).unwrap();
    let (listed, second) = (press.index().unwrap().clone(), CrlNumber::from(2));
    let due = scene.everywhere(HOURLY.0, HOURLY.1);
    let published = scene.publish(&mut press, &due).unwrap();
    let refused: Vec<_> = published.refused.iter().map(|alarm| (alarm.path.as_str(), alarm.good_until)).collect();
    let until = |path: &str| Some(listed.slot(path).unwrap().full.next_update);
    assert_eq!(refused, [("phone-1", until("phone-1")), ("phones", until("phones"))]);
    assert!(published.refused.iter().all(|alarm| matches!(alarm.why, Refused::Waiting(_))));
    let index = press.index().unwrap();
    for path in ["phone-1", "phones"] {
        assert_eq!(index.slot(path), listed.slot(path));
    }
    for path in ["phone-2", "phone-3"] {
        assert_eq!(index.slot(path).unwrap().full.number, second);
    }
    scene.world.revoked.complete(ScopeNo(1)).unwrap();
    scene.world.pass(60);
    scene.round(&mut press, &due);
}

/// Lists that lost somebody don't lead on from what holders have.
#[test]
fn what_lists_lost_is_not_published() {
    let mut scene = Scene::new(8);
    let shelf = Arc::new(Shelf::default());
    let mut press = Press::open(Arc::new(scene.store.clone()), shelf.clone()).unwrap();
    // Of scope 1, and of no other.
    let victim = (0..42).find(|index| scene.world.certificates[*index].scope == ScopeNo(1) && index % 4 != 0).unwrap();
    scene.world.revoke(victim, Reason::KeyCompromise);
    let first = scene.everywhere(FIRST.0, FIRST.1);
    scene.round(&mut press, &first);
    let (listed, before) = (press.index().unwrap().clone(), whole(&shelf));
    scene.world.pass(60);
    scene.world.revoked = Revoked::new(LossDates::Kept, WITHIN);
    for (index, (certificate, status)) in scene.world.certificates.iter().zip(&scene.world.statuses).enumerate() {
        if index != victim {
            scene.world.revoked.restore(certificate, status.as_ref().unwrap()).unwrap();
        }
    }
    scene.world.revoked.reach(scene.world.position).unwrap();
    for (issuing, crls) in [(Issuing::Full, 3), (Issuing::Delta, 1)] {
        let due = scene.everywhere(issuing, Why::Demanded);
        let published = scene.publish(&mut press, &due).unwrap();
        assert_eq!(published.refused.len(), crls, "{:?}", published.refused);
        for alarm in &published.refused {
            assert!(["phone-1", "phones"].contains(&alarm.path.as_str()));
            assert!(matches!(alarm.why, Refused::Fault(Fault::DoesNotFollow(_))), "{}", alarm.why);
            assert!(alarm.good_until.is_some());
        }
        for path in ["phone-1", "phones"] {
            assert_eq!(press.index().unwrap().slot(path), listed.slot(path), "the last good one stays");
            let file = format!("crl/{path}.crl");
            assert_eq!(whole(&shelf)[&file], before[&file]);
        }
        scene.world.pass(60);
    }
    let proof = scene.prove(&press);
    assert!(proof.findings.iter().any(|(path, _)| path == "phone-1"), "and a proof finds it: {proof:?}");
}

/// In another epoch positions mean something else: deltas list everything anew.
#[test]
fn after_another_epoch_everything_is_said_anew() {
    let mut scene = Scene::new(9);
    let mut press = scene.open();
    (0..20).for_each(|index| scene.world.hold(index));
    let first = scene.everywhere(FIRST.0, FIRST.1);
    scene.round(&mut press, &first);
    scene.world.pass(60);
    scene.epoch = Epoch(2);
    let due = scene.everywhere(DELTA.0, DELTA.1);
    let published = scene.publish(&mut press, &due).unwrap();
    assert!(published.refused.is_empty(), "{:?}", published.refused);
    for slot in press.index().unwrap().slots.iter().filter(|slot| slot.path != "phones") {
        let number = slot.full.number;
        let full = press.full(&slot.path, number).unwrap();
        let delta = press.octets(&ObjectName::crl(&slot.path, IsDelta::Yes, CrlNumber::from(2))).unwrap();
        let delta = Crl::read(delta, CrlLimits::WIDEST).unwrap();
        let said = delta.entries().map(Result::unwrap).filter(|entry| entry.listed != Listed::Removed);
        assert_eq!(said.count(), full.entries().count());
    }
    scene.is_proved(&press);
    scene.world.pass(60);
    scene.world.register(0, Delivery::Delivered);
    let due = scene.everywhere(HOURLY.0, HOURLY.1);
    assert!(scene.publish(&mut press, &due).unwrap().refused.is_empty());
    scene.is_proved(&press);
}
