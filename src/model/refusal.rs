//! Why the desk says no. One line each, with what to do instead where there is something.

use super::{HoldId, Position, ReportKind, Role, StatusRefusal, Time};

/// A command refused; nothing was recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A certificate of that issuer and serial is registered already.
    #[error("serial {0} is registered already")]
    AlreadyRegistered(super::Serial),
    /// The stated loss is too far back for this sender.
    #[error(
        "the stated loss ({lost_at}) is too long ago to be taken from {role}: report without --lost-at to hold at once, and let the window state the time with a second person"
    )]
    BackdatedLoss {
        /// As stated.
        lost_at: Time,
        /// Who stated it.
        role: Role,
    },
    /// Enrolled under a card's certificate after that was lost, held or revoked: the thief's phone, for all we know.
    #[error("serial {serial}: {}", enrolled_in_doubt(under, *since))]
    EnrolledInDoubt {
        /// Whose registration is refused.
        serial: super::Serial,
        /// The certificate that signed the application.
        under: super::Serial,
        /// Since when that has been in doubt.
        since: Time,
    },
    /// The idempotency key was used for another command.
    #[error("this idempotency key was already used for another command: use a new key")]
    KeyReused,
    /// A stated time lies in the future.
    #[error("{0} lies in the future: state a time that has passed")]
    FutureTime(Time),
    /// An issuer, name or path that is taken.
    #[error("{0}: choose another")]
    Taken(String),
    /// A certificate that doesn't fit what the ledger knows.
    #[error("serial {serial}: {why}")]
    Unfit {
        /// Whose.
        serial: super::Serial,
        /// Why.
        why: &'static str,
    },
    /// A report that has nothing to say about what it names.
    #[error("'{kind}' does not apply: {why}")]
    NotApplicable {
        /// What was reported.
        kind: ReportKind,
        /// Why it doesn't.
        why: &'static str,
    },
    /// The role may not do this.
    #[error("{role} may not {action}")]
    NotAllowed {
        /// Who asked.
        role: Role,
        /// What for.
        action: String,
    },
    /// The certificate belongs to another's competence.
    #[error("{role} is not competent for this certificate: {why}")]
    NotCompetent {
        /// Who asked.
        role: Role,
        /// Why not.
        why: &'static str,
    },
    /// An undo of a campaign of which nothing is open any more.
    #[error("nothing to undo: no hold of that campaign is open and no command of it waits{}", staying(*revoked))]
    NothingToUndo {
        /// Certificates that it held and that have been revoked since.
        revoked: u64,
    },
    /// A hold that this sender can't lift.
    #[error("hold {hold} ({kind}) can't be lifted by {role}")]
    NotLiftable {
        /// The hold.
        hold: HoldId,
        /// Whose it is.
        kind: &'static str,
        /// Who asked.
        role: Role,
    },
    /// A waiting command that was decided the other way.
    #[error("what waited under {queued} was {} already, which stays: ask for it anew", verdict.name())]
    Decided {
        /// Its name.
        queued: Position,
        /// How it was decided.
        verdict: super::Verdict,
    },
    /// No waiting command has that name.
    #[error("no command waits under {0}: see 'queue list'")]
    NotQueued(Position),
    /// The same person asked and approves.
    #[error("the person who asked can't be the second person: let someone else decide")]
    SamePerson,
    /// Holds are open and none was named.
    #[error("a release names the holds that it lifts; {open} open here: see 'cert show', then --hold")]
    WhichHold {
        /// How many.
        open: usize,
    },
    /// The status doesn't allow it.
    #[error(transparent)]
    Status(#[from] StatusRefusal),
    /// A successor has to be in use before the old one is ended.
    #[error("no active certificate succeeds this one: register and activate the new one first, then report '{0}'")]
    SuccessorMissing(ReportKind),
    /// The command names a certificate that was never registered.
    #[error("no such certificate is registered with this issuer")]
    UnknownCertificate,
    /// The report touches nothing that is registered.
    #[error("nothing registered answers to that subject for '{0}'")]
    UnknownSubject(ReportKind),
    /// The command names an event that isn't the cause of anything.
    #[error("there is no event {0} that could be undone")]
    UnknownCause(Position),
    /// A set event names a list, issuer or batch that doesn't fit.
    #[error("{0}")]
    UnknownSet(String),
    /// A time of loss for a report that has none.
    #[error("'{0}' takes no time of loss")]
    NoLossTime(ReportKind),
    /// The window is closed.
    #[error("the window is closed: weekdays in its office hours only; at other times the loss call centre holds")]
    WindowClosed,
    /// Epochs only rise.
    #[error("the new epoch must be higher than the present one ({present})")]
    EpochNotHigher {
        /// The present epoch.
        present: super::Epoch,
    },
}

/// Why a phone certificate is not registered under a card's certificate in doubt, in every channel's words.
pub fn enrolled_in_doubt(under: &impl std::fmt::Display, since: Time) -> String {
    format!(
        "enrolled under certificate {under} after that was lost, held or revoked ({since}): discard it; if the card was \
         found and its hold lifted, register it again"
    )
}

fn staying(revoked: u64) -> String {
    match revoked {
        0 => String::new(),
        1 => "; 1 certificate that it held was revoked, which is final".to_owned(),
        _ => format!("; {revoked} certificates that it held were revoked, which is final"),
    }
}
