//! Events: what the ledger records, once and for ever. Their bytes are `ledger/event_bytes.rs`.

use super::{
    Actor, CertificateKey, CertificateNo, Change, Epoch, Issuer, LedgerId, Position, Report, Request, Scope, SetChange,
    SetTarget, Time, UndoScope,
};

/// One entry of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Ledger time: never earlier than that of the event before.
    pub time: Time,
    /// Who did it.
    pub actor: Actor,
    /// The event that it follows from; `None` for what starts a chain.
    pub cause: Option<Position>,
    /// What happened.
    pub body: Body,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A person named a new epoch after histories forked.
    EpochAdopted {
        /// The new epoch.
        epoch: Epoch,
        /// Why, in the person's words.
        note: String,
    },
    /// A status changed.
    Changed {
        /// Whose, by number.
        no: CertificateNo,
        /// Whose, by the name that every look-up uses.
        key: CertificateKey,
        /// How.
        change: Change,
    },
    /// A round of CRLs was given its number, which no other CRL of this ledger has or will have, whether or not the round was
    /// published.
    CrlsNumbered {
        /// The number.
        number: u64,
    },
    /// What came in by SQL was refused.
    InboxRefused {
        /// Its number in the inbox.
        inbox: u64,
        /// Why, in one line.
        why: String,
    },
    /// An issuer key generation was added.
    IssuerAdded(Issuer),
    /// The first event of every ledger.
    LedgerCreated {
        /// Its identity.
        ledger: LedgerId,
    },
    /// A command waits for a second person.
    Queued {
        /// The command.
        request: Box<Request>,
        /// Why it waits.
        why: WhyQueued,
    },
    /// A second person decided about a waiting command.
    QueueDecided {
        /// Where it was queued.
        queued: Position,
        /// How.
        verdict: Verdict,
    },
    /// Certificates were registered.
    Registered {
        /// The number of the first.
        first: CertificateNo,
        /// How many.
        count: u32,
        /// SHA-256 over their rows, each behind its length.
        digest: [u8; 32],
    },
    /// A report was accepted; its consequences follow, each naming it as the cause.
    Reported(Report),
    /// A CRL scope was added.
    ScopeAdded(Scope),
    /// Many certificates changed at once.
    SetChanged {
        /// Which.
        target: SetTarget,
        /// How.
        change: SetChange,
    },
    /// A false campaign is undone; its releases follow, each naming this as the cause.
    UndoOrdered(UndoScope),
}

/// Why a command waits for a second person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyQueued {
    /// The stated loss lies too far back to be believed on one person's word.
    BackdatedLoss,
    /// More commands of this kind than its rate budget.
    OverBudget,
    /// The command always needs two people.
    TwoPeople,
}

/// What the second person said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Do it.
    Approved,
    /// Don't.
    Rejected,
}

impl Verdict {
    /// As it is said.
    pub fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }
}
