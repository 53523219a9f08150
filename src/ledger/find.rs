//! What the desk asks a ledger before it decides, and what it gets.

use crate::model::{
    BudgetKey, BudgetUse, CertificateKey, CertificateNo, Entry, HolderId, IdempotencyKey, MediumId, Operator, SimId,
};

use super::batch::Answer;
use super::seal::Head;

/// Everything that a round of decisions needs, asked for at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Certificates by issuer and serial.
    pub keys: Vec<CertificateKey>,
    /// Certificates by number.
    pub numbers: Vec<CertificateNo>,
    /// All certificates on these media.
    pub media: Vec<MediumId>,
    /// All certificates in these SIMs.
    pub sims: Vec<(Operator, SimId)>,
    /// All certificates of these holders.
    pub holders: Vec<HolderId>,
    /// Whether to add everything else that belongs to the holders of what is found.
    pub families: Families,
    /// Answers given before.
    pub answers: Vec<IdempotencyKey>,
    /// What was used of these budgets.
    pub budgets: Vec<BudgetKey>,
    /// The present Japan hour, for the budgets.
    pub hour: i64,
}

/// How far a search reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Families {
    /// Only what was named.
    #[default]
    No,
    /// And every certificate of the same holders.
    Yes,
}

/// What was found, all of it as of `head`.
#[derive(Clone, Debug)]
pub struct Found {
    /// Where the ledger stood at the latest when the rest was read; a batch on it fails if anything changed since.
    pub head: Head,
    /// Certificates with their status, set events included, by number, each once.
    pub entries: Vec<Entry>,
    /// Answers given before.
    pub answers: Vec<(IdempotencyKey, Answer)>,
    /// What was used of the budgets asked for; those never used are missing.
    pub budgets: Vec<(BudgetKey, BudgetUse)>,
}
