//! Each check of preflight, made to fail: what a faulty signer, a mix-up or a list that lost something would bring about.

use tashika::asn1::crl::{Contains, Crl, CrlEntry, CrlError, CrlKind, CrlProfile, IssuingPoint};
use tashika::asn1::{DistributionPointName, SignatureAlgorithm};
use tashika::keys::Signer;
use tashika::model::{CrlLimits, CrlNumber, Delivery, Listed, Reason, ScopeNo, Seconds};
use tashika::publisher::{
    Base, BuildError, Content, Exposed, Fault, Kind, Lists, Mismatch, Planned, Previous, Relist, Slot, SlotError,
    build, preflight,
};

use crate::rng::Rng;
use crate::world::{PHONES, World, ca, certificate_der, rules, signer, slot};

const NO: ScopeNo = ScopeNo(1);

/// A scope with three entries, and a CRL planned for it.
struct Scene {
    world: World,
    slot: Slot,
    planned: Planned,
    exposed: Exposed,
}

impl Scene {
    fn new() -> Self {
        let mut world = World::new(10, &mut Rng::new(1));
        for index in [0, 3, 6] {
            world.register(index, Delivery::Delivered);
            world.pass(5);
            world.hold(index);
        }
        world.revoke(3, Reason::KeyCompromise);
        let next_update = world.time + Seconds::hours(30);
        let planned = Planned { number: CrlNumber::from(5), kind: Kind::Full, next_update, reflects: None };
        Self { world, slot: slot(NO), planned, exposed: Exposed::default() }
    }

