//! A press with places of the small world: three shards with deltas, and the issuer's complete list without. What it has on
//! its shelf is compared with what the world's whole history says.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

use tashika::asn1::crl::Crl;
use tashika::ledger::{Batch, Head, sha256};
use tashika::model::{
    Actor, Channel, CrlLimits, CrlNumber, Cutoff, Delivery, Epoch, HoldKind, LedgerId, PersonId, Reason, Role, ScopeNo,
    Seconds, Time, Wish,
};
use tashika::publisher::{
    Against, Brought, Covers, Deltas, Due, Index, IsDelta, Issuing, Place, Press, PressError, Proof, Published, Round,
    Rules, Schedule, Shelf, Slot, Store, Terms, Why, prove, replay,
};

use crate::issued::{self, owned};
use crate::naive::{self, Entries};
use crate::rng::Rng;
use crate::shelf_store::MemoryStore;
use crate::world::{PHONES, World, ca, rules, signer, slot};

/// Everything that a round is made of, and what was issued so far.
pub struct Scene {
    pub world: World,
    pub rules: Rules,
    pub places: BTreeMap<String, Place>,
    pub ledger: LedgerId,
    pub epoch: Epoch,
    pub store: MemoryStore,
    /// The number of the last round that was tried.
    pub number: u64,
    /// By path: every full CRL, with its nextUpdate.
    fulls: BTreeMap<String, Vec<(CrlNumber, Cutoff, Time)>>,
    /// By path: the regular ones, for the naive world.
    regular: BTreeMap<String, Vec<issued::Issue>>,
}

/// The files of a publication by path: whole, to be compared.
pub type Whole = BTreeMap<String, Vec<u8>>;

impl Scene {
    /// Everybody registered, nothing issued.
    pub fn new(seed: u64) -> Self {
        let mut world = World::new(42, &mut Rng::new(seed));
        for index in 0..42 {
            world.register(index, if index % 4 == 0 { Delivery::Awaited } else { Delivery::Delivered });
        }
        let shards = (1..=3).map(|no| place(&format!("phone-{no}"), slot(ScopeNo(no)), Covers::Scope(ScopeNo(no))));
        let all = Covers::Scopes((1..=3).map(ScopeNo).collect());
        let mut complete = place("phones", Slot::new(&ca(PHONES), None).unwrap(), all);
        complete.schedule.deltas = None;
        Self {
            world,
            rules: rules(),
            places: shards.chain([complete]).map(|place| (place.path.clone(), place)).collect(),
            ledger: LedgerId([9; 16]),
            epoch: Epoch(1),
            store: MemoryStore::default(),
            number: 0,
            fulls: BTreeMap::new(),
            regular: BTreeMap::new(),
        }
    }

    /// A press on the store, as a process that starts has it.
    pub fn open(&self) -> Press {
        open(self.store.clone())
    }

    pub fn head(&self) -> Head {
        let actor = Actor { role: Role::Ops, person: PersonId([1; 16]), channel: Channel::Api };
        let genesis = Batch::genesis(self.ledger, actor, self.world.time).next;
        Head { epoch: self.epoch, position: self.world.position, link: [self.world.position.0 as u8; 32], ..genesis }
    }

