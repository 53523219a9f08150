//! The small registers every writer and reader holds whole: issuers, CRL scopes, set events.

use super::{
    Batch, Certificate, Change, Hold, HoldId, HoldKind, IssuerNo, Life, ListNo, Position, Reason, Revocation, ScopeNo,
    Status, Time,
};

/// The registers as of one position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    /// Issuers, by number from 1.
    pub issuers: Vec<Issuer>,
    /// CRL scopes, by number from 1.
    pub scopes: Vec<Scope>,
    /// Set events, by position.
    pub sets: Vec<SetEvent>,
}

/// An issuer key generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// Its number.
    pub no: IssuerNo,
    /// The short name that commands and URLs use.
    pub name: String,
    /// Its certificate, DER.
    pub certificate: Vec<u8>,
    /// SHA-1 of its distinguished name (RFC 6960 §4.1.1).
    pub name_sha1: [u8; 20],
    /// SHA-1 of its public key's BIT STRING contents.
    pub key_sha1: [u8; 20],
    /// SHA-256 of its distinguished name.
    pub name_sha256: [u8; 32],
    /// SHA-256 of its public key's BIT STRING contents: the identity of a key generation.
    pub key_sha256: [u8; 32],
}

/// A CRL scope: issuer key generation × distribution point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Its number.
    pub no: ScopeNo,
    /// Whose certificates.
    pub issuer: IssuerNo,
    /// The DER of the DistributionPointName that its certificates carry; empty for an issuer's one scope without IDP.
    pub distribution_point: Vec<u8>,
    /// Where it is served, below `/crl/`.
    pub path: String,
}

/// One event that changes many certificates at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetEvent {
    /// Its position; the name of the hold if it holds.
    pub position: Position,
    /// Ledger time.
    pub time: Time,
    /// The command it follows from.
    pub cause: Position,
    /// Which certificates.
    pub target: SetTarget,
    /// What happens to them.
    pub change: SetChange,
}

/// Which certificates a set event touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetTarget {
    /// All of a chip batch.
    Batch(Batch),
    /// All of an issuer key generation.
    Issuer(IssuerNo),
    /// Those listed beforehand.
    Listed {
        /// The list.
        list: ListNo,
        /// How many certificates it names.
        count: u64,
        /// SHA-256 over their numbers, each in eight big-endian octets, ascending.
        digest: [u8; 32],
    },
}

/// What a set event does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetChange {
    /// Opens a hold, named by the event's position.
    Held,
    /// Lifts the hold that another set event opened.
    Released {
        /// That set event's position.
        hold: HoldId,
    },
    /// Revokes for good.
    Revoked {
        /// Why.
        reason: Reason,
    },
}

impl Book {
    /// The issuer of that name.
    pub fn issuer_named(&self, name: &str) -> Option<&Issuer> {
        self.issuers.iter().find(|issuer| issuer.name == name)
    }

    /// The issuer with that number.
    pub fn issuer(&self, no: IssuerNo) -> Option<&Issuer> {
        self.issuers.get(usize::from(no.0).checked_sub(1)?)
    }

    /// The scope with that number.
    pub fn scope(&self, no: ScopeNo) -> Option<&Scope> {
        self.scopes.get((no.0 as usize).checked_sub(1)?)
    }

    /// The scope of an issuer that a distribution point names.
    pub fn scope_of(&self, issuer: IssuerNo, distribution_point: &[u8]) -> Option<&Scope> {
        self.scopes.iter().find(|scope| scope.issuer == issuer && scope.distribution_point == distribution_point)
    }

    /// The set event that keeps newcomers out of the certificate's issuer or batch: it held or revoked all of it, and
    /// covers only what was registered before it, so whatever came in afterwards would silently be left out.
    pub fn closed_by(&self, certificate: &Certificate) -> Option<&SetEvent> {
        let mut status = Status { life: Life::Active, holds: Vec::new(), handed_to: None, as_of: Position(0) };
        for set in self.sets.iter().filter(|set| set.target.covers(certificate, &[])) {
            set.apply_to(&mut status);
        }
        let closing = match status.life {
            Life::Revoked(revocation) => revocation.by,
            Life::Active | Life::Pending => status.holds.first()?.id.0,
        };
        self.sets.iter().find(|set| set.position == closing)
    }

    /// Brings a stored status up to date with the set events since.
    ///
    /// `lists` are the lists that name this certificate. What comes out is what every reader must show.
    pub fn overlay(&self, certificate: &Certificate, status: &mut Status, lists: &[ListNo]) {
        let after = self.sets.partition_point(|set| set.position <= status.as_of);
        for set in &self.sets[after..] {
            if set.target.covers(certificate, lists) {
                set.apply_to(status);
            }
        }
    }
}

impl SetTarget {
    /// Whether the certificate belongs to the set; `lists` are the lists that name it.
    pub fn covers(&self, certificate: &Certificate, lists: &[ListNo]) -> bool {
        match self {
            Self::Batch(batch) => certificate.batch == *batch,
            Self::Issuer(issuer) => certificate.key.issuer == *issuer,
            Self::Listed { list, .. } => lists.contains(list),
        }
    }
}

impl SetEvent {
    /// Takes the event into one member's status. Revoked stays revoked, except for a worse reason.
    pub fn apply_to(&self, status: &mut Status) {
        match self.change {
            SetChange::Held => {
                if status.revocation().is_none() {
                    status.holds.push(Hold {
                        id: HoldId(self.position),
                        kind: HoldKind::Set,
                        since: self.time,
                        cause: self.cause,
                        lost_at: None,
                        becomes: None,
                    });
                }
            }
            SetChange::Released { hold } => status.holds.retain(|open| open.id != hold),
            SetChange::Revoked { reason } => match &mut status.life {
                Life::Revoked(known) if reason.outweighs(known.reason) => {
                    let change = Change::ReasonChanged { reason };
                    status.apply(&change, self.position, self.time, self.cause);
                }
                Life::Revoked(_) => {}
                Life::Active | Life::Pending => {
                    let at = status.held_since().unwrap_or(self.time);
                    let lost_at = status.lost_at();
                    status.life = Life::Revoked(Revocation { reason, at, lost_at, by: self.position });
                    status.holds.clear();
                }
            },
        }
        status.as_of = self.position;
    }
}
