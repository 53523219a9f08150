//! Nouns and rules of the domain: what a certificate, a hold, a status, an event is, and what may follow what.
//!
//! Used by every other room. Never does I/O, never reads a clock, never knows how anything is stored or sent.

mod serial;
mod time;

pub use serial::{SERIAL_OCTETS_MAX, Serial, SerialError};
pub use time::{Seconds, Time, TimeError};