    pub fn terms(&self) -> Terms<'_> {
        terms(&self.places, self.rules)
    }

    /// The same everywhere.
    pub fn everywhere(&self, issuing: Issuing, why: Why) -> Vec<Due> {
        self.places.keys().map(|path| Due { path: path.clone(), issuing, why }).collect()
    }

    /// A round under the next number.
    pub fn publish(&mut self, press: &mut Press, due: &[Due]) -> Result<Published, PressError> {
        self.publish_with(press, due, &[])
    }

    pub fn publish_with(
        &mut self,
        press: &mut Press,
        due: &[Due],
        brought: &[Brought],
    ) -> Result<Published, PressError> {
        self.number += 1;
        let (head, terms) = (self.head(), self.terms());
        let cutoff = self.world.cutoff();
        let revoked = &self.world.revoked;
        let number = CrlNumber::from(self.number);
        press.publish(&Round { number, cutoff, head: &head, due, brought, revoked, terms: &terms })
    }

    /// A round that passes whole, compared with the world, and what nobody needs forgotten.
    pub fn round(&mut self, press: &mut Press, due: &[Due]) {
        let before = press.index().map(|index| sha256(&[&index.to_json()]));
        let published = self.publish(press, due).unwrap();
        assert!(published.refused.is_empty(), "{:?}", published.refused);
        let index = press.index().unwrap();
        assert_eq!(index.previous.as_ref().map(|hash| hash.0), before, "one index leads to the one before");
        assert_eq!((index.number, published.number), (CrlNumber::from(self.number), index.number));
        for due in due {
            self.is_so(press, due);
        }
        self.is_proved(press);
        self.forget(press, due);
    }

    /// What no CRL will say any more goes out of the lists.
    pub fn forget(&mut self, press: &Press, due: &[Due]) {
        let terms = terms(&self.places, self.rules);
        let changed: Vec<_> = due.iter().map(|due| due.path.clone()).collect();
        press.forget(&mut self.world.revoked, &terms, self.epoch, &changed).unwrap();
    }

    /// Whether what was issued at a place is what the world's whole history says.
    fn is_so(&mut self, press: &Press, due: &Due) {
        let place = &self.places[&due.path];
        let cutoff = self.world.cutoff();
        let number = CrlNumber::from(self.number);
        let expected = self.expected(place);
        let (fulls, listing) =
            (self.fulls.entry(due.path.clone()).or_default(), press.index().unwrap().slot(&due.path).unwrap());
        if due.issuing == Issuing::Full {
            let full = press.full(&due.path, number).unwrap();
            let entries = owned(&full);
            assert_eq!(entries, expected, "{} in round {number}", due.path);
            assert_eq!((listing.full.number, listing.full.this_update), (number, cutoff.time));
            assert_eq!((full.extensions.number, full.this_update), (Some(number), cutoff.time));
            fulls.push((number, cutoff, full.next_update));
            if matches!(due.why, Why::First | Why::Scheduled) {
                let issue = issued::Issue { number, cutoff, entries, der: Vec::new() };
                self.regular.entry(due.path.clone()).or_default().push(issue);
            }
        }
        if place.schedule.deltas.is_none() {
            assert_eq!(listing.delta, None);
            return;
        }
        let delta = listing.delta.as_ref().unwrap();
        assert_eq!((delta.number, delta.this_update), (number, cutoff.time), "a full CRL and its delta are a pair");
        let base = fulls.iter().find(|(_, _, ends)| *ends > cutoff.time).or(fulls.last()).unwrap();
        assert_eq!(delta.base, Some(base.0), "the oldest that anybody may still hold");
        let octets = press.octets(&listing.object(IsDelta::Yes).unwrap()).unwrap();
        let news = Crl::read(octets, CrlLimits::WIDEST).unwrap();
        assert_eq!((news.extensions.number, news.extensions.base), (Some(number), delta.base));
        let base = press.full(&due.path, base.0).unwrap();
        replay(base.entries(), news.entries(), expected.into_values().map(Ok)).unwrap();
    }

    fn expected(&self, place: &Place) -> Entries {
        let before = self.regular.get(&place.path).map(Vec::as_slice).unwrap_or_default();
        let of = |no| naive::full(&self.world, no, self.world.cutoff(), before);
        place.covers.scopes().flat_map(of).collect()
    }

    pub fn prove(&self, press: &Press) -> Proof {
        let (terms, head) = (self.terms(), self.head());
        let against = Against { revoked: &self.world.revoked, cutoff: self.world.cutoff(), head: &head };
        prove(press, &terms, &against)
    }

    pub fn is_proved(&self, press: &Press) {
        let (proof, index) = (self.prove(press), press.index().unwrap());
        let ended = index.issues().filter(|(_, _, issue)| issue.next_update <= self.world.time);
        let ended: BTreeSet<_> =
            ended.map(|(slot, is_delta, _)| format!("{}{}", slot.path, is_delta.ending())).collect();
        let (told, others): (Vec<_>, Vec<_>) =
            proof.findings.into_iter().partition(|(_, why)| why.starts_with("it ended at "));
        assert_eq!(told.into_iter().map(|(path, _)| path).collect::<BTreeSet<_>>(), ended);
        assert_eq!(others, [], "what was published proves itself");
        assert_eq!(proof.crls, index.issues().count());
    }

    /// Something happens to somebody whose certificate is valid.
    pub fn event(&mut self, rng: &mut Rng) {
        let index = rng.below(self.world.certificates.len() as u64) as usize;
        if self.world.certificates[index].is_expired(self.world.time) {
            return self.world.pass(60);
        }
        let lost_at = (rng.below(3) == 0).then(|| self.world.time - Seconds(rng.below(5_000) as u32));
        match rng.below(8) {
            0..3 => self.world.wish(index, &Wish::Hold { kind: HoldKind::CallCentre, lost_at, becomes: None }),
            3 | 4 => self.world.release(index),
            5 => {
                let reason = *rng.pick(&[Reason::KeyCompromise, Reason::AffiliationChanged, Reason::Superseded]);
                self.world.wish(index, &Wish::Revoke { reason, lost_at });
            }
            6 => self.world.wish(index, &Wish::Acknowledge),
            _ => self.world.pass(rng.below(600) as u32),
        }
    }

    /// So many of them, and a second more.
    pub fn events(&mut self, rng: &mut Rng, count: usize) {
        (0..count).for_each(|_| self.event(rng));
        self.world.pass(1);
    }
}

