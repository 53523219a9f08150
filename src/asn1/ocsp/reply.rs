//! Replies: what is answered, the octets to be signed, and the whole OCSPResponse around a signature.
//!
//! The responder states its answers as [`ResponseData`]. For a new reply it signs [`ResponseData::to_be_signed`] and puts
//! the same octets into [`Credentials::response`]; for a kept one it states what was signed once more and calls
//! [`ResponseData::response`], which writes everything straight into one buffer of the exact length.

use super::write::{self, TIME_LEN, element_len, id, tag};
use super::{Credentials, Nonce, ResponderId};
use crate::asn1::Asn1Error;
use crate::model::{Reason, Time};

/// Everything in a reply that is signed.
#[derive(Clone, Copy, Debug)]
pub struct ResponseData<'a> {
    /// Who answers.
    pub responder: &'a ResponderId,
    /// When it was signed.
    pub produced_at: Time,
    /// One answer for each question, in the order of the questions (RFC 6960 §4.2.2.3).
    pub responses: &'a [SingleResponse<'a>],
    /// The request's.
    pub nonce: Option<&'a Nonce<'a>>,
    /// How certificates that were never issued are answered.
    pub not_issued: NotIssued,
}

/// The answer to one question.
#[derive(Clone, Copy, Debug)]
pub struct SingleResponse<'a> {
    /// The DER of the CertID as it was asked.
    pub cert_id: &'a [u8],
    /// What is so.
    pub status: CertStatus,
    /// When it was known to be so.
    pub this_update: Time,
    /// Until when the answer may be relied on; always there (RFC 9919 §3.2.4).
    pub next_update: Time,
    /// What else is said about it.
    pub extensions: SingleExtensions<'a>,
}

/// The status of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CertStatus {
    /// Issued, not held, not revoked.
    Good,
    /// Suspended: revoked with the reason certificateHold, for clients know no other way to say it.
    Held {
        /// From when.
        since: Time,
    },
    /// For good.
    Revoked {
        /// From when.
        at: Time,
        /// Why; `Unspecified` is said by leaving the reason out (RFC 5280 §5.3.1).
        reason: Reason,
    },
    /// Not one of this issuer's.
    Unknown,
}

/// Whether the responder answers "revoked" for what was never issued (RFC 6960 §2.2), which it must then say in every
/// such reply (§4.4.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum NotIssued {
    /// The reply carries extended-revoke.
    Revoked,
    /// As unknown; nothing to be said.
    #[default]
    Unknown,
}

/// Extensions of one answer; none is critical, for some clients refuse those.
#[derive(Clone, Copy, Debug, Default)]
pub struct SingleExtensions<'a> {
    /// Statuses are kept for certificates that expired after this time (RFC 6960 §4.4.4).
    pub archive_cutoff: Option<Time>,
    /// The CRL on which the revocation stands (RFC 6960 §4.4.2).
    pub crl: Option<CrlReference<'a>>,
    /// When the key was lost, or is feared to have been (RFC 5280 §5.3.2, RFC 6960 §4.4.5).
    pub invalidity_date: Option<Time>,
}

/// A CRL by its URL, its number and its time.
#[derive(Clone, Copy, Debug)]
pub struct CrlReference<'a> {
    url: &'a str,
    number: &'a [u8],
    time: Time,
}

impl<'a> CrlReference<'a> {
    /// The CRL at `url` with `number` (unsigned, big-endian) and that thisUpdate.
    pub fn new(url: &'a str, number: &'a [u8], time: Time) -> Result<Self, Asn1Error> {
        if !url.is_ascii() {
            return Err(Asn1Error::Text { kind: "IA5String", text: url.escape_debug().to_string() });
        }
        let zeros = number.iter().take_while(|octet| **octet == 0).count();
        Ok(Self { url, number: &number[zeros..], time })
    }

    /// A zero octet for the sign, where the number begins with its top bit or is zero.
    fn number_len(&self) -> usize {
        usize::from(self.number.first().is_none_or(|first| first & 0x80 != 0)) + self.number.len()
    }

    fn contents_len(&self) -> usize {
        element_len(element_len(self.url.len())) + element_len(element_len(self.number_len())) + element_len(TIME_LEN)
    }

