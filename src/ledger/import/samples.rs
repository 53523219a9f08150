//! A book and a context for the unit tests of this room.

use super::{Context, Defaults, Kind};
use crate::ledger::sha256;
use crate::model::{Book, Issuer, IssuerNo, Scope, ScopeNo};

/// Calls back with a context for issuer 1, which has two scopes; issuer 2 is `other`.
pub(super) fn with_context<T>(use_it: impl FnOnce(&Context<'_>) -> T) -> T {
    let issuer = |no: u16, name: &str| Issuer {
        no: IssuerNo(no),
        name: name.into(),
        certificate: vec![],
        name_sha1: [0; 20],
        key_sha1: [no as u8; 20],
        name_sha256: [0; 32],
        key_sha256: [no as u8; 32],
    };
    let scope = |no: u32, path: &str| Scope {
        no: ScopeNo(no),
        issuer: IssuerNo(1),
        distribution_point: crate::asn1::DistributionPointName::uri(&format!("http://s.example/crl/{path}"))
            .unwrap()
            .as_der()
            .to_vec(),
        path: path.into(),
    };
    let book = Book {
        issuers: vec![issuer(1, "sign"), issuer(2, "other")],
        scopes: vec![scope(1, "sign-1.crl"), scope(2, "sign-2.crl")],
        sets: vec![],
    };
    let defaults = Defaults {
        usage: None,
        medium: None,
        batch: None,
        municipality: None,
        scope: Some(ScopeNo(1)),
        known_from: "2026-11-20T00:00:00Z".parse().unwrap(),
    };
    use_it(&Context { issuer: IssuerNo(1), book: &book, defaults, pseudonym: &pseudonym })
}

pub(super) fn pseudonym(kind: Kind, text: &str) -> [u8; 16] {
    let digest = sha256(&[format!("{kind:?}").as_bytes(), text.as_bytes()]);
    digest[..16].try_into().unwrap()
}
