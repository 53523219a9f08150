//! A round as `app` asks for it, and as it is told what came of it. Made by `press`.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use crate::ledger::Head;
use crate::model::{CrlNumber, Cutoff, Time};
use crate::status::Revoked;

use super::brought::Brought;
use super::content::Rules;
use super::making::Refused;
use super::place::Place;
use super::schedule::{Issuing, Why};
use super::store::IsDelta;

/// What a round is made of.
pub struct Round<'a> {
    /// The number that is reserved for it.
    pub number: CrlNumber,
    /// Up to where the lists speak.
    pub cutoff: Cutoff,
    /// Where the ledger stood.
    pub head: &'a Head,
    /// What is due, by path.
    pub due: &'a [Due],
    /// What was signed elsewhere and is new.
    pub brought: &'a [Brought],
    /// The lists.
    pub revoked: &'a Revoked,
    /// The settings.
    pub terms: &'a Terms<'a>,
}

/// What is to be issued at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Its path.
    pub path: String,
    /// What.
    pub issuing: Issuing,
    /// Why.
    pub why: Why,
}

/// The settings of a round.
pub struct Terms<'a> {
    /// What is listed how.
    pub rules: Rules,
    /// Whether CRLs tell up to which event they speak.
    pub tells_position: bool,
    /// Under which URL the shelf is reached.
    pub public_url: &'a str,
    /// The places, by path.
    pub places: &'a BTreeMap<String, Place>,
    /// How many threads build.
    pub threads: NonZeroUsize,
    /// Signs the index; none: it goes unsigned.
    pub signs_index: Option<&'a dyn SignsIndex>,
}

/// Makes the detached signature over an index.
pub trait SignsIndex: Sync {
    /// The signature's octets.
    fn sign(&self, index: &[u8], time: Time) -> Result<Vec<u8>, String>;
}

/// What came of a round.
#[derive(Debug)]
pub struct Published {
    /// Its number.
    pub number: CrlNumber,
    /// CRLs that are exposed now.
    pub crls: usize,
    /// Entries on them.
    pub entries: u64,
    /// Octets of them.
    pub octets: u64,
    /// What was refused. The last good ones stay.
    pub refused: Vec<Alarm>,
}

/// A CRL that wasn't exposed.
#[derive(Debug)]
pub struct Alarm {
    /// Where.
    pub path: String,
    /// Which.
    pub is_delta: IsDelta,
    /// Why.
    pub why: Refused,
    /// Until when the last good one lasts; none: there is none.
    pub good_until: Option<Time>,
}
