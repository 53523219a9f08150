//! A round while it is made: what passed, what was refused, and what the next index will say. Used by `press`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::model::CrlNumber;

use super::brought::Brought;
use super::index::{At, Issue, Listing};
use super::making::{Made, Outcome, Refused};
use super::place::Place;
use super::press::Crls;
use super::round::{Alarm, Due, Published, Round};
use super::state::State;
use super::store::{IsDelta, Object, ObjectName};
use super::text::Hex;

/// A round while it is made.
pub(super) struct Draft {
    pub state: State,
    pub crls: Crls,
    listings: BTreeMap<String, Listing>,
    published: Published,
    /// What is not in the store yet.
    fresh: Vec<ObjectName>,
}

impl Draft {
    /// Nothing yet, after what was published before.
    pub fn of(number: CrlNumber, state: State, listed: &[Listing]) -> Self {
        let listings = listed.iter().map(|slot| (slot.path.clone(), slot.clone())).collect();
        let published = Published { number, crls: 0, entries: 0, octets: 0, refused: Vec::new() };
        Self { state, crls: Crls::new(), listings, published, fresh: Vec::new() }
    }

    /// Whether nothing passed.
    pub fn is_empty(&self) -> bool {
        self.crls.is_empty()
    }

    /// What is to be put into the store.
    pub fn unstaged(&self) -> Vec<Object<'_>> {
        self.fresh.iter().map(|name| Object { name, octets: &self.crls[name] }).collect()
    }

    /// That is done.
    pub fn staged(&mut self) {
        self.fresh.clear();
    }

    /// What the index will list.
    pub fn listings(&self) -> Vec<Listing> {
        self.listings.values().cloned().collect()
    }

    /// What came of it.
    pub fn end(mut self) -> Published {
        self.published.refused.sort_by(|one, other| (&one.path, one.is_delta).cmp(&(&other.path, other.is_delta)));
        self.published
    }

    /// Takes in what was made at one place.
    pub fn take(&mut self, due: &Due, place: &Place, outcome: Outcome, round: &Round<'_>) {
        let Outcome { full, delta, issued } = outcome;
        let before = self.listings.get(&due.path).cloned();
        let full = full.and_then(|made| self.exposed(due, IsDelta::No, made, before.as_ref(), round));
        let delta = delta.and_then(|made| self.exposed(due, IsDelta::Yes, made, before.as_ref(), round));
        let Some(full) = full.or_else(|| before.as_ref().map(|listing| listing.full.clone())) else { return };
        let kept = before.and_then(|listing| listing.delta).filter(|_| place.schedule.deltas.is_some());
        let point = place.slot.point().and_then(|point| point.name.as_ref());
        let listing = Listing {
            path: due.path.clone(),
            issuer: Some(place.issuer.clone()),
            distribution_point: point.map(|name| STANDARD.encode(name.as_der())),
            full,
            delta: delta.or(kept),
        };
        self.listings.insert(due.path.clone(), listing);
        self.state.places.insert(due.path.clone(), issued);
    }

    /// Takes in what was signed elsewhere.
    pub fn bring(&mut self, brought: &Brought, round: &Round<'_>) {
        let name = ObjectName::crl(&brought.path, IsDelta::No, brought.number);
        let full = Issue {
            number: brought.number,
            base: None,
            reflects: None,
            this_update: brought.this_update,
            next_update: brought.next_update,
            size: brought.octets.len() as u64,
            sha256: Hex::of(&brought.octets),
            url: format!("{}/crl/{}{}", round.terms.public_url, brought.path, IsDelta::No.ending()),
        };
        self.published.crls += 1;
        self.published.octets += full.size;
        self.fresh.push(name.clone());
        self.crls.insert(name, brought.octets.clone());
        let listing = Listing {
            path: brought.path.clone(),
            issuer: Some(brought.path.clone()),
            distribution_point: None,
            full,
            delta: None,
        };
        self.listings.insert(brought.path.clone(), listing);
    }

    fn exposed(
        &mut self,
        due: &Due,
        is_delta: IsDelta,
        made: Result<Made, Refused>,
        before: Option<&Listing>,
        round: &Round<'_>,
    ) -> Option<Issue> {
        let made = match made {
            Ok(made) => made,
            Err(why) => {
                let good_until = before.and_then(|listing| match is_delta {
                    IsDelta::No => Some(listing.full.next_update),
                    IsDelta::Yes => listing.delta.as_ref().map(|delta| delta.next_update),
                });
                self.published.refused.push(Alarm { path: due.path.clone(), is_delta, why, good_until });
                return None;
            }
        };
        let name = ObjectName::crl(&due.path, is_delta, round.number);
        let issue = Issue {
            number: round.number,
            base: made.base,
            reflects: Some(At { epoch: round.head.epoch, position: round.cutoff.position }),
            this_update: round.cutoff.time,
            next_update: made.next_update,
            size: made.octets.len() as u64,
            sha256: made.sha256,
            url: format!("{}/crl/{}{}", round.terms.public_url, due.path, is_delta.ending()),
        };
        self.published.crls += 1;
        self.published.entries += made.entries;
        self.published.octets += issue.size;
        self.fresh.push(name.clone());
        self.crls.insert(name, made.octets);
        Some(issue)
    }
}
