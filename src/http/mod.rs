//! The network's edge: listeners with their limits, and which answer is which status. The only room that knows HTTP.
//!
//! `app` gives it bound sockets. The public listener (`edge`, one [`Seat`] for each thread) answers OCSP requests with what
//! a responder says (`ocsp`, `replies`): plain ones as they come (`plain`), all others through hyper; and files as they lie on
//! the publisher's shelf (`files`, `sending`). The admin listener
//! (`listener`, `admin`) answers the two probes with what something says that knows whether the program is ready
//! ([`Health`]), and whoever brings the token ([`Token`]) with what a [`Clerk`] does for them.
//!
//! The other way round, as a client, it fetches what verifiers need ([`Fetcher`]).
//!
//! Never decides what is answered or whether the program is ready, never reads a clock, never lets a caller of the public
//! listener change anything.

mod admin;
mod asks;
mod clerk;
mod connection;
mod dates;
mod edge;
mod fetch;
mod file_counts;
mod files;
mod handover;
mod headers;
mod inherited;
mod listener;
mod mailbox;
mod ocsp;
mod plain;
mod probes;
mod problems;
mod ranges;
mod reception;
mod refusals;
mod replies;
mod routes;
mod sending;
mod sockets;
mod token;
mod watch;
mod wire;

pub use admin::{Admin, Health, MetricsFor};
pub use clerk::{Asked, AskedChange, AskedCrls, Clerk, ClerkError};
pub use edge::{Connections, EdgeLimits, Seat, seats};
pub use fetch::{FetchError, Fetcher, Got, Patience};
pub use file_counts::FileCounts;
pub use handover::{Offer, Offered, Taken, take};
pub use inherited::{Unfit, inherited, spread};
pub use listener::serve;
pub use ocsp::Public;
#[cfg(fuzzing)]
pub use plain::differential::agree;
pub use probes::{Obstacle, Readiness};
pub use refusals::Refusals;
pub use sockets::{Ending, listen, stopping};
pub use token::Token;
pub use watch::TimeLimits;
