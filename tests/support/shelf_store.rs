//! A store of CRLs in memory, and a handle that lies about it as disks and object stores do, after a seeded script: it fails
//! before anything happened, in the middle of a batch, and after everything did, is full, lets another publisher in between,
//! and dies in the middle of a call. What it never does is what the contract forbids: lose what it acknowledged, or show
//! half an object. Used by the tests of stores and of publication.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tashika::model::CrlNumber;
use tashika::publisher::{Object, ObjectKind, ObjectName, Store, StoreError, Tip};

use crate::rng::Rng;

/// An honest store, shared by its clones.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Debug, Default)]
struct State {
    objects: BTreeMap<ObjectName, Vec<u8>>,
    tip: Option<CrlNumber>,
    /// Counts the moves of the pointer, as an ETag does.
    moves: u64,
}

/// How often it lies, in a thousand calls each.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lies {
    /// Any call: can't be reached, and nothing happened.
    pub unreachable: u32,
    /// A put: no space after some of the objects.
    pub full: u32,
    /// A put, a removal or a move: done, and then said to have failed.
    pub uncertain: u32,
    /// A move: another publisher was faster; its index is what this makes of its number.
    pub second_publisher: u32,
    /// A put, a removal or a move: the process that called dies, before, in the middle, or after it took effect.
    pub crash: u32,
}

/// What a thread unwinds with when the fake kills the process that it stands for.
#[derive(Debug)]
pub struct Crash;

/// A handle that lies about an honest store.
#[derive(Clone)]
pub struct LyingStore {
    pub truth: MemoryStore,
    script: Arc<Mutex<(Rng, Lies)>>,
}

impl MemoryStore {
    /// A store that begins as a copy of this one and then goes its own way.
    pub fn fork(&self) -> Self {
        Self { state: Arc::new(Mutex::new(self.state().clone())) }
    }

    /// Lets this store be what that one is, as when somebody restores it.
    pub fn become_(&self, other: &Self) {
        let other = other.state().clone();
        *self.state() = other;
    }

