//! How two lists differ, certificate by certificate, whoever made them and in whatever order. Used by whoever compares two
//! files.

use std::cmp::Ordering;

use crate::asn1::crl::{CrlEntry, CrlError};

use super::replay::place;

/// What one list says of a certificate and the other doesn't.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference<'a> {
    /// Only on the new one.
    Added(CrlEntry<'a>),
    /// On both, otherwise.
    Changed {
        /// As the old one has it.
        old: CrlEntry<'a>,
        /// As the new one has it.
        new: CrlEntry<'a>,
    },
    /// Only on the old one.
    Removed(CrlEntry<'a>),
}

/// The differences, in the order of issuer and serial number; of several entries for one certificate the last counts.
pub fn differences<'a>(
    old: impl Iterator<Item = Result<CrlEntry<'a>, CrlError>>,
    new: impl Iterator<Item = Result<CrlEntry<'a>, CrlError>>,
) -> Result<Vec<Difference<'a>>, CrlError> {
    let (old, new) = (in_order(old)?, in_order(new)?);
    let (mut old, mut new) = (old.into_iter().peekable(), new.into_iter().peekable());
    let mut found = Vec::new();
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return Ok(found),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => place(old, new),
        };
        let old = if order == Ordering::Greater { None } else { old.next() };
        let new = if order == Ordering::Less { None } else { new.next() };
        match (old, new) {
            (Some(old), Some(new)) if old != new => found.push(Difference::Changed { old, new }),
            (Some(old), None) => found.push(Difference::Removed(old)),
            (None, Some(new)) => found.push(Difference::Added(new)),
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
}

fn in_order<'a>(entries: impl Iterator<Item = Result<CrlEntry<'a>, CrlError>>) -> Result<Vec<CrlEntry<'a>>, CrlError> {
    let mut entries = entries.collect::<Result<Vec<_>, _>>()?;
    // Stable, so that the last of several stays the last.
    entries.sort_by(place);
    entries.reverse();
    entries.dedup_by(|one, other| place(one, other) == Ordering::Equal);
    entries.reverse();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Listed, Reason, Serial};

    fn entry(serial: u8, listed: Listed) -> CrlEntry<'static> {
        let date = "2026-11-20T00:00:00Z".parse().unwrap();
        let serial = Serial::from_unsigned(&[serial]).unwrap();
        CrlEntry { serial, date, listed, invalidity_date: None, issuer: None }
    }

    #[test]
    fn lists_in_any_order_are_compared_and_the_last_word_counts() {
        let (held, lost) = (Listed::Held, Listed::Revoked(Reason::KeyCompromise));
        let old = [entry(9, held), entry(2, held), entry(5, lost), entry(2, lost)];
        let new = [entry(5, held), entry(2, lost), entry(7, held)];
        let found = differences(old.into_iter().map(Ok), new.into_iter().map(Ok)).unwrap();
        let changed = Difference::Changed { old: entry(5, lost), new: entry(5, held) };
        assert_eq!(found, [changed, Difference::Added(entry(7, held)), Difference::Removed(entry(9, held))]);
        assert_eq!(differences(old.into_iter().map(Ok), old.into_iter().map(Ok)).unwrap(), []);
        let unreadable = [Err(CrlError::NotVersion2)];
        assert!(differences(unreadable.into_iter(), new.into_iter().map(Ok)).is_err());
    }
}
