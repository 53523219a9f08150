//! The proof before anybody sees a CRL: its octets are read back and compared with what was planned, with the lists, and
//! with what holders have.
//!
//! Called between signing and exposing. A signer that errs, a mix-up of slots and a list that lost something end here.

use crate::asn1::crl::{Crl, CrlEntry, CrlKind};
use crate::model::{CrlLimits, CrlNumber, Cutoff, Listed, Time};

use super::build::{Kind, Planned, profile};
use super::content::{Content, Relist};
use super::fault::Fault;
use super::planned::{Wrong, replay_planned};
use super::replay::{Mismatch, Replayed, replay, same};
use super::slot::Slot;

/// What was exposed at a slot before, of which kind ever. `Default` is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exposed {
    /// The highest number.
    pub number: Option<CrlNumber>,
    /// The latest thisUpdate.
    pub this_update: Option<Time>,
    /// The latest nextUpdate of a CRL of the kind that is checked.
    pub next_update: Option<Time>,
}

/// The CRL that holders have, from which the new one must follow.
#[derive(Clone, Copy, Debug)]
pub enum Base<'a> {
    /// For a full CRL: the full CRL before it.
    Full(Previous<'a>),
    /// For a delta: its base.
    OfDelta(&'a Crl<'a>),
    /// For the first full CRL of a slot: nothing.
    None,
}

/// A full CRL that was issued before.
#[derive(Clone, Copy, Debug)]
pub struct Previous<'a> {
    /// As it was exposed.
    pub crl: &'a Crl<'a>,
    /// Up to where it spoke.
    pub cutoff: Cutoff,
    /// Whether it was made under the same rules.
    pub relist: Relist,
}

/// A CRL that may be exposed.
#[derive(Clone, Debug)]
pub struct Passed<'a> {
    /// As it was read back.
    pub crl: Crl<'a>,
    /// Its entries.
    pub entries: u64,
    /// What holders of the CRL before make of it; none: there is none before.
    pub replayed: Option<Replayed>,
}

/// Checks the octets of a planned CRL against everything that they must agree with.
pub fn preflight<'a>(
    octets: &'a [u8],
    slot: &Slot,
    planned: &Planned,
    content: &Content<'_>,
    exposed: &Exposed,
    base: Base<'_>,
) -> Result<Passed<'a>, Fault> {
    let crl = Crl::read(octets, CrlLimits::WIDEST)?;
    is_of_slot(&crl, slot)?;
    is_as_planned(&crl, slot, planned, content)?;
    is_news(&crl, exposed, slot)?;
    let (entries, replayed) = match (planned.kind, base) {
        (Kind::Full, Base::None) => (entries_are(&crl, content)?, None),
        (Kind::Full, Base::Full(before)) => {
            let entries = entries_are(&crl, content)?;
            let news = content.delta(before.cutoff, before.relist).map(Ok);
            let replayed = replay(before.crl.entries(), news, content.full().map(Ok));
            (entries, Some(replayed.map_err(Fault::DoesNotFollow)?))
        }
        (Kind::Delta { since, relist, .. }, Base::OfDelta(base)) => {
            fits_base(&crl, base)?;
            is_allowed(&crl, planned.kind)?;
            let replayed = replay_planned(base.entries(), crl.entries(), content.pairs(since, relist));
            let (entries, replayed) = replayed.map_err(|wrong| match wrong {
                Wrong::Lines(mismatch) => Fault::Entries(mismatch),
                Wrong::Sum(mismatch) => Fault::DoesNotFollow(mismatch),
            })?;
            (entries, Some(replayed))
        }
        (Kind::Full, Base::OfDelta(_)) | (Kind::Delta { .. }, Base::Full(_) | Base::None) => return Err(Fault::Kind),
    };
    Ok(Passed { crl, entries, replayed })
}

/// Whether a delta is one that a holder of `base` may apply: of the same list, by the same key, against that number or one
/// before it, and newer (RFC 5280 §5.2.4). Whoever pulls deltas asks the same.
pub fn fits_base(delta: &Crl<'_>, base: &Crl<'_>) -> Result<(), Fault> {
    let (of_delta, of_base) = (&delta.extensions, &base.extensions);
    if delta.issuer != base.issuer {
        return Err(Fault::Base("the issuers"));
    }
    if of_delta.authority_key_id != of_base.authority_key_id {
        return Err(Fault::Base("the key identifiers"));
    }
    if of_delta.issuing_point != of_base.issuing_point {
        return Err(Fault::Base("the issuing distribution points"));
    }
    match (of_delta.base, of_base.base, of_base.number, of_delta.number) {
        (Some(from), None, Some(held), Some(number)) if from <= held && held <= number => Ok(()),
        _ => Err(Fault::Base("the numbers")),
    }
}

