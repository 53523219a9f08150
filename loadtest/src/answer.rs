//! An OCSP answer taken apart without copying: what `judge` looks at in every single one.

use time::{Date, Month, Time};

use crate::der::{Der, Element, Malformed};

/// What a responder sent.
#[derive(Clone, Copy, Debug)]
pub enum Answer<'a> {
    /// One of the unsigned errors.
    Refused(Refusal),
    Basic(Basic<'a>),
}

/// An OCSPResponseStatus other than successful.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    InternalError,
    MalformedRequest,
    SigRequired,
    TryLater,
    Unauthorized,
}

/// A BasicOCSPResponse.
#[derive(Clone, Copy, Debug)]
pub struct Basic<'a> {
    /// What the signature covers, as it stands in the answer.
    pub to_be_signed: &'a [u8],
    pub responder: Responder<'a>,
    pub produced_at: i64,
    singles: Der<'a>,
    /// The value inside the extension's OCTET STRING.
    pub nonce: Option<&'a [u8]>,
    /// AlgorithmIdentifier, with tag and length.
    pub algorithm: &'a [u8],
    pub signature: &'a [u8],
    certificates: Der<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Responder<'a> {
    /// SHA-1 of the public key.
    Key(&'a [u8]),
    /// A distinguished name, with tag and length.
    Name(&'a [u8]),
}

/// What is said of one certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Single<'a> {
    /// With tag and length.
    pub cert_id: &'a [u8],
    pub status: Status,
    pub this_update: i64,
    pub next_update: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Good,
    Revoked { at: i64, reason: Option<u8> },
    Unknown,
}

impl<'a> Answer<'a> {
    pub fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut all = Der::new(bytes);
        let mut response = all.expect(0x30, "OCSPResponse")?.inside();
        all.end("octets behind the answer")?;
        let status = response.expect(0x0a, "response status")?.content;
        if status != [0] {
            response.end("an error with a body")?;
            return Refusal::read(status).map(Self::Refused);
        }
        let bytes = response.expect(0xa0, "response bytes")?.only(0x30, "response bytes")?;
        response.end("octets behind the response bytes")?;
        let mut bytes = bytes.inside();
        if bytes.expect(6, "response type")?.content != OID_BASIC {
            return Err(Malformed("not a basic response"));
        }
        let basic = bytes.expect(4, "response")?;
        bytes.end("octets behind the response")?;
        Basic::read(basic.only(0x30, "BasicOCSPResponse")?).map(Self::Basic)
    }
}

impl Refusal {
    fn read(status: &[u8]) -> Result<Self, Malformed> {
        Ok(match status {
            [1] => Self::MalformedRequest,
            [2] => Self::InternalError,
            [3] => Self::TryLater,
            [5] => Self::SigRequired,
            [6] => Self::Unauthorized,
            _ => return Err(Malformed("a response status that does not exist")),
        })
    }
}

impl<'a> Basic<'a> {
    fn read(basic: Element<'a>) -> Result<Self, Malformed> {
        let mut parts = basic.inside();
        let data = parts.expect(0x30, "ResponseData")?;
        let algorithm = parts.expect(0x30, "signature algorithm")?.whole;
        let [0, signature @ ..] = parts.expect(3, "signature")?.content else {
            return Err(Malformed("a signature of odd bits"));
        };
        let certificates = match parts.optional(0xa0)? {
            Some(list) => list.only(0x30, "certificates")?.inside(),
            None => Der::new(&[]),
        };
        parts.end("octets behind the certificates")?;
        let mut fields = data.inside();
        let next = fields.next()?;
        // Version 1 is the default, and a default is not encoded.
        let responder = match next.tag {
            0xa1 => Responder::Name(next.only(0x30, "responder's name")?.whole),
            0xa2 => Responder::Key(next.only(4, "responder's key")?.content),
            _ => return Err(Malformed("responder")),
        };
        let produced_at = moment(fields.expect(0x18, "producedAt")?)?;
        let singles = fields.expect(0x30, "responses")?.inside();
        let nonce = match fields.optional(0xa1)? {
            Some(extensions) => nonce(extensions.only(0x30, "extensions")?.inside())?,
            None => None,
        };
        fields.end("octets behind the extensions")?;
        let to_be_signed = data.whole;
        Ok(Self { to_be_signed, responder, produced_at, singles, nonce, algorithm, signature, certificates })
    }

    /// What is said of each certificate, in order.
    pub fn singles(&self) -> impl Iterator<Item = Result<Single<'a>, Malformed>> + use<'a> {
        let mut rest = self.singles;
        std::iter::from_fn(move || (!rest.is_empty()).then(|| single(&mut rest)))
    }

