//! What a verifier holds and has seen: its high-water marks. Kept beside what is installed, in the same step.

use serde::{Deserialize, Serialize};

use crate::ledger::Hash;
use crate::model::{CrlNumber, Epoch, LedgerId, Time};
use crate::publisher::text::{self, Hex};
use crate::publisher::{Index, IsDelta, Issue, Listing};

/// What was seen last. Its JSON is the file `marks.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marks {
    /// The form: 1.
    version: u32,
    /// Whose ledger.
    #[serde(with = "text")]
    pub ledger: LedgerId,
    /// The highest epoch that a CRL named; none: none did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub epoch: Option<u32>,
    /// The index's number.
    #[serde(with = "text")]
    pub number: CrlNumber,
    /// The index's time.
    #[serde(with = "text")]
    pub time: Time,
    /// The index's hash.
    pub index: Hex,
    /// Whether the index was signed: from then on it must be.
    pub seal: Seal,
    /// By which name the server knows the index.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tag: Option<String>,
    /// In which forms it was installed, beside the CRLs as they came.
    pub forms: Vec<Form>,
    /// What is held, in the order of paths.
    pub held: Vec<Held>,
}

/// A form in which CRLs are installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// A folder of files named by the hash of their issuer.
    HashDir,
    /// The same, with deltas.
    HashDirWithDeltas,
    /// One file of PEM blocks.
    Pem,
    /// The same, with deltas.
    PemWithDeltas,
}

/// What is held of one path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// As the index listed it when it was taken.
    pub listing: Listing,
    /// SHA-256 of the key that signed it.
    pub signer: Hex,
    /// The highest number that was ever taken here.
    #[serde(with = "text")]
    pub newest: CrlNumber,
}

/// Whether somebody trusted signed an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seal {
    /// Yes.
    Signed,
    /// No, or nobody who is trusted.
    Unsigned,
}

/// Whether another history may be begun with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// Another ledger, epoch, key or line of indexes is taken: a person has looked.
    New,
    /// It must go on from what was seen.
    Same,
}

/// Why an index isn't taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Backward {
    /// Another epoch of the ledger.
    #[error("the ledger's epoch was {seen} and is {found}: it was restored or forked, ask its operator")]
    Epoch {
        /// Before.
        seen: u32,
        /// Now.
        found: u32,
    },
    /// The index before it isn't the one that was seen.
    #[error("index {0} does not follow from the one before it that was seen here: there are two histories")]
    Fork(CrlNumber),
    /// Another ledger's.
    #[error("it is of ledger {found}, not of {seen}")]
    Ledger {
        /// Before.
        seen: LedgerId,
        /// Now.
        found: LedgerId,
    },
    /// An older one.
    #[error("it is index {found}, older than {seen} which was seen before")]
    Older {
        /// Before.
        seen: CrlNumber,
        /// Now.
        found: CrlNumber,
    },
    /// Two indexes of one number.
    #[error("there are two indexes of number {0}")]
    Twice(CrlNumber),
    /// It was signed before.
    #[error("it is not signed, and those before it were")]
    Unsigned,
}

/// Marks that can't be read: without them nobody knows what is old.
#[derive(Debug, thiserror::Error)]
pub enum MarksError {
    /// It isn't JSON of this form.
    #[error("it does not hold what was seen before: {0}")]
    Form(#[from] serde_json::Error),
    /// A form that isn't known here.
    #[error("it is of version {0}, which this program does not know: use a newer one")]
    Version(u32),
}

impl Marks {
    /// What is seen with this index, holding this.
    pub fn new(index: &Index, hash: Hash, seal: Seal, held: Vec<Held>) -> Self {
        let (ledger, number, time) = (index.ledger, index.number, index.time);
        let (tag, forms) = (None, Vec::new());
        Self {
            version: VERSION,
            ledger,
            epoch: epoch(index).map(|epoch| epoch.0),
            number,
            time,
            index: Hex(hash),
            seal,
            tag,
            forms,
            held,
        }
    }

    /// Reads them.
    pub fn read(octets: &[u8]) -> Result<Self, MarksError> {
        let marks: Self = serde_json::from_slice(octets)?;
        if marks.version == VERSION { Ok(marks) } else { Err(MarksError::Version(marks.version)) }
    }

    /// Their octets.
    pub fn to_json(&self) -> Vec<u8> {
        let mut octets = serde_json::to_vec_pretty(self).expect("texts, numbers and lists of them can be written");
        octets.push(b'\n');
        octets
    }

    /// Whether an index goes on from what was seen.
    pub fn admit(&self, index: &Index, hash: Hash, seal: Seal, history: History) -> Result<(), Backward> {
        if self.seal == Seal::Signed && seal == Seal::Unsigned {
            return Err(Backward::Unsigned);
        }
        if history == History::New {
            return Ok(());
        }
        if index.ledger != self.ledger {
            return Err(Backward::Ledger { seen: self.ledger, found: index.ledger });
        }
        if index.number < self.number || index.time < self.time {
            return Err(Backward::Older { seen: self.number, found: index.number });
        }
        if index.number == self.number && hash != self.index.0 {
            return Err(Backward::Twice(index.number));
        }
        if self.number.next() == Some(index.number) && index.previous != Some(self.index) {
            return Err(Backward::Fork(index.number));
        }
        match (self.epoch, epoch(index)) {
            (Some(seen), Some(Epoch(found))) if found != seen => Err(Backward::Epoch { seen, found }),
            _ => Ok(()),
        }
    }
}

impl Held {
    /// One of its two CRLs.
    pub fn issue(&self, is_delta: IsDelta) -> Option<&Issue> {
        match is_delta {
            IsDelta::No => Some(&self.listing.full),
            IsDelta::Yes => self.listing.delta.as_ref(),
        }
    }
}

/// The newest epoch of which a CRL of the index speaks.
fn epoch(index: &Index) -> Option<Epoch> {
    index.issues().filter_map(|(_, _, issue)| issue.reflects).map(|at| at.epoch).max()
}

const VERSION: u32 = 1;
