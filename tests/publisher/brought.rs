//! CRLs that are signed elsewhere: the right one is taken, told in the index and kept; no other is.

use tashika::model::{CrlNumber, Cutoff, Position, ScopeNo, Seconds, Time};
use tashika::publisher::{
    Brought, Content, Exposed, Fault, IsDelta, Issuing, Kind, Lists, ObjectName, Planned, Relist, Slot, Store, Why,
    accept, build,
};
use tashika::status::{LossDates, Revoked};

use crate::scene::{Scene, open};
use crate::world::{ca, rules, signer, slot as shard};

const FOLDER: &str = "card-auth-p384";
const PATH: &str = "root";

/// What an offline CA signs.
struct Offline {
    slot: Slot,
    revoked: Revoked,
    time: Time,
}

impl Offline {
    fn new(scene: &Scene) -> Self {
        let revoked = Revoked::new(LossDates::Kept, Seconds(5_000));
        Self { slot: Slot::new(&ca(FOLDER), None).unwrap(), revoked, time: scene.world.time }
    }

    fn signs(&self, number: u64, slot: &Slot, folder: &str, (from, lasts): (Time, Seconds), kind: Kind) -> Vec<u8> {
        let lists = Lists::of_scope(self.revoked.list(ScopeNo(1)).unwrap());
        let cutoff = Cutoff { position: Position(0), time: from };
        let content = Content { lists: &lists, cutoff, rules: rules(), regular: &[] };
        let planned = Planned { number: CrlNumber::from(number), kind, next_update: from + lasts, reflects: None };
        build(slot, &planned, &content, signer(folder).as_ref()).unwrap()
    }

    /// One that lasts three months.
    fn full(&self, number: u64) -> Vec<u8> {
        self.signs(number, &self.slot, FOLDER, (self.time, Seconds::days(90)), Kind::Full)
    }

    fn judge(&self, octets: Vec<u8>, exposed: &Exposed) -> Result<Brought, Fault> {
        accept(PATH, octets, &self.slot, exposed, self.time + Seconds(5))
    }
}

#[test]
fn a_crl_that_was_brought_is_taken_once_and_replaced_by_a_newer_one() {
    let mut scene = Scene::new(1);
    let mut offline = Offline::new(&scene);
    let mut press = scene.open();
    let first = scene.everywhere(Issuing::Full, Why::First);
    // Its numbers are its own, and have nothing to do with those of rounds.
    let brought = offline.judge(offline.full(700), &Exposed::default()).unwrap();
    let published = scene.publish_with(&mut press, &first, &[brought]).unwrap();
    assert_eq!(published.crls, 8);
    let listed = press.index().unwrap().slot(PATH).unwrap().clone();
    assert_eq!((listed.full.number, listed.full.reflects), (CrlNumber::from(700), None));
    assert!(listed.delta.is_none());
    scene.is_proved(&press);
    let exposed = Exposed {
        number: Some(listed.full.number),
        this_update: Some(listed.full.this_update),
        next_update: Some(listed.full.next_update),
    };
    let rising = |fault: &Fault| matches!(fault, Fault::NumberNotRising { .. });
    assert!(rising(&offline.judge(offline.full(700), &exposed).unwrap_err()));
    assert!(rising(&offline.judge(offline.full(699), &exposed).unwrap_err()));
    // Rounds come and go; it stays, also for whoever opens the store anew.
    scene.world.pass(100);
    let due = scene.everywhere(Issuing::Full, Why::Scheduled);
    scene.publish(&mut press, &due).unwrap();
    scene.is_proved(&press);
    press.sweep(scene.world.time + Seconds(5_000)).unwrap();
    assert_eq!(open(scene.store.clone()).index().unwrap().slot(PATH), Some(&listed));
    // A newer one alone is a round, too; the older goes.
    offline.time = offline.time + Seconds(200);
    let newer = offline.judge(offline.full(701), &exposed).unwrap();
    scene.world.pass(100);
    scene.publish_with(&mut press, &[], &[newer]).unwrap();
    assert_eq!(press.index().unwrap().slot(PATH).unwrap().full.number, CrlNumber::from(701));
    scene.is_proved(&press);
    press.sweep(scene.world.time).unwrap();
    press.sweep(scene.world.time + Seconds(5_000)).unwrap();
    let lies_there = |number: u64| {
        let name = ObjectName::crl(PATH, IsDelta::No, CrlNumber::from(number));
        scene.store.get(&name).unwrap().is_some()
    };
    assert_eq!((lies_there(700), lies_there(701)), (false, true));
}

#[test]
fn a_crl_of_another_kind_issuer_or_time_is_not_taken() {
    let scene = Scene::new(2);
    let offline = Offline::new(&scene);
    let nothing = Exposed::default();
    let (now, long) = (offline.time, Seconds::days(90));
    let judge = |octets| offline.judge(octets, &nothing).unwrap_err();
    // Another CA, with its own key, and with this one's name.
    let other = Slot::new(&ca("phone-auth-p256"), None).unwrap();
    let fault = judge(offline.signs(1, &other, "phone-auth-p256", (now, long), Kind::Full));
    assert!(matches!(fault, Fault::Algorithm | Fault::Issuer), "{fault}");
    let mut octets = offline.full(1);
    let last = octets.len() - 1;
    octets[last] ^= 1;
    assert_eq!(judge(octets), Fault::Signature);
    // A part of the population.
    let point = shard(ScopeNo(1)).point().cloned();
    let part = Slot::new(&ca(FOLDER), point).unwrap();
    assert_eq!(judge(offline.signs(1, &part, FOLDER, (now, long), Kind::Full)), Fault::Point);
    // Not yet, or no longer, as of five seconds later.
    let fault = judge(offline.signs(1, &offline.slot, FOLDER, (now + Seconds(6), long), Kind::Full));
    assert!(matches!(fault, Fault::NotYet { .. }), "{fault}");
    let fault = judge(offline.signs(1, &offline.slot, FOLDER, (now, Seconds(5)), Kind::Full));
    assert!(matches!(fault, Fault::Over { .. }), "{fault}");
    assert!(offline.judge(offline.signs(1, &offline.slot, FOLDER, (now, Seconds(6)), Kind::Full), &nothing).is_ok());
    // A delta, and what is no whole CRL.
    let since = Cutoff { position: Position(0), time: now };
    let kind = Kind::Delta { base: CrlNumber::from(1), since, relist: Relist::Changed };
    let fault = judge(offline.signs(2, &offline.slot, FOLDER, (now, long), kind));
    assert_eq!(fault, Fault::Kind);
    let whole = offline.full(1);
    for len in [0, 1, whole.len() / 2, whole.len() - 1] {
        let fault = judge(whole[..len].to_vec());
        assert!(matches!(fault, Fault::Unreadable(_)), "{len}: {fault}");
    }
    let fault = judge([&whole[..], b"\n"].concat());
    assert!(matches!(fault, Fault::Unreadable(_)), "{fault}");
    // Made before the one that is exposed, or ending before it.
    let exposed = |this: Time, next: Time| Exposed { number: None, this_update: Some(this), next_update: Some(next) };
    let fault = offline.judge(offline.full(1), &exposed(now + Seconds(1), now)).unwrap_err();
    assert!(matches!(fault, Fault::ThisUpdateBack { .. }), "{fault}");
    let fault = offline.judge(offline.full(1), &exposed(now, now + Seconds::days(91))).unwrap_err();
    assert!(matches!(fault, Fault::NextUpdateBack { .. }), "{fault}");
}
