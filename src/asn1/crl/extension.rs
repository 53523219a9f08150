//! One extension, of a CRL or of an entry: its octets, and what is found when it is read.

use super::CrlError;
use super::cursor::Cursor;
use super::date;
use super::write::{self, element_len, tag};
use crate::model::Time;

/// Whether who doesn't know it may ignore it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    Critical,
    Ordinary,
}

/// An extension that was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'a> {
    /// Its object identifier, as a whole element.
    pub id: &'a [u8],
    pub weight: Weight,
    /// The contents of its OCTET STRING.
    pub value: Cursor<'a>,
    pub at: usize,
}

/// The extensions that were read before.
#[derive(Default)]
pub(super) struct Seen<'a> {
    ids: [&'a [u8]; EXTENSIONS_MAX],
    count: usize,
}

impl<'a> Seen<'a> {
    /// Notes one that must not have been there before.
    pub fn add(&mut self, found: &Found<'a>) -> Result<(), CrlError> {
        if self.ids[..self.count].contains(&found.id) {
            return Err(CrlError::DuplicateExtension { at: found.at });
        }
        let place = self.ids.get_mut(self.count);
        *place.ok_or(CrlError::Malformed { part: "a list of too many extensions", at: found.at })? = found.id;
        self.count += 1;
        Ok(())
    }
}

/// The octets of a whole extension with a value of that length.
pub(super) fn len(id: &[u8], weight: Weight, value: usize) -> usize {
    element_len(contents_len(id, weight, value))
}

pub(super) fn write(out: &mut Vec<u8>, id: &[u8], weight: Weight, value: &[u8]) {
    write::header(out, tag::SEQUENCE, contents_len(id, weight, value.len()));
    out.extend_from_slice(id);
    if weight == Weight::Critical {
        out.extend_from_slice(&TRUE);
    }
    write::element(out, tag::OCTET_STRING, value);
}

/// The next of a list.
pub(super) fn read<'a>(list: &mut Cursor<'a>) -> Result<Found<'a>, CrlError> {
    const PART: &str = "an extension";
    let at = list.at();
    let mut inside = list.enter(tag::SEQUENCE, PART)?;
    let id = inside.element(TAG_OID, PART)?;
    if !is_identifier(&id[2..]) {
        return Err(CrlError::Malformed { part: "an object identifier", at });
    }
    let weight = if inside.is_next(tag::BOOLEAN) {
        // FALSE is the default, and so has no octets in DER.
        if inside.contents(tag::BOOLEAN, PART)? != [TRUE[2]] {
            return Err(CrlError::Malformed { part: PART, at });
        }
        Weight::Critical
    } else {
        Weight::Ordinary
    };
    let value = inside.enter(tag::OCTET_STRING, PART)?;
    inside.end(PART)?;
    Ok(Found { id, weight, value, at })
}

/// The GeneralizedTime that is all of a value.
pub(super) fn generalized(mut value: Cursor<'_>) -> Result<Time, CrlError> {
    const PART: &str = "a date in an extension";
    let at = value.at();
    let contents = value.contents(tag::GENERALIZED_TIME, PART)?;
    value.end(PART)?;
    date::generalized_time(contents).ok_or(CrlError::Malformed { part: PART, at })
}

/// Numbers of seven bits to the octet, each in its shortest form and complete (X.690 §8.19).
fn is_identifier(contents: &[u8]) -> bool {
    let starts = contents.iter().zip([0].iter().chain(contents)).filter(|(_, before)| **before < 0x80);
    contents.last().is_some_and(|last| *last < 0x80) && starts.map(|(first, _)| first).all(|first| *first != 0x80)
}

fn contents_len(id: &[u8], weight: Weight, value: usize) -> usize {
    let critical = if weight == Weight::Critical { TRUE.len() } else { 0 };
    id.len() + critical + element_len(value)
}

/// Object identifiers as whole elements (RFC 5280 §5.2, §5.3; X.509 §9.5.2.12 for the expired).
pub(super) mod id {
    /// id-ce-cRLNumber, 2.5.29.20.
    pub const NUMBER: &[u8] = &[6, 3, 0x55, 0x1d, 20];
    /// id-ce-cRLReasons.
    pub const REASON_CODE: &[u8] = &[6, 3, 0x55, 0x1d, 21];
    /// id-ce-invalidityDate.
    pub const INVALIDITY_DATE: &[u8] = &[6, 3, 0x55, 0x1d, 24];
    /// id-ce-deltaCRLIndicator.
    pub const DELTA: &[u8] = &[6, 3, 0x55, 0x1d, 27];
    /// id-ce-issuingDistributionPoint.
    pub const ISSUING_POINT: &[u8] = &[6, 3, 0x55, 0x1d, 28];
    /// id-ce-certificateIssuer.
    pub const CERTIFICATE_ISSUER: &[u8] = &[6, 3, 0x55, 0x1d, 29];
    /// id-ce-authorityKeyIdentifier.
    pub const AUTHORITY_KEY: &[u8] = &[6, 3, 0x55, 0x1d, 35];
    /// id-ce-freshestCRL.
    pub const FRESHEST: &[u8] = &[6, 3, 0x55, 0x1d, 46];
    /// id-ce-expiredCertsOnCRL.
    pub const EXPIRED: &[u8] = &[6, 3, 0x55, 0x1d, 60];
    /// This house's own, 2.999.392.3.1. Not of the arc under which everybody may number (2.25): its numbers have 128 bits,
    /// and readers that keep 31 or 32 of them (Go's, rasn) refuse the whole CRL.
    pub const REFLECTS: &[u8] = &[6, 6, 0x88, 0x37, 0x83, 0x08, 3, 1];
}

const TRUE: [u8; 3] = [tag::BOOLEAN, 1, 0xff];
const TAG_OID: u8 = 0x06;
/// RFC 5280 knows seven of a CRL and four of an entry.
const EXTENSIONS_MAX: usize = 24;
