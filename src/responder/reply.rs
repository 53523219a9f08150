//! What comes of a request: a reply with what its transport must know of it, or a refusal.
//!
//! Made by `answer` and `sign`, taken by the network's edge.

use crate::asn1::ocsp::{
    CertStatus, Credentials, ErrorReply, Malformed, Nonce, NotIssued, ResponderId, ResponseData, SingleExtensions,
    SingleResponse,
};
use crate::model::{Position, Time};
use crate::status::{Day, ReadTo, SignedFor, Standing, View};

use super::issuers::Issuer;
use super::policy::{self, Profile};

/// A signed reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The whole OCSPResponse.
    pub der: Vec<u8>,
    /// The end of its signature, which fixes all of it: as good as random.
    pub tag: [u8; 16],
    /// When what it says was known.
    pub this_update: Time,
    /// Until when it may be relied on.
    pub next_update: Time,
    /// When it was signed.
    pub produced_at: Time,
    /// The event that last changed what it says of the certificate; none: nothing has since it was registered.
    pub changed: Option<Position>,
    /// How far the table had read.
    pub read_to: ReadTo,
    /// What it says, of how many certificates.
    pub says: Sayings,
    /// Whether it may be given to another who asks the same.
    pub reuse: Reuse,
}

/// Of how many certificates a reply says what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sayings([u32; Says::ALL.len()]);

/// What is said of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Says {
    /// All is well.
    Good,
    /// Held, or waiting for its acknowledgement.
    Held,
    /// Revoked.
    Revoked,
    /// Never issued.
    Unknown,
}

impl Says {
    /// All that can be said.
    pub const ALL: [Self; 4] = [Self::Good, Self::Held, Self::Revoked, Self::Unknown];
}

impl Sayings {
    /// Of how many certificates this is said.
    pub fn of(&self, says: Says) -> u32 {
        self.0[says as usize]
    }
}

impl FromIterator<Says> for Sayings {
    fn from_iter<I: IntoIterator<Item = Says>>(all: I) -> Self {
        let mut sayings = Self::default();
        all.into_iter().for_each(|says| sayings.0[says as usize] += 1);
        sayings
    }
}

/// Whether a reply may be given to another who asks the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reuse {
    /// As the issuer's profile has it.
    By(Profile),
    /// Never: it repeats a nonce, or says unknown.
    Never,
}

/// An unsigned reply, and why there is no better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// No request, or more than this caller may ask.
    Malformed(Malformed),
    /// Not one of our issuers.
    OtherIssuer,
    /// Certificates of more than one issuer in one request: no signer may speak for both.
    TwoIssuers,
    /// Never issued, for issuers that say nothing of such certificates.
    NotIssued,
    /// This caller may not ask here.
    NotAllowed,
    /// The issuer has no key that may sign.
    NoSigner,
    /// What is known is too old.
    TooOld,
    /// Too many wait already.
    Full,
    /// It waited for too long.
    Waited,
    /// The ledger couldn't be asked whether it was issued a moment ago.
    NoFence,
    /// This machine's clock can't be trusted.
    Clock,
    /// The key doesn't sign.
    SignerFailed,
}

impl Refusal {
    /// The names of all causes, for metrics.
    pub const CAUSES: [&'static str; 12] = [
        "malformed",
        "other-issuer",
        "two-issuers",
        "not-issued",
        "not-allowed",
        "no-signer",
        "too-old",
        "full",
        "waited",
        "no-fence",
        "clock",
        "signer-failed",
    ];

    /// Which of the causes it is.
    pub fn cause(self) -> usize {
        match self {
            Self::Malformed(_) => 0,
            Self::OtherIssuer => 1,
            Self::TwoIssuers => 2,
            Self::NotIssued => 3,
            Self::NotAllowed => 4,
            Self::NoSigner => 5,
            Self::TooOld => 6,
            Self::Full => 7,
            Self::Waited => 8,
            Self::NoFence => 9,
            Self::Clock => 10,
            Self::SignerFailed => 11,
        }
    }

    /// What the caller gets.
    pub fn reply(self) -> ErrorReply {
        match self {
            Self::Malformed(malformed) => malformed.reply(),
            Self::OtherIssuer | Self::TwoIssuers | Self::NotIssued | Self::NotAllowed => ErrorReply::Unauthorized,
            Self::NoSigner
            | Self::TooOld
            | Self::Full
            | Self::Waited
            | Self::NoFence
            | Self::Clock
            | Self::SignerFailed => ErrorReply::TryLater,
        }
    }
}

