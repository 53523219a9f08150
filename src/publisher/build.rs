//! From content to a signed CRL.

use crate::asn1::crl::{CrlKind, CrlProfile, Reflects};
use crate::keys::{KeyError, Signer};
use crate::model::{CrlNumber, Cutoff, Time};

use super::content::{Content, Expired, Relist};
use super::slot::Slot;

/// A CRL that is to be issued. Its cut-off is its content's, and the cut-off's time its thisUpdate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The number that is reserved for it.
    pub number: CrlNumber,
    /// Complete, or against which base.
    pub kind: Kind,
    /// When the next one will be there, at the latest.
    pub next_update: Time,
    /// Up to which event it speaks, if it tells.
    pub reflects: Option<Reflects>,
}

/// Complete, or against which base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What changed since a base.
    Delta {
        /// The base's number.
        base: CrlNumber,
        /// The base's cut-off.
        since: Cutoff,
        /// Which entries are listed.
        relist: Relist,
    },
    /// Complete.
    Full,
}

/// Why no CRL was made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The key doesn't sign.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// It is another key than the slot's.
    #[error("the key is not the one of the certificate that signs CRLs here")]
    OtherKey,
}

/// The signed octets of a planned CRL. Nobody may see them before [`preflight`](super::preflight()) has.
pub fn build(
    slot: &Slot,
    planned: &Planned,
    content: &Content<'_>,
    signer: &dyn Signer,
) -> Result<Vec<u8>, BuildError> {
    if signer.public_key() != slot.key().as_der() {
        return Err(BuildError::OtherKey);
    }
    let profile = profile(slot, planned, content);
    let unsigned = match planned.kind {
        // A few of very many: found once, and kept while they are measured and written.
        Kind::Delta { since, relist: Relist::Changed, .. } => {
            let news: Vec<_> = content.delta(since, Relist::Changed).collect();
            profile.write(news.iter().copied())
        }
        Kind::Delta { since, relist: Relist::Everything, .. } => {
            profile.write(content.delta(since, Relist::Everything))
        }
        Kind::Full => profile.write(content.full()),
    };
    let signature = signer.sign_digest(unsigned.digest())?;
    Ok(unsigned.assemble(&signature))
}

/// What a planned CRL says besides its entries.
pub(super) fn profile(slot: &Slot, planned: &Planned, content: &Content<'_>) -> CrlProfile {
    CrlProfile {
        algorithm: slot.algorithm(),
        issuer: slot.issuer().clone(),
        this_update: content.cutoff.time,
        next_update: planned.next_update,
        authority_key_id: slot.key_id().to_vec(),
        number: planned.number,
        kind: match planned.kind {
            Kind::Delta { base, .. } => CrlKind::Delta { base },
            Kind::Full => CrlKind::Full { freshest: slot.freshest().cloned() },
        },
        issuing_point: slot.point().cloned(),
        expired_since: match content.rules.expired {
            Expired::Dropped => None,
            Expired::Kept { since } => Some(since),
        },
        reflects: planned.reflects,
    }
}
