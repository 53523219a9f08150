//! Importing: files that other systems wrote, read one entry at a time into what the desk can register.
//!
//! [`Records`] streams OpenSSL's `index.txt`, NDJSON, PEM or DER; `desk/bulk` validates and commits what comes out. What
//! a format can't say is taken from [`Defaults`]. An entry that can't be used comes out as a [`Fault`] with its place, and
//! reading goes on behind it. Never holds more than one entry, never asks a ledger, never decides what may be registered.

mod certificates;
mod fault;
mod lines;
mod moment;
mod ndjson;
mod openssl_index;
mod reading;
#[cfg(test)]
mod samples;
mod serials;

pub use certificates::Authority;
pub use fault::Fault;
pub use lines::ENTRY_OCTETS_MAX;
pub use reading::{Format, OpenError, Records, Unit};
pub use serials::SerialList;

use crate::model::{
    Batch, Book, Certificate, IssuerNo, KeyOrigin, MediumKind, Municipality, Proofing, Reason, ScopeNo, Serial, Time,
    Usage,
};

/// Reads one certificate as a JSON object, as a line of NDJSON holds it; `None` for nothing but white space.
pub fn record_from_json(object: &str, context: &Context<'_>) -> Result<Option<Record>, Fault> {
    ndjson::read_line(object, context)
}

/// What one entry of a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The facts, completed from the defaults; its links are in `links`.
    pub certificate: Certificate,
    /// How much of the facts the file itself states.
    pub states: States,
    /// What it says about the status.
    pub standing: Standing,
    /// The certificates it names as its relations.
    pub links: NamedLinks,
    /// What is worth a warning.
    pub remarks: Remarks,
}

/// How much of a certificate's facts a file states: what a second import may contradict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum States {
    /// Serial, validity and CRL scope, as a certificate does.
    Certificate,
    /// Everything.
    Everything,
    /// Serial and end of validity, as OpenSSL's index does.
    Expiry,
}

/// What a file says about a certificate's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Not revoked when it expired.
    Expired,
    /// Held.
    Held,
    /// Revoked for good.
    Revoked {
        /// Why, if that is said.
        reason: Option<Reason>,
        /// The revocation date.
        at: Time,
        /// Since when the key may have been in wrong hands, if that is said.
        lost_at: Option<Time>,
    },
    /// Nothing is said.
    Unsaid,
    /// Not revoked and not held.
    Valid,
}

/// Relations by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedLinks {
    /// The card's SIGN certificate that signed the application.
    pub issued_under: Option<NamedLink>,
    /// The AUTH certificate on the other medium.
    pub parallel_of: Option<NamedLink>,
    /// The certificate that this one replaces.
    pub succeeds: Option<NamedLink>,
}

/// A certificate named by a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NamedLink {
    /// Its issuer.
    pub issuer: IssuerNo,
    /// Its number there.
    pub serial: Serial,
}

/// What is worth a warning, though no error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remarks {
    /// No distribution point names a cRLIssuer: the combined CRL doesn't count for it (RFC 5280 §6.3.3).
    pub without_combined: bool,
    /// Signed with an algorithm that can't be verified here; matched by name and key identifier only.
    pub unverified: bool,
}

/// What to take where a format says nothing. What is said holds for certificates that are registered already, too: they are
/// not changed by it, so it must not contradict them.
#[derive(Clone, Copy, Debug)]
pub struct Defaults {
    /// SIGN or AUTH; `None` leaves it to the certificate's key usage, and is AUTH where there is none to read.
    pub usage: Option<Usage>,
    /// What carries the keys; `None` is a card.
    pub medium: Option<MediumKind>,
    /// Chip batch; `None` is 0, unknown.
    pub batch: Option<Batch>,
    /// Municipality of registration; `None` is 0, unknown.
    pub municipality: Option<Municipality>,
    /// CRL scope; `None` is the issuer's scope without distribution point, or its only one.
    pub scope: Option<ScopeNo>,
    /// Start of validity for formats that don't say it: the moment of the import.
    pub known_from: Time,
}

