//! What a file has named so far, in sixteen octets an entry: repeated serials, and links to what comes later or never.
//!
//! A fingerprint is 92 bits of SHA-256; below it stands how the entry was counted, below that its place, so that sorting
//! brings equal serials together. Two serials with one fingerprint take some 2⁴⁶ tries, and would only stop an import.

use std::collections::BTreeSet;

use super::BulkError;
use super::plan::Tally;
use crate::ledger::import::{Fault, NamedLink, Unit};
use crate::ledger::sha256;

/// Fingerprints of a file's entries.
#[derive(Default)]
pub(super) struct Seen {
    entries: Vec<u128>,
    links: Vec<u128>,
}

impl Seen {
    /// Takes in an entry.
    pub(super) fn entry(&mut self, name: NamedLink, place: u64, tally: Tally) -> Result<(), BulkError> {
        if self.entries.len() >= ENTRIES_MAX {
            return Err(BulkError::TooMany);
        }
        self.entries.push(print(name, place, tally)?);
        Ok(())
    }

    /// Takes in a link to what isn't registered.
    pub(super) fn link(&mut self, to: NamedLink, place: u64, tally: Tally) -> Result<(), BulkError> {
        if self.links.len() >= ENTRIES_MAX {
            return Err(BulkError::TooMany);
        }
        self.links.push(print(to, place, tally)?);
        Ok(())
    }

    /// How many different ones there are.
    pub(super) fn distinct(mut self) -> u64 {
        self.entries.sort_unstable();
        self.entries.dedup_by_key(|print| name_of(*print));
        self.entries.len() as u64
    }

    /// What is wrong with the file as a whole, in its order, but for what is `bad` anyway.
    pub(super) fn faults(mut self, unit: Unit, bad: &BTreeSet<u32>) -> Vec<(u32, Tally, Fault)> {
        self.entries.sort_unstable_by_key(|entry| (name_of(*entry), place(*entry)));
        let mut faults = Vec::new();
        let mut first = None;
        for entry in &self.entries {
            match first {
                Some(first) if name_of(first) == name_of(*entry) => {
                    faults.push((place(*entry), tally(*entry), Fault::Duplicate { unit, first: place(first).into() }));
                }
                _ => first = Some(*entry),
            }
        }
        let mut unusable: BTreeSet<u32> = bad.clone();
        unusable.extend(faults.iter().map(|(place, ..)| *place));
        // In the order of the file: a link to an entry that is left out for its own link's sake dangles, too.
        self.links.sort_unstable_by_key(|link| place(*link));
        for link in &self.links {
            let at = self.entries.partition_point(|entry| name_of(*entry) < name_of(*link));
            let target = self.entries.get(at).filter(|entry| name_of(**entry) == name_of(*link));
            let earlier = target.is_some_and(|e| place(*e) < place(*link) && !unusable.contains(&place(*e)));
            if !earlier && unusable.insert(place(*link)) {
                faults.push((place(*link), tally(*link), Fault::LinkUnknown));
            }
        }
        faults.retain(|(place, ..)| !bad.contains(place));
        faults.sort_by_key(|(place, ..)| *place);
        faults
    }
}

fn print(name: NamedLink, place: u64, tally: Tally) -> Result<u128, BulkError> {
    let place = u32::try_from(place).map_err(|_| BulkError::TooMany)?;
    let hash = sha256(&[&name.issuer.0.to_be_bytes(), name.serial.as_octets()]);
    let (head, _) = hash.split_first_chunk::<16>().expect("SHA-256 has 32 octets");
    let name = u128::from_be_bytes(*head) >> (PLACE_BITS + TALLY_BITS);
    Ok((name << TALLY_BITS | u128::from(tally.bits())) << PLACE_BITS | u128::from(place))
}

fn name_of(print: u128) -> u128 {
    print >> (PLACE_BITS + TALLY_BITS)
}

fn tally(print: u128) -> Tally {
    Tally::from_bits((print >> PLACE_BITS) as u8 & 0x0f)
}

fn place(print: u128) -> u32 {
    print as u32
}

const PLACE_BITS: u32 = 32;
const TALLY_BITS: u32 = 4;
/// 16 M entries are 256 MB of fingerprints, and more than any file that a person can look at.
pub(super) const ENTRIES_MAX: usize = 1 << 24;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{IssuerNo, Serial};

    fn name(number: u64) -> NamedLink {
        NamedLink { issuer: IssuerNo(1), serial: Serial::from_unsigned(&number.to_be_bytes()).unwrap() }
    }

    #[test]
    fn repeats_and_dangling_links_are_named_by_place() {
        let mut seen = Seen::default();
        // Places 1 to 6 name 10, 11, 10, 12, 13, 14.
        for (place, number) in (1..).zip([10, 11, 10, 12, 13, 14]) {
            seen.entry(name(number), place, Tally::default()).unwrap();
        }
        seen.link(name(10), 2, Tally::default()).unwrap();
        seen.link(name(13), 4, Tally::default()).unwrap();
        seen.link(name(12), 5, Tally::default()).unwrap();
        seen.link(name(99), 6, Tally::default()).unwrap();
        let faults = seen.faults(Unit::Line, &BTreeSet::new());
        let none = Tally::default();
        let expected = [
            (3, none, Fault::Duplicate { unit: Unit::Line, first: 1 }),
            (4, none, Fault::LinkUnknown),
            (5, none, Fault::LinkUnknown),
            (6, none, Fault::LinkUnknown),
        ];
        assert_eq!(faults, expected);
    }

    #[test]
    fn what_is_bad_already_is_not_told_again_but_carries_no_link() {
        let mut seen = Seen::default();
        for (place, number) in (1..).zip([10, 11, 12]) {
            seen.entry(name(number), place, Tally::default()).unwrap();
        }
        seen.link(name(10), 2, Tally::default()).unwrap();
        seen.link(name(99), 1, Tally::default()).unwrap();
        assert_eq!(seen.faults(Unit::Line, &[1].into()), [(2, Tally::default(), Fault::LinkUnknown)]);
    }

    #[test]
    fn how_an_entry_was_counted_comes_back_with_it() {
        let mut seen = Seen::default();
        let tally = Tally { registered: true, revoked: true, ..Tally::default() };
        seen.entry(name(10), 1, Tally::default()).unwrap();
        seen.entry(name(10), u32::MAX.into(), tally).unwrap();
        let fault = Fault::Duplicate { unit: Unit::Line, first: 1 };
        assert_eq!(seen.faults(Unit::Line, &BTreeSet::new()), [(u32::MAX, tally, fault)]);
    }

    #[test]
    fn distinct_ones_are_counted_once() {
        let mut seen = Seen::default();
        for (place, number) in (1..).zip([10, 11, 10]) {
            seen.entry(name(number), place, Tally::default()).unwrap();
        }
        assert_eq!(seen.distinct(), 2);
    }
}
