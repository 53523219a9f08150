//! The present set events, as every look-up reads them and the writer replaces them.
//!
//! Most of the time there are none, and then a look-up learns it from one word. A [`Swap`] says on each reading who reads,
//! by two indivisible steps, past which the processor begins no other load; a look-up is made of loads that should begin early.

use std::sync::Arc;

use super::sets::Sets;
use super::sync::{AtomicU64, Ordering, Swap};

/// All set events, as of now.
pub struct Present {
    /// How many there are; stored (release) after the sets themselves.
    taken: AtomicU64,
    sets: Swap<Sets>,
    /// What they are as long as there are none.
    none: Sets,
}

impl Present {
    pub fn new(sets: Sets) -> Self {
        let taken = sets.rows().len() as u64;
        Self { taken: AtomicU64::new(taken), sets: Swap::new(sets), none: Sets::default() }
    }

    /// Looks at a certificate under the present sets; once more for each set that came meanwhile.
    ///
    /// The sets are loaded before the certificate. When it has been read, there must be no more of them: a reply that it then
    /// had may have been signed under the new one, and must not be shown as if it said what holds without it.
    #[inline]
    pub fn read<R>(&self, mut look: impl FnMut(&Sets) -> R) -> R {
        // Acquire: pairs with `put`. The sets that are read then are these, or later ones.
        let mut taken = self.taken.load(Ordering::Acquire);
        loop {
            let seen = if taken == 0 { look(&self.none) } else { self.sets.read(&mut look) };
            // Who kept a reply under a later set took the turn after whoever stored that set's number here; `look` read the
            // reply's entry by an acquire load, so this load is behind both.
            let present = self.taken.load(Ordering::Acquire);
            if present == taken {
                return seen;
            }
            taken = present;
        }
    }

    /// The present ones, to keep.
    pub fn get(&self) -> Arc<Sets> {
        self.sets.get()
    }

    /// Replaces them by more. For whoever has the writer's turn.
    pub fn put(&self, sets: Sets) {
        let taken = sets.rows().len() as u64;
        self.sets.put(sets);
        // Release: who sees the number sees the sets.
        self.taken.store(taken, Ordering::Release);
    }
}
