//! A store of which one call goes wrong, the n-th from now on, in a stated way; so that a test can try each call in each way.

use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};

use tashika::model::CrlNumber;
use tashika::publisher::{Object, ObjectName, Store, StoreError, Tip};

use crate::shelf_store::{Crash, MemoryStore};

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// The process dies, and everything was done.
    DiesAfter,
    /// The process dies, and nothing was done.
    DiesBefore,
    /// The process dies, and half of a batch was done.
    DiesHalfway,
    /// It is said to have failed, and everything was done.
    FailsAfter,
    /// It fails, and nothing was done.
    FailsBefore,
    /// It fails, and half of a batch was done.
    FailsHalfway,
}

pub const HOWS: [How; 6] =
    [How::DiesAfter, How::DiesBefore, How::DiesHalfway, How::FailsAfter, How::FailsBefore, How::FailsHalfway];

/// A handle on a store; clones share the plan.
#[derive(Clone)]
pub struct NthCall {
    truth: MemoryStore,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Clone, Copy)]
enum Plan {
    Broken,
    None,
    /// After so many calls.
    Waits(usize, How),
}

impl How {
    /// Whether a move of the pointer takes effect.
    pub fn persists(self) -> bool {
        matches!(self, Self::DiesAfter | Self::FailsAfter)
    }
}

impl NthCall {
    pub fn new(truth: MemoryStore) -> Self {
        Self { truth, plan: Arc::new(Mutex::new(Plan::None)) }
    }

    /// After so many more calls, one goes wrong.
    pub fn breaks(&self, after: usize, how: How) {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = Plan::Waits(after, how);
    }

    pub fn has_broken(&self) -> bool {
        matches!(*self.plan.lock().unwrap_or_else(PoisonError::into_inner), Plan::Broken)
    }

    /// Counts a call; how it goes wrong, if it does.
    fn turn(&self) -> Option<How> {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        match *plan {
            Plan::Waits(0, how) => {
                *plan = Plan::Broken;
                Some(how)
            }
            Plan::Waits(after, how) => {
                *plan = Plan::Waits(after - 1, how);
                None
            }
            Plan::Broken | Plan::None => None,
        }
    }

    fn call<T>(&self, half: impl FnOnce(), all: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let Some(how) = self.turn() else { return all() };
        match how {
            How::DiesAfter | How::FailsAfter => drop(all()),
            How::DiesBefore | How::FailsBefore => {}
            How::DiesHalfway | How::FailsHalfway => half(),
        }
        match how {
            How::DiesAfter | How::DiesBefore | How::DiesHalfway => resume_unwind(Box::new(Crash)),
            How::FailsAfter | How::FailsBefore | How::FailsHalfway => {
                Err(StoreError::Medium { what: "the store".into(), why: "this call breaks".into(), passing: true })
            }
        }
    }
}

impl Store for NthCall {
    fn tip(&self) -> Result<Option<Tip>, StoreError> {
        self.call(|| {}, || self.truth.tip())
    }

    fn advance(&self, from: Option<&Tip>, to: CrlNumber) -> Result<Tip, StoreError> {
        self.call(|| {}, || self.truth.advance(from, to))
    }

    fn put(&self, objects: &[Object<'_>]) -> Result<(), StoreError> {
        self.call(|| self.truth.put(&objects[objects.len() / 2..]).unwrap(), || self.truth.put(objects))
    }

    fn get(&self, name: &ObjectName) -> Result<Option<Vec<u8>>, StoreError> {
        self.call(|| {}, || self.truth.get(name))
    }

    fn names(&self) -> Result<Vec<ObjectName>, StoreError> {
        self.call(|| {}, || self.truth.names())
    }

    fn remove(&self, names: &[ObjectName]) -> Result<(), StoreError> {
        self.call(|| self.truth.remove(&names[names.len() / 2..]).unwrap(), || self.truth.remove(names))
    }
}