    /// The certificates sent along, with tag and length.
    pub fn certificates(&self) -> impl Iterator<Item = Result<&'a [u8], Malformed>> + use<'a> {
        let mut rest = self.certificates;
        std::iter::from_fn(move || (!rest.is_empty()).then(|| Ok(rest.expect(0x30, "certificate")?.whole)))
    }
}

fn single<'a>(rest: &mut Der<'a>) -> Result<Single<'a>, Malformed> {
    let mut fields = rest.expect(0x30, "SingleResponse")?.inside();
    let cert_id = fields.expect(0x30, "CertID")?.whole;
    let status = fields.next()?;
    let status = match (status.tag, status.content) {
        (0x80, []) => Status::Good,
        (0xa1, _) => revoked(status.inside())?,
        (0x82, []) => Status::Unknown,
        _ => return Err(Malformed("certificate status")),
    };
    let this_update = moment(fields.expect(0x18, "thisUpdate")?)?;
    let next_update = fields.optional(0xa0)?;
    let next_update = next_update.map(|element| moment(element.only(0x18, "nextUpdate")?)).transpose()?;
    fields.optional(0xa1)?;
    fields.end("octets behind a SingleResponse")?;
    Ok(Single { cert_id, status, this_update, next_update })
}

fn revoked(mut fields: Der<'_>) -> Result<Status, Malformed> {
    let at = moment(fields.expect(0x18, "revocationTime")?)?;
    let reason = match fields.optional(0xa0)? {
        Some(reason) => match reason.only(0x0a, "reason")?.content {
            [reason] => Some(*reason),
            _ => return Err(Malformed("reason")),
        },
        None => None,
    };
    fields.end("octets behind RevokedInfo")?;
    Ok(Status::Revoked { at, reason })
}

fn nonce(mut extensions: Der<'_>) -> Result<Option<&[u8]>, Malformed> {
    let mut found = None;
    while !extensions.is_empty() {
        let mut extension = extensions.expect(0x30, "extension")?.inside();
        let id = extension.expect(6, "extension id")?.content;
        extension.optional(1)?;
        let value = extension.expect(4, "extension value")?;
        if id == OID_NONCE && found.replace(value.only(4, "nonce")?.content).is_some() {
            return Err(Malformed("two nonces"));
        }
    }
    Ok(found)
}

/// GeneralizedTime as RFC 5280 4.1.2.5.2 wants it (`YYYYMMDDHHMMSSZ`), in seconds since 1970.
fn moment(element: Element<'_>) -> Result<i64, Malformed> {
    let parse = || {
        let [digits @ .., b'Z'] = element.content else { return None };
        if digits.len() != 14 || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let number =
            |from: usize, to: usize| digits[from..to].iter().fold(0u16, |n, digit| n * 10 + u16::from(digit - b'0'));
        let pair = |from: usize| number(from, from + 2) as u8;
        let month = Month::try_from(pair(4)).ok()?;
        let date = Date::from_calendar_date(i32::from(number(0, 4)), month, pair(6)).ok()?;
        let time = Time::from_hms(pair(8), pair(10), pair(12)).ok()?;
        Some(date.with_time(time).assume_utc().unix_timestamp())
    };
    parse().ok_or(Malformed("a time that is not YYYYMMDDHHMMSSZ"))
}

/// id-pkix-ocsp-basic
const OID_BASIC: [u8; 9] = [0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];
/// id-pkix-ocsp-nonce
pub const OID_NONCE: [u8; 9] = [0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_five_octets_and_nothing_else() {
        let refusal = |bytes: &[u8]| match Answer::read(bytes) {
            Ok(Answer::Refused(refusal)) => Some(refusal),
            _ => None,
        };
        assert_eq!(refusal(&[0x30, 3, 10, 1, 3]), Some(Refusal::TryLater));
        assert_eq!(refusal(&[0x30, 3, 10, 1, 6]), Some(Refusal::Unauthorized));
        for bytes in
            [&[0x30, 3, 10, 1, 0][..], &[0x30, 3, 10, 1, 4], &[0x30, 3, 10, 1, 3, 0], &[0x30, 5, 10, 1, 3, 5, 0]]
        {
            assert!(Answer::read(bytes).is_err(), "{bytes:02x?}");
        }
    }

    #[test]
    fn times_are_read_strictly() {
        let read = |text: &str| {
            let bytes = [&[0x18, text.len() as u8], text.as_bytes()].concat();
            moment(Der::new(&bytes).next().unwrap()).ok()
        };
        assert_eq!(read("19700101000000Z"), Some(0));
        assert_eq!(read("20270115080000Z"), Some(1_800_000_000));
        for text in ["20270115080000.5Z", "20270115080000", "20271315080000Z", "20270115080060Z", "2027011508000 Z"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
