//! Any request, read with `rasn` from declared types: what the recogniser leaves over, and what it is held against.
//!
//! Called by `read`. Lists are decoded element by element, so that a request over its limits is given up where it passes
//! them. `rasn` accepts a few BER spellings under DER; each structure is encoded again and compared, so that one request
//! has one reading. Two spellings that DER forbids and that do no harm are let through: a version or a `critical` that
//! states its default.

use std::borrow::Cow;

use rasn::prelude::*;
use rasn_pkix::AlgorithmIdentifier;

use super::request::Questions;
use super::write::tag;
use super::{Accepts, HashedIssuer, IssuerAsked, Malformed, Nonce, Parameters, Question, Request, SerialAsked};
use crate::asn1::raw::{contents, is_encoding_of};
use crate::asn1::{Oid, SignatureAlgorithm};
use crate::model::RequestLimits;

/// The request in `bytes`, which is all of them.
pub fn decode(bytes: &[u8], limits: RequestLimits) -> Result<Request<'_>, Malformed> {
    if bytes.len() > limits.octets_max {
        return Err(Malformed::TooLong);
    }
    // Garbage, truncation and trailing octets are seen here, before anything is copied.
    contents(tag::SEQUENCE, bytes).ok_or(Malformed::Syntax)?;
    let raw: RawRequest = all_of(bytes)?;
    let tbs = raw.tbs;
    if tbs.version.is_some_and(|version| version != Integer::from(0)) {
        return Err(Malformed::Version);
    }
    let questions = questions(list_in(&tbs.list)?, limits)?;
    let mut request = Request { questions, nonce: None, accepts: Accepts::Basic, preferred: Vec::new() };
    if let Some(extensions) = &tbs.extensions {
        read_extensions(list_in(extensions)?, &mut request)?;
    }
    Ok(request)
}

fn questions<'a>(list: &[u8], limits: RequestLimits) -> Result<Questions<'a>, Malformed> {
    let mut questions = Vec::new();
    for single in Elements::<RawSingle>::of(list) {
        let single = single?;
        if questions.len() == limits.questions_max {
            return Err(Malformed::TooManyQuestions);
        }
        if let Some(extensions) = &single.extensions {
            // None of them is acted upon: serviceLocator is for responders that route (RFC 6960 §4.4.6).
            for extension in bounded(list_in(extensions)?) {
                refuse_critical(&extension?)?;
            }
        }
        questions.push(question(single.cert_id.into_bytes())?);
    }
    match questions.len() {
        0 => Err(Malformed::NoQuestion),
        1 => Ok(Questions::One(questions.remove(0))),
        _ => Ok(Questions::Many(questions)),
    }
}

fn question<'a>(der: Vec<u8>) -> Result<Question<'a>, Malformed> {
    let raw: RawCertId = all_of(&der)?;
    let serial = contents(tag::INTEGER, raw.serial.as_bytes()).filter(|serial| !serial.is_empty());
    Ok(Question {
        serial: SerialAsked::of_integer(serial.ok_or(Malformed::Syntax)?),
        issuer: issuer_asked(&raw),
        cert_id: Cow::Owned(der),
    })
}

fn issuer_asked(raw: &RawCertId) -> IssuerAsked {
    let parameters = match raw.algorithm.parameters.as_ref().map(Any::as_bytes) {
        None => Parameters::Absent,
        Some([0x05, 0x00]) => Parameters::Null,
        Some(_) => return IssuerAsked::Other,
    };
    let (name, key) = (raw.name.as_ref(), raw.key.as_ref());
    let issuer = match &**raw.algorithm.algorithm {
        SHA1 => both(name, key).map(|(name, key)| HashedIssuer::Sha1 { name, key }),
        SHA256 => both(name, key).map(|(name, key)| HashedIssuer::Sha256 { name, key }),
        _ => None,
    };
    issuer.map_or(IssuerAsked::Other, |issuer| IssuerAsked::By(issuer, parameters))
}

fn both<const LENGTH: usize>(name: &[u8], key: &[u8]) -> Option<([u8; LENGTH], [u8; LENGTH])> {
    Some((name.try_into().ok()?, key.try_into().ok()?))
}

fn read_extensions(list: &[u8], request: &mut Request<'_>) -> Result<(), Malformed> {
    let (mut accepts, mut preferred) = (None, None);
    for extension in bounded(list) {
        let extension = extension?;
        let value: &[u8] = extension.value.as_ref();
        match &**extension.id {
            NONCE => once(&mut request.nonce, nonce(value)?)?,
            ACCEPTABLE_RESPONSES => once(&mut accepts, accepted(value)?)?,
            PREFERRED_ALGORITHMS => once(&mut preferred, preferred_algorithms(value)?)?,
            _ => refuse_critical(&extension)?,
        }
    }
    request.accepts = accepts.unwrap_or(Accepts::Basic);
    request.preferred = preferred.unwrap_or_default();
    Ok(())
}

fn once<T>(place: &mut Option<T>, value: T) -> Result<(), Malformed> {
    if place.replace(value).is_none() { Ok(()) } else { Err(Malformed::DuplicateExtension) }
}

fn refuse_critical(extension: &RawExtension) -> Result<(), Malformed> {
    if extension.critical == Some(true) { Err(Malformed::CriticalExtension) } else { Ok(()) }
}