    fn write(&self, out: &mut Vec<u8>) {
        write::header(out, tag::SEQUENCE, self.contents_len());
        write::header(out, tag::CONTEXT_0, element_len(self.url.len()));
        write::element(out, tag::IA5_STRING, self.url.as_bytes());
        write::header(out, tag::CONTEXT_1, element_len(self.number_len()));
        write::header(out, tag::INTEGER, self.number_len());
        out.extend_from_slice(&[0][..self.number_len() - self.number.len()]);
        out.extend_from_slice(self.number);
        write::header(out, tag::CONTEXT_2, TIME_LEN);
        write::time(out, self.time);
    }
}

impl ResponseData<'_> {
    /// The DER of the ResponseData: what the responder signs.
    pub fn to_be_signed(&self) -> Vec<u8> {
        let lengths = self.lengths();
        let mut out = Vec::with_capacity(element_len(lengths.contents()));
        self.write(lengths, &mut out);
        out
    }

    /// The whole reply, with the signature that was made of `to_be_signed`: of an ECDSA key in its ASN.1 form, of an RSA
    /// key as it is.
    pub fn response(&self, credentials: &Credentials, signature: &[u8]) -> Vec<u8> {
        let lengths = self.lengths();
        let tbs = element_len(lengths.contents());
        credentials.assemble(tbs, signature, |out| self.write(lengths, out))
    }

    fn lengths(&self) -> DataLengths {
        let extensions = self.extensions_len();
        DataLengths {
            responder: self.responder.as_der().len(),
            list: self.responses.iter().map(|single| element_len(single.contents_len())).sum(),
            extensions,
        }
    }

    /// The contents of the extensions' SEQUENCE.
    fn extensions_len(&self) -> usize {
        let nonce = self.nonce.map_or(0, |nonce| extension_len(id::NONCE, element_len(nonce.as_octets().len())));
        match self.not_issued {
            NotIssued::Revoked => nonce + extension_len(id::EXTENDED_REVOKE, NULL.len()),
            NotIssued::Unknown => nonce,
        }
    }

    fn write(&self, lengths: DataLengths, out: &mut Vec<u8>) {
        write::header(out, tag::SEQUENCE, lengths.contents());
        out.extend_from_slice(self.responder.as_der());
        write::time(out, self.produced_at);
        write::header(out, tag::SEQUENCE, lengths.list);
        for single in self.responses {
            single.write(out);
        }
        if lengths.extensions > 0 {
            write::header(out, tag::CONTEXT_1, element_len(lengths.extensions));
            write::header(out, tag::SEQUENCE, lengths.extensions);
            if let Some(nonce) = self.nonce {
                let octets = nonce.as_octets();
                write_extension(out, id::NONCE, element_len(octets.len()));
                write::element(out, tag::OCTET_STRING, octets);
            }
            if self.not_issued == NotIssued::Revoked {
                write_extension(out, id::EXTENDED_REVOKE, NULL.len());
                out.extend_from_slice(&NULL);
            }
        }
    }
}

impl Credentials {
    /// The whole reply around `tbs`, the octets that were signed.
    pub fn response(&self, tbs: &[u8], signature: &[u8]) -> Vec<u8> {
        self.assemble(tbs.len(), signature, |out| out.extend_from_slice(tbs))
    }

    fn assemble(&self, tbs_len: usize, signature: &[u8], write_tbs: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let (algorithm, certificates) = (self.algorithm_der(), self.certificates_der());
        let basic = tbs_len + algorithm.len() + element_len(1 + signature.len()) + certificates.len();
        let bytes = id::BASIC.len() + element_len(element_len(basic));
        let contents = SUCCESSFUL.len() + element_len(element_len(bytes));
        let length = element_len(contents);
        let mut out = Vec::with_capacity(length);
        write::header(&mut out, tag::SEQUENCE, contents);
        out.extend_from_slice(&SUCCESSFUL);
        write::header(&mut out, tag::CONTEXT_0, element_len(bytes));
        write::header(&mut out, tag::SEQUENCE, bytes);
        out.extend_from_slice(id::BASIC);
        write::header(&mut out, tag::OCTET_STRING, element_len(basic));
        write::header(&mut out, tag::SEQUENCE, basic);
        write_tbs(&mut out);
        out.extend_from_slice(algorithm);
        write::header(&mut out, tag::BIT_STRING, 1 + signature.len());
        out.push(NO_UNUSED_BITS);
        out.extend_from_slice(signature);
        out.extend_from_slice(certificates);
        debug_assert_eq!(out.len(), length, "what is written has the length that was announced");
        out
    }
}

