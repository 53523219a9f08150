//! Who acts: an organisation in a role, a person or terminal, and the way the command came in.

use std::fmt;

use super::{IssuerNo, MediumId, Municipality, Operator, PersonId};

/// Who stands behind a command; recorded with every event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Actor {
    /// The organisation, in the role in which it acts.
    pub role: Role,
    /// The person or terminal.
    pub person: PersonId,
    /// How the command came in.
    pub channel: Channel,
}

/// Organisations in their roles (DOMAIN §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Reads, changes nothing.
    Auditor,
    /// An issuing CA, for one key generation.
    Ca(IssuerNo),
    /// The loss call centre.
    CallCentre,
    /// A carrier.
    Carrier(Operator),
    /// A holder, having shown one of their media.
    Holder {
        /// What was shown, if anything.
        presented: Option<MediumId>,
    },
    /// Operations.
    Ops,
    /// The resident registry.
    Registry,
    /// The download manager for phone certificates.
    SpTsm,
    /// The system itself: timers, and the sequencer's refusals.
    System,
    /// A municipal window; without a municipality, the one competent for whatever it acts on (command line only).
    Window(Option<Municipality>),
}

/// How a command came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// The admin API.
    Api,
    /// The command line.
    Cli,
    /// An importer.
    Import,
    /// SQL functions, by way of the inbox.
    Sql,
    /// The clock.
    Timer,
}

impl Role {
    /// The hold that this role opens when it reports a loss; `None` if it opens none.
    pub fn hold_kind(self) -> Option<super::HoldKind> {
        use super::HoldKind;
        match self {
            Self::CallCentre => Some(HoldKind::CallCentre),
            Self::Carrier(operator) => Some(HoldKind::Carrier(operator)),
            Self::Holder { .. } => Some(HoldKind::Holder),
            Self::Ops => Some(HoldKind::Review),
            Self::Registry => Some(HoldKind::Registry),
            Self::Window(_) => Some(HoldKind::Window),
            Self::Auditor | Self::Ca(_) | Self::SpTsm | Self::System => None,
        }
    }
}

impl fmt::Display for Role {
    /// As tokens and `--as` name it. The medium that a holder showed is not told: it points to a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auditor => f.write_str("auditor"),
            Self::Ca(issuer) => write!(f, "ca:{issuer}"),
            Self::CallCentre => f.write_str("call-centre"),
            Self::Carrier(operator) => write!(f, "carrier:{operator}"),
            Self::Holder { .. } => f.write_str("holder"),
            Self::Ops => f.write_str("ops"),
            Self::Registry => f.write_str("registry"),
            Self::SpTsm => f.write_str("sp-tsm"),
            Self::System => f.write_str("system"),
            Self::Window(None) => f.write_str("window"),
            Self::Window(Some(municipality)) => write!(f, "window:{municipality}"),
        }
    }
}
