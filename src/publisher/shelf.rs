//! The shelf: what is published, in memory, as it is served. Whoever publishes or follows a store puts a whole publication
//! on it at once; readers take what is there without waiting.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::ledger::Hash;
use crate::model::{CrlNumber, Time};
use crate::status::ReadTo;

/// Everything that is served as a file.
#[derive(Debug, Default)]
pub struct Shelf {
    files: ArcSwap<Publication>,
}

/// One publication: files by their path behind `/crl/`, such as `card-sign-13101.crl` or `index.json`.
#[derive(Clone, Debug, Default)]
pub struct Publication {
    /// The round; none: nothing was published yet.
    pub number: Option<CrlNumber>,
    /// The files.
    pub files: HashMap<String, Arc<File>>,
}

/// One file.
#[derive(Clone, Debug)]
pub struct File {
    /// Its octets.
    pub octets: Arc<Vec<u8>>,
    /// What it is.
    pub media: Media,
    /// SHA-256 of its octets: its tag.
    pub sha256: Hash,
    /// When it was made: its thisUpdate.
    pub made: Time,
    /// Until when it may be kept: its nextUpdate; none: it may change at any time.
    pub ends: Option<Time>,
    /// Up to which event it speaks.
    pub reflects: Option<ReadTo>,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// A bundle, compressed.
    Bundle,
    /// A certificate.
    Certificate,
    /// A CRL.
    Crl,
    /// JSON.
    Json,
    /// A detached signature.
    Signature,
}

impl Shelf {
    /// What lies there now.
    pub fn publication(&self) -> Arc<Publication> {
        self.files.load_full()
    }

    /// A file, by its path behind `/crl/`.
    pub fn file(&self, path: &str) -> Option<Arc<File>> {
        self.files.load().files.get(path).cloned()
    }

    /// Puts another publication in the place of what lies there.
    pub fn put(&self, publication: Publication) {
        self.files.store(Arc::new(publication));
    }
}
