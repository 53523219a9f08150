//! Many lists on one CRL: the shards of an issuer make its complete list, and key generations of one name can't be told apart
//! on an indirect one.

use tashika::asn1::crl::{Crl, CrlEntry};
use tashika::asn1::{Name, NameAttribute};
use tashika::model::{CrlLimits, CrlNumber, Cutoff, Delivery, Listed, Reason, ScopeNo, Seconds};
use tashika::publisher::{
    Base, Content, Exposed, Kind, Lists, Planned, Previous, Relist, Slot, build, preflight, replay,
};

use crate::rng::Rng;
use crate::verifying::combined_slot;
use crate::world::{PHONES, World, ca, rules, signer};

/// A world in which each certificate is held or revoked, in three scopes.
fn world(seed: u64) -> World {
    let mut rng = Rng::new(seed);
    let mut world = World::new(40, &mut rng);
    for index in 0..40 {
        world.register(index, Delivery::Delivered);
        world.pass(3);
        match rng.below(3) {
            0 => world.hold(index),
            1 => world.revoke(index, Reason::KeyCompromise),
            _ => {}
        }
    }
    world
}

fn content<'a>(world: &World, lists: &'a Lists<'a>) -> Content<'a> {
    Content { lists, cutoff: world.cutoff(), rules: rules(), regular: &[] }
}

fn planned(world: &World, number: u64, kind: Kind) -> Planned {
    let next_update = world.time + Seconds::hours(30);
    Planned { number: CrlNumber::from(number), kind, next_update, reflects: None }
}

#[test]
fn the_shards_of_an_issuer_together_are_its_complete_list_without_a_distribution_point() {
    let world = world(1);
    let shards: Vec<_> = (1..=3).map(|no| world.revoked.list(ScopeNo(no)).unwrap()).collect();
    let complete = Lists::of_issuer(shards.clone());
    let slot = Slot::new(&ca(PHONES), None).unwrap();
    let planned = planned(&world, 1, Kind::Full);
    let content_of_all = content(&world, &complete);
    let der = build(&slot, &planned, &content_of_all, signer(PHONES).as_ref()).unwrap();
    let passed = preflight(&der, &slot, &planned, &content_of_all, &Exposed::default(), Base::None).unwrap();
    assert_eq!(passed.crl.extensions.issuing_point, None);
    let mut apart: Vec<CrlEntry<'_>> = Vec::new();
    for shard in shards {
        let lists = Lists::of_scope(shard);
        let entries: Vec<_> = content(&world, &lists).full().map(|entry| CrlEntry { issuer: None, ..entry }).collect();
        assert!(!entries.is_empty());
        apart.extend(entries);
    }
    apart.sort_by_key(|entry| entry.serial);
    let together: Vec<_> = passed.crl.entries().map(Result::unwrap).collect();
    assert_eq!(together, apart);
}

/// Two generations under one name, both with the same serial numbers, and another CA.
#[test]
fn of_two_certificates_that_cannot_be_told_apart_the_worse_is_said() {
    let (mut old, mut new) = (World::new(10, &mut Rng::new(5)), World::new(10, &mut Rng::new(5)));
    for index in 0..10 {
        old.register(index, Delivery::Delivered);
        new.register(index, Delivery::Delivered);
    }
    // Number 0: held in one, revoked in the other. 3: released in one, held in the other. 6: released in both.
    old.hold(0);
    new.revoke(0, Reason::KeyCompromise);
    old.hold(3);
    new.hold(3);
    old.hold(6);
    let base = Cutoff { position: old.position.max(new.position), time: old.time };
    let name = |common: &str| Name::new(&[(NameAttribute::CommonName, common)]).unwrap();
    let (shared, other) = (name("One name"), name("Another name"));
    let lists_of = |old: &World, new: &World| -> Vec<(Vec<u8>, tashika::status::ScopeList)> {
        let list = |world: &World| world.revoked.list(ScopeNo(1)).unwrap().clone();
        vec![
            (shared.as_der().to_vec(), list(old)),
            (other.as_der().to_vec(), list(old)),
            (shared.as_der().to_vec(), list(new)),
        ]
    };
    let (before, slot) = (lists_of(&old, &new), combined_slot());
    let lists = Lists::of_issuers(before.iter().map(|(name, list)| (&name[..], list)));
    let first = Content { lists: &lists, cutoff: base, rules: rules(), regular: &[] };
    let plan = planned(&old, 1, Kind::Full);
    let der = build(&slot, &plan, &first, signer("combined").as_ref()).unwrap();
    let full = preflight(&der, &slot, &plan, &first, &Exposed::default(), Base::None).unwrap().crl;
    let serials: Vec<_> = old.certificates.iter().map(|one| one.key.serial).collect();
    let serial = |index: usize| serials[index];
    let said = |crl: &Crl<'_>, issuer: &Name, index: usize| {
        let mut found = crl.entries().map(Result::unwrap);
        found
            .find(|entry| entry.issuer == Some(issuer.as_der()) && entry.serial == serial(index))
            .map(|entry| entry.listed)
    };
    assert_eq!(said(&full, &shared, 0), Some(Listed::Revoked(Reason::KeyCompromise)));
    assert_eq!(said(&full, &other, 0), Some(Listed::Held));
    assert_eq!(said(&full, &shared, 6), Some(Listed::Held));
    assert_eq!(full.entries().count(), 6, "each pair once");

    for world in [&mut old, &mut new] {
        world.position = base.position;
        world.pass(50);
        world.revoked.reach(base.position).unwrap();
    }
    old.release(3);
    old.release(6);
    let after = lists_of(&old, &new);
    let lists = Lists::of_issuers(after.iter().map(|(name, list)| (&name[..], list)));
    let second = Content { lists: &lists, cutoff: old.cutoff(), rules: rules(), regular: &[] };
    let kind = Kind::Delta { base: CrlNumber::from(1), since: base, relist: Relist::Changed };
    let plan = planned(&old, 2, kind);
    let der = build(&slot, &plan, &second, signer("combined").as_ref()).unwrap();
    let delta = preflight(&der, &slot, &plan, &second, &Exposed::default(), Base::OfDelta(&full)).unwrap().crl;
    assert_ne!(said(&delta, &shared, 3), Some(Listed::Removed), "the other one is still held");
    assert_eq!(said(&delta, &other, 3), Some(Listed::Removed));
    assert_eq!(said(&delta, &shared, 6), Some(Listed::Removed));
    // And the next full CRL follows from the first.
    let plan = planned(&old, 3, Kind::Full);
    let next = build(&slot, &plan, &second, signer("combined").as_ref()).unwrap();
    let previous = Previous { crl: &full, cutoff: base, relist: Relist::Changed };
    let next = preflight(&next, &slot, &plan, &second, &Exposed::default(), Base::Full(previous)).unwrap().crl;
    replay(full.entries(), delta.entries(), next.entries()).unwrap();
    assert_eq!(said(&next, &shared, 3), Some(Listed::Held));
    let again = Crl::read(&der, CrlLimits::WIDEST).unwrap();
    assert_eq!(again.entries().count(), delta.entries().count());
}
