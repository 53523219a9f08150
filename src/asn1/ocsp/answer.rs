//! Reading a reply, as a verifier gets it. Used by whoever checks a certificate; the responder never reads its own.
//!
//! Checks form, never trust: who signed it and whether they may is for the caller, who finds everything here for it.

use rasn::prelude::*;
use rasn_pkix::Extension;

use super::{CertStatus, ErrorReply, ResponderId, write};
use crate::asn1::raw::{contents, whole_octets};
use crate::asn1::validity::generalized;
use crate::asn1::{Asn1Error, Name, PublicKey, SignatureAlgorithm, verifies};
use crate::model::{Listed, Reason, Time};

/// A reply that was read.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answers, signed.
    Basic(Answer),
    /// The responder doesn't answer.
    Error(ErrorReply),
}

/// What is signed, and by whom it says it is.
#[derive(Clone, Debug)]
pub struct Answer {
    /// When it was signed.
    pub produced_at: Time,
    /// One for each question, perhaps more.
    pub singles: Vec<Single>,
    /// The nonce that it repeats.
    pub nonce: Option<Vec<u8>>,
    /// Certificates that came with it, each in DER.
    pub certificates: Vec<Vec<u8>>,
    /// With which algorithm it is signed; none: not one of ours.
    pub algorithm: Option<SignatureAlgorithm>,
    responder: Vec<u8>,
    signature: Vec<u8>,
    tbs: Vec<u8>,
}

/// What is said of one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Single {
    /// The CertID, octet for octet.
    pub cert_id: Vec<u8>,
    /// What is so.
    pub status: CertStatus,
    /// When it was known to be so.
    pub this_update: Time,
    /// Until when it may be relied on; none: nobody says.
    pub next_update: Option<Time>,
}

impl Reply {
    /// The one reply that these octets are.
    pub fn read(octets: &[u8]) -> Result<Self, Asn1Error> {
        let raw: RawReply = rasn::der::decode(octets).map_err(Asn1Error::malformed(PART))?;
        let status = contents(TAG_ENUMERATED, raw.status.as_bytes()).ok_or(Asn1Error::NotDer(PART))?;
        let error = match status {
            [0] => None,
            [1] => Some(ErrorReply::MalformedRequest),
            [2] => Some(ErrorReply::InternalError),
            [3] => Some(ErrorReply::TryLater),
            [5] => Some(ErrorReply::SigRequired),
            [6] => Some(ErrorReply::Unauthorized),
            _ => return Err(Asn1Error::wrong(PART, "a status that is none")),
        };
        match (error, raw.bytes) {
            (Some(error), _) => Ok(Self::Error(error)),
            (None, None) => Err(Asn1Error::wrong(PART, "successful, and without an answer")),
            (None, Some(bytes)) => Answer::read(&bytes).map(Self::Basic),
        }
    }
}

impl Answer {
    fn read(bytes: &RawBytes) -> Result<Self, Asn1Error> {
        if *bytes.kind != *BASIC {
            return Err(Asn1Error::wrong(PART, "not of the basic kind"));
        }
        let basic: RawBasic = rasn::der::decode(&bytes.response).map_err(Asn1Error::malformed("the basic reply"))?;
        let data: RawData = rasn::der::decode(basic.tbs.as_bytes()).map_err(Asn1Error::malformed("the answers"))?;
        let mut nonce = None;
        for extension in data.extensions.iter().flatten() {
            if *extension.extn_id == *NONCE {
                let octets: OctetString =
                    rasn::der::decode(&extension.extn_value).map_err(Asn1Error::malformed("the reply's nonce"))?;
                if nonce.replace(octets.to_vec()).is_some() {
                    return Err(Asn1Error::DuplicateExtension(extension.extn_id.to_string()));
                }
            } else {
                no_unknown_critical(extension)?;
            }
        }
        Ok(Self {
            produced_at: generalized("producedAt", data.produced_at.as_bytes())?,
            singles: data.responses.iter().map(Single::of).collect::<Result<_, _>>()?,
            nonce,
            certificates: basic.certificates.into_iter().flatten().map(Any::into_bytes).collect(),
            algorithm: SignatureAlgorithm::from_identifier(basic.algorithm.as_bytes()),
            responder: data.responder.into_bytes(),
            signature: whole_octets(&basic.signature, "the reply's signature")?,
            tbs: basic.tbs.into_bytes(),
        })
    }

