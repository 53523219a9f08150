//! The CRLs of one place in one round: built, signed, and proved, before anything is kept. Called by `press` for each place that
//! is due, from several threads.

use std::sync::Arc;

use crate::asn1::crl::{Crl, CrlError, Reflects};
use crate::model::{CrlLimits, CrlNumber, Cutoff, Epoch, Seconds, Time};
use crate::status::{LossDates, Revoked, Waiting};

use super::build::{BuildError, Kind, Planned, build};
use super::content::{Content, Relist, Rules};
use super::fault::Fault;
use super::lists::Lists;
use super::place::Place;
use super::preflight::{Base, Previous, preflight};
use super::schedule::{Issuing, Why};
use super::state::{Delta, Full, Issued, Spoke};
use super::store::IsDelta;
use super::text::Hex;

/// What all CRLs of a round share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Common {
    pub number: CrlNumber,
    pub cutoff: Cutoff,
    pub epoch: Epoch,
    pub rules: Rules,
    /// Whether CRLs tell up to which event they speak.
    pub tells_position: bool,
    pub losses: LossDates,
}

impl Common {
    fn mark(&self) -> String {
        self.rules.mark(self.losses)
    }
}

/// A CRL that may be exposed.
pub(super) struct Made {
    pub octets: Arc<Vec<u8>>,
    pub sha256: Hex,
    pub entries: u64,
    pub next_update: Time,
    /// A delta's base.
    pub base: Option<CrlNumber>,
}

/// What came of one place.
#[derive(Default)]
pub(super) struct Outcome {
    pub full: Option<Result<Made, Refused>>,
    pub delta: Option<Result<Made, Refused>>,
    /// What was issued there, these included.
    pub issued: Issued,
}

