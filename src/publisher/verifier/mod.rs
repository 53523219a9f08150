//! What a verifier must be sure of before it believes a CRL or an answer: the chain ([`chain()`]), whose CRL it is and
//! whether it speaks of a certificate ([`signer_of`], [`in_time`], [`speaks_of`], [`word`]), and whether an OCSP answer counts
//! ([`judge`]).
//!
//! Used by whoever pulls CRLs and by whoever checks a certificate. All of it is pure: the time, the octets and the anchors
//! are arguments.
//!
//! Never fetches anything, never takes a certificate for trusted that isn't given as an anchor.

mod answer;
mod chain;
mod list;

pub use answer::{AnswerFault, Question, Vouched, judge};
pub use chain::{ChainFault, chain};
pub use list::{ListFault, Word, in_time, signer_of, speaks_of, word};

use crate::model::Seconds;

/// How far the clocks of issuers and verifiers may be apart: what lies that little ahead is not from the future.
pub const SKEW: Seconds = Seconds(60);