impl SingleResponse<'_> {
    fn contents_len(&self) -> usize {
        let extensions = match self.extensions.len() {
            0 => 0,
            length => element_len(element_len(length)),
        };
        self.cert_id.len() + self.status.len() + TIME_LEN + element_len(TIME_LEN) + extensions
    }

    fn write(&self, out: &mut Vec<u8>) {
        write::header(out, tag::SEQUENCE, self.contents_len());
        out.extend_from_slice(self.cert_id);
        self.status.write(out);
        write::time(out, self.this_update);
        write::header(out, tag::CONTEXT_0, TIME_LEN);
        write::time(out, self.next_update);
        self.extensions.write(out);
    }
}

impl CertStatus {
    /// When and, if it is said, why.
    fn revocation(self) -> Option<(Time, Option<u8>)> {
        match self {
            Self::Good | Self::Unknown => None,
            Self::Held { since } => Some((since, Some(CERTIFICATE_HOLD))),
            Self::Revoked { at, reason: Reason::Unspecified } => Some((at, None)),
            Self::Revoked { at, reason } => Some((at, Some(reason.code()))),
        }
    }

    fn len(self) -> usize {
        match self.revocation() {
            None => 2,
            Some((_, None)) => element_len(TIME_LEN),
            Some((_, Some(_))) => element_len(TIME_LEN + REASON_LEN),
        }
    }

    fn write(self, out: &mut Vec<u8>) {
        let Some((at, reason)) = self.revocation() else {
            let tag = if self == Self::Good { TAG_GOOD } else { TAG_UNKNOWN };
            return out.extend_from_slice(&[tag, 0]);
        };
        write::header(out, tag::CONTEXT_1, self.len() - 2);
        write::time(out, at);
        if let Some(code) = reason {
            out.extend_from_slice(&[tag::CONTEXT_0, 3, TAG_ENUMERATED, 1, code]);
        }
    }
}

impl SingleExtensions<'_> {
    /// The contents of the extensions' SEQUENCE.
    fn len(&self) -> usize {
        let time = |id, time: Option<Time>| time.map_or(0, |_| extension_len(id, TIME_LEN));
        time(id::ARCHIVE_CUTOFF, self.archive_cutoff)
            + self.crl.map_or(0, |crl| extension_len(id::CRL, element_len(crl.contents_len())))
            + time(id::INVALIDITY_DATE, self.invalidity_date)
    }

    fn write(&self, out: &mut Vec<u8>) {
        let length = self.len();
        if length == 0 {
            return;
        }
        write::header(out, tag::CONTEXT_1, element_len(length));
        write::header(out, tag::SEQUENCE, length);
        if let Some(cutoff) = self.archive_cutoff {
            write_extension(out, id::ARCHIVE_CUTOFF, TIME_LEN);
            write::time(out, cutoff);
        }
        if let Some(crl) = self.crl {
            write_extension(out, id::CRL, element_len(crl.contents_len()));
            crl.write(out);
        }
        if let Some(date) = self.invalidity_date {
            write_extension(out, id::INVALIDITY_DATE, TIME_LEN);
            write::time(out, date);
        }
    }
}

/// The lengths inside a ResponseData, computed once for a reply.
#[derive(Clone, Copy)]
struct DataLengths {
    responder: usize,
    list: usize,
    extensions: usize,
}

impl DataLengths {
    fn contents(self) -> usize {
        let extensions = if self.extensions == 0 { 0 } else { element_len(element_len(self.extensions)) };
        self.responder + TIME_LEN + element_len(self.list) + extensions
    }
}

/// A whole extension that isn't critical, with a value of that length.
fn extension_len(id: &[u8], value: usize) -> usize {
    element_len(id.len() + element_len(value))
}

/// An extension up to its value.
fn write_extension(out: &mut Vec<u8>, id: &[u8], value: usize) {
    write::header(out, tag::SEQUENCE, id.len() + element_len(value));
    out.extend_from_slice(id);
    write::header(out, tag::OCTET_STRING, value);
}

/// responseStatus.
const SUCCESSFUL: [u8; 3] = [TAG_ENUMERATED, 1, 0];
const TAG_ENUMERATED: u8 = 0x0a;
const TAG_GOOD: u8 = 0x80;
const TAG_UNKNOWN: u8 = 0x82;
const NULL: [u8; 2] = [0x05, 0x00];
const NO_UNUSED_BITS: u8 = 0;
/// RFC 5280 §5.3.1.
const CERTIFICATE_HOLD: u8 = 6;
/// `[0] EXPLICIT ENUMERATED` of one octet.
const REASON_LEN: usize = 5;
