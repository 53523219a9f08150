//! CRLs as bytes (RFC 5280 §5): written, and read back.
//!
//! The publisher states one as a [`CrlProfile`] and its entries, in their order, and gets an [`UnsignedCrl`]: the octets with
//! their hash, taken while they were written, so that a list of 40 MB is made once, in one buffer, and never copied. It
//! comes out whole around the signature. Whoever checks, shows or pulls a CRL reads it as a [`Crl`], which borrows from its
//! octets and goes through the entries one by one without allocating.
//!
//! What is written has one form only for the same content, and what is read must have that form: DER with the shortest
//! lengths, versions, times and extensions as RFC 5280 has them.
//!
//! Never signs, never decides what is listed, never looks anything up.

mod cursor;
mod date;
mod entry;
mod error;
mod extension;
mod extensions;
mod profile;
mod read;

use super::write;

pub use entry::{CrlEntry, PlainEntry};
pub use error::CrlError;
pub use extensions::{Contains, CrlExtensions, IssuingPoint, Lists, Reflects};
pub use profile::{CrlKind, CrlProfile, UnsignedCrl};
pub use read::{Crl, Entries};

#[cfg(test)]
mod tests;
