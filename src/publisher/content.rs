//! What stands on a CRL: on a full one at a cut-off, and on a delta against a base (RFC 5280 §5.2.4).
//!
//! Called by [`build`](super::build()) to write it and by [`preflight`](super::preflight()) to prove it.

use crate::asn1::crl::{Crl, CrlEntry, CrlError, PlainEntry};
use crate::model::{Cutoff, DatedByDay, Listed, ScopeNo, Seconds, Time};
use crate::status::{Before, Fact, Known, LossDates, Revoked, RevokedError, Waiting};

use super::lists::Lists;

/// The settings that decide what is listed. CRLs of one scope that are to fit together are made under the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// For which reasons a date is that of the day.
    pub dates: DatedByDay,
    /// Whether the expired stay.
    pub expired: Expired,
    /// The desk's: what isn't acknowledged so long after its notBefore is overdue.
    pub delivery_within: Seconds,
}

/// What becomes of an entry when its certificate has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expired {
    /// It is left out once it stood on one regular full CRL issued after the end of validity (RFC 5280 §3.3).
    Dropped,
    /// It stays, and the CRL says of certificates that expired since then that it does.
    Kept {
        /// Since when.
        since: Time,
    },
}

/// Which entries a delta lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relist {
    /// Those that changed since its base, in any field.
    Changed,
    /// All, and what the base may list and the rules of now don't: it was made under other ones.
    Everything,
}

/// What CRLs of one slot say at one cut-off.
#[derive(Clone, Copy, Debug)]
pub struct Content<'a> {
    /// What they are made from, which stands at the cut-off's position.
    pub lists: &'a Lists<'a>,
    /// Up to where they speak.
    pub cutoff: Cutoff,
    /// The settings.
    pub rules: Rules,
    /// The regular full CRLs that were issued before, ascending, from the last one before the oldest base in use on: what
    /// expired is dropped after the first of them that listed it afterwards.
    pub regular: &'a [Cutoff],
}

impl<'a> Content<'a> {
    /// The entries of the full CRL.
    pub fn full(&self) -> impl Iterator<Item = CrlEntry<'a>> + Clone + 'a {
        let content = self.settled();
        self.lists.iter().filter_map(move |(issuer, known)| Some(content.shown(&known)?.entry(issuer, &known)))
    }

    /// The entries of the delta against a full CRL of that cut-off.
    pub fn delta(&self, base: Cutoff, relist: Relist) -> impl Iterator<Item = CrlEntry<'a>> + Clone + 'a {
        let content = self.settled();
        self.lists
            .iter()
            .filter_map(move |(issuer, known)| Some(content.news(&known, base, relist)?.entry(issuer, &known)))
    }

    /// Of each certificate what the full CRL says and what the delta says, in one walk.
    #[inline]
    pub(super) fn pairs(&self, base: Cutoff, relist: Relist) -> impl Iterator<Item = Pair<'a>> + 'a {
        let content = self.settled();
        self.lists.iter().map(move |(issuer, known)| {
            let (full, news) = (content.shown(&known), content.news(&known, base, relist));
            Pair { issuer, known, full, news }
        })
    }

    /// Only what was issued before the cut-off drops anything: CRLs of one cut-off say the same.
    fn settled(&self) -> Self {
        let before = self.regular.partition_point(|full| *full < self.cutoff);
        Self { regular: &self.regular[..before], ..*self }
    }

    /// As what a certificate is listed, if it is.
    #[inline(always)]
    fn shown(&self, known: &Known) -> Option<Shown> {
        let fact = known.fact();
        let (listed, at) = fact.listed()?;
        if let Fact::Pending { since, .. } = fact
            && self.overdue(since) > self.cutoff.time
        {
            return None;
        }
        if self.rules.dropped_after(known, self.regular).is_some() {
            return None;
        }
        Some(Shown { listed, date: self.rules.dates.date(listed, at), lost_at: known.lost_at() })
    }

