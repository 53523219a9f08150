//! A request as the responder sees it. The responder calls [`read`] for each.

use std::borrow::Cow;

use super::{IssuerAsked, Malformed, SerialAsked, decode, recognise};
use crate::asn1::SignatureAlgorithm;
use crate::model::RequestLimits;

/// One request: at least one question, and what its extensions ask for.
///
/// Who signed it or claims to have sent it is not kept: signatures and requestorName are ignored, as RFC 9919 §3.1.2
/// allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    pub(super) questions: Questions<'a>,
    /// To be repeated in the reply.
    pub nonce: Option<Nonce<'a>>,
    /// Which kinds of reply the client understands.
    pub accepts: Accepts,
    /// The client's preference among the algorithms that we sign with, best first (RFC 6960 §4.4.7); empty: none.
    pub preferred: Vec<SignatureAlgorithm>,
}

/// One question: the status of one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// The CertID's octets as they were asked, to be repeated in the answer.
    pub cert_id: Cow<'a, [u8]>,
    /// Whose certificate.
    pub issuer: IssuerAsked,
    /// Which of the issuer's.
    pub serial: SerialAsked,
}

/// A nonce of 1 to 128 octets (RFC 9654 §2.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Nonce<'a>(Cow<'a, [u8]>);

/// What AcceptableResponses says (RFC 6960 §4.4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Accepts {
    /// Basic replies, by naming them or by naming nothing.
    Basic,
    /// Only kinds that nobody makes.
    OtherKinds,
}

/// Nearly every request has one question: that one is kept without a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Questions<'a> {
    One(Question<'a>),
    /// Two or more.
    Many(Vec<Question<'a>>),
}

/// The request in `bytes`, which is all of them.
pub fn read(bytes: &[u8], limits: RequestLimits) -> Result<Request<'_>, Malformed> {
    match recognise(bytes, limits) {
        Some(request) => Ok(request),
        None => decode(bytes, limits),
    }
}

impl<'a> Request<'a> {
    /// In the order in which they were asked, which the answers must keep; never empty.
    pub fn questions(&self) -> &[Question<'a>] {
        match &self.questions {
            Questions::One(question) => std::slice::from_ref(question),
            Questions::Many(questions) => questions,
        }
    }
}

impl<'a> Nonce<'a> {
    /// Those octets, unless there are none or too many.
    pub fn new(octets: impl Into<Cow<'a, [u8]>>) -> Result<Self, Malformed> {
        let octets = octets.into();
        if (1..=NONCE_OCTETS_MAX).contains(&octets.len()) { Ok(Self(octets)) } else { Err(Malformed::Nonce) }
    }

    /// The octets inside the extension's OCTET STRING.
    pub fn as_octets(&self) -> &[u8] {
        &self.0
    }
}

/// RFC 9654 §2.1; RFC 8954 allowed 32.
const NONCE_OCTETS_MAX: usize = 128;
