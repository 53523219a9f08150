//! Pulling CRLs: from a source into a folder, round by round. Called by `crl pull`.
//!
//! The index says what there is; [`Plan`](crate::publisher::pull::Plan) what of it is news; each CRL is verified before it is installed, and one that
//! isn't taken leaves the one before it in its place. What was installed is judged by its age whatever came of the pull.

mod folder;
mod round;
mod source;

use std::path::PathBuf;

use crate::asn1::{CertificateFields, CmsError};
use crate::model::{CrlNumber, Time};
use crate::publisher::IndexError;
use crate::publisher::pull::{Ages, Alarm, Backward, Form, History, Scopes, Untaken, alarms};

pub use folder::{Folder, FolderError};
pub use source::{Source, SourceError, file_name};

/// What to pull, whom to trust, and how to install it.
#[derive(Debug)]
pub struct Pull {
    /// Trusted without further proof.
    pub anchors: Vec<CertificateFields>,
    /// Where it is installed.
    pub to: PathBuf,
    /// Which paths.
    pub scopes: Scopes,
    /// In which forms, beside the files as they came.
    pub forms: Vec<Form>,
    /// Whether another history may be begun with.
    pub history: History,
    /// When there is an alarm.
    pub ages: Ages,
}

/// What came of it.
#[derive(Debug)]
pub struct Pulled {
    /// The round, or why there was none.
    pub round: Result<Round, PullError>,
    /// What is wrong with the age of what is installed now.
    pub alarms: Vec<Alarm>,
    /// How many paths are installed.
    pub held: usize,
}

/// A round that was pulled.
#[derive(Debug)]
pub struct Round {
    /// The index's number.
    pub number: CrlNumber,
    /// What was taken anew, and how many certificates are listed there.
    pub taken: Vec<(String, u64)>,
    /// What wasn't taken; what was there before stays.
    pub left: Vec<(String, Left)>,
    /// Octets that came over the network.
    pub received: u64,
}

/// Why a path's CRLs weren't taken.
#[derive(Debug, thiserror::Error)]
pub enum Left {
    /// It isn't published any more.
    #[error("it is no longer published; what was taken before stays")]
    Gone,
    /// It couldn't be fetched.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It isn't to be relied on.
    #[error(transparent)]
    Untaken(#[from] Untaken),
}

/// Why there was no round. What is installed stays.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The index goes back, or is another's.
    #[error("the index is refused: {0}")]
    Backward(#[from] Backward),
    /// The folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The index can't be read.
    #[error("the index: {0}")]
    Index(#[from] IndexError),
    /// A path that was asked for.
    #[error("no CRLs are published under '{0}'")]
    NoScope(String),
    /// The signature over the index isn't one over it.
    #[error("the index is refused: {0}")]
    Seal(#[from] CmsError),
    /// Nothing was reached.
    #[error(transparent)]
    Source(#[from] SourceError),
}

impl Pull {
    /// Pulls at that time. A folder that can't be opened is an error of its own: nobody knows how old it is.
    pub fn run(&self, source: &mut Source, now: Time) -> Result<Pulled, FolderError> {
        let mut folder = Folder::open(&self.to)?;
        folder.marks()?;
        let round = round::run(self, source, &mut folder, now);
        let held = folder.marks()?.map(|marks| marks.held).unwrap_or_default();
        Ok(Pulled { round, alarms: alarms(&held, self.ages, now), held: held.len() })
    }
}
