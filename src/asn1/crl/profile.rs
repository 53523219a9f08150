//! Writing a CRL: what it says besides its entries, and the octets of all of it, hashed while they are written.
//!
//! The publisher calls [`CrlProfile::write`], has the hash signed, and calls [`UnsignedCrl::assemble`].

use aws_lc_rs::digest::{Context, Digest};

use super::entry::EntryWriter;
use super::extension::{self, Weight, id};
use super::extensions::{self, IssuingPoint, Reflects, integer};
use super::write::{self, element_len, tag};
use super::{CrlEntry, date};
use crate::asn1::{DistributionPointName, Name, SignatureAlgorithm};
use crate::model::{CrlNumber, Time};

/// What a CRL of this house says besides its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlProfile {
    /// With which algorithm it will be signed.
    pub algorithm: SignatureAlgorithm,
    /// Who signs it.
    pub issuer: Name,
    /// When what it says was known.
    pub this_update: Time,
    /// When the next one will be there, at the latest.
    pub next_update: Time,
    /// The identifier of the key that signs it.
    pub authority_key_id: Vec<u8>,
    /// Its number.
    pub number: CrlNumber,
    /// Complete, or what changed since a complete one.
    pub kind: CrlKind,
    /// Which certificates it speaks of; none: all of its issuer's.
    pub issuing_point: Option<IssuingPoint>,
    /// Certificates that expired at or after this time are still listed.
    pub expired_since: Option<Time>,
    /// Up to which event it speaks, if that is told.
    pub reflects: Option<Reflects>,
}

/// Complete, or what changed since a complete one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CrlKind {
    /// Everything that changed since the complete CRL with that number.
    Delta {
        /// Its number.
        base: CrlNumber,
    },
    /// Complete.
    Full {
        /// Where its deltas are, if it has any (RFC 5280 §5.2.6: in complete CRLs only).
        freshest: Option<DistributionPointName>,
    },
}

/// A CRL but for its signature.
pub struct UnsignedCrl {
    /// Room for the outermost header, then the tbsCertList, with room behind it for the signature.
    octets: Vec<u8>,
    reserved: usize,
    algorithm: SignatureAlgorithm,
    digest: Digest,
}

