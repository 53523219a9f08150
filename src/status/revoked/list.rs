//! The entries of one scope: sorted runs in a row, changed in place, gone through in order.

use crate::model::{Cutoff, Position, Serial};

use super::entry::{Fact, Key, Known};

/// Everything that may stand on a CRL of one scope, in the order of serial numbers.
#[derive(Clone, Debug, Default)]
pub struct ScopeList {
    /// Sorted, none empty, each before the next.
    runs: Vec<Vec<Known>>,
    count: usize,
}

/// Goes through a list in the order of serial numbers.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    run: std::slice::Iter<'a, Known>,
    rest: std::slice::Iter<'a, Vec<Known>>,
}

impl ScopeList {
    /// Of a scope of which nothing was ever said.
    pub(super) const EMPTY: Self = Self { runs: Vec::new(), count: 0 };

    /// How many entries there are, remembered releases included.
    pub fn count(&self) -> usize {
        self.count
    }

    /// What is known of a certificate.
    pub fn get(&self, serial: &Serial) -> Option<&Known> {
        let (run, found) = self.find(Key::of(serial));
        self.runs.get(run)?.get(found.ok()?)
    }

    /// Each entry, by serial number.
    pub fn iter(&self) -> Iter<'_> {
        Iter { run: [].iter(), rest: self.runs.iter() }
    }

    /// Forgets what no delta needs to say any more: releases before the oldest base that is in use, and what was dropped
    /// from all CRLs before it because `is_dropped` says so.
    pub fn prune(&mut self, oldest_base: Cutoff, is_dropped: impl Fn(&Known) -> bool) {
        for run in &mut self.runs {
            let before = run.len();
            run.retain(|known| match known.fact() {
                Fact::Released { .. } => known.changed() > oldest_base.position,
                Fact::Held { .. } | Fact::Pending { .. } | Fact::Revoked { .. } => !is_dropped(known),
            });
            self.count -= before - run.len();
            if run.len() < before {
                run.shrink_to(run.len() + ROOM);
            }
        }
        self.runs.retain(|run| !run.is_empty());
    }

    /// Octets of memory that it takes.
    pub fn octets(&self) -> usize {
        let entries: usize = self.runs.iter().map(|run| run.capacity() * size_of::<Known>()).sum();
        entries + self.runs.capacity() * size_of::<Vec<Known>>()
    }

    /// Puts an entry in, in the place of the one with that serial number if there is one. Changes are dated to the event
    /// that brought them: what says the same as before stays as it was.
    pub(super) fn put(&mut self, known: Known) {
        let (at, found) = if self.runs.is_empty() {
            self.runs.push(Vec::with_capacity(1));
            (0, Err(0))
        } else {
            self.find(known.key())
        };
        let run = &mut self.runs[at];
        match found {
            Ok(place) if run[place].says_as(&known) => {}
            Ok(place) => run[place] = known,
            Err(place) => {
                if run.len() == run.capacity() {
                    run.reserve_exact(ROOM.min(run.len().max(1)));
                }
                run.insert(place, known);
                self.count += 1;
                if run.len() >= RUN_MAX {
                    self.split(at, place);
                }
            }
        }
    }

    /// Takes an entry out.
    pub(super) fn take(&mut self, serial: &Serial) {
        let (at, found) = self.find(Key::of(serial));
        if let Ok(place) = found {
            self.runs[at].remove(place);
            self.count -= 1;
            if self.runs[at].is_empty() {
                self.runs.remove(at);
            }
        }
    }

    /// The last event that changed anything in it.
    pub fn changed(&self) -> Option<Position> {
        self.iter().map(Known::changed).max()
    }

    /// In which run a key is or belongs, and where in it.
    fn find(&self, key: Key) -> (usize, Result<usize, usize>) {
        let after = self.runs.partition_point(|run| run[0].key() <= key);
        let at = after.saturating_sub(1);
        let found = self.runs.get(at).map_or(Err(0), |run| run.binary_search_by_key(&key, Known::key));
        (at, found)
    }

    /// Makes two runs of one. One that grew at its end is full of what will not change in number again: it is left full.
    fn split(&mut self, at: usize, grown: usize) {
        let run = &mut self.runs[at];
        let middle = if grown + 1 == run.len() { run.len() - 1 } else { run.len() / 2 };
        let mut upper = Vec::with_capacity(run.len() - middle + ROOM);
        upper.extend_from_slice(&run[middle..]);
        run.truncate(middle);
        run.shrink_to(middle + if grown + 1 == middle + upper.len() { 0 } else { ROOM });
        self.runs.insert(at + 1, upper);
    }
}

