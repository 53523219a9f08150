//! The places at which CRLs are published: each with its path, the certificates that it speaks of, its key and its hours.
//!
//! Made by `app` from the ledger's registers and the settings.

use std::fmt;
use std::sync::Arc;

use crate::keys::Signer;
use crate::model::ScopeNo;
use crate::status::{Revoked, Waiting};

use super::lists::Lists;
use super::schedule::Schedule;
use super::slot::Slot;

/// Where CRLs of one kind are published.
#[derive(Clone)]
pub struct Place {
    /// The path behind `/crl/`, without `.crl`.
    pub path: String,
    /// Who signs, by the name under which the certificate is served.
    pub issuer: String,
    /// What they must be.
    pub slot: Slot,
    /// Which certificates they speak of.
    pub covers: Covers,
    /// When they are issued.
    pub schedule: Schedule,
    /// What they may take, in octets; none: whatever they need. An advertised CRL never lapses, so more is told, not refused.
    pub budget: Option<u64>,
    /// What signs them.
    pub signer: Arc<dyn Signer>,
}

/// Which certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Covers {
    /// Those of several issuers, by the DER of their names.
    Issuers(Vec<(Vec<u8>, ScopeNo)>),
    /// Those of one scope.
    Scope(ScopeNo),
    /// Those of all scopes of one issuer.
    Scopes(Vec<ScopeNo>),
}

impl Covers {
    /// What their CRLs are made from.
    pub fn lists<'a>(&'a self, revoked: &'a Revoked) -> Result<Lists<'a>, Waiting> {
        Ok(match self {
            Self::Issuers(scopes) => {
                let of = |(name, no): &'a (Vec<u8>, ScopeNo)| Ok((name.as_slice(), revoked.list(*no)?));
                Lists::of_issuers(scopes.iter().map(of).collect::<Result<Vec<_>, _>>()?)
            }
            Self::Scope(no) => Lists::of_scope(revoked.list(*no)?),
            Self::Scopes(scopes) => {
                Lists::of_issuer(scopes.iter().map(|no| revoked.list(*no)).collect::<Result<_, _>>()?)
            }
        })
    }

    /// The scope, if it is one alone.
    pub fn one(&self) -> Option<ScopeNo> {
        match self {
            Self::Scope(no) => Some(*no),
            Self::Issuers(_) | Self::Scopes(_) => None,
        }
    }

    /// Each scope.
    pub fn scopes(&self) -> impl Iterator<Item = ScopeNo> {
        let (one, own, others) = match self {
            Self::Issuers(scopes) => (None, [].as_slice(), scopes.as_slice()),
            Self::Scope(no) => (Some(*no), [].as_slice(), [].as_slice()),
            Self::Scopes(scopes) => (None, scopes.as_slice(), [].as_slice()),
        };
        one.into_iter().chain(own.iter().copied()).chain(others.iter().map(|(_, no)| *no))
    }

    /// Whether certificates of a scope are among them.
    pub fn has(&self, no: ScopeNo) -> bool {
        match self {
            Self::Issuers(scopes) => scopes.iter().any(|(_, own)| *own == no),
            Self::Scope(own) => *own == no,
            Self::Scopes(scopes) => scopes.contains(&no),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("path", &self.path).field("covers", &self.covers).finish_non_exhaustive()
    }
}