    fn with<T>(&self, does: impl FnOnce(&Content<'_>) -> T) -> T {
        let lists = Lists::of_scope(self.world.revoked.list(NO).unwrap());
        does(&Content { lists: &lists, cutoff: self.world.cutoff(), rules: rules(), regular: &[] })
    }

    /// What was planned, but for an edit, signed by that key.
    fn forged(&self, by: &dyn Signer, edit: impl FnOnce(&mut CrlProfile, &mut Vec<CrlEntry<'_>>)) -> Vec<u8> {
        self.with(|content| {
            let mut entries: Vec<CrlEntry<'_>> = content.full().collect();
            let mut profile = CrlProfile {
                algorithm: self.slot.algorithm(),
                issuer: self.slot.issuer().clone(),
                this_update: content.cutoff.time,
                next_update: self.planned.next_update,
                authority_key_id: self.slot.key_id().to_vec(),
                number: self.planned.number,
                kind: CrlKind::Full { freshest: self.slot.freshest().cloned() },
                issuing_point: self.slot.point().cloned(),
                expired_since: None,
                reflects: self.planned.reflects,
            };
            edit(&mut profile, &mut entries);
            let unsigned = profile.write(entries.iter().copied());
            let signature = by.sign_digest(unsigned.digest()).unwrap();
            unsigned.assemble(&signature)
        })
    }

    fn judge(&self, der: &[u8]) -> Result<u64, Fault> {
        self.with(|content| {
            preflight(der, &self.slot, &self.planned, content, &self.exposed, Base::None).map(|passed| passed.entries)
        })
    }

    /// What is found wrong when the signer's input was edited.
    fn fault(&self, edit: impl FnOnce(&mut CrlProfile, &mut Vec<CrlEntry<'_>>)) -> Fault {
        self.judge(&self.forged(signer(PHONES).as_ref(), edit)).unwrap_err()
    }
}

#[test]
fn what_was_planned_passes() {
    let scene = Scene::new();
    assert_eq!(scene.judge(&scene.forged(signer(PHONES).as_ref(), |_, _| {})), Ok(3));
}

#[test]
fn whose_it_is_is_checked() {
    let scene = Scene::new();
    let place = |name: &str| DistributionPointName::uri(name).unwrap();
    assert_eq!(scene.fault(|crl, _| crl.issuer = ca("card-auth-p384").subject), Fault::Issuer);
    assert_eq!(scene.fault(|crl, _| crl.authority_key_id[0] ^= 1), Fault::KeyId);
    assert_eq!(scene.fault(|crl, _| crl.issuing_point = None), Fault::Point);
    let other = IssuingPoint::of(place("http://status.example/crl/phone-2.crl"));
    assert_eq!(scene.fault(|crl, _| crl.issuing_point = Some(other)), Fault::Point);
    let users = |point: &mut IssuingPoint| point.contains = Contains::Users;
    assert_eq!(scene.fault(|crl, _| crl.issuing_point.as_mut().into_iter().for_each(users)), Fault::Point);
    // Another key generation under the same name, and another algorithm.
    let der = scene.forged(signer("card-sign-g2-p256").as_ref(), |_, _| {});
    assert_eq!(scene.judge(&der), Err(Fault::Signature));
    let edit = |crl: &mut CrlProfile, _: &mut Vec<CrlEntry<'_>>| crl.algorithm = SignatureAlgorithm::EcdsaSha384;
    assert_eq!(scene.judge(&scene.forged(signer("card-auth-p384").as_ref(), edit)), Err(Fault::Algorithm));
    let mut damaged = scene.forged(signer(PHONES).as_ref(), |_, _| {});
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    assert_eq!(scene.judge(&damaged), Err(Fault::Signature));
    assert!(matches!(scene.judge(&damaged[..last]), Err(Fault::Unreadable(CrlError::Malformed { .. }))));
}

#[test]
fn what_it_says_of_itself_is_checked() {
    let mut scene = Scene::new();
    let (planned, found) = (CrlNumber::from(5), CrlNumber::from(6));
    assert_eq!(scene.fault(|crl, _| crl.number = found), Fault::Number { planned, found });
    let base = CrlNumber::from(1);
    assert_eq!(scene.fault(|crl, _| crl.kind = CrlKind::Delta { base }), Fault::Kind);
    assert_eq!(scene.fault(|crl, _| crl.kind = CrlKind::Full { freshest: None }), Fault::Extension("freshestCRL"));
    let time = scene.world.time;
    assert_eq!(scene.fault(|crl, _| crl.expired_since = Some(time)), Fault::Extension("expiredCertsOnCRL"));
    let reflects = tashika::asn1::crl::Reflects { epoch: tashika::model::Epoch(1), position: scene.world.position };
    assert_eq!(scene.fault(|crl, _| crl.reflects = Some(reflects)), Fault::Extension("position"));
    let later = time + Seconds(1);
    assert_eq!(scene.fault(|crl, _| crl.this_update = later), Fault::ThisUpdate { planned: time, found: later });
    let planned = scene.planned.next_update;
    assert_eq!(scene.fault(|crl, _| crl.next_update = later), Fault::NextUpdate { planned, found: later });
    scene.planned.next_update = time;
    assert_eq!(scene.fault(|_, _| {}), Fault::NextUpdate { planned: time, found: time }, "over before it begins");
    scene.planned.next_update = scene.slot.not_after() + Seconds(1);
    assert!(matches!(scene.fault(|_, _| {}), Fault::NextUpdateTooLate { .. }));
}

#[test]
fn it_goes_on_from_what_was_exposed() {
    let mut scene = Scene::new();
    let (number, time, next) = (scene.planned.number, scene.world.time, scene.planned.next_update);
    scene.exposed = Exposed { number: Some(number), this_update: Some(time), next_update: Some(next) };
    assert_eq!(scene.fault(|_, _| {}), Fault::NumberNotRising { exposed: number, found: number });
    scene.exposed.number = Some(CrlNumber::from(4));
    assert_eq!(scene.judge(&scene.forged(signer(PHONES).as_ref(), |_, _| {})), Ok(3));
    let later = time + Seconds(1);
    scene.exposed.this_update = Some(later);
    assert_eq!(scene.fault(|_, _| {}), Fault::ThisUpdateBack { exposed: later, found: time });
    scene.exposed.this_update = Some(time);
    let later = next + Seconds(1);
    scene.exposed.next_update = Some(later);
    assert_eq!(scene.fault(|_, _| {}), Fault::NextUpdateBack { exposed: later, found: next });
}

#[test]
fn its_entries_are_those_of_the_lists() {
    let scene = Scene::new();
    let serials: Vec<_> = scene.with(|content| content.full().map(|entry| entry.serial).collect());
    for (lost, serial) in serials.iter().enumerate() {
        let without =
            |_: &mut CrlProfile, all: &mut Vec<CrlEntry<'_>>| all.retain(|entry| entry.serial != serials[lost]);
        assert_eq!(scene.fault(without), Fault::Entries(Mismatch::Lost(*serial)));
    }
    assert_eq!(
        scene.fault(|_, all| all[1].date = all[1].date - Seconds(1)),
        Fault::Entries(Mismatch::Differs(serials[1]))
    );
    assert_eq!(scene.fault(|_, all| all.swap(0, 1)), Fault::Entries(Mismatch::Lost(serials[0])));
    assert_eq!(scene.fault(|_, all| all.insert(1, all[0])), Fault::Entries(Mismatch::Unsorted(serials[0])));
    assert_eq!(scene.fault(|_, all| all[0].listed = Listed::Removed), Fault::RemovedOnFull(serials[0]));
    let date = scene.world.time + Seconds(1);
    assert_eq!(scene.fault(|_, all| all[2].date = date), Fault::FromTheFuture { serial: serials[2], date });
    let more = tashika::model::Serial::from_unsigned(&[1]).unwrap();
    let edit = |_: &mut CrlProfile, all: &mut Vec<CrlEntry<'_>>| all.insert(0, CrlEntry { serial: more, ..all[0] });
    assert_eq!(scene.fault(edit), Fault::Entries(Mismatch::Appeared(more)));
}

/// What holders have, and a list that doesn't follow from it.
#[test]
fn a_list_that_lost_something_is_not_published() {
    let scene = Scene::new();
    let before = scene.forged(signer(PHONES).as_ref(), |_, _| {});
    let before = Crl::read(&before, CrlLimits::WIDEST).unwrap();
    let previous = Previous { crl: &before, cutoff: scene.world.cutoff(), relist: Relist::Changed };
    let mut lossy = Scene::new();
    lossy.world.revoked = World::new(10, &mut Rng::new(1)).revoked;
    lossy.world.pass(10);
    lossy.planned.number = CrlNumber::from(6);
    let (planned, content_of) = (lossy.planned, |base: Base<'_>, planned: &Planned| {
        lossy.with(|content| {
            let der = build(&lossy.slot, planned, content, signer(PHONES).as_ref()).unwrap();
            preflight(&der, &lossy.slot, planned, content, &lossy.exposed, base).map(|passed| passed.entries)
        })
    });
    let refused = content_of(Base::Full(previous), &planned).unwrap_err();
    assert!(matches!(refused, Fault::DoesNotFollow(Mismatch::Lost(_))), "{refused}");
    // The same as a delta: base and delta don't amount to the full CRL.
    let kind = Kind::Delta { base: CrlNumber::from(5), since: scene.world.cutoff(), relist: Relist::Changed };
    let delta = Planned { kind, ..planned };
    let refused = content_of(Base::OfDelta(&before), &delta).unwrap_err();
    assert!(matches!(refused, Fault::DoesNotFollow(Mismatch::Lost(_))), "{refused}");
    assert_eq!(content_of(Base::None, &delta), Err(Fault::Kind), "a delta without its base proves nothing");
}

#[test]
fn a_delta_fits_its_base_only() {
    let scene = Scene::new();
    let kind = Kind::Delta { base: CrlNumber::from(5), since: scene.world.cutoff(), relist: Relist::Changed };
    let planned = Planned { number: CrlNumber::from(6), kind, ..scene.planned };
    let against = |edit: &dyn Fn(&mut CrlProfile)| {
        let base = scene.forged(signer(PHONES).as_ref(), |crl, _| edit(crl));
        let base = Crl::read(&base, CrlLimits::WIDEST).unwrap();
        scene.with(|content| {
            let der = build(&scene.slot, &planned, content, signer(PHONES).as_ref()).unwrap();
            preflight(&der, &scene.slot, &planned, content, &scene.exposed, Base::OfDelta(&base))
                .map(|passed| passed.entries)
        })
    };
    assert_eq!(against(&|_| {}), Ok(0));
    assert_eq!(against(&|crl| crl.number = CrlNumber::from(6)), Ok(0), "a complete one in between will do");
    assert_eq!(against(&|crl| crl.number = CrlNumber::from(4)), Err(Fault::Base("the numbers")));
    assert_eq!(against(&|crl| crl.number = CrlNumber::from(7)), Err(Fault::Base("the numbers")));
    assert_eq!(against(&|crl| crl.issuing_point = None), Err(Fault::Base("the issuing distribution points")));
    assert_eq!(against(&|crl| crl.authority_key_id[0] ^= 1), Err(Fault::Base("the key identifiers")));
    assert_eq!(against(&|crl| crl.issuer = ca("card-auth-p384").subject), Err(Fault::Base("the issuers")));
    let delta = |crl: &mut CrlProfile| crl.kind = CrlKind::Delta { base: CrlNumber::from(1) };
    assert_eq!(against(&delta), Err(Fault::Base("the numbers")));
}

#[test]
fn a_key_or_certificate_that_cannot_sign_crls_is_refused_before() {
    let scene = Scene::new();
    let refused = scene.with(|content| build(&scene.slot, &scene.planned, content, signer("card-auth-p384").as_ref()));
    assert!(matches!(refused, Err(BuildError::OtherKey)));
    let without = certificate_der("combined", "issuer-without-crl-sign.pem");
    let without = tashika::asn1::CertificateFields::from_der(&without).unwrap();
    assert_eq!(Slot::new(&without, None).unwrap_err(), SlotError::NoCrlSign);
    let nameless = IssuingPoint { name: None, ..slot(NO).point().unwrap().clone() };
    assert_eq!(Slot::new(&ca(PHONES), Some(nameless)).unwrap_err(), SlotError::Unnamed);
}