/// What is said in answer to one question, before its times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Said {
    status: CertStatus,
    told: Told,
    lost_at: Option<Time>,
    expires: Day,
}

/// What the date of a status is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// That of an event.
    Event,
    /// The beginning of a validity, which may lie ahead.
    Validity,
}

impl Said {
    /// Of a certificate that the table has.
    pub fn of(view: &View) -> Self {
        let (status, told, lost_at) = match view.standing {
            Standing::Good => (CertStatus::Good, Told::Event, None),
            Standing::Held { since, lost_at } => (CertStatus::Held { since }, Told::Event, lost_at),
            Standing::Pending { since } => (CertStatus::Held { since }, Told::Validity, None),
            Standing::Revoked { reason, at, lost_at } => (CertStatus::Revoked { at, reason }, Told::Event, lost_at),
        };
        Self { status, told, lost_at, expires: view.expires }
    }

    /// Of one that was never issued (RFC 6960 §2.2, §4.4.8).
    pub fn of_none(policy: policy::NotIssued) -> Self {
        let status = match policy {
            policy::NotIssued::Revoked => CertStatus::Held { since: Time::default() },
            policy::NotIssued::Unauthorized | policy::NotIssued::Unknown => CertStatus::Unknown,
        };
        Self { status, told: Told::Event, lost_at: None, expires: Day::LAST }
    }

    /// The latest event that it tells of: no answer may claim to have been known before. The beginning of a validity is
    /// none: it may lie ahead, and no answer may be dated so.
    pub fn latest(&self) -> Option<Time> {
        match (self.told, self.status) {
            (Told::Validity, _) | (Told::Event, CertStatus::Good | CertStatus::Unknown) => None,
            (Told::Event, CertStatus::Held { since }) => Some(since),
            (Told::Event, CertStatus::Revoked { at, .. }) => Some(at),
        }
    }

    pub fn says(&self) -> Says {
        match self.status {
            CertStatus::Good => Says::Good,
            CertStatus::Held { .. } => Says::Held,
            CertStatus::Revoked { .. } => Says::Revoked,
            CertStatus::Unknown => Says::Unknown,
        }
    }

    /// The answer to a question, for those times. The same of the same certificate for the same times, so that a
    /// signature can be kept without it.
    #[inline]
    pub fn single<'a>(&self, cert_id: &'a [u8], issuer: &Issuer, signed: &SignedFor) -> SingleResponse<'a> {
        let expired = self.expires < Day::of(signed.produced_at);
        let archive_cutoff = if expired { Some(issuer.since()) } else { None };
        let status = match (self.told, self.status) {
            (Told::Validity, CertStatus::Held { since }) => CertStatus::Held { since: since.min(signed.this_update) },
            (_, status) => status,
        };
        SingleResponse {
            cert_id,
            status,
            this_update: signed.this_update,
            next_update: signed.next_update,
            extensions: SingleExtensions { archive_cutoff, crl: None, invalidity_date: self.lost_at },
        }
    }
}

impl Reply {
    /// The reply of a signature that was kept, to the question with that CertID.
    #[inline]
    pub(super) fn of_kept(
        cert_id: &[u8],
        view: &View,
        issuer: &Issuer,
        by: (&ResponderId, &Credentials),
        signed: &SignedFor,
        signature: &[u8],
    ) -> Self {
        let said = Said::of(view);
        let data = ResponseData {
            responder: by.0,
            produced_at: signed.produced_at,
            responses: &[said.single(cert_id, issuer, signed)],
            nonce: None,
            not_issued: NotIssued::Unknown,
        };
        Self {
            der: data.response(by.1, signature),
            tag: tag_of(signature),
            this_update: signed.this_update,
            next_update: signed.next_update,
            produced_at: signed.produced_at,
            changed: view.changed,
            read_to: view.read_to,
            says: [said.says()].into_iter().collect(),
            reuse: Reuse::By(issuer.policy().profile),
        }
    }
}

/// What a reply states to be signed now.
pub(super) fn stated<'a>(
    responder: &'a ResponderId,
    signed: &SignedFor,
    responses: &'a [SingleResponse<'a>],
    nonce: Option<&'a Nonce<'a>>,
    not_issued: NotIssued,
) -> ResponseData<'a> {
    ResponseData { responder, produced_at: signed.produced_at, responses, nonce, not_issued }
}

/// The last octets of a signature. It begins with lengths, or with what many signatures share.
#[inline]
pub(super) fn tag_of(signature: &[u8]) -> [u8; 16] {
    signature.last_chunk().copied().unwrap_or_default()
}
