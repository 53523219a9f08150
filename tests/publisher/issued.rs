//! What was issued: built, signed, proved by preflight, and compared with what should have been said.

use std::collections::BTreeMap;

use tashika::asn1::crl::{Crl, CrlEntry, Reflects};
use tashika::keys::Signer;
use tashika::model::{CrlLimits, CrlNumber, Cutoff, Epoch, Listed, Position, ScopeNo, Seconds, Serial};
use tashika::publisher::{
    Base, Content, Exposed, Kind, Lists, Needs, Planned, Previous, Relist, Slot, build, forget, preflight, reconcile,
    replay,
};

use crate::naive::{self, Entries};
use crate::world::{PHONES, Scanned, World, rules, signer, slot};

/// A full CRL that was issued.
#[derive(Clone)]
pub struct Issue {
    pub number: CrlNumber,
    pub cutoff: Cutoff,
    pub entries: Entries,
    pub der: Vec<u8>,
}

/// The publisher's memory of one scope.
pub struct Shelf {
    no: ScopeNo,
    slot: Slot,
    key: Box<dyn Signer>,
    exposed: Exposed,
    next: CrlNumber,
    /// Those that holders may still have, ascending.
    pub fulls: Vec<Issue>,
    /// All regular ones, for the naive world.
    every: Vec<Issue>,
    regular: Vec<Cutoff>,
    pub removals: u64,
}

/// Whether a full CRL is one of those that are issued by the plan.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    Emergency,
    Regular,
}

impl Shelf {
    pub fn new(no: ScopeNo) -> Self {
        Self {
            no,
            slot: slot(no),
            key: signer(PHONES),
            exposed: Exposed::default(),
            next: CrlNumber::from(1),
            fulls: Vec::new(),
            every: Vec::new(),
            regular: Vec::new(),
            removals: 0,
        }
    }

    pub fn full(&mut self, world: &World, occasion: Occasion) {
        let expected = naive::full(world, self.no, world.cutoff(), &self.every);
        let before = self.fulls.last().map(|last| (last.der.clone(), last.cutoff));
        let before = before.as_ref().map(|(der, cutoff)| (Crl::read(der, CrlLimits::WIDEST).unwrap(), *cutoff));
        let base = match &before {
            None => Base::None,
            Some((crl, cutoff)) => Base::Full(Previous { crl, cutoff: *cutoff, relist: Relist::Changed }),
        };
        let (der, entries) = self.issue(world, Kind::Full, base);
        self.is_expected(world, &entries, &expected);
        let issue = Issue { number: self.exposed.number.unwrap(), cutoff: world.cutoff(), entries, der };
        if occasion == Occasion::Regular {
            self.regular.push(world.cutoff());
            self.every.push(issue.clone());
        }
        self.fulls.push(issue);
    }

    /// Against one of the full CRLs that holders have.
    pub fn delta(&mut self, world: &World, base: usize) {
        let Some(base) = self.fulls.get(base).cloned() else { return };
        let news = naive::delta(world, self.no, world.cutoff(), &base, &self.every);
        let full = naive::full(world, self.no, world.cutoff(), &self.every);
        let crl = Crl::read(&base.der, CrlLimits::WIDEST).unwrap();
        let kind = Kind::Delta { base: base.number, since: base.cutoff, relist: Relist::Changed };
        let (der, entries) = self.issue(world, kind, Base::OfDelta(&crl));
        let (removed, listed): (Entries, Entries) =
            entries.into_iter().partition(|(_, entry)| entry.listed == Listed::Removed);
        let removed: Vec<_> = removed.into_keys().collect();
        match world.scanned {
            Scanned::Never => {
                let wrong =
                    removed.iter().find(|one| !news.removed.contains(one) && !news.may_be_removed.contains(one));
                let lacks = |one: &&Serial| !removed.contains(*one) && !naive::was_dropped(world, one, &base);
                let wrong = wrong.or(news.removed.iter().find(lacks));
                let told = wrong.map(|serial| world.told(serial));
                assert_eq!(told, None, "removals against {:?} after {:?}", base.cutoff, self.regular);
            }
            // Said once too often does no harm; what is listed once more is not removed.
            Scanned::Once => {
                let missing = |serial: &&Serial| {
                    let said = removed.contains(*serial) || listed.contains_key(*serial);
                    !said && !self.is_listed_again(world, serial) && !naive::was_dropped(world, serial, &base)
                };
                let told = news.removed.iter().find(missing).map(|serial| world.told(serial));
                assert_eq!(told, None, "missing removals against {:?} after {:?}", base.cutoff, self.regular);
            }
        }
        for (serial, entry) in &listed {
            let expected = news.must.get(serial).or(news.may.get(serial));
            let again = self.is_listed_again(world, serial);
            assert!(
                expected == Some(entry) || again,
                "a line that is no news at {:?} against {:?} after {:?}: {}",
                world.cutoff(),
                base.cutoff,
                self.regular,
                world.told(serial)
            );
        }
        let lacks = |serial: &&Serial| !listed.contains_key(*serial) && !naive::was_dropped(world, serial, &base);
        let missing = news.must.keys().find(lacks).map(|serial| world.told(serial));
        assert_eq!(
            missing,
            None,
            "missing news at {:?} against {:?}, after {:?}",
            world.cutoff(),
            base.cutoff,
            self.regular
        );
        let delta = Crl::read(&der, CrlLimits::WIDEST).unwrap();
        let kept = base.entries.iter().filter(|(serial, _)| !removed.contains(serial) && !listed.contains_key(*serial));
        let again = kept.chain(&listed).filter(|(serial, _)| self.is_listed_again(world, serial));
        let full =
            full.iter().filter(|(serial, _)| listed.contains_key(*serial) || !naive::was_dropped(world, serial, &base));
        let full: Entries = full.chain(again).map(|(serial, entry)| (*serial, *entry)).collect();
        let replayed = replay(crl.entries(), delta.entries(), full.into_values().map(Ok)).unwrap();
        self.removals += replayed.removals;
    }

