//! What whoever publishes must know beside the index, so that the next round goes on from this one, in this process or another:
//! which full CRLs are in force, up to where each spoke, and what was exposed. Kept in the store with each round.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ledger::{Hash, Head};
use crate::model::{CrlNumber, Cutoff, Epoch, Position, Time};

use super::index::At;
use super::preflight::Exposed;
use super::schedule::Last;
use super::store::{IsDelta, ObjectName};
use super::text::{self, Hex};

/// Everything that was issued and still matters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The form: 1.
    version: u32,
    /// Where the ledger stood when the last round was made; none: there was none.
    pub ledger: Option<LedgerMark>,
    /// What was issued, by path.
    pub places: BTreeMap<String, Issued>,
}

/// A place in a ledger's history, by which it is known again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerMark {
    /// Epoch and position.
    #[serde(flatten)]
    pub at: At,
    /// The link of that event.
    pub link: Hex,
}

/// What was issued at one place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issued {
    /// The full CRLs that are in force, and the last, ascending.
    pub fulls: Vec<Full>,
    /// The cut-offs of the regular full CRLs, from the last one before the oldest in force on.
    pub regular: Vec<Spoke>,
    /// The last delta.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub delta: Option<Delta>,
    /// The highest number that was exposed.
    #[serde(with = "text::option", default)]
    pub number: Option<CrlNumber>,
}

/// Up to where a CRL spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spoke {
    /// The epoch.
    #[serde(with = "text::number")]
    pub epoch: Epoch,
    /// The last event.
    #[serde(with = "text::number")]
    pub position: Position,
    /// thisUpdate.
    #[serde(with = "text")]
    pub time: Time,
}

/// A full CRL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Full {
    /// Its number.
    #[serde(with = "text")]
    pub number: CrlNumber,
    /// Up to where it speaks.
    pub spoke: Spoke,
    /// Its nextUpdate.
    #[serde(with = "text")]
    pub next_update: Time,
    /// SHA-256 of its octets.
    pub sha256: Hex,
    /// Under which rules it was made: another mark means that entries may be said otherwise.
    pub rules: String,
}

/// A delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delta {
    /// Its number.
    #[serde(with = "text")]
    pub number: CrlNumber,
    /// Its thisUpdate.
    #[serde(with = "text")]
    pub this_update: Time,
    /// Its nextUpdate.
    #[serde(with = "text")]
    pub next_update: Time,
}

/// A state that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It isn't JSON of this form.
    #[error("it is not the state of a publication: {0}")]
    Form(#[from] serde_json::Error),
    /// A form that isn't known here.
    #[error("it is the state of a publication in version {0}, which this program does not know: use a newer one")]
    Version(u32),
}

impl State {
    /// Of nothing.
    pub fn empty() -> Self {
        Self { version: VERSION, ..Self::default() }
    }

    /// Reads one.
    pub fn read(octets: &[u8]) -> Result<Self, StateError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        match serde_json::from_slice(octets)? {
            Versioned { version: VERSION } => Ok(serde_json::from_slice(octets)?),
            Versioned { version } => Err(StateError::Version(version)),
        }
    }

    /// Its octets.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts, numbers and lists of them can be written")
    }

    /// The position of the oldest full CRL that is in force, of that epoch.
    pub fn oldest_base(&self, epoch: Epoch, now: Time) -> Option<Position> {
        let bases = self.places.values().filter_map(|issued| issued.base(now));
        bases.map(|base| if base.spoke.epoch == epoch { base.spoke.position } else { Position(0) }).min()
    }
}

impl LedgerMark {
    /// Where a ledger stands.
    pub fn of(head: &Head) -> Self {
        Self { at: At { epoch: head.epoch, position: head.position }, link: Hex(head.link) }
    }

    /// The link.
    pub fn link(&self) -> Hash {
        self.link.0
    }
}

impl Issued {
    /// The base of the next delta: the oldest full CRL whose nextUpdate has not passed, so that nobody who holds a valid one
    /// is cut off; or else the last.
    pub fn base(&self, now: Time) -> Option<&Full> {
        self.fulls.iter().find(|full| full.next_update > now).or(self.fulls.last())
    }

    /// Whether all full CRLs in force were made under the rules of that mark.
    pub fn is_under(&self, mark: &str) -> bool {
        self.fulls.iter().all(|full| full.rules == mark)
    }

    /// When the last ones were issued.
    pub fn last(&self) -> Last {
        Last {
            regular_full: self.regular.last().map(|spoke| spoke.time),
            full: self.fulls.last().map(|full| full.spoke.time),
            delta: self.delta.map(|delta| delta.this_update),
        }
    }

    /// What was exposed, for a CRL of that kind.
    pub fn exposed(&self, is_delta: IsDelta) -> Exposed {
        let last = self.last();
        Exposed {
            number: self.number,
            this_update: last.full.max(last.delta),
            next_update: match is_delta {
                IsDelta::No => self.fulls.last().map(|full| full.next_update),
                IsDelta::Yes => self.delta.map(|delta| delta.next_update),
            },
        }
    }

    /// Forgets the full CRLs that no delta is made against any more, and the regular ones that say nothing any more.
    pub fn expire(&mut self, now: Time) {
        let gone = self.fulls.iter().take_while(|full| full.next_update <= now).count();
        self.fulls.drain(..gone.min(self.fulls.len().saturating_sub(1)));
        let Some(oldest) = self.fulls.first().map(|full| full.spoke.time) else { return };
        let before = self.regular.partition_point(|regular| regular.time < oldest);
        self.regular.drain(..before.saturating_sub(1));
    }

    /// The objects in a store that the next round needs.
    pub fn objects<'a>(&'a self, path: &'a str) -> impl Iterator<Item = ObjectName> + 'a {
        let delta = self.delta.iter().map(|delta| (IsDelta::Yes, delta.number));
        let fulls = self.fulls.iter().map(|full| (IsDelta::No, full.number));
        fulls.chain(delta).map(|(is_delta, number)| ObjectName::crl(path, is_delta, number))
    }
}

impl Spoke {
    /// As a cut-off in a ledger's present epoch. What was said in another one is taken as said before everything.
    pub fn cutoff(&self, epoch: Epoch) -> Cutoff {
        let position = if self.epoch == epoch { self.position } else { Position(0) };
        Cutoff { position, time: self.time }
    }
}

const VERSION: u32 = 1;
