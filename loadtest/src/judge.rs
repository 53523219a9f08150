//! Is this answer right? Everything but the signature, of every answer; signatures are `verify`'s. Used by `engine` and
//! `client`.

use crate::answer::{Answer, Basic, Refusal, Single, Status};
use crate::http::{Head, Position};
use crate::request::{Nonce, Writer};
use crate::serials::Key;

/// What was asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Indices into the list of keys, in order.
    pub questions: &'a [u32],
    pub nonce: Option<&'a Nonce>,
}

/// What an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Right,
    /// No OCSP answer, but an HTTP one.
    HttpStatus(u16),
    /// An OCSP error: an answer, if not the one that was hoped for.
    Refused(Refusal),
    Wrong(Fault),
}

/// What can be wrong with an answer. Each is counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// Not DER, or not OCSP's.
    Undecodable,
    /// Not `application/ocsp-response`.
    ContentType,
    /// A CertID that wasn't asked for, another form of it, one too many or too few, or another order.
    CertId,
    /// A nonce was asked for and isn't there.
    NonceMissing,
    /// A nonce that wasn't asked for.
    NonceOther,
    /// thisUpdate after producedAt, or nextUpdate not after thisUpdate, or a revocation after thisUpdate.
    TimesOutOfOrder,
    /// producedAt or thisUpdate lies ahead of the clock here.
    FromTheFuture,
    /// nextUpdate has passed.
    Stale,
    /// No nextUpdate.
    NoNextUpdate,
    /// Not what the list of serials says.
    Status,
    /// The ledger's position is behind one that the same connection has shown before.
    PositionBackwards,
    /// The signature is wrong.
    Signature,
    /// No certificate sent along is the responder's, issued by the issuer, for signing OCSP answers, and valid now.
    Signer,
}

/// Judges the answers to one load.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    pub writer: &'a Writer,
    pub keys: &'a [Key],
    /// How far the clocks may differ, in seconds.
    pub skew: i64,
}

impl Judge<'_> {
    /// `now` in seconds since 1970; `seen` is the connection's position so far, and is moved on.
    pub fn judge(
        &self,
        asked: Asked<'_>,
        head: &Head,
        body: &[u8],
        now: i64,
        seen: &mut Option<Position>,
        scratch: &mut Vec<u8>,
    ) -> Verdict {
        let went_back = head.position.is_some() && head.position < *seen;
        *seen = (*seen).max(head.position);
        if head.status != 200 {
            return Verdict::HttpStatus(head.status);
        }
        if !head.is_ocsp {
            return Verdict::Wrong(Fault::ContentType);
        }
        let basic = match Answer::read(body) {
            Ok(Answer::Basic(basic)) => basic,
            Ok(Answer::Refused(refusal)) => return Verdict::Refused(refusal),
            Err(_) => return Verdict::Wrong(Fault::Undecodable),
        };
        match self.content(asked, &basic, now, scratch) {
            Err(fault) => Verdict::Wrong(fault),
            Ok(()) if went_back => Verdict::Wrong(Fault::PositionBackwards),
            Ok(()) => Verdict::Right,
        }
    }

    fn content(&self, asked: Asked<'_>, basic: &Basic<'_>, now: i64, scratch: &mut Vec<u8>) -> Result<(), Fault> {
        match (asked.nonce, basic.nonce) {
            (Some(_), None) => return Err(Fault::NonceMissing),
            (asked, answered) if asked.map(|nonce| &nonce[..]) != answered => return Err(Fault::NonceOther),
            _ => {}
        }
        if basic.produced_at > now + self.skew {
            return Err(Fault::FromTheFuture);
        }
        let mut singles = basic.singles();
        for index in asked.questions {
            let single = singles.next().ok_or(Fault::CertId)?.map_err(|_| Fault::Undecodable)?;
            let key = &self.keys[*index as usize];
            scratch.clear();
            self.writer.write_cert_id(key, scratch);
            if single.cert_id != &scratch[..] {
                return Err(Fault::CertId);
            }
            self.times(&single, basic.produced_at, now)?;
            if !key.expected.is_met_by(single.status) {
                return Err(Fault::Status);
            }
        }
        if singles.next().is_some() { Err(Fault::CertId) } else { Ok(()) }
    }

    fn times(&self, single: &Single<'_>, produced_at: i64, now: i64) -> Result<(), Fault> {
        let next_update = single.next_update.ok_or(Fault::NoNextUpdate)?;
        let revoked_later = matches!(single.status, Status::Revoked { at, .. } if at > single.this_update);
        if single.this_update > produced_at || next_update <= single.this_update || revoked_later {
            return Err(Fault::TimesOutOfOrder);
        }
        if next_update <= now - self.skew { Err(Fault::Stale) } else { Ok(()) }
    }
}

impl Fault {
    /// The name under which it is counted.
    pub fn name(self) -> &'static str {
        match self {
            Self::CertId => "certid-not-echoed",
            Self::ContentType => "content-type",
            Self::FromTheFuture => "from-the-future",
            Self::NoNextUpdate => "no-next-update",
            Self::NonceMissing => "nonce-missing",
            Self::NonceOther => "nonce-other",
            Self::PositionBackwards => "position-backwards",
            Self::Signature => "signature-wrong",
            Self::Signer => "signer-not-delegated",
            Self::Stale => "stale",
            Self::Status => "status-not-as-expected",
            Self::TimesOutOfOrder => "times-out-of-order",
            Self::Undecodable => "undecodable",
        }
    }
}

impl Refusal {
    /// The name under which it is counted.
    pub fn name(self) -> &'static str {
        match self {
            Self::InternalError => "internalError",
            Self::MalformedRequest => "malformedRequest",
            Self::SigRequired => "sigRequired",
            Self::TryLater => "tryLater",
            Self::Unauthorized => "unauthorized",
        }
    }
}
