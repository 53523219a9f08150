//! Tashika (確か, "certain"): the certificate status system of a national PKI.
//!
//! This file is the map. The rooms, in the order a newcomer should read them:
//!
//! - [`model`] — nouns and rules of the domain: serials, holds, status, events, authority. Pure.
//! - [`asn1`] — bytes ⇄ model: OCSP requests read and replies assembled, X.509 certificates built and read.
//! - [`ledger`] — the issuance database, the truth: contract, event bytes, hash tree, adapters.
//! - [`keys`] — signing keys: what can sign, and where its secret lies.
//! - [`status`] — what is true now, in memory, read without waiting: the status table.
//! - [`follow`] — from the ledger to the status in memory, in step, link by link; how fresh, and when to freeze.
//! - [`responder`] — OCSP answers: signed in advance, or now.
//! - [`publisher`] — CRLs: what they say, building them, proving them before anybody sees them, keeping them.
//! - [`desk`] — commands that change a status: authorise, budget, decide, append; the queue, undo, the sequencer.
//! - [`parties`] — relying parties: who asks from which address, and how often.
//! - [`http`] — the network's edge: listeners, limits, the probes.
//! - [`app`] — configuration, the choice of adapters, clock and entropy, threads, shutdown.
//! - [`cli`] — the command line: one file for each family of verbs.
//!
//! To change a rule of the domain, go to `model`; how something is stored, `ledger`; what may be asked and by whom,
//! `model::authority` and `desk`; how it is asked on the command line, `cli`; a setting, `app::config`.

pub mod app;
pub mod asn1;
pub mod cli;
pub mod desk;
pub mod follow;
pub mod http;
pub mod keys;
pub mod ledger;
pub mod model;
pub mod parties;
pub mod publisher;
pub mod responder;
pub mod status;