    /// No holder has any of the first so many any more.
    pub fn forget(&mut self, world: &mut World, count: usize) {
        self.fulls.drain(..count.min(self.fulls.len().saturating_sub(1)));
        if let Some(oldest) = self.fulls.first() {
            let needs = Needs { regular: &self.regular, oldest: oldest.cutoff };
            forget(&mut world.revoked, self.no, &rules(), &[needs]).unwrap();
            let before = self.regular.partition_point(|full| *full < oldest.cutoff);
            self.regular.drain(..before.saturating_sub(1));
        }
    }

    /// After a restart.
    pub fn reconcile(&self, world: &mut World) {
        let Some(last) = self.fulls.last() else { return };
        let crl = Crl::read(&last.der, CrlLimits::WIDEST).unwrap();
        reconcile(&mut world.revoked, self.no, rules(), &self.regular, &crl, last.cutoff).unwrap();
    }

    fn is_expected(&self, world: &World, entries: &Entries, expected: &Entries) {
        for (serial, entry) in expected.iter().filter(|(serial, entry)| entries.get(*serial) != Some(*entry)) {
            let dropped = self.fulls.last().is_some_and(|last| naive::was_dropped(world, serial, last));
            assert!(dropped, "not {entry:?} on the full CRL: {}", world.told(serial));
        }
        let more = entries.keys().filter(|serial| !expected.contains_key(serial));
        for serial in more {
            assert!(self.is_listed_again(world, serial), "on the full CRL: {}", world.told(serial));
        }
    }

    /// Whether its certificate had expired and it had been dropped and forgotten, and some event touched it since the last full
    /// CRL, or did before it and it stands there.
    fn is_listed_again(&self, world: &World, serial: &Serial) -> bool {
        let index = world.certificates.iter().position(|one| one.key.serial == *serial).unwrap();
        let since = self.fulls.last().map_or(Position(0), |last| last.cutoff.position);
        let touched = world.history.iter().any(|was| was.index == index && was.position > since);
        let stands = self.fulls.last().is_some_and(|last| last.entries.contains_key(serial));
        (touched || stands) && world.certificates[index].not_after < world.time
    }

    /// The oldest that holders may have.
    pub fn oldest(&self) -> Option<Cutoff> {
        self.fulls.first().map(|full| full.cutoff)
    }

    fn issue(&mut self, world: &World, kind: Kind, base: Base<'_>) -> (Vec<u8>, Entries) {
        let lists = Lists::of_scope(world.revoked.list(self.no).unwrap());
        let content = Content { lists: &lists, cutoff: world.cutoff(), rules: rules(), regular: &self.regular };
        let next_update = world.time + Seconds::hours(30);
        let reflects = Some(Reflects { epoch: Epoch(1), position: world.position });
        let planned = Planned { number: self.next, kind, next_update, reflects };
        let der = build(&self.slot, &planned, &content, self.key.as_ref()).unwrap();
        let passed = preflight(&der, &self.slot, &planned, &content, &self.exposed, base).unwrap();
        let entries = owned(&passed.crl);
        assert_eq!(entries.len() as u64, passed.entries);
        self.exposed =
            Exposed { number: Some(planned.number), this_update: Some(world.time), next_update: Some(next_update) };
        self.next = self.next.next().unwrap();
        (der, entries)
    }
}

/// The entries of a CRL of its own issuer.
pub fn owned(crl: &Crl<'_>) -> Entries {
    let own = |entry: CrlEntry<'_>| (entry.serial, CrlEntry { issuer: None, ..entry });
    let entries: Vec<_> = crl.entries().map(|entry| own(entry.unwrap())).collect();
    let count = entries.len();
    let entries: BTreeMap<_, _> = entries.into_iter().collect();
    assert_eq!(entries.len(), count, "each certificate once");
    entries
}
