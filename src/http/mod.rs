//! The network's edge: listeners with their limits, and which answer is which status. The only room that knows HTTP.
//!
//! `app` gives it bound sockets and something that knows whether the program is ready ([`Health`]). The admin listener
//! answers the two probes; the public listener answers every path with 404 until there are OCSP replies and CRLs.
//! Never decides whether the program is ready, never reads a clock, never lets a caller change anything.

mod answer;
mod listener;
mod routes;

pub use answer::{Obstacle, Readiness};
pub use listener::serve;
pub use routes::{Health, Routes};
