//! What a round can be given to do, and what comes back.

use crate::ledger::{InboxItem, LedgerError};
use crate::model::{
    Actor, Certificate, CertificateNo, Command, HoldId, Issuer, Outcome, Position, Refusal, Request, Scope, SetTarget,
    Time, Verdict,
};

/// One piece of work for the desk.
#[derive(Clone, Debug)]
pub enum Task {
    /// Add an issuer, with the CRL scopes that it is to have from the first, or none of it; the ledger gives the numbers.
    AddIssuer {
        /// Who adds it.
        actor: Actor,
        /// What is added.
        issuer: Issuer,
        /// Its scopes, whatever issuer they name.
        scopes: Vec<Scope>,
    },
    /// Add a CRL scope; its number is given by the ledger.
    AddScope {
        /// Who adds it.
        actor: Actor,
        /// What is added.
        scope: Scope,
    },
    /// See to timers that are due.
    Clock(Vec<(Time, CertificateNo)>),
    /// Close what waits without doing it: the end of an undo, and what its campaign left waiting.
    Close {
        /// Who ordered the undo.
        actor: Actor,
        /// The order.
        order: Position,
        /// What waits.
        queued: Vec<Position>,
        /// What is recorded of it.
        verdict: Verdict,
    },
    /// Decide what an outside CA wrote into the inbox.
    Inbox(InboxItem),
    /// A slice of an undo: lift these holds if they are still open.
    Lift {
        /// Who ordered the undo.
        actor: Actor,
        /// The order.
        order: Position,
        /// Whose holds, and which.
        holds: Vec<(CertificateNo, Vec<HoldId>)>,
    },
    /// A slice of an undo: lift the hold that a set event opened.
    LiftSet {
        /// Who ordered the undo.
        actor: Actor,
        /// The order.
        order: Position,
        /// The set.
        target: SetTarget,
        /// The hold.
        hold: HoldId,
    },
    /// Give a round of CRLs its number.
    NumberCrls {
        /// Who publishes.
        actor: Actor,
        /// The highest number that is known to have been given, anywhere.
        above: Option<u64>,
        /// Up to which event that was looked for in the ledger.
        read_to: Position,
    },
    /// Register certificates, all or none.
    Register {
        /// The CA.
        actor: Actor,
        /// What it made.
        certificates: Vec<Certificate>,
    },
    /// A command.
    Request(Request),
}

/// Why a task wasn't done. Nothing of it was recorded.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The rules forbid it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Other writers were faster every time.
    #[error("the ledger was too busy: {0} attempts were overtaken; try again")]
    Overtaken(u32),
}

/// What comes of a task.
pub type Done = Result<Outcome, DeskError>;

impl Task {
    /// Whether the task must have an append of its own: what it changes is read by every later decision, or it reads what
    /// the others of its round are about to write.
    pub(super) fn stands_alone(&self) -> bool {
        match self {
            Self::AddIssuer { .. }
            | Self::AddScope { .. }
            | Self::Inbox(_)
            | Self::LiftSet { .. }
            | Self::NumberCrls { .. }
            | Self::Register { .. } => true,
            Self::Clock(_) | Self::Close { .. } | Self::Lift { .. } => false,
            Self::Request(request) => {
                matches!(request.command, Command::DecideQueued { .. } | Command::Set { .. } | Command::Undo(_))
            }
        }
    }
}
