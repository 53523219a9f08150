//! OCSP as bytes (RFC 6960, RFC 9654, RFC 9919): requests read, replies assembled.
//!
//! The responder calls [`read`] on a POST's body, or on what [`from_path`] makes of a GET's path, and gets a [`Request`]
//! that borrows from it. What it answers it states as [`ResponseData`]: the octets to be signed, and, with the signature
//! of now or of before, the whole reply in one buffer. Of a reply that is kept, only the signature and the times need
//! storing; the rest is written anew from the question and the status.
//!
//! A verifier asks with [`request()`] and reads what comes back as a [`Reply`].
//!
//! A CertID is echoed octet for octet as it was asked, for clients compare it so.
//!
//! Never signs, never looks anything up, never decides who may ask.

mod answer;
mod ask;
mod cert_id;
mod credentials;
mod decode;
mod error;
mod path;
mod recognise;
mod reply;
mod request;

use super::write;

pub use answer::{Answer, Reply, Single};
pub use ask::request;
pub use cert_id::{HashedIssuer, IssuerAsked, Parameters, SerialAsked, cert_id};
pub use credentials::{Credentials, ResponderId};
pub use decode::decode;
pub use error::{ErrorReply, Malformed};
pub use path::from_path;
pub use recognise::recognise;
pub use reply::{CertStatus, CrlReference, NotIssued, ResponseData, SingleExtensions, SingleResponse};
pub use request::{Accepts, Nonce, Question, Request, read};

#[cfg(test)]
mod tests;