    /// Another content for an object, or none, as a medium that rots has it.
    pub fn damage(&self, name: &ObjectName, octets: Option<Vec<u8>>) {
        let mut state = self.state();
        match octets {
            Some(octets) => drop(state.objects.insert(name.clone(), octets)),
            None => drop(state.objects.remove(name)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn tip(&self) -> Option<Tip> {
        self.tip.map(|number| Tip { number, mark: self.moves.to_string() })
    }

    fn without_index(number: CrlNumber) -> StoreError {
        StoreError::Strange { what: "tip".into(), why: format!("round/{number}.index.json is missing") }
    }

    fn has_index(&self, number: CrlNumber) -> bool {
        self.objects.contains_key(&ObjectName::of_round(ObjectKind::Index, number))
    }
}

impl Store for MemoryStore {
    fn tip(&self) -> Result<Option<Tip>, StoreError> {
        let state = self.state();
        match state.tip() {
            Some(tip) if !state.has_index(tip.number) => Err(State::without_index(tip.number)),
            tip => Ok(tip),
        }
    }

    fn advance(&self, from: Option<&Tip>, to: CrlNumber) -> Result<Tip, StoreError> {
        let mut state = self.state();
        let here = state.tip();
        if here.as_ref() != from {
            return Err(StoreError::Moved);
        }
        if let Some(tip) = here.filter(|tip| to <= tip.number) {
            return Err(StoreError::NotLater { tip: tip.number, to });
        }
        if !state.has_index(to) {
            return Err(State::without_index(to));
        }
        state.tip = Some(to);
        state.moves += 1;
        Ok(state.tip().unwrap())
    }

    fn put(&self, objects: &[Object<'_>]) -> Result<(), StoreError> {
        let mut state = self.state();
        for object in objects {
            let there = state.objects.entry(object.name.clone()).or_insert_with(|| object.octets.to_vec());
            if there != object.octets {
                return Err(StoreError::Taken(object.name.clone()));
            }
        }
        Ok(())
    }

    fn get(&self, name: &ObjectName) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.state().objects.get(name).cloned())
    }

    fn names(&self) -> Result<Vec<ObjectName>, StoreError> {
        Ok(self.state().objects.keys().cloned().collect())
    }

    fn remove(&self, names: &[ObjectName]) -> Result<(), StoreError> {
        let mut state = self.state();
        names.iter().for_each(|name| drop(state.objects.remove(name)));
        Ok(())
    }
}

impl LyingStore {
    pub fn new(truth: MemoryStore, seed: u64, lies: Lies) -> Self {
        Self { truth, script: Arc::new(Mutex::new((Rng::new(seed), lies))) }
    }

    /// From now on it lies so often.
    pub fn lie(&self, lies: Lies) {
        self.script().1 = lies;
    }

    fn script(&self) -> MutexGuard<'_, (Rng, Lies)> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draws(&self, how_often: impl Fn(&Lies) -> u32) -> bool {
        let script = &mut *self.script();
        let times = how_often(&script.1);
        script.0.per_mille(times)
    }

    fn reach(&self) -> Result<(), StoreError> {
        if self.draws(|lies| lies.unreachable) { Err(failed("can't be reached")) } else { Ok(()) }
    }

    /// A call that changes something: done in whole or to the part that `some` does, or not at all, and maybe denied.
    fn change<T>(
        &self,
        some: impl FnOnce(&mut Rng),
        all: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.reach()?;
        if self.draws(|lies| lies.crash) {
            let mut rng = self.script().0.fork();
            match rng.below(3) {
                0 => {}
                1 => some(&mut rng),
                _ => drop(all()),
            }
            resume_unwind(Box::new(Crash));
        }
        let done = all()?;
        if self.draws(|lies| lies.uncertain) { Err(failed("the connection broke")) } else { Ok(done) }
    }

    /// Another publisher brings a round of its own, with a number between.
    fn overtake(&self, before: CrlNumber) {
        let tip = self.truth.state().tip();
        let next = tip.as_ref().map_or(CrlNumber::from(0), |tip| tip.number).next();
        if let Some(number) = next.filter(|number| *number < before) {
            let name = ObjectName::of_round(ObjectKind::Index, number);
            self.truth.put(&[Object { name: &name, octets: b"another publisher's" }]).unwrap();
            self.truth.advance(tip.as_ref(), number).unwrap();
        }
    }
}

impl Store for LyingStore {
    fn tip(&self) -> Result<Option<Tip>, StoreError> {
        self.reach()?;
        self.truth.tip()
    }

    fn advance(&self, from: Option<&Tip>, to: CrlNumber) -> Result<Tip, StoreError> {
        if self.draws(|lies| lies.second_publisher) {
            self.overtake(to);
        }
        // A move has no middle.
        self.change(|_| {}, || self.truth.advance(from, to))
    }

    fn put(&self, objects: &[Object<'_>]) -> Result<(), StoreError> {
        let some = |rng: &mut Rng| {
            // In no order: several are under way at once.
            objects.iter().filter(|_| rng.per_mille(500)).for_each(|object| drop(self.truth.put(&[*object])));
        };
        if self.draws(|lies| lies.full) {
            let mut rng = self.script().0.fork();
            some(&mut rng);
            return Err(failed("no space left"));
        }
        self.change(some, || self.truth.put(objects))
    }

    fn get(&self, name: &ObjectName) -> Result<Option<Vec<u8>>, StoreError> {
        self.reach()?;
        self.truth.get(name)
    }

    fn names(&self) -> Result<Vec<ObjectName>, StoreError> {
        self.reach()?;
        self.truth.names()
    }

    fn remove(&self, names: &[ObjectName]) -> Result<(), StoreError> {
        let some = |rng: &mut Rng| {
            let gone: Vec<_> = names.iter().filter(|_| rng.per_mille(500)).cloned().collect();
            drop(self.truth.remove(&gone));
        };
        self.change(some, || self.truth.remove(names))
    }
}

fn failed(why: &str) -> StoreError {
    StoreError::Medium { what: "the store".into(), why: why.into(), passing: true }
}