fn nonce<'a>(value: &[u8]) -> Result<Nonce<'a>, Malformed> {
    // RFC 9654 §2.1: an OCTET STRING inside the extension's. What isn't wrapped so was never bound to any rule about its
    // length, and is refused with the rest.
    Nonce::new(contents(tag::OCTET_STRING, value).ok_or(Malformed::Nonce)?.to_vec())
}

fn accepted(value: &[u8]) -> Result<Accepts, Malformed> {
    let kinds: Vec<Oid> = extension_value(value)?;
    Ok(if kinds.iter().any(|kind| &***kind == BASIC) { Accepts::Basic } else { Accepts::OtherKinds })
}

fn preferred_algorithms(value: &[u8]) -> Result<Vec<SignatureAlgorithm>, Malformed> {
    let preferred: Vec<RawPreferred> = extension_value(value)?;
    Ok(preferred.iter().filter_map(|raw| SignatureAlgorithm::from_oid(&raw.signature.algorithm)).collect())
}

fn extension_value<T: Decode>(value: &[u8]) -> Result<T, Malformed> {
    if value.len() > EXTENSION_OCTETS_MAX {
        return Err(Malformed::Extension);
    }
    rasn::der::decode(value).map_err(|_| Malformed::Extension)
}

/// `OCSPRequest`; the signature stands there and is not looked at.
#[derive(AsnType, Debug, Decode, Encode)]
struct RawRequest {
    tbs: RawTbs,
    #[rasn(tag(explicit(0)))]
    signature: Option<Any>,
}

/// `TBSRequest`; the lists as they stand.
#[derive(AsnType, Debug, Decode, Encode)]
struct RawTbs {
    #[rasn(tag(explicit(0)))]
    version: Option<Integer>,
    #[rasn(tag(explicit(1)))]
    requestor_name: Option<Any>,
    list: Any,
    #[rasn(tag(explicit(2)))]
    extensions: Option<Any>,
}

/// `Request`.
#[derive(AsnType, Debug, Decode, Encode)]
struct RawSingle {
    cert_id: Any,
    #[rasn(tag(explicit(0)))]
    extensions: Option<Any>,
}

/// `CertID`; the serial as it stands, for a number has one form only.
#[derive(AsnType, Debug, Decode, Encode)]
struct RawCertId {
    algorithm: AlgorithmIdentifier,
    name: OctetString,
    key: OctetString,
    serial: Any,
}

/// `Extension`.
#[derive(AsnType, Debug, Decode, Encode)]
struct RawExtension {
    id: ObjectIdentifier,
    critical: Option<bool>,
    value: OctetString,
}

/// `PreferredSignatureAlgorithm`.
#[derive(AsnType, Debug, Decode, Encode)]
struct RawPreferred {
    signature: AlgorithmIdentifier,
    key: Option<Any>,
}

/// The elements of a list, each in its one form; ends after the first that isn't.
struct Elements<'a, T> {
    rest: &'a [u8],
    element: std::marker::PhantomData<T>,
}

impl<'a, T> Elements<'a, T> {
    fn of(list: &'a [u8]) -> Self {
        Self { rest: list, element: std::marker::PhantomData }
    }
}

impl<T: Decode + Encode> Iterator for Elements<'_, T> {
    type Item = Result<T, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let (whole, element) = (self.rest, rasn::der::decode_with_remainder::<T>(self.rest));
        let Ok((element, rest)) = element else {
            self.rest = &[];
            return Some(Err(Malformed::Syntax));
        };
        self.rest = rest;
        let octets = &whole[..whole.len() - rest.len()];
        Some(if is_encoding_of(octets, &element) { Ok(element) } else { Err(Malformed::Syntax) })
    }
}

/// The extensions of a list, and an error in the place of the first that is one too many.
fn bounded(list: &[u8]) -> impl Iterator<Item = Result<RawExtension, Malformed>> {
    let extensions = Elements::<RawExtension>::of(list).enumerate();
    extensions.map(|(at, extension)| if at < EXTENSIONS_MAX { extension } else { Err(Malformed::TooManyExtensions) })
}

fn all_of<T: Decode + Encode>(der: &[u8]) -> Result<T, Malformed> {
    let decoded = rasn::der::decode(der).map_err(|_| Malformed::Syntax)?;
    if is_encoding_of(der, &decoded) { Ok(decoded) } else { Err(Malformed::Syntax) }
}

fn list_in(list: &Any) -> Result<&[u8], Malformed> {
    contents(tag::SEQUENCE, list.as_bytes()).ok_or(Malformed::Syntax)
}

const SHA1: &[u32] = &[1, 3, 14, 3, 2, 26];
const SHA256: &[u32] = &[2, 16, 840, 1, 101, 3, 4, 2, 1];
const BASIC: &[u32] = &[1, 3, 6, 1, 5, 5, 7, 48, 1, 1];
const NONCE: &[u32] = &[1, 3, 6, 1, 5, 5, 7, 48, 1, 2];
const ACCEPTABLE_RESPONSES: &[u32] = &[1, 3, 6, 1, 5, 5, 7, 48, 1, 4];
const PREFERRED_ALGORITHMS: &[u32] = &[1, 3, 6, 1, 5, 5, 7, 48, 1, 8];
/// RFC 6960 §4.4 knows seven; the rest is room.
const EXTENSIONS_MAX: usize = 16;
/// A list of every algorithm that there is takes less.
const EXTENSION_OCTETS_MAX: usize = 1024;