pub fn open(store: impl Store + 'static) -> Press {
    Press::open(Arc::new(store), Arc::new(Shelf::default())).unwrap()
}

fn terms(places: &BTreeMap<String, Place>, rules: Rules) -> Terms<'_> {
    Terms {
        rules,
        tells_position: true,
        public_url: "http://status.example",
        places,
        threads: NonZeroUsize::new(2).unwrap(),
        signs_index: None,
    }
}

fn place(path: &str, slot: Slot, covers: Covers) -> Place {
    Place {
        path: path.to_owned(),
        issuer: "phone-auth".to_owned(),
        slot,
        covers,
        schedule: Schedule {
            full_at: 0,
            full_for: Seconds::hours(30),
            deltas: Some(Deltas { every: Seconds(900), last_for: Seconds(2_700) }),
            delay: Seconds(0),
        },
        budget: None,
        signer: Arc::from(signer(PHONES)),
    }
}

/// What is on a shelf; it is one publication: its index lists the very files that lie beside it, and no others do.
pub fn whole(shelf: &Shelf) -> Whole {
    let publication = shelf.publication();
    let files: Whole =
        publication.files.iter().map(|(path, file)| (path.clone(), file.octets.as_ref().clone())).collect();
    let Some(octets) = files.get("crl/index.json") else {
        assert!(files.is_empty() && publication.number.is_none(), "nothing, or something with an index");
        return files;
    };
    let index = Index::read(octets).unwrap();
    assert_eq!(publication.number, Some(index.number));
    let mut listed = BTreeSet::from(["crl/index.json".to_owned()]);
    for (listing, is_delta, issue) in index.issues() {
        let path = format!("crl/{}{}", listing.path, is_delta.ending());
        assert!(issue.is(&files[&path]), "{path} is not what the index says");
        listed.insert(path);
    }
    assert_eq!(files.keys().cloned().collect::<BTreeSet<_>>(), listed, "nothing but what is listed");
    files
}
