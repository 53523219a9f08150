//! Reading a CRL: everything but its entries at once, then the entries one by one, borrowed from its octets.
//!
//! The publisher's preflight, the shelf and whoever pulls or shows a CRL read with [`Crl::read`]. Checks form, never trust:
//! [`Crl::is_signed_by`] says whether a key signed it.

use aws_lc_rs::digest::digest;

use super::cursor::Cursor;
use super::entry::{EntryReader, date};
use super::write::tag;
use super::{CrlEntry, CrlError, CrlExtensions, PlainEntry};
use crate::asn1::{Name, PublicKey, SignatureAlgorithm, verifies_digest};
use crate::model::{CrlLimits, Time};

/// A CRL that was read.
#[derive(Clone, Debug)]
pub struct Crl<'a> {
    /// With which algorithm it is signed; none: not one of ours.
    pub signature_algorithm: Option<SignatureAlgorithm>,
    /// Who signed it, octet for octet.
    pub issuer: Name,
    /// When what it says was known.
    pub this_update: Time,
    /// When the next one will be there; RFC 5280 §5.1.2.5 wants it always.
    pub next_update: Time,
    /// Its extensions.
    pub extensions: CrlExtensions,
    /// The signature over the tbsCertList.
    pub signature: &'a [u8],
    tbs: &'a [u8],
    list: Cursor<'a>,
    own: &'a [u8],
    entries_max: usize,
}

/// The entries of a CRL, in their order. After an error there is nothing more.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    reader: EntryReader<'a>,
    list: Option<Cursor<'a>>,
    left: usize,
    entries_max: usize,
}

impl<'a> Crl<'a> {
    /// The one CRL in DER that these octets are. Its entries are read when they are gone through.
    pub fn read(octets: &'a [u8], limits: CrlLimits) -> Result<Self, CrlError> {
        if octets.len() > limits.octets_max {
            return Err(CrlError::TooLarge { octets: octets.len(), octets_max: limits.octets_max });
        }
        let mut whole = Cursor::new(octets);
        let mut parts = whole.enter(tag::SEQUENCE, WHOLE)?;
        whole.end(WHOLE)?;
        let mut ahead = parts;
        let tbs = ahead.element(tag::SEQUENCE, TBS)?;
        let mut inside = parts.enter(tag::SEQUENCE, TBS)?;
        let outer = parts.element(tag::SEQUENCE, "the signature algorithm")?;
        let at = parts.at();
        let bits = parts.contents(tag::BIT_STRING, "the signature")?;
        parts.end(WHOLE)?;
        let Some((&NO_UNUSED_BITS, signature)) = bits.split_first() else {
            return Err(CrlError::Malformed { part: "the signature", at });
        };
        if !inside.is_next(tag::INTEGER) || inside.contents(tag::INTEGER, "the version")? != [VERSION_2] {
            return Err(CrlError::NotVersion2);
        }
        if inside.element(tag::SEQUENCE, "the inner signature algorithm")? != outer {
            return Err(CrlError::AlgorithmMismatch);
        }
        let at = inside.at();
        let own = inside.element(tag::SEQUENCE, "the issuer")?;
        let issuer = Name::from_der(own)?;
        if issuer.is_empty() {
            return Err(CrlError::Malformed { part: "the issuer", at });
        }
        let (this_update, next_update) = (date(&mut inside)?, date(&mut inside)?);
        let list = list(&mut inside)?;
        let extensions = extensions(&mut inside)?;
        inside.end(TBS)?;
        let signature_algorithm = SignatureAlgorithm::from_identifier(outer);
        let entries_max = limits.entries_max;
        Ok(Self {
            signature_algorithm,
            issuer,
            this_update,
            next_update,
            extensions,
            signature,
            tbs,
            list,
            own,
            entries_max,
        })
    }

    /// Its entries, each read when its turn comes.
    pub fn entries(&self) -> Entries<'a> {
        let entries_max = self.entries_max;
        Entries { reader: EntryReader::new(self.own), list: Some(self.list), left: entries_max, entries_max }
    }

    /// Octets of the list: about how many entries to expect.
    pub fn list_len(&self) -> usize {
        self.list.rest().len()
    }

    /// The octets that are signed.
    pub fn tbs_der(&self) -> &'a [u8] {
        self.tbs
    }

    /// Whether that key signed it, by an algorithm that this house knows.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        self.signature_algorithm.is_some_and(|algorithm| {
            verifies_digest(key, algorithm, &digest(algorithm.digest(), self.tbs), self.signature)
        })
    }
}

impl Entries<'_> {
    /// The next entry, if it is a plain one. None: it is not, or there is none, and the place is kept.
    #[inline(always)]
    pub fn next_plain(&mut self) -> Option<PlainEntry> {
        let list = self.list.as_mut().filter(|list| !list.is_empty() && self.left > 0)?;
        let mut ahead = *list;
        let plain = self.reader.read_plain(&mut ahead)?;
        self.left -= 1;
        *list = ahead;
        Some(plain)
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<CrlEntry<'a>, CrlError>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let list = self.list.as_mut().filter(|list| !list.is_empty())?;
        if self.left == 0 {
            self.list = None;
            return Some(Err(CrlError::TooManyEntries { entries_max: self.entries_max }));
        }
        self.left -= 1;
        let read = self.reader.read(list);
        if read.is_err() {
            self.list = None;
        }
        Some(read)
    }
}

/// revokedCertificates: absent, or with at least one entry (RFC 5280 §5.1.2.6).
fn list<'a>(inside: &mut Cursor<'a>) -> Result<Cursor<'a>, CrlError> {
    if !inside.is_next(tag::SEQUENCE) {
        return Ok(Cursor::new(&[]));
    }
    let at = inside.at();
    let list = inside.enter(tag::SEQUENCE, LIST)?;
    if list.is_empty() { Err(CrlError::Malformed { part: LIST, at }) } else { Ok(list) }
}

fn extensions(inside: &mut Cursor<'_>) -> Result<CrlExtensions, CrlError> {
    const PART: &str = "the CRL's extensions";
    if inside.is_empty() {
        return Ok(CrlExtensions::default());
    }
    let mut tagged = inside.enter(tag::CONTEXT_0, PART)?;
    let list = tagged.enter(tag::SEQUENCE, PART)?;
    tagged.end(PART)?;
    CrlExtensions::read(list)
}

const WHOLE: &str = "the CRL";
const TBS: &str = "the tbsCertList";
const LIST: &str = "revokedCertificates";
const VERSION_2: u8 = 1;
const NO_UNUSED_BITS: u8 = 0;