    /// Whether it says that it comes from whoever has that name and key.
    pub fn is_by(&self, name: &Name, key: &PublicKey) -> bool {
        let ids = [ResponderId::by_key(key), ResponderId::by_name(name)];
        ids.iter().any(|id| id.as_der() == self.responder)
    }

    /// Whether that key signed it.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        self.algorithm.is_some_and(|algorithm| verifies(key, algorithm, &self.tbs, &self.signature))
    }
}

impl Single {
    fn of(raw: &RawSingle) -> Result<Self, Asn1Error> {
        raw.extensions.iter().flatten().try_for_each(no_unknown_critical)?;
        Ok(Self {
            cert_id: raw.cert_id.as_bytes().to_vec(),
            status: status(raw.status.as_bytes())?,
            this_update: generalized("thisUpdate", raw.this_update.as_bytes())?,
            next_update: raw.next_update.as_ref().map(|time| generalized("nextUpdate", time.as_bytes())).transpose()?,
        })
    }
}

fn no_unknown_critical(extension: &Extension) -> Result<(), Asn1Error> {
    if extension.critical {
        return Err(Asn1Error::wrong(PART, "a critical extension that this program does not know"));
    }
    Ok(())
}

fn status(der: &[u8]) -> Result<CertStatus, Asn1Error> {
    const PART: &str = "a certificate's status";
    match der {
        [TAG_GOOD, 0] => return Ok(CertStatus::Good),
        [TAG_UNKNOWN, 0] => return Ok(CertStatus::Unknown),
        _ => {}
    }
    let inside = contents(write::tag::CONTEXT_1, der).ok_or(Asn1Error::NotDer(PART))?;
    let (time, rest) = inside.split_at_checked(write::TIME_LEN).ok_or(Asn1Error::NotDer(PART))?;
    let at = generalized("revocationTime", time)?;
    let listed = match rest {
        [] => Some(Listed::Revoked(Reason::Unspecified)),
        [write::tag::CONTEXT_0, 3, TAG_ENUMERATED, 1, code] => Listed::of_code(*code),
        _ => return Err(Asn1Error::NotDer(PART)),
    };
    match listed {
        Some(Listed::Held) => Ok(CertStatus::Held { since: at }),
        Some(Listed::Revoked(reason)) => Ok(CertStatus::Revoked { at, reason }),
        Some(Listed::Removed) | None => Err(Asn1Error::wrong(PART, "a reason that is none")),
    }
}

/// `OCSPResponse`.
#[derive(AsnType, Clone, Debug, Decode)]
struct RawReply {
    status: Any,
    #[rasn(tag(explicit(0)))]
    bytes: Option<RawBytes>,
}

/// `ResponseBytes`.
#[derive(AsnType, Clone, Debug, Decode)]
struct RawBytes {
    kind: ObjectIdentifier,
    response: OctetString,
}

/// `BasicOCSPResponse`.
#[derive(AsnType, Clone, Debug, Decode)]
struct RawBasic {
    tbs: Any,
    algorithm: Any,
    signature: BitString,
    #[rasn(tag(explicit(0)))]
    certificates: Option<SequenceOf<Any>>,
}

/// `ResponseData`.
#[derive(AsnType, Clone, Debug, Decode)]
struct RawData {
    #[rasn(tag(explicit(0)))]
    _version: Option<Integer>,
    responder: Any,
    produced_at: Any,
    responses: SequenceOf<RawSingle>,
    #[rasn(tag(explicit(1)))]
    extensions: Option<SequenceOf<Extension>>,
}

