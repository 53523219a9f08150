//! The shelf: what is published, in memory, as it is served. Whoever publishes or follows a store puts a whole publication
//! on it at once, and `app` lays single files beside it; readers take what is there without waiting.
//!
//! Each file is found by the whole path of its URL behind the first slash, such as `crl/card-sign-13101.crl`: distribution
//! points that are in the field already may lie anywhere. Three beginnings belong to OCSP and are never looked up here:
//! `M` (a request in base64), `ocsp` and `p/`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::ledger::Hash;
use crate::model::{CrlNumber, Time};
use crate::status::ReadTo;

/// Everything that is served as a file.
#[derive(Debug, Default)]
pub struct Shelf {
    published: ArcSwap<Published>,
    /// What is no part of a publication: certificates of CAs, the newest checkpoint.
    singles: ArcSwap<Files>,
}

/// One publication.
#[derive(Clone, Debug, Default)]
pub struct Publication {
    /// The round; none: nothing was published yet.
    pub number: Option<CrlNumber>,
    /// The files, by path.
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
    /// Until when it may be kept: its nextUpdate, or earlier; none: it may change at any time.
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
    /// Text, in UTF-8.
    Text,
}

/// A file as it lies there.
#[derive(Clone, Debug)]
pub struct Found {
    /// The file.
    pub file: Arc<File>,
    /// What its date tells.
    pub date: Date,
}

/// What the date of a file tells of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Date {
    /// Another content of the same date lay there before: who has a file of that date may have the other one.
    Shared,
    /// Whoever has a file of that date, and from here, has this one.
    Telling,
}

#[derive(Debug, Default)]
struct Published {
    publication: Arc<Publication>,
    shared: HashSet<String>,
}

/// Single files, with the paths of those whose date is shared.
#[derive(Clone, Debug, Default)]
struct Files {
    files: HashMap<String, Arc<File>>,
    shared: HashSet<String>,
}

impl Shelf {
    /// The last publication.
    pub fn publication(&self) -> Arc<Publication> {
        self.published.load().publication.clone()
    }

    /// A file, by its path.
    pub fn file(&self, path: &str) -> Option<Arc<File>> {
        self.find(path).map(|found| found.file)
    }

    /// A file, and what its date tells.
    pub fn find(&self, path: &str) -> Option<Found> {
        let (published, singles) = (self.published.load(), self.singles.load());
        let (file, shared) = match published.publication.files.get(path) {
            Some(file) => (file, &published.shared),
            None => (singles.files.get(path)?, &singles.shared),
        };
        let date = if shared.contains(path) { Date::Shared } else { Date::Telling };
        Some(Found { file: file.clone(), date })
    }

    /// Puts another publication in the place of the last one; single files stay. One thread does that.
    pub fn put(&self, publication: Publication) {
        let last = self.published.load();
        let shared = publication.files.iter().filter(|(path, file)| {
            let before = last.publication.files.get(*path);
            shares_its_date(file, before, last.shared.contains(*path))
        });
        let shared = shared.map(|(path, _)| path.clone()).collect();
        self.published.store(Arc::new(Published { publication: Arc::new(publication), shared }));
    }

    /// Lays a single file there, in the place of what lay at its path. Any thread may.
    pub fn lay(&self, path: &str, file: &Arc<File>) {
        self.singles.rcu(|singles| {
            let mut singles = Files::clone(singles);
            let before = singles.files.insert(path.to_owned(), file.clone());
            if shares_its_date(file, before.as_ref(), singles.shared.contains(path)) {
                singles.shared.insert(path.to_owned());
            } else {
                singles.shared.remove(path);
            }
            singles
        });
    }
}

/// Two CRLs may be issued in one second, and a third content isn't told from the first by its date either.
fn shares_its_date(file: &File, before: Option<&Arc<File>>, shared_before: bool) -> bool {
    before.is_some_and(|before| before.made == file.made && (shared_before || before.sha256 != file.sha256))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::sha256;

    fn file(content: &str, made: i64) -> Arc<File> {
        Arc::new(File {
            octets: Arc::new(content.as_bytes().to_vec()),
            media: Media::Crl,
            sha256: sha256(&[content.as_bytes()]),
            made: Time::from_unix(made).unwrap(),
            ends: None,
            reflects: None,
        })
    }

    fn publication(files: &[(&str, Arc<File>)]) -> Publication {
        Publication {
            number: None,
            files: files.iter().map(|(path, file)| ((*path).to_owned(), file.clone())).collect(),
        }
    }

    #[test]
    fn a_publication_replaces_the_last_one_and_single_files_stay() {
        let shelf = Shelf::default();
        shelf.lay("ca/a.cer", &file("ca", 1));
        shelf.put(publication(&[("crl/a.crl", file("one", 1)), ("crl/b.crl", file("two", 1))]));
        let held = shelf.file("crl/a.crl").unwrap();
        shelf.put(publication(&[("crl/b.crl", file("three", 2))]));
        assert!(shelf.file("crl/a.crl").is_none());
        assert_eq!(*shelf.file("crl/b.crl").unwrap().octets, b"three");
        assert_eq!(*shelf.file("ca/a.cer").unwrap().octets, b"ca");
        assert_eq!(*held.octets, b"one", "who has it reads it to the end");
        assert!(shelf.file("crl/").is_none() && shelf.file("").is_none());
    }

    #[test]
    fn a_date_that_two_contents_had_tells_nothing_until_it_changes() {
        let shelf = Shelf::default();
        let put = |content, made, expected| {
            shelf.put(publication(&[("crl/a.crl", file(content, made))]));
            shelf.lay("checkpoint", &file(content, made));
            for path in ["crl/a.crl", "checkpoint"] {
                assert_eq!(shelf.find(path).unwrap().date, expected, "{path} {content}");
            }
        };
        put("one", 1, Date::Telling);
        put("one", 1, Date::Telling);
        put("two", 1, Date::Shared);
        put("two", 1, Date::Shared);
        put("three", 2, Date::Telling);
    }
}
