//! What changes under a snapshot while it is written: kept by the table's writer, so that every certificate is written
//! as it was at the snapshot's position. See the page of `snapshot` for the proof.

use std::collections::{HashMap, HashSet};

use super::super::entries::{Entries, State};
use super::super::own::OwnWords;
use super::super::sync::Ordering;
use crate::model::Hold;

/// What the writer's turn knows of a snapshot that is being written.
pub struct Recording {
    /// The last certificate that belongs to the snapshot.
    pub last: u32,
    /// The first that isn't written yet.
    pub next: u32,
    /// What was changed since and isn't written yet, as it was.
    pub before: HashMap<u32, Before>,
    /// What was registered since, with a number among those that belong to it.
    pub late: HashSet<u32>,
}

/// A certificate as it was at the snapshot's position. Its reply went with the change.
pub struct Before {
    pub own: Option<OwnWords>,
    pub holds: Vec<Hold>,
}

impl Recording {
    /// A certificate is about to change.
    pub fn changing(&mut self, entries: &Entries, number: u32, state: State, holds: Option<&Vec<Hold>>) {
        if number < self.next || number > self.last || self.late.contains(&number) {
            return;
        }
        let holds = || holds.cloned().unwrap_or_default();
        self.before.entry(number).or_insert_with(|| Before { own: own_words(entries, state), holds: holds() });
    }

    /// A certificate was added.
    pub fn added(&mut self, number: u32) {
        if number <= self.last {
            self.late.insert(number);
        }
    }
}

/// A certificate's own words, if it has any; for whoever has the writer's turn.
pub fn own_words(entries: &Entries, state: State) -> Option<OwnWords> {
    let State::Detailed { slot } = state else { return None };
    let (_, body) = entries.details.record(slot).expect("an entry leads to records that are there");
    Some(std::array::from_fn(|at| body[at].load(Ordering::Relaxed)))
}
