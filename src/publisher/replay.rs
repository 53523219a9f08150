//! Whether what holders of an earlier CRL make of the news is what the full CRL says: a walk along three lists at once.
//!
//! Used by `preflight` before each publication, and by whoever proves a published pair once more. Allocates nothing.

use std::cmp::Ordering;

use crate::asn1::crl::{CrlEntry, CrlError};
use crate::model::{Listed, Serial};

/// How base and news differ from the full CRL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// On the full CRL, and neither on the base nor among the news.
    #[error("{0} is listed, but neither on the CRL before nor among the news")]
    Appeared(Serial),
    /// Listed otherwise.
    #[error("{0} is listed otherwise than the CRL before and the news have it")]
    Differs(Serial),
    /// On the base, not said to be removed, and not on the full CRL.
    #[error("{0} is no longer listed, and nothing said that it was removed")]
    Lost(Serial),
    /// One of the lists can't be read.
    #[error(transparent)]
    Unreadable(#[from] CrlError),
    /// One of the lists is not in order, or has a certificate twice.
    #[error("{0} stands before its place, or twice")]
    Unsorted(Serial),
}

/// What a replay came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Entries on the base.
    pub base: u64,
    /// Entries among the news.
    pub news: u64,
    /// Of them, removals.
    pub removals: u64,
    /// Entries on the full CRL.
    pub full: u64,
}

/// Walks along a base, the news since, and the full CRL that they must amount to, each in the order of issuer and serial
/// number.
pub fn replay<'a>(
    base: impl Iterator<Item = Result<CrlEntry<'a>, CrlError>>,
    news: impl Iterator<Item = Result<CrlEntry<'a>, CrlError>>,
    full: impl Iterator<Item = Result<CrlEntry<'a>, CrlError>>,
) -> Result<Replayed, Mismatch> {
    let (mut base, mut news, mut full) = (InOrder::new(base), InOrder::new(news), InOrder::new(full));
    let mut replayed = Replayed::default();
    let (mut old, mut new) = (base.next()?, news.next()?);
    loop {
        let order = match (&old, &new) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => place(old, new),
        };
        let expected = if order == Ordering::Less { old } else { new };
        if order != Ordering::Greater {
            replayed.base += 1;
            old = base.next()?;
        }
        let removed = order != Ordering::Less && expected.is_some_and(|one| one.listed == Listed::Removed);
        if order != Ordering::Less {
            replayed.news += 1;
            replayed.removals += u64::from(removed);
            new = news.next()?;
        }
        if let Some(expected) = expected.filter(|_| !removed) {
            replayed.full += 1;
            let found = full.next()?;
            if found != Some(expected) {
                return Err(differs(&expected, found.as_ref()));
            }
        }
    }
    match full.next()? {
        None => Ok(replayed),
        Some(more) => Err(Mismatch::Appeared(more.serial)),
    }
}

/// Whether two lists say the same, in order, each certificate once; how many entries they have.
pub(super) fn same<'a>(
    expected: impl Iterator<Item = CrlEntry<'a>>,
    found: impl Iterator<Item = Result<CrlEntry<'a>, CrlError>>,
) -> Result<u64, Mismatch> {
    let (mut found, mut entries) = (InOrder::new(found), 0);
    for expected in expected {
        let entry = found.next()?;
        if entry != Some(expected) {
            return Err(differs(&expected, entry.as_ref()));
        }
        entries += 1;
    }
    match found.next()? {
        None => Ok(entries),
        Some(more) => Err(Mismatch::Appeared(more.serial)),
    }
}

/// The order in which entries stand: who issues the CRL first, others by name, then serial numbers.
#[inline]
pub(super) fn place(one: &CrlEntry<'_>, other: &CrlEntry<'_>) -> Ordering {
    if one.issuer.is_some() || other.issuer.is_some() {
        let issuers = one.issuer.cmp(&other.issuer);
        if issuers != Ordering::Equal {
            return issuers;
        }
    }
    one.serial.cmp(&other.serial)
}

fn differs(expected: &CrlEntry<'_>, found: Option<&CrlEntry<'_>>) -> Mismatch {
    match found.map(|found| (place(found, expected), found.serial)) {
        None | Some((Ordering::Greater, _)) => Mismatch::Lost(expected.serial),
        Some((Ordering::Equal, serial)) => Mismatch::Differs(serial),
        Some((Ordering::Less, serial)) => Mismatch::Appeared(serial),
    }
}

/// Entries that must stand in order, each once.
struct InOrder<'a, I> {
    entries: I,
    last: Option<CrlEntry<'a>>,
}

impl<'a, I: Iterator<Item = Result<CrlEntry<'a>, CrlError>>> InOrder<'a, I> {
    fn new(entries: I) -> Self {
        Self { entries, last: None }
    }

    #[inline]
    fn next(&mut self) -> Result<Option<CrlEntry<'a>>, Mismatch> {
        let Some(entry) = self.entries.next().transpose()? else { return Ok(None) };
        if self.last.as_ref().is_some_and(|last| place(last, &entry) != Ordering::Less) {
            return Err(Mismatch::Unsorted(entry.serial));
        }
        self.last = Some(entry);
        Ok(Some(entry))
    }
}
