//! Where publications are kept: objects that never change, and one pointer that says which round of them counts.
//!
//! A round is staged by putting its objects, and committed by moving the pointer. Whoever reads follows the pointer to the
//! round's index and from there to each CRL, so that there is always one whole publication to be seen, the old or the new.
//! Called by whoever publishes, and by nodes without keys that serve what another published. A folder and an object store
//! keep it (`publisher/directory.rs`, `publisher/bucket.rs`).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::model::CrlNumber;

/// The contract that every store keeps.
///
/// - **Durable.** What [`put`](Self::put) and [`advance`](Self::advance) return `Ok` for survives kill -9 and, as far as the
///   medium honours a flush, power loss.
/// - **Immutable.** An object's octets never change. Putting the same again changes nothing; others are refused
///   ([`StoreError::Taken`]).
/// - **Whole.** An object is there with all its octets, or not at all, also when its writer is killed.
/// - **All or nothing.** The pointer moves from one round to a later one at once, and only from the one that the caller saw
///   ([`StoreError::Moved`] otherwise): two publishers can't both commit. It never points to a round without its index.
///   Objects of a batch may be there in part if it failed.
/// - **Uncertain.** After an error of `advance`, [`StoreError::Moved`] among them, the pointer may have moved, even by this
///   very call: ask [`tip`](Self::tip).
/// - **Retry.** The caller retries, by [`StoreError::may_pass`].
/// - **Threads.** Any number may call at once; calls block.
pub trait Store: Send + Sync {
    /// The round that counts; none: nothing was ever published.
    fn tip(&self) -> Result<Option<Tip>, StoreError>;

    /// Makes another round count, whose objects are all there.
    fn advance(&self, from: Option<&Tip>, to: CrlNumber) -> Result<Tip, StoreError>;

    /// Puts objects; durable when it returns.
    fn put(&self, objects: &[Object<'_>]) -> Result<(), StoreError>;

    /// An object's octets; none: there is no such object.
    fn get(&self, name: &ObjectName) -> Result<Option<Vec<u8>>, StoreError>;

    /// The names of all objects, in no order. What isn't an object of a store is left out, and left alone.
    fn names(&self) -> Result<Vec<ObjectName>, StoreError>;

    /// Removes objects. That one is missing is no error; that it stays away after power loss is not promised.
    fn remove(&self, names: &[ObjectName]) -> Result<(), StoreError>;
}

/// The round that counts, and what the store knows that state of the pointer by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tip {
    /// The round.
    pub number: CrlNumber,
    /// The store's own mark of it; empty where the number is enough.
    pub mark: String,
}

/// An object to be put.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a> {
    /// Its name.
    pub name: &'a ObjectName,
    /// Its octets.
    pub octets: &'a [u8],
}

/// The name of an object: a path of plain characters, with its round's number in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    path: String,
    kind: ObjectKind,
    number: CrlNumber,
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// A delta CRL: `crl/PATH.NUMBER.delta.crl`.
    Delta,
    /// A full CRL: `crl/PATH.NUMBER.crl`.
    Full,
    /// A round's index: `round/NUMBER.index.json`.
    Index,
    /// The signature over it: `round/NUMBER.index.json.p7s`.
    IndexSignature,
    /// What the next round must know beside the index: `round/NUMBER.state.json`.
    State,
}

/// Why a store didn't do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The medium refuses: full, unreachable, without permission.
    #[error("{what}: {why}")]
    Medium {
        /// What was being done to which object, for a person.
        what: String,
        /// Why not.
        why: String,
        /// Whether it may work later.
        passing: bool,
    },
    /// Another publisher moved the pointer.
    #[error("another publisher has published meanwhile")]
    Moved,
    /// The pointer never goes back, nor stays where it is.
    #[error("round {to} does not come after round {tip}, which is published")]
    NotLater {
        /// Where it is.
        tip: CrlNumber,
        /// Where it was to go.
        to: CrlNumber,
    },
    /// There is an object of that name with other octets.
    #[error("{0} is there already, with other contents")]
    Taken(ObjectName),
    /// What lies there isn't what a store writes.
    #[error("{what}: {why}")]
    Strange {
        /// Which object.
        what: String,
        /// What is wrong with it.
        why: String,
    },
}

/// Where a bucket is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketPlace {
    /// Its name.
    pub bucket: String,
    /// Before which path everything stands; empty: none.
    pub prefix: String,
    /// The server's URL; none: the environment's (`AWS_ENDPOINT_URL`), or Amazon's own.
    pub endpoint: Option<String>,
    /// The region; none: the environment's (`AWS_REGION`), or us-east-1.
    pub region: Option<String>,
    /// How long one request may take, the octets included.
    pub timeout: Duration,
}

/// A text that names no object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not the name of an object in a store of CRLs")]
pub struct NotAnObject(String);

impl StoreError {
    /// Whether trying again later may help.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Medium { passing, .. } => *passing,
            Self::Moved => true,
            Self::NotLater { .. } | Self::Strange { .. } | Self::Taken(_) => false,
        }
    }
}

impl Tip {
    /// What the pointer is called in a store, beside its objects.
    pub(super) const NAME: &'static str = "tip";

    /// What stands in it.
    pub(super) fn octets(number: CrlNumber) -> Vec<u8> {
        format!("{number}\n").into_bytes()
    }

    /// The round that it names; `place`, for a person, is where it was found.
    pub(super) fn read(octets: &[u8], place: &str) -> Result<CrlNumber, StoreError> {
        let number = std::str::from_utf8(octets).ok().and_then(|text| text.strip_suffix('\n')?.parse().ok());
        // One number, one form.
        number.filter(|number| Self::octets(*number) == octets).ok_or_else(|| StoreError::Strange {
            what: place.to_owned(),
            why: "it should hold the number of a round: see what wrote to it, and bring it back".into(),
        })
    }

