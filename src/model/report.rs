//! Reports: what windows, call centre, carriers, registry, holders and the download manager tell the desk.

use std::fmt;
use std::str::FromStr;

use super::{HolderId, MediumId, Municipality, Operator, SimId, Time};

/// One report, as it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What happened.
    pub kind: ReportKind,
    /// To whom or what.
    pub subject: Subject,
    /// When it was lost, as stated.
    pub lost_at: Option<Time>,
    /// When it was reported to whoever sends it.
    pub reported_at: Time,
    /// Where to, for a holder who moved.
    pub moved_to: Option<Municipality>,
    /// Where the papers are.
    pub evidence: Option<String>,
}

/// What a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Everything of a holder that the kind of report touches.
    Holder(HolderId),
    /// One medium.
    Medium(MediumId),
    /// One SIM of an operator.
    Sim {
        /// The SIM.
        sim: SimId,
        /// Its operator.
        operator: Operator,
    },
}

/// The rows of DOMAIN §5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReportKind {
    /// The card turned up.
    CardFound,
    /// The card is lost.
    CardLost,
    /// The card won't turn up.
    CardNotFound,
    /// The contract of the SIM ended.
    ContractEnded,
    /// A medium acknowledged, or was handed over.
    Delivered,
    /// The holder died.
    Died,
    /// The holder asks for revocation.
    HolderApplies,
    /// The holder moved.
    Moved,
    /// A medium wasn't delivered in time.
    NotDelivered,
    /// The phone turned up.
    PhoneFound,
    /// The phone is lost.
    PhoneLost,
    /// The phone won't turn up.
    PhoneNotFound,
    /// The holder's name changed.
    Renamed,
    /// The card was renewed.
    Renewed,
    /// The card was given back.
    Returned,
    /// The SIM was disposed of.
    SimDisposed,
    /// The SIM was replaced by another.
    SimSwapped,
}

/// A text that names no kind of report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a kind of report (one of {names})", names = names())]
pub struct UnknownReport(String);

impl ReportKind {
    /// Every kind, alphabetically.
    pub const ALL: [Self; 17] = [
        Self::CardFound,
        Self::CardLost,
        Self::CardNotFound,
        Self::ContractEnded,
        Self::Delivered,
        Self::Died,
        Self::HolderApplies,
        Self::Moved,
        Self::NotDelivered,
        Self::PhoneFound,
        Self::PhoneLost,
        Self::PhoneNotFound,
        Self::Renamed,
        Self::Renewed,
        Self::Returned,
        Self::SimDisposed,
        Self::SimSwapped,
    ];

    /// The name that commands and URLs use.
    pub fn name(self) -> &'static str {
        match self {
            Self::CardFound => "card-found",
            Self::CardLost => "card-lost",
            Self::CardNotFound => "card-not-found",
            Self::ContractEnded => "contract-ended",
            Self::Delivered => "delivered",
            Self::Died => "died",
            Self::HolderApplies => "holder-applies",
            Self::Moved => "moved",
            Self::NotDelivered => "not-delivered",
            Self::PhoneFound => "phone-found",
            Self::PhoneLost => "phone-lost",
            Self::PhoneNotFound => "phone-not-found",
            Self::Renamed => "renamed",
            Self::Renewed => "renewed",
            Self::Returned => "returned",
            Self::SimDisposed => "sim-disposed",
            Self::SimSwapped => "sim-swapped",
        }
    }

    /// Whether a time of loss means anything for it.
    pub fn takes_loss_time(self) -> bool {
        use ReportKind as K;
        matches!(self, K::CardLost | K::CardNotFound | K::PhoneLost | K::PhoneNotFound)
    }
}

impl fmt::Display for ReportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ReportKind {
    type Err = UnknownReport;

    fn from_str(text: &str) -> Result<Self, UnknownReport> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| UnknownReport(text.to_owned()))
    }
}

fn names() -> String {
    ReportKind::ALL.map(ReportKind::name).join(", ")
}
