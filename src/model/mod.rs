//! Nouns and rules of the domain: what a certificate, a hold, a status, an event is, and what may follow what.
//!
//! Used by every other room. Never does I/O, never reads a clock, never knows how anything is stored or sent.

mod actor;
mod authority;
mod book;
mod budget;
mod caller;
mod cascade;
mod certificate;
mod command;
mod crl;
mod event;
mod hold;
mod ids;
mod limits;
mod policy;
mod reason;
mod refusal;
mod report;
mod serial;
mod status;
mod time;
mod timer;

pub use actor::{Actor, Channel, Role};
pub use authority::{Action, Backing, Entry, may, may_lift, may_touch, window_is_open};
pub use book::{Book, Issuer, Scope, SetChange, SetEvent, SetTarget};
pub use budget::{BUDGET_DAYS, BudgetKey, BudgetUse};
pub use caller::{Caller, Rank, Share};
pub use cascade::{Case, Consequence, cascade, decide_report};
pub use certificate::{
    Certificate, CertificateKey, Delivery, KeyOrigin, Links, Medium, MediumKind, Proofing, Sim, Usage,
};
pub use command::{Command, Outcome, Request, UndoScope};
pub use crl::{CrlNumber, CrlNumberError, Cutoff, DatedByDay, Listed};
pub use event::{Body, Event, Verdict, WhyQueued};
pub use hold::{Final, Hold, HoldKind};
pub use ids::{
    AppletId, Batch, CertificateNo, Epoch, HoldId, HolderId, IdError, IdempotencyKey, IssuerNo, LedgerId, ListNo,
    MediumId, Municipality, NodeId, Operator, PersonId, Position, ScopeNo, SimId,
};
pub use limits::{CrlLimits, RequestLimits};
pub use policy::{OfficeHours, Policy, SetRule};
pub use reason::{Reason, ReasonError};
pub use refusal::{Refusal, enrolled_in_doubt};
pub use report::{Report, ReportKind, Subject, UnknownReport};
pub use serial::{SERIAL_OCTETS_MAX, Serial, SerialError};
pub use status::{Change, Decided, HOLDS_MAX, LastHold, Life, Revocation, Status, StatusRefusal, Wish};
pub use time::{Millis, Seconds, Time, TimeError};
pub use timer::{Due, next_due, timer_wish};