impl<'a> Iter<'a> {
    /// The next entries that lie behind each other in memory; none: there are no more.
    #[inline]
    pub fn next_run(&mut self) -> &'a [Known] {
        if self.run.as_slice().is_empty() {
            self.run = self.rest.next().map_or(&[][..], Vec::as_slice).iter();
        }
        std::mem::take(&mut self.run).as_slice()
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = &'a Known;

    #[inline]
    fn next(&mut self) -> Option<&'a Known> {
        loop {
            if let Some(known) = self.run.next() {
                return Some(known);
            }
            self.run = self.rest.next()?.iter();
        }
    }

    #[inline]
    fn fold<B, F: FnMut(B, &'a Known) -> B>(self, first: B, mut with: F) -> B {
        let sum = self.run.fold(first, &mut with);
        self.rest.fold(sum, |sum, run| run.iter().fold(sum, &mut with))
    }
}

/// A run is halved when it has so many: 20 kB, of which a newcomer moves half on average.
const RUN_MAX: usize = 512;
/// A run that must grow gets room for so many more.
const ROOM: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Time;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn known(number: u64, changed: u64) -> Known {
        let since = Time::from_unix(changed as i64).unwrap();
        let serial = Serial::from_unsigned(&(number + 1).to_be_bytes()).unwrap();
        let fact = if changed.is_multiple_of(5) { Fact::Released { since } } else { Fact::Held { since } };
        Known::new(&serial, fact, None, Time::default(), Position(changed)).unwrap()
    }

    /// All of it, the first by itself and the others run by run.
    fn by_runs(list: &ScopeList) -> Vec<Known> {
        let mut rest = list.iter();
        let first = rest.next().copied();
        let runs = std::iter::from_fn(|| Some(rest.next_run()).filter(|run| !run.is_empty()));
        first.into_iter().chain(runs.flatten().copied()).collect()
    }

    fn agrees(list: &ScopeList, model: &BTreeMap<u64, Known>) {
        assert_eq!(list.count(), model.len());
        assert!(list.iter().eq(model.values()));
        assert!(by_runs(list).iter().eq(model.values()));
        assert!(list.runs.iter().all(|run| !run.is_empty() && run.len() < RUN_MAX));
    }

    #[test]
    fn a_list_filled_in_any_order_is_in_order_and_small() {
        let scrambled = |at: u64| at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        for order in [|at: u64| at, |at: u64| 200_000 - at, scrambled] {
            let mut list = ScopeList::default();
            let mut model = BTreeMap::new();
            for at in 0..100_000_u64 {
                let entry = known(order(at), at + 1);
                list.put(entry);
                model.insert(order(at), entry);
            }
            agrees(&list, &model);
            assert!(list.octets() <= list.count() * 48, "{} octets each", list.octets() / list.count());
        }
    }

    proptest! {
        #[test]
        fn it_holds_what_a_map_holds(changes in prop::collection::vec((0_u64..1_500, any::<bool>()), 0..3_000)) {
            let (mut list, mut model) = (ScopeList::default(), BTreeMap::new());
            for ((number, taken), at) in changes.into_iter().zip(1..) {
                let entry = known(number, at);
                if taken && number.is_multiple_of(3) {
                    list.take(&entry.serial());
                    model.remove(&number);
                } else {
                    list.put(entry);
                    model.insert(number, entry);
                }
                prop_assert_eq!(list.get(&entry.serial()), model.get(&number));
            }
            agrees(&list, &model);
            let base = Cutoff { position: Position(1_000), time: Time::default() };
            list.prune(base, |known| known.changed() == Position(7));
            model.retain(|_, known| {
                let released = matches!(known.fact(), Fact::Released { .. });
                if released { known.changed().0 > 1_000 } else { known.changed().0 != 7 }
            });
            agrees(&list, &model);
        }
    }
}
