//! CRLs that are signed elsewhere, such as an offline root's: somebody brings one, and it is looked at like our own before anybody
//! else sees it.

use std::sync::Arc;

use crate::asn1::crl::Crl;
use crate::model::{CrlLimits, CrlNumber, Time};

use super::fault::Fault;
use super::preflight::{Exposed, is_news, is_of_slot};
use super::slot::Slot;

/// One that may be exposed.
#[derive(Clone, Debug)]
pub struct Brought {
    /// Where.
    pub path: String,
    /// Its octets.
    pub octets: Arc<Vec<u8>>,
    /// Its number.
    pub number: CrlNumber,
    /// Its thisUpdate.
    pub this_update: Time,
    /// Its nextUpdate.
    pub next_update: Time,
}

/// Checks a CRL that was brought for a place: whose it is, whether it goes on from what was exposed there, and whether it holds
/// now.
pub fn accept(path: &str, octets: Vec<u8>, slot: &Slot, exposed: &Exposed, now: Time) -> Result<Brought, Fault> {
    let crl = Crl::read(&octets, CrlLimits::WIDEST)?;
    is_of_slot(&crl, slot)?;
    is_news(&crl, exposed, slot)?;
    let number = crl.extensions.number.ok_or(Fault::NoNumber)?;
    if crl.extensions.base.is_some() {
        return Err(Fault::Kind);
    }
    let (this_update, next_update) = (crl.this_update, crl.next_update);
    if this_update > now {
        return Err(Fault::NotYet { from: this_update, now });
    }
    if next_update <= now {
        return Err(Fault::Over { until: next_update, now });
    }
    for entry in crl.entries() {
        entry?;
    }
    Ok(Brought { path: path.to_owned(), octets: Arc::new(octets), number, this_update, next_update })
}