    /// That the round which counts, or is to count, has no index.
    pub(super) fn without_index(place: &str, index: &ObjectName) -> StoreError {
        let why = format!("its round has no index: {index} is missing");
        StoreError::Strange { what: place.to_owned(), why }
    }

    /// Whether the pointer may go from here to there, if the caller saw `from`.
    pub(super) fn may_move(here: Option<&Self>, from: Option<&Self>, to: CrlNumber) -> Result<(), StoreError> {
        if here != from {
            return Err(StoreError::Moved);
        }
        match here {
            Some(tip) if to <= tip.number => Err(StoreError::NotLater { tip: tip.number, to }),
            Some(_) | None => Ok(()),
        }
    }
}

impl ObjectName {
    /// Below which every object lies.
    pub(super) const FOLDERS: [&'static str; 2] = ["crl", "round"];

    /// A CRL of that path, which must be one that `scope add` takes.
    pub fn crl(path: &str, is_delta: IsDelta, number: CrlNumber) -> Self {
        let kind = match is_delta {
            IsDelta::No => ObjectKind::Full,
            IsDelta::Yes => ObjectKind::Delta,
        };
        Self { path: path.to_owned(), kind, number }
    }

    /// One of a round's own objects.
    pub fn of_round(kind: ObjectKind, number: CrlNumber) -> Self {
        debug_assert!(!matches!(kind, ObjectKind::Delta | ObjectKind::Full), "CRLs have paths");
        Self { path: String::new(), kind, number }
    }

    /// What it is.
    pub fn kind(&self) -> ObjectKind {
        self.kind
    }

    /// Its round.
    pub fn number(&self) -> CrlNumber {
        self.number
    }

    /// The path of a CRL; empty for anything else.
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// Which of the two CRLs that share a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IsDelta {
    /// The full one.
    No,
    /// The delta.
    Yes,
}

impl IsDelta {
    /// What stands behind the path.
    pub fn ending(self) -> &'static str {
        match self {
            Self::No => ".crl",
            Self::Yes => ".delta.crl",
        }
    }
}

impl ObjectKind {
    /// Before which words, and behind which, the rest of a name stands.
    fn frame(self) -> (&'static str, &'static str) {
        match self {
            Self::Delta => ("crl/", ".delta.crl"),
            Self::Full => ("crl/", ".crl"),
            Self::Index => ("round/", ".index.json"),
            Self::IndexSignature => ("round/", ".index.json.p7s"),
            Self::State => ("round/", ".state.json"),
        }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, behind) = self.kind.frame();
        match self.kind {
            ObjectKind::Delta | ObjectKind::Full => write!(f, "{before}{}.{}{behind}", self.path, self.number),
            ObjectKind::Index | ObjectKind::IndexSignature | ObjectKind::State => {
                write!(f, "{before}{}{behind}", self.number)
            }
        }
    }
}

impl FromStr for ObjectName {
    type Err = NotAnObject;

    fn from_str(text: &str) -> Result<Self, NotAnObject> {
        let found = KINDS.iter().find_map(|kind| {
            let (before, behind) = kind.frame();
            Some((*kind, text.strip_prefix(before)?.strip_suffix(behind)?))
        });
        let (kind, rest) = found.ok_or_else(|| NotAnObject(text.to_owned()))?;
        let (path, number) = match kind {
            ObjectKind::Delta | ObjectKind::Full => rest.rsplit_once('.').unwrap_or(("", "")),
            ObjectKind::Index | ObjectKind::IndexSignature | ObjectKind::State => ("", rest),
        };
        let number = number.parse().map_err(|_| NotAnObject(text.to_owned()))?;
        let name = Self { path: path.to_owned(), kind, number };
        let is_crl = matches!(kind, ObjectKind::Delta | ObjectKind::Full);
        // One name, one form: no zeros in front, no path that leads out of the store.
        let plain = path.split('/').all(|part| part != "." && part != ".." && (!part.is_empty() || !is_crl));
        if plain && name.to_string() == text { Ok(name) } else { Err(NotAnObject(text.to_owned())) }
    }
}

/// Those with the longer endings first.
const KINDS: [ObjectKind; 5] =
    [ObjectKind::Delta, ObjectKind::Full, ObjectKind::IndexSignature, ObjectKind::Index, ObjectKind::State];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        let number = CrlNumber::from(42);
        let names = [
            (ObjectName::crl("card-sign-13101", IsDelta::No, number), "crl/card-sign-13101.42.crl"),
            (ObjectName::crl("a/b.c", IsDelta::Yes, number), "crl/a/b.c.42.delta.crl"),
            (ObjectName::of_round(ObjectKind::Index, number), "round/42.index.json"),
            (ObjectName::of_round(ObjectKind::IndexSignature, number), "round/42.index.json.p7s"),
            (ObjectName::of_round(ObjectKind::State, number), "round/42.state.json"),
        ];
        for (name, text) in names {
            assert_eq!((name.to_string(), text.parse::<ObjectName>()), (text.to_owned(), Ok(name)));
        }
    }

    #[test]
    fn what_is_no_name_is_none() {
        for text in ["", "crl/x.crl", "crl/.1.crl", "crl/../x.1.crl", "crl/x.01.crl", "round/1.json", "crl/x.1.crl.tmp"]
        {
            assert!(text.parse::<ObjectName>().is_err(), "{text}");
        }
    }
}