impl CrlProfile {
    /// Writes it with these entries, each certificate once, in this order: on an indirect CRL those of one issuer together.
    ///
    /// The entries are gone through twice, to measure and to write; peak memory is the CRL itself.
    pub fn write<'a, I>(&'a self, entries: I) -> UnsignedCrl
    where
        I: Iterator<Item = CrlEntry<'a>> + Clone,
    {
        let mut ruler = EntryWriter::new(self.issuer.as_der());
        let list: usize = entries.clone().map(|entry| ruler.measure(&entry)).sum();
        let (head, extensions) = (self.head(), self.extensions());
        // Absent when empty (RFC 5280 §5.1.2.6).
        let listed = if list == 0 { 0 } else { element_len(list) };
        let tail = element_len(element_len(extensions.len()));
        let contents = head.len() + listed + tail;
        let tbs = element_len(contents);
        let whole = tbs + self.algorithm.identifier_der().len() + signature_len_max(self.algorithm);
        // The outermost header, which the signature's length may still change.
        let reserved = element_len(whole) - whole;
        let mut out = Vec::with_capacity(reserved + whole);
        let mut hash = Hashed { context: Context::new(self.algorithm.digest()), upto: reserved };
        out.resize(reserved, 0);
        write::header(&mut out, tag::SEQUENCE, contents);
        out.extend_from_slice(&head);
        if list > 0 {
            write::header(&mut out, tag::SEQUENCE, list);
        }
        let mut writer = EntryWriter::new(self.issuer.as_der());
        entries.for_each(|entry| {
            writer.write(&mut out, &entry);
            hash.catch_up(&out, HASH_AT_ONCE);
        });
        write::header(&mut out, tag::CONTEXT_0, element_len(extensions.len()));
        write::element(&mut out, tag::SEQUENCE, &extensions);
        assert_eq!(out.len(), reserved + tbs, "what is written has the length that was announced");
        hash.catch_up(&out, 0);
        UnsignedCrl { octets: out, reserved, algorithm: self.algorithm, digest: hash.context.finish() }
    }

    /// Everything up to the list.
    fn head(&self) -> Vec<u8> {
        let mut out = VERSION_2.to_vec();
        out.extend_from_slice(&self.algorithm.identifier_der());
        out.extend_from_slice(self.issuer.as_der());
        let mut calendar = date::Calendar::new();
        for time in [self.this_update, self.next_update] {
            let mut buffer = [0; date::DATE_LEN_MAX];
            let length = calendar.put(&mut buffer, time);
            out.extend_from_slice(&buffer[..length]);
        }
        out
    }

    /// The contents of the extensions' SEQUENCE.
    fn extensions(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut number = Vec::new();
        integer(&mut number, self.number);
        let key = extensions::authority_key(&self.authority_key_id);
        extension::write(&mut out, id::AUTHORITY_KEY, Weight::Ordinary, &key);
        extension::write(&mut out, id::NUMBER, Weight::Ordinary, &number);
        if let CrlKind::Delta { base } = self.kind {
            let mut indicator = Vec::new();
            integer(&mut indicator, base);
            extension::write(&mut out, id::DELTA, Weight::Critical, &indicator);
        }
        if let Some(point) = &self.issuing_point {
            extension::write(&mut out, id::ISSUING_POINT, Weight::Critical, &point.encode());
        }
        if let CrlKind::Full { freshest: Some(place) } = &self.kind {
            extension::write(&mut out, id::FRESHEST, Weight::Ordinary, &extensions::freshest(place));
        }
        if let Some(since) = self.expired_since {
            extension::write(&mut out, id::EXPIRED, Weight::Ordinary, &date::generalized(since));
        }
        if let Some(reflects) = self.reflects {
            extension::write(&mut out, id::REFLECTS, Weight::Ordinary, &reflects.encode());
        }
        out
    }
}

impl UnsignedCrl {
    /// The hash that is to be signed.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The whole CRL, with the signature that was made of the hash.
    pub fn assemble(self, signature: &[u8]) -> Vec<u8> {
        let (mut out, algorithm) = (self.octets, self.algorithm.identifier_der());
        let contents = out.len() - self.reserved + algorithm.len() + element_len(1 + signature.len());
        let mut header = Vec::new();
        write::header(&mut header, tag::SEQUENCE, contents);
        if header.len() != self.reserved {
            // The signature is shorter than it might have been, and just so much that its length is told more shortly.
            out.splice(..self.reserved, header);
        } else {
            out[..self.reserved].copy_from_slice(&header);
        }
        out.extend_from_slice(&algorithm);
        write::header(&mut out, tag::BIT_STRING, 1 + signature.len());
        out.push(NO_UNUSED_BITS);
        out.extend_from_slice(signature);
        out
    }
}

/// The hash of what was written up to a place.
struct Hashed {
    context: Context,
    upto: usize,
}

impl Hashed {
    /// Takes in what was written since, if it is at least so much: little enough that it still lies in the nearest memory.
    #[inline]
    fn catch_up(&mut self, out: &[u8], at_least: usize) {
        if out.len() - self.upto >= at_least {
            self.context.update(&out[self.upto..]);
            self.upto = out.len();
        }
    }
}

/// The BIT STRING, in octets; an ECDSA signature in its ASN.1 form at its longest.
fn signature_len_max(algorithm: SignatureAlgorithm) -> usize {
    element_len(match algorithm {
        SignatureAlgorithm::EcdsaSha256 => 1 + 72,
        SignatureAlgorithm::EcdsaSha384 => 1 + 104,
        SignatureAlgorithm::RsaSha256 => 1 + 512,
    })
}

const HASH_AT_ONCE: usize = 16 * 1024;
/// INTEGER 1.
const VERSION_2: [u8; 3] = [tag::INTEGER, 1, 1];
const NO_UNUSED_BITS: u8 = 0;
