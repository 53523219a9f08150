//! What the admin listener needs of whoever knows the ledger and the desk. Implemented by `app`.

use serde_json::Value;

use crate::desk::DeskError;
use crate::ledger::LedgerError;
use crate::model::{HoldId, Outcome, Position, Reason, Serial, Time};
use crate::publisher::Issuing;

/// Does what the admin listener is asked for.
///
/// - **Threads.** Asked by several at once. All but [`metrics`](Self::metrics) may block, for as long as the ledger does;
///   they are called where that keeps nobody else waiting.
/// - **Durability.** A change that is `Ok` is in the ledger for good.
/// - **Cancelling.** Whoever goes away while a change is under way doesn't undo it; an idempotency key finds its answer.
/// - **Rights.** Who may ask is settled before; what the named sender may do is the desk's to decide.
pub trait Clerk: Send + Sync {
    /// All figures, in the text format of Prometheus. Must not wait.
    fn metrics(&self) -> String;

    /// Up to so many events after a position, in order, with where that leads.
    fn events(&self, after: Position, limit: usize) -> Result<Value, ClerkError>;

    /// What is known of a certificate.
    fn certificate(&self, issuer: &str, serial: Serial) -> Result<Value, ClerkError>;

    /// What is published.
    fn crls(&self) -> Result<Value, ClerkError>;

    /// Has CRLs published at once; says what came of it. Waits until they are there.
    fn publish(&self, asked: &AskedCrls) -> Result<Value, ClerkError>;

    /// Has a certificate's status changed; says what came of it, with the events.
    fn change(&self, issuer: &str, serial: Serial, asked: &Asked) -> Result<(Outcome, Value), ClerkError>;
}

/// A change that somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What.
    pub change: AskedChange,
    /// Who, as `ORG/PERSON`; none: the usual.
    pub sender: Option<String>,
    /// Names it: sent twice under one key, it counts once.
    pub idempotency_key: Option<String>,
}

/// CRLs that somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedCrls {
    /// At which path; none: everywhere.
    pub path: Option<String>,
    /// Complete or not.
    pub issuing: Issuing,
    /// Who, as `ORG/PERSON`; none: the usual.
    pub sender: Option<String>,
}

/// What is to become of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskedChange {
    /// Held.
    Hold {
        /// Time of loss, as stated.
        lost_at: Option<Time>,
    },
    /// Freed of these holds.
    Release {
        /// Which.
        holds: Vec<HoldId>,
    },
    /// Revoked.
    Revoke {
        /// Why.
        reason: Reason,
        /// Time of loss, as stated.
        lost_at: Option<Time>,
    },
}

/// Why it isn't done.
#[derive(Debug, thiserror::Error)]
pub enum ClerkError {
    /// Nobody writes here at the moment: says why. Nothing was changed.
    #[error("nothing can be changed here now: {0}")]
    Away(String),
    /// The desk refuses, or the ledger fails.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// No such issuer.
    #[error("there is no issuer '{0}'")]
    NoIssuer(String),
    /// No CRLs are published there.
    #[error("no CRL is published at '{0}'")]
    NoPlace(String),
    /// No such event: the ledger doesn't reach so far.
    #[error("the ledger ends at {head}, before {after}")]
    NoEvent {
        /// Asked for what comes after this.
        after: Position,
        /// Where it ends.
        head: Position,
    },
    /// The sender isn't one.
    #[error("as: {0}")]
    Sender(String),
    /// A file beside the configuration can't be used.
    #[error("{0}")]
    State(String),
}

impl From<LedgerError> for ClerkError {
    fn from(error: LedgerError) -> Self {
        Self::Desk(error.into())
    }
}
