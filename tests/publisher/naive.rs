//! What CRLs should say, worked out from the whole history each time.

use std::collections::BTreeMap;

use tashika::asn1::crl::CrlEntry;
use tashika::model::{Cutoff, Life, Listed, ScopeNo, Serial, Status, Time};

use crate::issued::Issue;
use crate::world::{WITHIN, Was, World, rules};

/// Entries by serial number.
pub type Entries = BTreeMap<Serial, CrlEntry<'static>>;

/// What a delta must, may and may not say.
pub struct News {
    pub must: Entries,
    pub may: Entries,
    /// Those whose removal must be said.
    pub removed: Vec<Serial>,
    /// Those that were dropped before the base and changed once more: nobody holds them, and removing them does no harm.
    pub may_be_removed: Vec<Serial>,
}

/// The full CRL of a scope at a cut-off, after those regular ones.
pub fn full(world: &World, no: ScopeNo, cutoff: Cutoff, before: &[Issue]) -> Entries {
    let mut entries = Entries::new();
    for (index, certificate) in world.certificates.iter().enumerate().filter(|(_, one)| one.scope == no) {
        let own = changes(world, index);
        let Some(was) = own.iter().rfind(|was| was.position <= cutoff.position) else { continue };
        let Some(entry) = listed(world, index, &was.status, cutoff.time) else { continue };
        let since: Vec<_> =
            before.iter().filter(|full| full.cutoff.position >= was.position && full.cutoff < cutoff).collect();
        if !dropped(certificate.not_after, &entry, &since) {
            entries.insert(entry.serial, entry);
        }
    }
    entries
}

/// What a delta says at a cut-off against an issue.
pub fn delta(world: &World, no: ScopeNo, cutoff: Cutoff, base: &Issue, before: &[Issue]) -> News {
    let full = full(world, no, cutoff, before);
    let mut news = News { must: Entries::new(), may: Entries::new(), removed: Vec::new(), may_be_removed: Vec::new() };
    for (index, certificate) in world.certificates.iter().enumerate().filter(|(_, one)| one.scope == no) {
        let serial = certificate.key.serial;
        let touched = world.history.iter().any(|was| was.index == index && was.position > base.cutoff.position);
        match (full.get(&serial), base.entries.get(&serial)) {
            (Some(now), then) if Some(now) != then => {
                news.must.insert(serial, *now);
            }
            (Some(now), _) if touched => {
                news.may.insert(serial, *now);
            }
            (Some(_), _) => {}
            (None, then) => {
                if then.is_some() || was_listed_since(world, index, cutoff, base) {
                    news.removed.push(serial);
                } else if touched && certificate.not_after < cutoff.time {
                    news.may_be_removed.push(serial);
                }
            }
        }
    }
    news.removed.sort_unstable();
    news
}

/// Whether it had expired and been dropped when this was issued: what happens to it afterwards may list it once more or not,
/// as long as it stays what it was.
pub fn was_dropped(world: &World, serial: &Serial, issue: &Issue) -> bool {
    let index = world.certificates.iter().position(|one| one.key.serial == *serial).unwrap();
    let own = changes(world, index);
    let was = own.iter().rfind(|was| was.position <= issue.cutoff.position);
    let listable = was.is_some_and(|was| listed(world, index, &was.status, issue.cutoff.time).is_some());
    let expired = world.certificates[index].not_after < issue.cutoff.time;
    listable && expired && !issue.entries.contains_key(serial)
}

/// Whether any CRL after the base may have listed it, though none does at the cut-off.
fn was_listed_since(world: &World, index: usize, cutoff: Cutoff, base: &Issue) -> bool {
    let own = changes(world, index);
    own.iter().zip(1..).any(|(was, next)| {
        let next = own.get(next);
        let ends = next.map_or(cutoff.time, |next| next.time);
        let overdue = world.certificates[index].not_before + WITHIN;
        match &was.status {
            Status { life: Life::Active, holds, .. } if holds.is_empty() => false,
            Status { life: Life::Pending, holds, .. } if holds.is_empty() => {
                // What was overdue at the base and not on it had been dropped.
                let at_base = was.position <= base.cutoff.position && overdue <= base.cutoff.time;
                overdue <= ends && !at_base && next.is_none_or(|next| next.position > base.cutoff.position)
            }
            _ => was.position > base.cutoff.position,
        }
    })
}

/// The history of a certificate without the events that changed nothing of what could be listed.
fn changes(world: &World, index: usize) -> Vec<&Was> {
    let mut own: Vec<_> = world.history.iter().filter(|was| was.index == index).collect();
    let far = Time::from_unix(253_402_300_799).unwrap();
    let waits = |status: &Status| status.life == Life::Pending && status.holds.is_empty();
    let says = |was: &Was| (waits(&was.status), listed(world, index, &was.status, far));
    own.dedup_by(|was, before| says(was) == says(before));
    own
}

fn listed(world: &World, index: usize, status: &Status, at: Time) -> Option<CrlEntry<'static>> {
    let certificate = &world.certificates[index];
    let (listed, since) = match (status.life, status.held_since()) {
        (Life::Revoked(revocation), _) => (Listed::Revoked(revocation.reason), revocation.at),
        (_, Some(since)) => (Listed::Held, since),
        (Life::Pending, None) if certificate.not_before + WITHIN <= at => (Listed::Held, certificate.not_before),
        _ => return None,
    };
    let waits = status.life == Life::Pending && status.holds.is_empty();
    let invalidity_date = if waits { None } else { status.lost_at() };
    let date = rules().dates.date(listed, since);
    Some(CrlEntry { serial: certificate.key.serial, date, listed, invalidity_date, issuer: None })
}

/// Whether it stood, just so, on a regular full CRL issued after its certificate's end.
fn dropped(not_after: Time, entry: &CrlEntry<'_>, before: &[&Issue]) -> bool {
    before.iter().any(|full| full.cutoff.time > not_after && full.entries.get(&entry.serial) == Some(entry))
}
