//! The requests that nearly all clients send, read without a copy: questions by SHA-1 or SHA-256, and at most a nonce.
//!
//! Called by `read` before anything else, and by the benchmark and the fuzz target that hold it against `decode`. It only
//! ever says "this is the request" or nothing: whatever it says, `decode` would say of the same octets.

use std::borrow::Cow;

use super::cert_id::{SHA1_ABSENT, SHA1_NULL, SHA256_ABSENT, SHA256_NULL};
use super::request::Questions;
use super::write::{id, tag};
use super::{Accepts, HashedIssuer, IssuerAsked, Nonce, Parameters, Question, Request, SerialAsked};
use crate::model::RequestLimits;

/// The request in `bytes`, if it has the common shape; none: ask `decode`.
pub fn recognise(bytes: &[u8], limits: RequestLimits) -> Option<Request<'_>> {
    if bytes.len() > limits.octets_max {
        return None;
    }
    let (list, extensions) = element(only(only(bytes, tag::SEQUENCE)?, tag::SEQUENCE)?, tag::SEQUENCE)?;
    let nonce = if extensions.is_empty() { None } else { Some(nonce(extensions)?) };
    Some(Request { questions: questions(list, limits)?, nonce, accepts: Accepts::Basic, preferred: Vec::new() })
}

fn questions(list: &[u8], limits: RequestLimits) -> Option<Questions<'_>> {
    let (first, mut rest) = question(list)?;
    if rest.is_empty() {
        return (limits.questions_max >= 1).then_some(Questions::One(first));
    }
    // The others will be about as long as the first.
    let guess = list.len() / (list.len() - rest.len());
    let mut questions = Vec::with_capacity(guess.min(limits.questions_max));
    questions.push(first);
    while !rest.is_empty() {
        if questions.len() >= limits.questions_max {
            return None;
        }
        let (next, after) = question(rest)?;
        questions.push(next);
        rest = after;
    }
    Some(Questions::Many(questions))
}

/// A Request without singleRequestExtensions, from the front of a list.
fn question(list: &[u8]) -> Option<(Question<'_>, &[u8])> {
    let (cert_id, rest) = element(list, tag::SEQUENCE)?;
    let parts = only(cert_id, tag::SEQUENCE)?;
    let (issuer, serial) = if let Some(hashes) = parts.strip_prefix(SHA1_NULL) {
        sha1(hashes, Parameters::Null)?
    } else if let Some(hashes) = parts.strip_prefix(SHA256_NULL) {
        sha256(hashes, Parameters::Null)?
    } else if let Some(hashes) = parts.strip_prefix(SHA1_ABSENT) {
        sha1(hashes, Parameters::Absent)?
    } else {
        sha256(parts.strip_prefix(SHA256_ABSENT)?, Parameters::Absent)?
    };
    let serial = SerialAsked::of_integer(only(serial, tag::INTEGER)?);
    matches!(serial, SerialAsked::Serial(_)).then_some(())?;
    Some((Question { cert_id: Cow::Borrowed(cert_id), issuer, serial }, rest))
}

fn sha1(hashes: &[u8], parameters: Parameters) -> Option<(IssuerAsked, &[u8])> {
    let (name, rest) = hash(hashes)?;
    let (key, rest) = hash(rest)?;
    Some((IssuerAsked::By(HashedIssuer::Sha1 { name, key }, parameters), rest))
}

fn sha256(hashes: &[u8], parameters: Parameters) -> Option<(IssuerAsked, &[u8])> {
    let (name, rest) = hash(hashes)?;
    let (key, rest) = hash(rest)?;
    Some((IssuerAsked::By(HashedIssuer::Sha256 { name, key }, parameters), rest))
}

fn hash<const LENGTH: usize>(bytes: &[u8]) -> Option<([u8; LENGTH], &[u8])> {
    let rest = bytes.strip_prefix(&[tag::OCTET_STRING, LENGTH as u8])?;
    rest.split_first_chunk().map(|(hash, rest)| (*hash, rest))
}

/// requestExtensions of one nonce that isn't critical.
fn nonce(extensions: &[u8]) -> Option<Nonce<'_>> {
    let extension = only(only(only(extensions, tag::CONTEXT_2)?, tag::SEQUENCE)?, tag::SEQUENCE)?;
    let value = only(extension.strip_prefix(id::NONCE)?, tag::OCTET_STRING)?;
    Nonce::new(only(value, tag::OCTET_STRING)?).ok()
}

/// The contents of the one element that `bytes` are.
fn only(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    element(bytes, tag).and_then(|(contents, rest)| rest.is_empty().then_some(contents))
}

/// The contents of the element at the front, its length in the shortest form, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[first, length], rest) = bytes.split_first_chunk()?;
    if first != tag {
        return None;
    }
    if length < 0x80 {
        return rest.split_at_checked(usize::from(length));
    }
    let (length, shortest, rest) = match (length, rest) {
        (0x81, [low, rest @ ..]) => (usize::from(*low), 0x80, rest),
        (0x82, [high, low, rest @ ..]) => (usize::from(u16::from_be_bytes([*high, *low])), 0x100, rest),
        (0x83, [high, middle, low, rest @ ..]) => {
            (u32::from_be_bytes([0, *high, *middle, *low]) as usize, 0x1_0000, rest)
        }
        _ => return None,
    };
    if length < shortest {
        return None;
    }
    rest.split_at_checked(length)
}
