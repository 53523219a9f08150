//! CRLs that are signed elsewhere and put into a file: looked at again and again, taken up when they change.

use std::fs;

use crate::app::config::{Config, External};
use crate::app::words::refused_file;
use crate::asn1::crl_in;
use crate::model::Time;
use crate::publisher::{Brought, Exposed, Index, Slot, accept};

use super::places::certificate;

/// What there is of new ones, and what was refused, by path.
pub fn brought(config: &Config, index: Option<&Index>, now: Time) -> (Vec<Brought>, Vec<(String, String)>) {
    let (mut new, mut refused) = (Vec::new(), Vec::new());
    for external in &config.crl.external {
        match one(external, index, now) {
            Ok(brought) => new.extend(brought),
            Err(why) => refused.push((external.path.clone(), why)),
        }
    }
    (new, refused)
}

/// The setting that names a path's file.
pub(super) fn key_of(path: &str) -> String {
    format!("crl.external '{path}'")
}

/// None: it is what is published already.
fn one(external: &External, index: Option<&Index>, now: Time) -> Result<Option<Brought>, String> {
    let file = external.file.display();
    let octets = fs::read(&external.file).map_err(|error| format!("{file}: {}", refused_file(&error)))?;
    let octets = crl_in(&octets).map_err(|error| format!("{file}: {error}"))?.into_owned();
    let published = index.and_then(|index| index.slot(&external.path)).map(|listing| &listing.full);
    // What is made here says up to which event it speaks.
    if published.is_some_and(|issue| issue.reflects.is_some()) {
        return Err("a CRL that is made here is published at this path: name another in crl.external".into());
    }
    if published.is_some_and(|issue| issue.is(&octets)) {
        return Ok(None);
    }
    let exposed = published.map_or_else(Exposed::default, |issue| Exposed {
        number: Some(issue.number),
        this_update: Some(issue.this_update),
        next_update: Some(issue.next_update),
    });
    let signer = certificate(&external.certificate)?;
    let slot = Slot::new(&signer, None).map_err(|error| format!("{}: {error}", external.certificate.display()))?;
    let accepted = accept(&external.path, octets, &slot, &exposed, now);
    accepted.map(Some).map_err(|fault| format!("{file}: {fault}"))
}
