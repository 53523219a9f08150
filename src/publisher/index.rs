//! The index of a publication (`/crl/index.json`): every CRL with its number, times, size, hash and address, and the hash of
//! the index before. What verifiers fetch first, and what nodes without keys follow.
//!
//! One index is one round's; readers who keep the number of the last one they saw can't be given an older one. Its octets
//! are its only form: they are hashed, signed and served as they are.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::ledger::{Hash, sha256};
use crate::model::{CrlNumber, Epoch, LedgerId, Position, Time};

use super::store::{IsDelta, ObjectName};
use super::text::{self, Hex};

/// What is published, as of one round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// The form: 1.
    version: u32,
    /// Whose ledger.
    #[serde(with = "text")]
    pub ledger: LedgerId,
    /// The round.
    #[serde(with = "text")]
    pub number: CrlNumber,
    /// The newest ledger time that it reflects.
    #[serde(with = "text")]
    pub time: Time,
    /// SHA-256 of the index before; none: this is the first.
    pub previous: Option<Hex>,
    /// What is published, by path.
    pub slots: Vec<Listing>,
}

/// What is published at one path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    /// The path below `/crl/`, without `.crl`.
    pub path: String,
    /// Who signs it, by the name under which the certificate is served (`/ca/NAME.cer`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub issuer: Option<String>,
    /// The DER of the distribution point's name, in base64; none: the CRL has no IDP.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub distribution_point: Option<String>,
    /// The full CRL.
    pub full: Issue,
    /// The delta, if there are any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub delta: Option<Issue>,
}

/// One CRL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issue {
    /// Its number.
    #[serde(with = "text")]
    pub number: CrlNumber,
    /// A delta's base; none: it is full.
    #[serde(skip_serializing_if = "Option::is_none", default, with = "text::option")]
    pub base: Option<CrlNumber>,
    /// Up to which event it speaks; none: it was signed elsewhere.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reflects: Option<At>,
    /// Its thisUpdate.
    #[serde(with = "text")]
    pub this_update: Time,
    /// Its nextUpdate.
    #[serde(with = "text")]
    pub next_update: Time,
    /// Its length in octets.
    pub size: u64,
    /// SHA-256 of its octets.
    pub sha256: Hex,
    /// Where it is fetched.
    pub url: String,
}

/// A place in a ledger's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct At {
    /// The epoch.
    #[serde(with = "text::number")]
    pub epoch: Epoch,
    /// The last event.
    #[serde(with = "text::number")]
    pub position: Position,
}

/// An index that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// It isn't JSON of this form.
    #[error("it is not an index of CRLs: {0}")]
    Form(#[from] serde_json::Error),
    /// A form that isn't known here.
    #[error("it is an index of version {0}, which this program does not know: use a newer one")]
    Version(u32),
    /// It says something that no index says.
    #[error("{0}")]
    Contents(String),
}

impl Index {
    /// An index of these slots, which it puts in order.
    pub fn new(ledger: LedgerId, number: CrlNumber, time: Time, previous: Option<Hash>, slots: Vec<Listing>) -> Self {
        let mut slots = slots;
        slots.sort_unstable_by(|one, other| one.path.cmp(&other.path));
        Self { version: VERSION, ledger, number, time, previous: previous.map(Hex), slots }
    }

    /// Reads one.
    pub fn read(octets: &[u8]) -> Result<Self, IndexError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let Versioned { version } = serde_json::from_slice(octets)?;
        if version != VERSION {
            return Err(IndexError::Version(version));
        }
        let index: Self = serde_json::from_slice(octets)?;
        if !index.slots.windows(2).all(|pair| pair[0].path < pair[1].path) {
            return Err(IndexError::Contents("its paths are not in order, or one stands there twice".into()));
        }
        for slot in &index.slots {
            // Whoever pulls makes files of these names.
            if !is_path(&slot.path) {
                return Err(IndexError::Contents(format!("'{}' is not a path of CRLs", slot.path.escape_debug())));
            }
            let fits = slot.full.base.is_none() && slot.delta.as_ref().is_none_or(|delta| delta.base.is_some());
            if !fits {
                return Err(IndexError::Contents(format!("{}: a full CRL has a base, or a delta has none", slot.path)));
            }
        }
        Ok(index)
    }

    /// Its octets.
    pub fn to_json(&self) -> Vec<u8> {
        let mut octets = serde_json::to_vec(self).expect("texts, numbers and lists of them can be written");
        octets.push(b'\n');
        octets
    }

    /// What is published at a path.
    pub fn slot(&self, path: &str) -> Option<&Listing> {
        let at = self.slots.binary_search_by(|slot| slot.path.as_str().cmp(path)).ok()?;
        Some(&self.slots[at])
    }

    /// Every CRL, with its path.
    pub fn issues(&self) -> impl Iterator<Item = (&Listing, IsDelta, &Issue)> {
        self.slots.iter().flat_map(|slot| {
            let delta = slot.delta.iter().map(move |delta| (slot, IsDelta::Yes, delta));
            std::iter::once((slot, IsDelta::No, &slot.full)).chain(delta)
        })
    }
}

