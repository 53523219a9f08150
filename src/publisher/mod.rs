//! CRLs: what one says, building and signing it, and proving it before anybody sees it.
//!
//! A [`Slot`] is a place at which CRLs of one kind are published, with the key that signs them. [`Content`] says, from the
//! lists that `status` keeps, what stands on a full CRL at a cut-off and what on a delta against a base. [`build()`] makes the
//! signed octets of it; [`preflight()`] reads them back and refuses whatever isn't what was planned: each check has its own
//! [`Fault`], so that an alarm can say which one failed.
//!
//! All of that is pure: numbers, times and what was issued before are arguments. What passed is kept in a [`Store`], listed in
//! an [`Index`], and served from the [`Shelf`].
//!
//! ## What a CRL says, and an answer
//!
//! Both show the same facts: the reason, a hold as certificateHold, what is not acknowledged as a hold since the start of its
//! validity. They differ in two things. A CRL says nothing of a certificate that waits for its acknowledgement until that
//! is overdue, for otherwise a third of all enrolments would flood the deltas; an answer says at once that it is held. And
//! for the reasons of `model::DatedByDay` (moved, renewed, died) a CRL dates by the day, in Japan, where an answer says the
//! second: a list is read by everybody, and equal seconds on it would link the certificates of one person. The date on a CRL is
//! never later than the one in an answer, and of the same day.
//!
//! Never chooses where CRLs are kept (composition opens a [`directory`] or a [`bucket`]), never reads a clock, never asks the
//! ledger, never exposes what was not read back.

mod brought;
pub mod bucket;
mod build;
mod content;
mod differences;
pub mod directory;
mod draft;
mod fault;
mod index;
mod lists;
mod making;
mod place;
mod planned;
mod preflight;
mod press;
mod proving;
pub mod pull;
mod replay;
mod round;
mod schedule;
mod shelf;
mod slot;
mod state;
mod store;
mod sweeping;
mod text;
pub mod verifier;

pub use brought::{Brought, accept};
pub use build::{BuildError, Kind, Planned, build};
pub use content::{Content, Expired, Needs, ReconcileError, Relist, Rules, forget, reconcile};
pub use differences::{Difference, differences};
pub use fault::Fault;
pub use index::{At, Index, IndexError, Issue, Listing, is_path};
pub use lists::{Lists, Merged};
pub use making::Refused;
pub use place::{Covers, Place};
pub use preflight::{Base, Exposed, Passed, Previous, fits_base, preflight};
pub use press::{Press, PressError, Seal};
pub use proving::{Against, Proof, prove};
pub use replay::{Mismatch, Replayed, replay, sum};
pub use round::{Alarm, Due, Published, Round, SignsIndex, Terms};
pub use schedule::{Deltas, Issuing, Last, Schedule, Why};
pub use shelf::{Date, File, Found, Media, Publication, Shelf};
pub use slot::{Slot, SlotError};
pub use state::{Issued, LedgerMark, State, StateError};
pub use store::{BucketPlace, IsDelta, NotAnObject, Object, ObjectKind, ObjectName, Store, StoreError, Tip};
pub use text::Hex;