    /// What a delta says of a certificate, if it says anything.
    #[inline(always)]
    fn news(&self, known: &Known, base: Cutoff, relist: Relist) -> Option<Shown> {
        let changed = known.changed() > base.position;
        if !changed && relist == Relist::Changed && !self.may_have_passed(known, base) {
            return None;
        }
        let fact = known.fact();
        if let Some(shown) = self.shown(known) {
            // The clock alone lists what has become overdue.
            let overdue = matches!(fact, Fact::Pending { since, .. } if self.overdue(since) > base.time);
            return (changed || overdue || relist == Relist::Everything).then_some(shown);
        }
        let is_removed = match fact {
            // Even if hold and release both fall after the base (RFC 5280 §5.2.4).
            Fact::Released { .. } => changed,
            Fact::Pending { before, since } if self.overdue(since) > self.cutoff.time => {
                // Under other rules it may have been overdue at the base.
                let was_overdue = relist == Relist::Everything && since <= base.time;
                was_overdue || changed && before == Before::Held
            }
            // On the full CRL after which it was dropped, and so on every base up to that one, or on a delta since; on a base
            // of other rules perhaps in any case.
            Fact::Held { .. } | Fact::Pending { .. } | Fact::Revoked { .. } => {
                relist == Relist::Everything
                    || self.rules.dropped_after(known, self.regular).is_some_and(|last| last >= base)
            }
        };
        is_removed.then(|| Shown::removed(fact, self.rules.dates))
    }

    /// Whether the clock alone may have changed since the base what is said of a certificate.
    #[inline]
    fn may_have_passed(&self, known: &Known, base: Cutoff) -> bool {
        let expired = self.regular.last().is_some_and(|last| *last >= base && known.not_after() < last.time);
        expired || known.is_pending()
    }

    fn overdue(&self, since: Time) -> Time {
        since + self.rules.delivery_within
    }
}

impl Rules {
    /// A text that is another for other rules, and for lists that tell more or less.
    pub fn mark(&self, losses: LossDates) -> String {
        let expired = match self.expired {
            Expired::Dropped => "dropped".to_owned(),
            Expired::Kept { since } => format!("kept since {since}"),
        };
        let days: Vec<_> = self.dates.reasons().map(|reason| reason.to_string()).collect();
        let losses = match losses {
            LossDates::Ignored => "not told",
            LossDates::Kept => "told",
        };
        let (days, delivery) = (days.join(" "), self.delivery_within.0);
        format!("dated by day: {days}; expired: {expired}; losses: {losses}; delivery within: {delivery}")
    }

    /// The regular full CRL that listed an expired certificate for the last time; none: it is not dropped.
    #[inline]
    fn dropped_after(&self, known: &Known, regular: &[Cutoff]) -> Option<Cutoff> {
        let end = known.not_after();
        if self.expired != Expired::Dropped || regular.last().is_none_or(|last| last.time <= end) {
            return None;
        }
        let listed = |full: &&Cutoff| match known.fact() {
            Fact::Pending { since, .. } => since + self.delivery_within <= full.time,
            Fact::Held { .. } | Fact::Released { .. } | Fact::Revoked { .. } => true,
        };
        let mut after = regular.iter().filter(|full| full.time > end && full.position >= known.changed());
        after.find(listed).copied()
    }
}

/// What is said of a certificate.
#[derive(Clone, Copy)]
struct Shown {
    listed: Listed,
    date: Time,
    lost_at: Option<Time>,
}

/// What full CRL and delta say of one certificate.
pub(super) struct Pair<'a> {
    issuer: Option<&'a [u8]>,
    known: Known,
    full: Option<Shown>,
    news: Option<Shown>,
}

