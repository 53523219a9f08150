//! The revoked of each CRL scope: what CRLs are made from, in memory.
//!
//! `follow` feeds a [`Revoked`] beside the table: each certificate that was registered, each one that changed, with the
//! status that it has afterwards, and the members of set events scope by scope. `publisher` reads the [`ScopeList`] of a
//! scope: everything that may stand on one of its CRLs, in the order of serial numbers, each with the position of its last
//! change. It decides by cut-off, clock and settings what of that is listed.
//!
//! A list also remembers what is *not* listed any more: a delta must say of a certificate that was released that it is
//! removed, as long as a base is in use on which it may stand. [`ScopeList::prune`] forgets those.
//!
//! An entry takes 40 octets: 20 of serial number, and to the bit the position, three times (of revocation, of loss, of
//! expiry) and the kind. They lie in sorted runs of some hundred, each with a little room, so that a change moves
//! a few kilobytes and growth copies nothing else: about 42 octets for each. `benches/crl.rs` measures it.

mod entry;
mod list;
mod scopes;

pub use entry::{Before, Fact, Known};
pub use list::{Iter, ScopeList};
pub use scopes::{Gone, LossDates, Revoked, RevokedError, Seen, Waiting};