impl Listing {
    /// The object in a store that has a CRL's octets.
    pub fn object(&self, is_delta: IsDelta) -> Option<ObjectName> {
        let issue = match is_delta {
            IsDelta::No => &self.full,
            IsDelta::Yes => self.delta.as_ref()?,
        };
        Some(ObjectName::crl(&self.path, is_delta, issue.number))
    }

    /// The DER of the distribution point's name; none: there is none, or it isn't base64.
    pub fn point(&self) -> Option<Vec<u8>> {
        STANDARD.decode(self.distribution_point.as_ref()?).ok()
    }
}

impl Issue {
    /// Whether these are its octets.
    pub fn is(&self, octets: &[u8]) -> bool {
        self.size == octets.len() as u64 && self.sha256.0 == sha256(&[octets])
    }
}

/// Whether CRLs may be published at a path: parts of plain characters between slashes, none of which leads out.
pub fn is_path(path: &str) -> bool {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_');
    let part = |part: &str| !part.is_empty() && part != "." && part != ".." && part.bytes().all(plain);
    path.len() <= PATH_LEN_MAX && path.split('/').all(part)
}

const VERSION: u32 = 1;
/// As long as `scope add` takes them.
const PATH_LEN_MAX: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(number: u64, base: Option<u64>) -> Issue {
        Issue {
            number: number.into(),
            base: base.map(CrlNumber::from),
            reflects: Some(At { epoch: Epoch(1), position: Position(number) }),
            this_update: "2026-11-20T00:00:00Z".parse().unwrap(),
            next_update: "2026-11-21T06:00:00Z".parse().unwrap(),
            size: 3,
            sha256: Hex(sha256(&[b"crl"])),
            url: "http://status.example/crl/x.crl".into(),
        }
    }

    fn listing(path: &str) -> Listing {
        let (full, delta) = (issue(7, None), Some(issue(9, Some(7))));
        Listing { path: path.into(), issuer: Some("card".into()), distribution_point: None, full, delta }
    }

    #[test]
    fn what_is_written_is_read_in_order_and_chained() {
        let time = "2026-11-20T00:00:00Z".parse().unwrap();
        let slots = vec![listing("b"), listing("a")];
        let index = Index::new(LedgerId([7; 16]), 9.into(), time, Some(sha256(&[b"before"])), slots);
        let octets = index.to_json();
        assert_eq!(Index::read(&octets).unwrap(), index);
        assert_eq!(index.slot("a").unwrap().object(IsDelta::Yes).unwrap().to_string(), "crl/a.9.delta.crl");
        assert!(index.slot("c").is_none());
        assert_eq!(index.issues().count(), 4);
        assert!(index.slots[0].full.is(b"crl") && !index.slots[0].full.is(b"crx"));
    }

    #[test]
    fn what_is_no_index_is_refused() {
        let time = "2026-11-20T00:00:00Z".parse().unwrap();
        let mut index = Index::new(LedgerId([7; 16]), 9.into(), time, None, vec![listing("a"), listing("b")]);
        index.slots.swap(0, 1);
        assert!(matches!(Index::read(&index.to_json()), Err(IndexError::Contents(_))));
        index.slots.truncate(1);
        for path in ["", "/a", "a/../b", "..", "a//b", "a b", "a\n"] {
            index.slots[0].path = path.into();
            assert!(matches!(Index::read(&index.to_json()), Err(IndexError::Contents(_))), "{path}");
        }
        index.slots[0].path = "a".into();
        index.slots[0].delta = Some(issue(9, None));
        assert!(matches!(Index::read(&index.to_json()), Err(IndexError::Contents(_))));
        index.version = 2;
        assert!(matches!(Index::read(&index.to_json()), Err(IndexError::Version(2))));
        assert!(matches!(Index::read(b"{}"), Err(IndexError::Form(_))));
    }
}
