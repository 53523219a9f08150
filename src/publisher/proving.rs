//! The proof of a whole publication, once more and from nothing: each CRL is what the index says, fits its place and its base, and
//! base, delta and full CRL amount to the same; and what is published, with what happened since, is what the ledger says now.
//!
//! Called by `crl verify`, and by whoever wants to know whether a store can still be trusted.

use crate::asn1::crl::Crl;
use crate::ledger::Head;
use crate::model::{CrlLimits, CrlNumber, Cutoff, Time};
use crate::status::Revoked;

use super::content::{Content, Relist};
use super::index::Issue;
use super::place::Place;
use super::preflight::{fits_base, is_of_slot};
use super::press::Press;
use super::replay::replay;
use super::round::Terms;
use super::state::{Full, Issued};
use super::store::IsDelta;

/// What a proof came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// CRLs that were looked at.
    pub crls: usize,
    /// Entries on them.
    pub entries: u64,
    /// What is wrong, by path.
    pub findings: Vec<(String, String)>,
}

/// What the ledger says, for comparison.
pub struct Against<'a> {
    /// The lists.
    pub revoked: &'a Revoked,
    /// Up to where they speak.
    pub cutoff: Cutoff,
    /// Where the ledger stands.
    pub head: &'a Head,
}

/// Proves everything that a press holds.
pub fn prove(press: &Press, terms: &Terms<'_>, against: &Against<'_>) -> Proof {
    let mut proof = Proof::default();
    let Some(index) = press.index() else { return proof };
    for (listing, is_delta, issue) in index.issues() {
        let octets = listing.object(is_delta).and_then(|name| press.octets(&name));
        let place = terms.places.get(&listing.path);
        let checked = match octets {
            None => Err("it is missing in the store".to_owned()),
            Some(octets) => is_as_listed(octets, issue, place, against.cutoff.time),
        };
        proof.crls += 1;
        match checked {
            Ok(entries) => proof.entries += entries,
            Err(why) => proof.findings.push((listing.path.clone() + is_delta.ending(), why)),
        }
    }
    for place in terms.places.values() {
        let Some(issued) = press.state().places.get(&place.path) else { continue };
        for why in [adds_up(press, place, issued), follows(press, place, issued, terms, against)] {
            proof.findings.extend(why.err().map(|why| (place.path.clone(), why)));
        }
    }
    proof
}

/// Whether a CRL is what its index says; how many entries it has.
fn is_as_listed(octets: &[u8], issue: &Issue, place: Option<&Place>, now: Time) -> Result<u64, String> {
    if !issue.is(octets) {
        return Err("its octets are not those of the index".into());
    }
    let crl = Crl::read(octets, CrlLimits::WIDEST).map_err(|error| error.to_string())?;
    let said = (crl.extensions.number, crl.extensions.base, crl.this_update, crl.next_update);
    if said != (Some(issue.number), issue.base, issue.this_update, issue.next_update) {
        return Err("its numbers or times are not those of the index".into());
    }
    if let Some(place) = place {
        is_of_slot(&crl, &place.slot).map_err(|fault| fault.to_string())?;
    }
    if issue.next_update <= now {
        return Err(format!("it ended at {}", issue.next_update));
    }
    let mut entries = 0;
    for entry in crl.entries() {
        entry.map_err(|error| error.to_string())?;
        entries += 1;
    }
    Ok(entries)
}

/// Whether the delta is one to its base, and both amount to the full CRL that was issued with it.
fn adds_up(press: &Press, place: &Place, issued: &Issued) -> Result<(), String> {
    let Some(listing) = press.index().and_then(|index| index.slot(&place.path)) else { return Ok(()) };
    let Some(delta) = &listing.delta else { return Ok(()) };
    let Some(octets) = listing.object(IsDelta::Yes).and_then(|name| press.octets(&name)) else { return Ok(()) };
    let delta_crl = Crl::read(octets, CrlLimits::WIDEST).map_err(|error| error.to_string())?;
    let base = delta.base.ok_or("its delta names no base")?;
    let base = full(press, place, base).ok_or_else(|| format!("the base of its delta, number {base}, is missing"))?;
    fits_base(&delta_crl, &base).map_err(|fault| fault.to_string())?;
    let twin = issued.fulls.iter().find(|full| full.number == delta.number);
    let Some(twin) = twin.and_then(|twin| full(press, place, twin.number)) else { return Ok(()) };
    let sum = replay(base.entries(), delta_crl.entries(), twin.entries());
    sum.map(drop).map_err(|why| format!("base and delta are not the full CRL of the same number: {why}"))
}

/// Whether the last full CRL, with what happened since, is what the ledger says now.
fn follows(
    press: &Press,
    place: &Place,
    issued: &Issued,
    terms: &Terms<'_>,
    against: &Against<'_>,
) -> Result<(), String> {
    let Some((last, crl)) = issued.fulls.last().and_then(|last| Some((last, full(press, place, last.number)?))) else {
        return Ok(());
    };
    let lists = place.covers.lists(against.revoked).map_err(|waiting| waiting.to_string())?;
    let regular = issued.regular_cutoffs(against.head.epoch);
    let content = Content { lists: &lists, cutoff: against.cutoff, rules: terms.rules, regular: &regular };
    let since = last.spoke.cutoff(against.head.epoch);
    let news = content.delta(since, relist(last, terms, against)).map(Ok);
    let now = replay(crl.entries(), news, content.full().map(Ok));
    now.map(drop).map_err(|why| format!("what is published does not lead to what the ledger says: {why}"))
}

fn relist(full: &Full, terms: &Terms<'_>, against: &Against<'_>) -> Relist {
    let same = full.rules == terms.rules.mark(against.revoked.losses()) && full.spoke.epoch == against.head.epoch;
    if same { Relist::Changed } else { Relist::Everything }
}

fn full<'p>(press: &'p Press, place: &Place, number: CrlNumber) -> Option<Crl<'p>> {
    press.full(&place.path, number)
}