/// Whose it is.
pub(super) fn is_of_slot(crl: &Crl<'_>, slot: &Slot) -> Result<(), Fault> {
    if crl.signature_algorithm != Some(slot.algorithm()) {
        return Err(Fault::Algorithm);
    }
    if crl.issuer != *slot.issuer() {
        return Err(Fault::Issuer);
    }
    if crl.extensions.authority_key_id.as_deref() != Some(slot.key_id()) {
        return Err(Fault::KeyId);
    }
    if crl.extensions.issuing_point.as_ref() != slot.point() {
        return Err(Fault::Point);
    }
    if crl.is_signed_by(slot.key()) { Ok(()) } else { Err(Fault::Signature) }
}

/// Whether it says of itself what was planned.
fn is_as_planned(crl: &Crl<'_>, slot: &Slot, planned: &Planned, content: &Content<'_>) -> Result<(), Fault> {
    let asked = profile(slot, planned, content);
    let found = &crl.extensions;
    let number = found.number.ok_or(Fault::NoNumber)?;
    if number != asked.number {
        return Err(Fault::Number { planned: asked.number, found: number });
    }
    let (base, freshest) = match &asked.kind {
        CrlKind::Delta { base } => (Some(*base), None),
        CrlKind::Full { freshest } => (None, freshest.as_ref()),
    };
    if found.base != base {
        return Err(Fault::Kind);
    }
    if crl.this_update != asked.this_update {
        return Err(Fault::ThisUpdate { planned: asked.this_update, found: crl.this_update });
    }
    if crl.next_update != asked.next_update || crl.next_update <= crl.this_update {
        return Err(Fault::NextUpdate { planned: asked.next_update, found: crl.next_update });
    }
    if !found.freshest.iter().map(|point| point.name.as_ref()).eq(freshest.map(Some)) {
        return Err(Fault::Extension("freshestCRL"));
    }
    if found.expired_since != asked.expired_since {
        return Err(Fault::Extension("expiredCertsOnCRL"));
    }
    if found.reflects != asked.reflects {
        return Err(Fault::Extension("position"));
    }
    Ok(())
}

/// Whether it goes on from what was exposed.
pub(super) fn is_news(crl: &Crl<'_>, exposed: &Exposed, slot: &Slot) -> Result<(), Fault> {
    let number = crl.extensions.number.ok_or(Fault::NoNumber)?;
    if let Some(exposed) = exposed.number.filter(|exposed| number <= *exposed) {
        return Err(Fault::NumberNotRising { exposed, found: number });
    }
    if let Some(exposed) = exposed.this_update.filter(|exposed| crl.this_update < *exposed) {
        return Err(Fault::ThisUpdateBack { exposed, found: crl.this_update });
    }
    if let Some(exposed) = exposed.next_update.filter(|exposed| crl.next_update < *exposed) {
        return Err(Fault::NextUpdateBack { exposed, found: crl.next_update });
    }
    if crl.next_update > slot.not_after() {
        return Err(Fault::NextUpdateTooLate { not_after: slot.not_after(), found: crl.next_update });
    }
    Ok(())
}

/// Whether the entries of a full CRL are those of the lists, and none says what it must not. How many there are.
fn entries_are(crl: &Crl<'_>, content: &Content<'_>) -> Result<u64, Fault> {
    let mut wrong = None;
    let found = crl.entries().inspect(|entry| {
        if let Ok(entry) = entry
            && wrong.is_none()
        {
            wrong = forbidden(entry, crl.this_update, Kind::Full);
        }
    });
    let compared = same(content.full(), found);
    match (wrong, compared) {
        (Some(fault), _) => Err(fault),
        (None, Err(Mismatch::Unreadable(error))) => Err(Fault::Unreadable(error)),
        (None, Err(mismatch)) => Err(Fault::Entries(mismatch)),
        (None, Ok(entries)) => Ok(entries),
    }
}

/// Whether a delta can be read to its end, and no entry says what it must not.
fn is_allowed(delta: &Crl<'_>, kind: Kind) -> Result<(), Fault> {
    for entry in delta.entries() {
        if let Some(fault) = forbidden(&entry?, delta.this_update, kind) {
            return Err(fault);
        }
    }
    Ok(())
}

#[inline]
fn forbidden(entry: &CrlEntry<'_>, this_update: Time, kind: Kind) -> Option<Fault> {
    if entry.date > this_update {
        return Some(Fault::FromTheFuture { serial: entry.serial, date: entry.date });
    }
    (kind == Kind::Full && entry.listed == Listed::Removed).then_some(Fault::RemovedOnFull(entry.serial))
}
