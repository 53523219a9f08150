//! Holds: reasons why a certificate is, for now, not good. A certificate is held while at least one is open.

use super::{HoldId, Operator, Position, Reason, Time};

/// One open hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Its name: only a release that says this name lifts it.
    pub id: HoldId,
    /// Whose it is, which decides who may lift it.
    pub kind: HoldKind,
    /// When it took effect (ledger time).
    pub since: Time,
    /// The report or command it follows from.
    pub cause: Position,
    /// The accepted time of loss, if one was stated.
    pub lost_at: Option<Time>,
    /// What it turns into when nobody contradicts it in time.
    pub becomes: Option<Final>,
}

/// Whose hold it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HoldKind {
    /// The loss call centre's.
    CallCentre,
    /// A carrier's, about a SIM that it operates.
    Carrier(Operator),
    /// The holder's own.
    Holder,
    /// Found on import; whoever may lift the window's may lift it.
    Imported,
    /// The resident registry's.
    Registry,
    /// A review's, ordered by a person.
    Review,
    /// Rule X: enrolled after the card that signed for it was lost.
    RuleX,
    /// A set event's.
    Set,
    /// A municipal window's.
    Window,
}

/// What an uncontradicted hold becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Final {
    /// When.
    pub due: Time,
    /// With what reason.
    pub reason: Reason,
}

impl HoldKind {
    /// Its name in listings.
    pub fn name(self) -> &'static str {
        match self {
            Self::CallCentre => "call-centre",
            Self::Carrier(_) => "carrier",
            Self::Holder => "holder",
            Self::Imported => "imported",
            Self::Registry => "registry",
            Self::Review => "review",
            Self::RuleX => "rule-x",
            Self::Set => "set",
            Self::Window => "window",
        }
    }

    /// Whether two people must agree to lift it.
    pub fn needs_two_people(self) -> bool {
        matches!(self, Self::Review | Self::RuleX | Self::Set)
    }
}