/// `SingleResponse`.
#[derive(AsnType, Clone, Debug, Decode)]
struct RawSingle {
    cert_id: Any,
    status: Any,
    this_update: Any,
    #[rasn(tag(explicit(0)))]
    next_update: Option<Any>,
    #[rasn(tag(explicit(1)))]
    extensions: Option<SequenceOf<Extension>>,
}

const PART: &str = "the OCSP reply";
const BASIC: &Oid = Oid::const_new(&[1, 3, 6, 1, 5, 5, 7, 48, 1, 1]);
const NONCE: &Oid = Oid::const_new(&[1, 3, 6, 1, 5, 5, 7, 48, 1, 2]);
const TAG_ENUMERATED: u8 = 0x0a;
const TAG_GOOD: u8 = 0x80;
const TAG_UNKNOWN: u8 = 0x82;

#[cfg(test)]
mod tests {
    use super::super::{Credentials, NotIssued, ResponseData, SingleExtensions, SingleResponse, cert_id};
    use super::super::{HashedIssuer, Nonce, Parameters};
    use super::*;
    use crate::model::Serial;

    fn reply(status: CertStatus) -> Vec<u8> {
        let issuer = HashedIssuer::Sha256 { name: [3; 32], key: [4; 32] };
        let id = cert_id(&issuer, Parameters::Absent, &Serial::from_unsigned(&[7]).unwrap());
        let time = |text: &str| text.parse().unwrap();
        let single = SingleResponse {
            cert_id: &id,
            status,
            this_update: time("2026-11-20T00:00:00Z"),
            next_update: time("2026-11-20T00:10:00Z"),
            extensions: SingleExtensions { archive_cutoff: Some(time("2020-01-01T00:00:00Z")), ..Default::default() },
        };
        let nonce = Nonce::new(vec![5; 16]).unwrap();
        let data = ResponseData {
            responder: &ResponderId::of_key_hash(&[6; 20]),
            produced_at: time("2026-11-20T00:00:01Z"),
            responses: &[single],
            nonce: Some(&nonce),
            not_issued: NotIssued::Revoked,
        };
        let certificate = [0x30, 0x00];
        data.response(&Credentials::new(SignatureAlgorithm::EcdsaSha256, &[&certificate]), &[1, 2, 3])
    }

    #[test]
    fn what_the_responder_writes_is_read() {
        let at = "2026-11-19T00:00:00Z".parse().unwrap();
        let revoked = |reason| CertStatus::Revoked { at, reason };
        let states = [CertStatus::Good, CertStatus::Unknown, CertStatus::Held { since: at }];
        for status in states.into_iter().chain(Reason::ALL.map(revoked)) {
            let Reply::Basic(answer) = Reply::read(&reply(status)).unwrap() else { panic!("{status:?}") };
            assert_eq!(answer.singles[0].status, status);
            assert_eq!(answer.singles[0].next_update.unwrap().to_string(), "2026-11-20T00:10:00Z");
            assert_eq!((answer.nonce.as_deref(), answer.certificates.len()), (Some(&[5; 16][..]), 1));
            assert_eq!(answer.algorithm, Some(SignatureAlgorithm::EcdsaSha256));
        }
    }

    #[test]
    fn errors_are_read_and_everything_else_is_refused() {
        let later = Reply::read(&[0x30, 3, 0x0a, 1, 3]).unwrap();
        assert!(matches!(later, Reply::Error(ErrorReply::TryLater)));
        let good = reply(CertStatus::Good);
        for wrong in [&[0x30, 3, 0x0a, 1, 4][..], &[0x30, 3, 0x0a, 1, 0], &good[..good.len() - 1], b"<html>", b""] {
            assert!(Reply::read(wrong).is_err(), "{wrong:02x?}");
        }
        let trailing = [&good[..], &[0]].concat();
        assert!(Reply::read(&trailing).is_err());
    }
}
