//! Relying parties: who may ask, from where, before whom, and their account.
//!
//! A [`Register`] is made from the operator's settings, once; [`Register::origin`] says once per connection which parties
//! an address may be, [`Register::caller`] says for each request who sent it, without allocating. What became of it is
//! counted by [`Tally::count`], and read by [`Counters::sums`]. Used by the network's edge; made by composition.
//!
//! Never answers, never opens a socket, never keeps an address or a serial, never sees a certificate.

mod counters;
mod network;
mod origins;
mod party;
mod register;

pub use counters::{Account, Counters, Outcome, Tally};
pub use network::{Network, NetworkError};
pub use origins::Origin;
pub use party::{Label, LabelError, Party};
pub use register::{Claim, NotAllowed, Register, RegisterError, Strangers};
