//! What is wrong with a request, and the replies that need no signature.
//!
//! Returned by the readers of this folder; the responder turns one into the other.

/// Why octets are no request that can be answered.
///
/// Small and without text: such requests must cost less than an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Malformed {
    /// An extension that may not be ignored and isn't known here (RFC 6960 §4.1.2).
    #[error("a critical extension that is not known here")]
    CriticalExtension,
    /// An extension that is read here stands in it twice (RFC 5280 §4.2).
    #[error("the same extension twice")]
    DuplicateExtension,
    /// The value of an extension that is read here is none.
    #[error("an extension whose value can't be read")]
    Extension,
    /// No CertID.
    #[error("a request without a question")]
    NoQuestion,
    /// A nonce that is empty, longer than 128 octets, or not an OCTET STRING (RFC 9654 §2.1).
    #[error("a nonce that is none")]
    Nonce,
    /// The path of a GET isn't base64.
    #[error("a path that is not base64")]
    Path,
    /// Not the DER of an OCSPRequest, or something after it.
    #[error("not the DER of an OCSP request")]
    Syntax,
    /// More octets than this caller may send.
    #[error("a request that is too long")]
    TooLong,
    /// More extensions than any client has use for.
    #[error("too many extensions")]
    TooManyExtensions,
    /// More CertIDs than this caller may ask about at once.
    #[error("too many questions at once")]
    TooManyQuestions,
    /// Not version 1.
    #[error("a request of an unknown version")]
    Version,
}

/// The replies without a body of their own (RFC 6960 §4.2.1); 4 is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorReply {
    /// The responder is broken.
    InternalError,
    /// The request isn't one.
    MalformedRequest,
    /// Requests must be signed.
    SigRequired,
    /// The responder can't answer now.
    TryLater,
    /// This caller may not ask that, or the issuer is nobody we speak for (RFC 6960 §2.3).
    Unauthorized,
}

impl Malformed {
    /// The reply to it.
    pub fn reply(self) -> ErrorReply {
        match self {
            // Well-formed, and another caller may ask it.
            Self::TooManyQuestions => ErrorReply::Unauthorized,
            Self::CriticalExtension
            | Self::DuplicateExtension
            | Self::Extension
            | Self::NoQuestion
            | Self::Nonce
            | Self::Path
            | Self::Syntax
            | Self::TooLong
            | Self::TooManyExtensions
            | Self::Version => ErrorReply::MalformedRequest,
        }
    }
}

impl ErrorReply {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::InternalError, Self::MalformedRequest, Self::SigRequired, Self::TryLater, Self::Unauthorized];

    /// The whole OCSPResponse.
    pub const fn der(self) -> &'static [u8; 5] {
        match self {
            Self::InternalError => &[0x30, 3, 0x0a, 1, 2],
            Self::MalformedRequest => &[0x30, 3, 0x0a, 1, 1],
            Self::SigRequired => &[0x30, 3, 0x0a, 1, 5],
            Self::TryLater => &[0x30, 3, 0x0a, 1, 3],
            Self::Unauthorized => &[0x30, 3, 0x0a, 1, 6],
        }
    }
}
