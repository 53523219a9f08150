//! `tashika up` and `tashika serve` as somebody at a terminal meets them: the built program, real files, real signals.
//!
//! Every listener asks for port 0 and the real one is read from the `ready` line.

// Waiting for another process takes a clock.
#![allow(clippy::disallowed_methods)]

mod broken_off;
mod certificates;
mod demonstration;
mod program;
mod serving;
mod takeover;
