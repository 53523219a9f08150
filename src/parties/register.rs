//! The register of relying parties: from a connection's address and a request's path to the caller.
//!
//! Made from the configuration; asked by the network's edge for each connection and for each request.

use std::collections::HashSet;
use std::net::IpAddr;

use super::origins::{Origin, Origins};
use super::party::{Label, Party};
use crate::model::{Caller, Rank, Share};

/// All relying parties, by number. Immutable: other settings make another register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    parties: Vec<Party>,
    strangers: Strangers,
    origins: Origins,
}

/// Whether whoever claims to be nobody in particular is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strangers {
    /// Yes, after everybody accredited.
    Answered,
    /// No: only parties of the register may ask.
    Refused,
}

/// What a path claims: `/p/{party}/{service}/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim<'a> {
    /// Who asks.
    pub party: &'a str,
    /// For which of its services.
    pub service: &'a str,
}

/// Who may not ask, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowed {
    /// There is no such party, or it doesn't ask from this address: whoever tries names learns nothing.
    #[error("no such party asks from this address")]
    Party,
    /// The party has no such service.
    #[error("the party has no such service")]
    Service,
    /// Strangers aren't answered.
    #[error("only registered parties may ask")]
    Stranger,
}

/// Why parties make no register.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// A party that could ask from nowhere.
    #[error("party '{0}' has no addresses: name at least one range")]
    NoAddresses(Label),
    /// A party that could ask for nothing.
    #[error("party '{0}' has no services: name at least one")]
    NoServices(Label),
    /// More than the numbers suffice for.
    #[error("there are more than {LIST_MAX} {0}")]
    TooMany(&'static str),
    /// Two parties of one name.
    #[error("there are two parties named '{0}'")]
    TwoParties(Label),
    /// Two services of one name.
    #[error("party '{party}' has two services named '{service}'")]
    TwoServices {
        /// Whose.
        party: Label,
        /// Which.
        service: Label,
    },
}

impl Register {
    /// Takes these parties in, if they can be told from one another.
    pub fn new(parties: Vec<Party>, strangers: Strangers) -> Result<Self, RegisterError> {
        at_most(parties.len(), "parties")?;
        let mut names = HashSet::new();
        for party in &parties {
            if !names.insert(&party.name) {
                return Err(RegisterError::TwoParties(party.name.clone()));
            }
            check(party)?;
        }
        let origins = Origins::of(&parties);
        Ok(Self { parties, strangers, origins })
    }

    /// The parties; a party's place is its number, and likewise a service's among its party's.
    pub fn parties(&self) -> &[Party] {
        &self.parties
    }

    /// Whether strangers are answered.
    pub fn strangers(&self) -> Strangers {
        self.strangers
    }

    /// Which parties an address may be: once per connection.
    pub fn origin(&self, address: IpAddr) -> Origin {
        self.origins.origin(address)
    }

    /// Whether an address is some party's, whatever is asked from there.
    pub fn is_known(&self, origin: Origin) -> bool {
        !self.origins.parties(origin).is_empty()
    }

    /// Who sent a request over a connection from there: for each request.
    pub fn caller(&self, origin: Origin, claim: Option<Claim<'_>>) -> Result<Caller, NotAllowed> {
        let Some(claim) = claim else {
            return match self.strangers {
                Strangers::Answered => Ok(Caller { rank: Rank::Anonymous, share: origin.stranger }),
                Strangers::Refused => Err(NotAllowed::Stranger),
            };
        };
        // Hardly any address is more than one party's.
        let mut here = self.origins.parties(origin).iter();
        let no = here.find(|no| self.parties[usize::from(**no)].name.as_str() == claim.party);
        let no = *no.ok_or(NotAllowed::Party)?;
        let party = &self.parties[usize::from(no)];
        let service = party.services.iter().position(|service| service.as_str() == claim.service);
        let service = service.ok_or(NotAllowed::Service)? as u16;
        Ok(Caller { rank: party.rank, share: Share::Party { party: no, service } })
    }
}

fn check(party: &Party) -> Result<(), RegisterError> {
    if party.services.is_empty() {
        return Err(RegisterError::NoServices(party.name.clone()));
    }
    if party.networks.is_empty() {
        return Err(RegisterError::NoAddresses(party.name.clone()));
    }
    at_most(party.services.len(), "services of one party")?;
    at_most(party.networks.len(), "addresses of one party")?;
    let mut names = HashSet::new();
    match party.services.iter().find(|service| !names.insert(*service)) {
        Some(service) => Err(RegisterError::TwoServices { party: party.name.clone(), service: service.clone() }),
        None => Ok(()),
    }
}

fn at_most(count: usize, what: &'static str) -> Result<(), RegisterError> {
    if count > LIST_MAX { Err(RegisterError::TooMany(what)) } else { Ok(()) }
}

/// A nation's ministries, municipalities and banks are some thousands; a number of 16 bits counts more.
const LIST_MAX: usize = 4_096;
const _: () = assert!(LIST_MAX <= u16::MAX as usize);

#[cfg(test)]
mod tests;