/// Why a CRL is not exposed, and the last good one stays.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The base that holders have is not to be had.
    #[error("the CRL that it must follow from can't be read: {0}")]
    Base(String),
    /// It wasn't made.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// It was made, and is not what it must be.
    #[error("preflight refused it: {0}")]
    Fault(#[from] Fault),
    /// Members of a set event are still being put in.
    #[error(transparent)]
    Waiting(#[from] Waiting),
}

/// Octets of full CRLs that were issued before, by number.
pub(super) type Before<'a> = &'a dyn Fn(CrlNumber) -> Option<Arc<Vec<u8>>>;

/// Makes what is due at a place.
pub(super) fn make(
    place: &Place,
    (issuing, why): (Issuing, Why),
    before: (&Issued, Before<'_>),
    common: &Common,
    revoked: &Revoked,
) -> Outcome {
    let (issued, octets_of) = before;
    let mut outcome = Outcome { issued: issued.clone(), ..Outcome::default() };
    let lists = match place.covers.lists(revoked) {
        Ok(lists) => lists,
        Err(waiting) => {
            match issuing {
                Issuing::Delta => outcome.delta = Some(Err(waiting.into())),
                Issuing::Full => outcome.full = Some(Err(waiting.into())),
            }
            return outcome;
        }
    };
    let making = Making { place, lists: &lists, common, octets_of };
    if issuing == Issuing::Full {
        let made = making.full(&outcome.issued);
        if let Ok(made) = &made {
            outcome.issued.add_full(made, why, common);
        }
        outcome.full = Some(made);
    }
    if place.schedule.deltas.is_some() {
        let just_made = outcome.full.as_ref().and_then(|made| made.as_ref().ok()).map(|made| made.octets.clone());
        let made = making.delta(&outcome.issued, issued, just_made);
        if let Some(Ok(made)) = &made {
            outcome.issued.add_delta(made, common);
        }
        outcome.delta = made;
    }
    outcome.issued.expire(common.cutoff.time);
    outcome
}

struct Making<'a> {
    place: &'a Place,
    lists: &'a Lists<'a>,
    common: &'a Common,
    octets_of: Before<'a>,
}

impl Making<'_> {
    fn full(&self, issued: &Issued) -> Result<Made, Refused> {
        let exposed = issued.exposed(IsDelta::No);
        let next_update = self.end(self.place.schedule.full_for, exposed.next_update);
        let planned = self.planned(Kind::Full, next_update);
        let regular = issued.regular_cutoffs(self.common.epoch);
        let content = self.content(&regular);
        let octets = build(&self.place.slot, &planned, &content, &*self.place.signer)?;
        let last = issued.fulls.last();
        let previous = last.map(|full| self.before(full.number)).transpose()?;
        let entries = match (&previous, last) {
            (Some(previous), Some(full)) => {
                let crl = read(previous)?;
                let cutoff = full.spoke.cutoff(self.common.epoch);
                let relist = self.relist(full);
                let base = Base::Full(Previous { crl: &crl, cutoff, relist });
                preflight(&octets, &self.place.slot, &planned, &content, &exposed, base)?.entries
            }
            _ => preflight(&octets, &self.place.slot, &planned, &content, &exposed, Base::None)?.entries,
        };
        Ok(made(octets, entries, next_update, None))
    }

    /// The delta, if there is anything that it could be a delta to. `now` is what is issued with what was just made, `before`
    /// without: what was just made is no number that was exposed.
    fn delta(&self, now: &Issued, before: &Issued, just_made: Option<Arc<Vec<u8>>>) -> Option<Result<Made, Refused>> {
        let base = now.base(self.common.cutoff.time)?;
        let octets = match just_made {
            Some(octets) if base.number == self.common.number => Ok(octets),
            _ => self.before(base.number),
        };
        Some(octets.and_then(|octets| self.delta_to(base, &octets, now, before)))
    }

    fn delta_to(&self, base: &Full, octets: &[u8], now: &Issued, before: &Issued) -> Result<Made, Refused> {
        let deltas = self.place.schedule.deltas.map_or(Seconds(0), |deltas| deltas.last_for);
        let exposed = before.exposed(IsDelta::Yes);
        let next_update = self.end(deltas, exposed.next_update);
        let since = base.spoke.cutoff(self.common.epoch);
        let kind = Kind::Delta { base: base.number, since, relist: self.relist(base) };
        let planned = self.planned(kind, next_update);
        let regular = now.regular_cutoffs(self.common.epoch);
        let content = self.content(&regular);
        let delta = build(&self.place.slot, &planned, &content, &*self.place.signer)?;
        let crl = read(octets)?;
        let passed = preflight(&delta, &self.place.slot, &planned, &content, &exposed, Base::OfDelta(&crl))?;
        let entries = passed.entries;
        Ok(made(delta, entries, next_update, Some(base.number)))
    }

    fn planned(&self, kind: Kind, next_update: Time) -> Planned {
        let reflects = self
            .common
            .tells_position
            .then_some(Reflects { epoch: self.common.epoch, position: self.common.cutoff.position });
        Planned { number: self.common.number, kind, next_update, reflects }
    }

    fn content<'a>(&'a self, regular: &'a [Cutoff]) -> Content<'a> {
        Content { lists: self.lists, cutoff: self.common.cutoff, rules: self.common.rules, regular }
    }

    /// Never before that of what was exposed, never after the end of the signer's certificate.
    fn end(&self, lasts: Seconds, exposed: Option<Time>) -> Time {
        let planned = self.common.cutoff.time + lasts;
        exposed.map_or(planned, |exposed| exposed.max(planned)).min(self.place.slot.not_after())
    }

    /// What was made under other rules, or in another history, is listed anew in full.
    fn relist(&self, full: &Full) -> Relist {
        if full.rules == self.common.mark() && full.spoke.epoch == self.common.epoch {
            Relist::Changed
        } else {
            Relist::Everything
        }
    }

    fn before(&self, number: CrlNumber) -> Result<Arc<Vec<u8>>, Refused> {
        (self.octets_of)(number).ok_or_else(|| Refused::Base(format!("number {number} is missing")))
    }
}

fn read(octets: &[u8]) -> Result<Crl<'_>, Refused> {
    Crl::read(octets, CrlLimits::WIDEST).map_err(|error: CrlError| Refused::Base(error.to_string()))
}

fn made(octets: Vec<u8>, entries: u64, next_update: Time, base: Option<CrlNumber>) -> Made {
    let sha256 = Hex::of(&octets);
    Made { octets: Arc::new(octets), sha256, entries, next_update, base }
}

impl Issued {
    /// Of the regular full CRLs, as the ledger's present epoch has them.
    pub fn regular_cutoffs(&self, epoch: Epoch) -> Vec<Cutoff> {
        self.regular.iter().map(|spoke| spoke.cutoff(epoch)).collect()
    }

    fn add_full(&mut self, made: &Made, why: Why, common: &Common) {
        let spoke = Spoke { epoch: common.epoch, position: common.cutoff.position, time: common.cutoff.time };
        self.fulls.push(Full {
            number: common.number,
            spoke,
            next_update: made.next_update,
            sha256: made.sha256,
            rules: common.mark(),
        });
        if matches!(why, Why::First | Why::Scheduled) {
            self.regular.push(spoke);
        }
        self.number = Some(common.number);
    }

    fn add_delta(&mut self, made: &Made, common: &Common) {
        let (number, this_update, next_update) = (common.number, common.cutoff.time, made.next_update);
        self.delta = Some(Delta { number, this_update, next_update });
        self.number = Some(number);
    }
}
