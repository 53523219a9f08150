//! Tashika (確か, "certain"): the certificate status system of a national PKI.
//!
//! This file is the map. The rooms, in the order a newcomer should read them:
//!
//! - [`model`] — nouns and rules of the domain: serials, holds, status, events, authority. Pure.
//! - [`asn1`] — bytes ⇄ model: X.509 certificates built and read.
//! - [`ledger`] — the issuance database, the truth: contract, event bytes, hash tree, adapters.

pub mod asn1;
pub mod desk;
pub mod ledger;
pub mod model;