impl<'a> Pair<'a> {
    /// The full CRL's entry.
    pub fn full(&self) -> Option<CrlEntry<'a>> {
        self.full.map(|shown| shown.entry(self.issuer, &self.known))
    }

    /// The delta's.
    pub fn news(&self) -> Option<CrlEntry<'a>> {
        self.news.map(|shown| shown.entry(self.issuer, &self.known))
    }

    /// The full CRL's entry, if there is no news and it can be said in words.
    #[inline(always)]
    pub fn unchanged(&self) -> Option<PlainEntry> {
        let Shown { listed, date, lost_at: None } = self.full? else { return None };
        let number = self.known.number()?;
        (self.news.is_none() && self.issuer.is_none()).then_some(PlainEntry { number, date, listed })
    }
}

impl Shown {
    /// What is said last of what stood there as this.
    fn removed(fact: Fact, dates: DatedByDay) -> Self {
        let date = match fact {
            Fact::Held { since } | Fact::Pending { since, .. } | Fact::Released { since } => since,
            Fact::Revoked { reason, at } => dates.date(Listed::Revoked(reason), at),
        };
        Self { listed: Listed::Removed, date, lost_at: None }
    }

    #[inline]
    fn entry<'a>(self, issuer: Option<&'a [u8]>, known: &Known) -> CrlEntry<'a> {
        let Self { listed, date, lost_at } = self;
        CrlEntry { serial: known.serial(), date, listed, invalidity_date: lost_at, issuer }
    }
}

/// After the lists of a scope were filled anew from a scan: takes out what had been dropped, as the last full CRL proves.
///
/// A scan dates an entry to the last event that touched its certificate, though what is listed may have been so for longer;
/// for what has expired meanwhile that would be a reason to list it once more, in contradiction to the CRL that holders
/// have. How many entries were taken out.
pub fn reconcile(
    revoked: &mut Revoked,
    no: ScopeNo,
    rules: Rules,
    regular: &[Cutoff],
    last: &Crl<'_>,
    cutoff: Cutoff,
) -> Result<usize, ReconcileError> {
    let lists = Lists::of_scope(revoked.list(no)?);
    let content = Content { lists: &lists, cutoff, rules, regular }.settled();
    let mut listed = last.entries();
    let mut next = listed.next().transpose()?;
    let mut gone = Vec::new();
    for (_, known) in lists.iter().filter(|(_, known)| known.changed() <= cutoff.position) {
        let serial = known.serial();
        while next.is_some_and(|entry| entry.serial < serial) {
            next = listed.next().transpose()?;
        }
        let is_on_it = next.is_some_and(|entry| entry.serial == serial);
        // Whatever has not expired and is missing there is another matter, and preflight's.
        if !is_on_it && known.not_after() < cutoff.time && content.shown(&known).is_some() {
            gone.push(serial);
        }
    }
    for serial in &gone {
        revoked.retire(no, serial, cutoff.position)?;
    }
    Ok(gone.len())
}

/// Why the lists of a scope can't be reconciled with its last full CRL.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// Members of a set event are missing.
    #[error(transparent)]
    Waiting(#[from] Waiting),
    /// The CRL can't be read.
    #[error(transparent)]
    Crl(#[from] CrlError),
    /// There is no such scope.
    #[error(transparent)]
    Lists(#[from] RevokedError),
}

/// What the CRLs of one place still need.
#[derive(Clone, Copy, Debug)]
pub struct Needs<'a> {
    /// Its regular full CRLs, ascending.
    pub regular: &'a [Cutoff],
    /// The oldest base that is in use there.
    pub oldest: Cutoff,
}

/// Forgets of a scope what no CRL will say any more at any of the places that speak of it.
pub fn forget(revoked: &mut Revoked, no: ScopeNo, rules: &Rules, places: &[Needs<'_>]) -> Result<(), RevokedError> {
    let Some(oldest) = places.iter().map(|needs| needs.oldest).min() else { return Ok(()) };
    let is_dropped = |known: &Known| {
        let mut all = places.iter();
        all.all(|needs| rules.dropped_after(known, needs.regular).is_some_and(|last| last < needs.oldest))
    };
    revoked.prune(no, oldest, is_dropped)
}
