//! Bulk: files of a million certificates, or of serials to end together, into the ledger beside everything else.
//!
//! [`Bulk::plan`] reads the whole file, weighs every entry against the ledger and writes nothing; [`Bulk::run`] reads it
//! again and commits in chunks so short that single changes beside it wait for at most one. A run that was killed is
//! simply planned and run again: what is registered already is nothing to do. [`Bulk::plan_list`] and
//! [`Bulk::write_list`] prepare a listed set, which one `Command::Set` then changes.
//!
//! Called by the command line and the admin API. Never leaves half an entry, never sleeps, never asks the system's clock.

mod chunk;
mod closed;
mod commit;
mod error;
mod list;
mod pace;
mod plan;
mod seen;
mod source;
mod sync;

pub use error::BulkError;
pub use list::ListPlan;
pub use plan::{Counts, Plan};
pub use source::{Job, OnBad, Source};

use std::time::Duration;

use crate::ledger::Ledger;
use crate::ledger::import::{Fault, Unit};
use crate::model::{Actor, Channel, IssuerNo, PersonId, Policy, Role, Time};

/// Bulk work on one ledger.
#[derive(Clone, Copy)]
pub struct Bulk<'a> {
    /// The ledger.
    pub ledger: &'a dyn Ledger,
    /// The settings: an import of what isn't delivered yet sets its timers.
    pub policy: &'a Policy,
    /// The clocks.
    pub clock: &'a dyn Clock,
    /// Who started it.
    pub person: PersonId,
}

/// The two clocks that bulk work needs.
pub trait Clock {
    /// The time of day.
    fn now(&self) -> Time;

    /// Time since some fixed moment, never going back: what an append took.
    fn ticks(&self) -> Duration;
}

/// What is told while bulk work goes on.
#[derive(Clone, Copy, Debug)]
pub enum Notice<'a> {
    /// An entry that can't be used.
    Bad {
        /// Line or certificate.
        unit: Unit,
        /// Its place, from 1.
        place: u64,
        /// Why.
        fault: &'a Fault,
    },
    /// How far it is.
    Progress(Progress),
}

/// How far bulk work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Which pass.
    pub phase: Phase,
    /// Entries behind it.
    pub done: u64,
    /// All entries, once they have been counted.
    pub total: Option<u64>,
    /// How long it took so far.
    pub taken: Duration,
}

/// The passes over a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Committing.
    Commit,
    /// Validating; nothing is written.
    Validate,
}

/// Takes notices: a progress bar, a list of bad lines.
pub type Watch<'a> = &'a mut dyn FnMut(Notice<'_>);

impl Bulk<'_> {
    /// Imports speak for the CA whose certificates they bring.
    fn actor(&self, issuer: IssuerNo) -> Actor {
        Actor { role: Role::Ca(issuer), person: self.person, channel: Channel::Import }
    }
}

impl Progress {
    /// Entries a second so far.
    pub fn rate(&self) -> u64 {
        let millis = self.taken.as_millis().max(1) as u64;
        self.done.saturating_mul(1000) / millis
    }
}
