//! Whether what was fetched may be taken: it is what the index lists, somebody trusted signed it, it goes on from what is
//! held, and the delta fits its base.

use crate::asn1::CertificateFields;
use crate::asn1::crl::{Crl, CrlError};
use crate::ledger::sha256;
use crate::model::{CrlLimits, CrlNumber, Time};
use crate::publisher::verifier::{ChainFault, ListFault, chain, in_time, signer_of};
use crate::publisher::{Fault, Hex, Issue, Listing, Mismatch, fits_base, sum};

use super::{Held, History};

/// What was fetched for one path.
#[derive(Clone, Copy, Debug)]
pub struct Offered<'a> {
    /// As the index lists it.
    pub listing: &'a Listing,
    /// The octets of the full CRL.
    pub full: &'a [u8],
    /// Those of the delta, if one is listed.
    pub delta: Option<&'a [u8]>,
}

/// Whom a verifier knows.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Trusted without further proof.
    pub anchors: &'a [CertificateFields],
    /// Trusted as far as an anchor vouches for them.
    pub others: &'a [CertificateFields],
}

/// What was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// What is held from now on.
    pub held: Held,
    /// How many certificates full and delta list together.
    pub listed: u64,
}

/// Why it isn't taken. What was held before stays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untaken {
    /// Nobody trusted vouches for its signer.
    #[error("its signer is not trusted: {0}")]
    Chain(#[from] ChainFault),
    /// The delta doesn't belong to the full CRL.
    #[error("the delta does not fit: {0}")]
    Delta(Fault),
    /// Not the octets that the index lists.
    #[error("it is not what the index lists: {0} differs")]
    Index(&'static str),
    /// It doesn't count.
    #[error("{0}")]
    List(#[from] ListFault),
    /// Another key signed what was taken before.
    #[error("it is signed with another key than the one before")]
    OtherKey,
    /// Older than what is held.
    #[error("its number is {found}, and {held} was taken before")]
    Older {
        /// The highest that was taken.
        held: CrlNumber,
        /// What is offered.
        found: CrlNumber,
    },
    /// Its time lies before that of what is held.
    #[error("it is dated {found}, before {held} which was taken")]
    OlderTime {
        /// What is held.
        held: Time,
        /// What is offered.
        found: Time,
    },
    /// Base and delta can't be put together.
    #[error("base and delta do not go together: {0}")]
    Sum(Mismatch),
    /// Two CRLs of one number.
    #[error("there are two CRLs of number {0}")]
    Twice(CrlNumber),
    /// It can't be read.
    #[error("{0}")]
    Unreadable(#[from] CrlError),
}

/// Takes what was fetched, or says why not.
pub fn admit(
    offered: &Offered<'_>,
    held: Option<&Held>,
    known: Known<'_>,
    now: Time,
    history: History,
) -> Result<Admitted, Untaken> {
    let listing = offered.listing;
    let full = read(offered.full, &listing.full, listing)?;
    let signer = vouched(&full, known, now)?;
    in_time(&full, now)?;
    let key = Hex(sha256(&[signer.public_key.as_der()]));
    let delta = match (offered.delta, &listing.delta) {
        (Some(octets), Some(issue)) => {
            let delta = read(octets, issue, listing)?;
            fits_base(&delta, &full).map_err(Untaken::Delta)?;
            // RFC 5280 §5.2.4: the key that signed the base.
            if !delta.is_signed_by(&signer.public_key) {
                return Err(ListFault::Signature(delta.issuer).into());
            }
            in_time(&delta, now)?;
            Some(delta)
        }
        (None, None) => None,
        _ => return Err(Untaken::Index("the delta")),
    };
    let newest =
        [Some(listing.full.number), listing.delta.as_ref().map(|delta| delta.number)].into_iter().flatten().max();
    let newest = newest.unwrap_or(listing.full.number);
    if let Some(held) = held {
        goes_on(held, listing, newest, key, history)?;
    }
    let nothing = std::iter::empty();
    let sum = match &delta {
        Some(delta) => sum(full.entries(), delta.entries()),
        None => sum(full.entries(), nothing),
    };
    let listed = sum.map_err(Untaken::Sum)?.full;
    Ok(Admitted { held: Held { listing: listing.clone(), signer: key, newest }, listed })
}

/// Reads a CRL and compares it with what the index says of it.
fn read<'a>(octets: &'a [u8], issue: &Issue, listing: &Listing) -> Result<Crl<'a>, Untaken> {
    if !issue.is(octets) {
        return Err(Untaken::Index("the hash"));
    }
    let crl = Crl::read(octets, CrlLimits::WIDEST)?;
    let extensions = &crl.extensions;
    if extensions.number != Some(issue.number) || extensions.base != issue.base {
        return Err(Untaken::Index("the number"));
    }
    if crl.this_update != issue.this_update || crl.next_update != issue.next_update {
        return Err(Untaken::Index("a time"));
    }
    let point = extensions.issuing_point.as_ref().and_then(|point| point.name.as_ref());
    if point.map(|name| name.as_der()) != listing.point().as_deref() {
        return Err(Untaken::Index("the distribution point"));
    }
    Ok(crl)
}

fn vouched<'a>(crl: &Crl<'_>, known: Known<'a>, now: Time) -> Result<&'a CertificateFields, Untaken> {
    let signer = signer_of(crl, known.anchors.iter().chain(known.others))?;
    chain(signer, known.others, known.anchors, now)?;
    Ok(signer)
}

/// Whether it goes on from what is held: never an older number or time, never two CRLs of one number.
fn goes_on(held: &Held, listing: &Listing, newest: CrlNumber, key: Hex, history: History) -> Result<(), Untaken> {
    if held.signer != key {
        // Another key has numbers of its own.
        return if history == History::New { Ok(()) } else { Err(Untaken::OtherKey) };
    }
    // The delta may be left out when there is a newer full CRL, not to take back what it said.
    if newest < held.newest {
        return Err(Untaken::Older { held: held.newest, found: newest });
    }
    let pairs =
        [(Some(&held.listing.full), Some(&listing.full)), (held.listing.delta.as_ref(), listing.delta.as_ref())];
    for (held, found) in pairs {
        let (Some(held), Some(found)) = (held, found) else { continue };
        if found.number < held.number {
            return Err(Untaken::Older { held: held.number, found: found.number });
        }
        if found.number == held.number && found.sha256 != held.sha256 {
            return Err(Untaken::Twice(found.number));
        }
        if found.this_update < held.this_update {
            return Err(Untaken::OlderTime { held: held.this_update, found: found.this_update });
        }
    }
    Ok(())
}
