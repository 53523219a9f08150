//! Commands: what may be asked of the desk, and what comes of it.

use super::{
    Actor, CertificateKey, Epoch, HoldId, IdempotencyKey, Position, Reason, Report, SetChange, SetTarget, Time, Verdict,
};

/// A command with its sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub actor: Actor,
    /// What for.
    pub command: Command,
    /// Names the command, so that sending it twice does it once.
    pub idempotency: Option<IdempotencyKey>,
}

/// What may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Acknowledge the delivery of one certificate.
    Activate(CertificateKey),
    /// Name a new epoch.
    AdoptEpoch {
        /// Which.
        epoch: Epoch,
        /// Why.
        note: String,
    },
    /// Say yes or no to a waiting command.
    DecideQueued {
        /// Where it was queued.
        queued: Position,
        /// Yes or no.
        verdict: Verdict,
    },
    /// Hold one certificate.
    Hold {
        /// Which.
        key: CertificateKey,
        /// Time of loss, as stated.
        lost_at: Option<Time>,
    },
    /// Lift the named holds of one certificate, and no others.
    Release {
        /// Which certificate.
        key: CertificateKey,
        /// Which holds.
        holds: Vec<HoldId>,
    },
    /// A report.
    Report(Report),
    /// Revoke one certificate.
    Revoke {
        /// Which.
        key: CertificateKey,
        /// Why.
        reason: Reason,
        /// Time of loss, as stated.
        lost_at: Option<Time>,
    },
    /// Change a whole set.
    Set {
        /// Which.
        target: SetTarget,
        /// How.
        change: SetChange,
    },
    /// Undo a false campaign.
    Undo(UndoScope),
}

/// Which campaign is undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UndoScope {
    /// Everything that one sender did in a span of time.
    ByActor {
        /// Whose doing; the channel is not compared.
        actor: Actor,
        /// From this time on.
        since: Time,
        /// Until this time.
        until: Time,
    },
    /// Everything that followed from one event.
    Cause(Position),
}

/// What came of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was so already; nothing was recorded.
    AlreadySo,
    /// Recorded, from the first to the last position.
    Done {
        /// The first event.
        first: Position,
        /// The last event.
        last: Position,
    },
    /// It waits for a second person under this name.
    Queued {
        /// The name.
        queued: Position,
    },
}