/// What an identifier names; pseudonyms of different kinds never meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An applet instance in a SIM.
    Applet,
    /// A holder.
    Holder,
    /// A card, SIM or secure element.
    Medium,
    /// A SIM, as its operator numbers it.
    Sim,
}

/// Turns identifiers into the pseudonyms that the ledger keeps. Reading runs on a thread of its own, hence `Sync`.
pub type Pseudonym<'a> = &'a (dyn Fn(Kind, &str) -> [u8; 16] + Sync);

/// Everything that reading a file needs to know.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Whose certificates these are.
    pub issuer: IssuerNo,
    /// Issuers and scopes.
    pub book: &'a Book,
    /// What formats leave out.
    pub defaults: Defaults,
    /// The pseudonyms.
    pub pseudonym: Pseudonym<'a>,
}

impl Context<'_> {
    /// An identifier as the ledger keeps it; 32 hexadecimal digits are a pseudonym already.
    fn pseudonym(&self, kind: Kind, field: &'static str, text: &str) -> Result<[u8; 16], Fault> {
        if text.is_empty() || text.len() > IDENTIFIER_OCTETS_MAX {
            return Err(Fault::Identifier { field, octets: text.len() });
        }
        Ok(hex128(text).unwrap_or_else(|| (self.pseudonym)(kind, text)))
    }

    /// The scope of certificates about which the file says none.
    fn default_scope(&self) -> Result<ScopeNo, Fault> {
        if let Some(scope) = self.defaults.scope {
            return Ok(scope);
        }
        if let Some(scope) = self.book.scope_of(self.issuer, &[]) {
            return Ok(scope.no);
        }
        let mut own = self.book.scopes.iter().filter(|scope| scope.issuer == self.issuer);
        match (own.next(), own.next()) {
            (Some(only), None) => Ok(only.no),
            _ => Err(Fault::WhichScope),
        }
    }

    /// A certificate with nothing said of it but its serial and validity.
    fn bare(&self, serial: Serial, not_before: Time, not_after: Time, subject: &str) -> Result<Certificate, Fault> {
        use crate::model::{CertificateKey, Delivery, HolderId, Links, Medium, MediumId};
        if not_after < not_before {
            return Err(Fault::ValidityReversed);
        }
        // Without a subject there is nothing that two certificates of one holder share.
        let own = format!("{}/{serial}", self.issuer);
        let holder = if subject.is_empty() { own.as_str() } else { subject };
        Ok(Certificate {
            key: CertificateKey { issuer: self.issuer, serial },
            usage: self.defaults.usage.unwrap_or(Usage::Auth),
            medium: Medium {
                kind: self.defaults.medium.unwrap_or(MediumKind::Card),
                id: MediumId((self.pseudonym)(Kind::Medium, &own)),
            },
            holder: HolderId((self.pseudonym)(Kind::Holder, holder)),
            sim: None,
            batch: self.defaults.batch.unwrap_or_default(),
            not_before,
            not_after,
            scope: ScopeNo(0),
            municipality: self.defaults.municipality.unwrap_or_default(),
            key_origin: KeyOrigin::Unknown,
            proofing: Proofing::Unknown,
            delivery: Delivery::Delivered,
            links: Links::default(),
        })
    }
}

impl NamedLinks {
    /// Those that are named.
    pub fn iter(&self) -> impl Iterator<Item = NamedLink> + '_ {
        [self.issued_under, self.parallel_of, self.succeeds].into_iter().flatten()
    }
}

/// The octets of 32 hexadecimal digits; `None` if it is anything else.
fn hex128(text: &str) -> Option<[u8; 16]> {
    let digits: &[u8; 32] = text.as_bytes().try_into().ok()?;
    let mut octets = [0; 16];
    for (octet, pair) in octets.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |c: u8| (c as char).to_digit(16);
        *octet = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
    }
    Some(octets)
}

/// Longer than any card, SIM or register number; bounds what a line can make the program hash.
const IDENTIFIER_OCTETS_MAX: usize = 256;
