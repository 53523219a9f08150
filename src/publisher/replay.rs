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
    let mut both = Both::of(base, news)?;
    let mut last: Option<(Option<&[u8]>, Serial)> = None;
    let mut outcome = Ok(());
    // From within: a list goes through its entries twice as fast when it isn't stopped at each.
    full.for_each(|found| {
        if outcome.is_ok() {
            outcome = found.map_err(Mismatch::from).and_then(|found| {
                let this = (found.issuer, found.serial);
                if last.is_some_and(|last| last >= this) {
                    return Err(Mismatch::Unsorted(found.serial));
                }
                last = Some(this);
                both.expect(&found)
            });
        }
    });
    outcome?;
    both.end()
}

/// What base and news amount to, for whoever has no full CRL to compare with: how much of each there is, and of the result.
pub fn sum<'a>(
    base: impl Iterator<Item = Result<CrlEntry<'a>, CrlError>>,
    news: impl Iterator<Item = Result<CrlEntry<'a>, CrlError>>,
) -> Result<Replayed, Mismatch> {
    let mut both = Both::of(base, news)?;
    while both.next()?.is_some() {}
    Ok(both.replayed)
}

/// A base with the news applied to it.
pub(super) struct Both<'a, B, N> {
    pub base: InOrder<'a, B>,
    pub news: InOrder<'a, N>,
    pub replayed: Replayed,
}

impl<'a, B, N> Both<'a, B, N>
where
    B: Iterator<Item = Result<CrlEntry<'a>, CrlError>>,
    N: Iterator<Item = Result<CrlEntry<'a>, CrlError>>,
{
    pub fn of(base: B, news: N) -> Result<Self, Mismatch> {
        let mut both = Self { base: InOrder::new(base), news: InOrder::new(news), replayed: Replayed::default() };
        both.base.advance()?;
        both.news.advance()?;
        Ok(both)
    }

    /// Nothing more may be listed.
    pub fn end(mut self) -> Result<Replayed, Mismatch> {
        match self.next()? {
            None => Ok(self.replayed),
            Some(lost) => Err(Mismatch::Lost(lost.serial)),
        }
    }

    /// The next that is listed must be this.
    #[inline(always)]
    pub fn expect(&mut self, found: &CrlEntry<'a>) -> Result<(), Mismatch> {
        // Nearly always the base has it, and there is no news of it.
        if let Some(old) = &self.base.now
            && self.news.now.as_ref().is_none_or(|new| place(old, new) == Ordering::Less)
        {
            if old != found {
                return Err(differs(old, Some(found)));
            }
            (self.replayed.base, self.replayed.full) = (self.replayed.base + 1, self.replayed.full + 1);
            return self.base.advance();
        }
        match self.next()? {
            Some(expected) if expected == *found => Ok(()),
            Some(expected) => Err(differs(&expected, Some(found))),
            None => Err(Mismatch::Appeared(found.serial)),
        }
    }

    /// The next that is listed.
    fn next(&mut self) -> Result<Option<CrlEntry<'a>>, Mismatch> {
        loop {
            let order = match (&self.base.now, &self.news.now) {
                (None, None) => return Ok(None),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(old), Some(new)) => place(old, new),
            };
            let expected = if order == Ordering::Less { self.base.now } else { self.news.now };
            if order != Ordering::Greater {
                self.replayed.base += 1;
                self.base.advance()?;
            }
            let removed = order != Ordering::Less && expected.is_some_and(|one| one.listed == Listed::Removed);
            if order != Ordering::Less {
                self.replayed.news += 1;
                self.replayed.removals += u64::from(removed);
                self.news.advance()?;
            }
            if !removed {
                self.replayed.full += 1;
                return Ok(expected);
            }
        }
    }
}

/// Whether two lists say the same, in order, each certificate once; how many entries they have.
pub(super) fn same<'a>(
    expected: impl Iterator<Item = CrlEntry<'a>>,
    found: impl Iterator<Item = Result<CrlEntry<'a>, CrlError>>,
) -> Result<u64, Mismatch> {
    let (mut found, mut entries) = (InOrder::new(found), 0);
    found.advance()?;
    let mut outcome = Ok(());
    expected.for_each(|expected| {
        if outcome.is_ok() {
            entries += 1;
            outcome = match &found.now {
                Some(entry) if *entry == expected => found.advance(),
                other => Err(differs(&expected, other.as_ref())),
            };
        }
    });
    outcome?;
    found.now.map_or(Ok(entries), |more| Err(Mismatch::Appeared(more.serial)))
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

pub(super) fn differs(expected: &CrlEntry<'_>, found: Option<&CrlEntry<'_>>) -> Mismatch {
    match found.map(|found| (place(found, expected), found.serial)) {
        None | Some((Ordering::Greater, _)) => Mismatch::Lost(expected.serial),
        Some((Ordering::Equal, serial)) => Mismatch::Differs(serial),
        Some((Ordering::Less, serial)) => Mismatch::Appeared(serial),
    }
}

/// Entries that must stand in order, each once.
pub(super) struct InOrder<'a, I> {
    pub entries: I,
    /// The one that was reached; none: before the first, or behind the last.
    pub now: Option<CrlEntry<'a>>,
}

impl<'a, I: Iterator<Item = Result<CrlEntry<'a>, CrlError>>> InOrder<'a, I> {
    pub fn new(entries: I) -> Self {
        Self { entries, now: None }
    }

    #[inline(always)]
    pub fn advance(&mut self) -> Result<(), Mismatch> {
        match self.entries.next() {
            Some(Ok(entry)) => {
                if self.now.as_ref().is_some_and(|last| place(last, &entry) != Ordering::Less) {
                    return Err(Mismatch::Unsorted(entry.serial));
                }
                self.now = Some(entry);
            }
            Some(Err(error)) => return Err(error.into()),
            None => self.now = None,
        }
        Ok(())
    }
}
