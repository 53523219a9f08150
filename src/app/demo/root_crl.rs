//! The root's CRL: empty, for it has revoked no CA, and without it no verifier of whole chains is content. Made by `up` as an
//! offline root's keeper would make it, into the file where the publisher looks for it; anew when its end comes near.

use std::fs;

use super::error::DemoError;
use super::folder::{Folder, Readers, at};
use super::pki::in_file;
use crate::asn1::crl::Crl;
use crate::asn1::{CRL_LABEL, CertificateFields, crl_in, to_pem};
use crate::keys::Signer;
use crate::model::{CrlLimits, CrlNumber, Cutoff, DatedByDay, Position, ScopeNo, Seconds, Time};
use crate::publisher::{
    Base, BuildError, Content, Expired, Exposed, Kind, Lists, Planned, Rules, Slot, build, preflight,
};
use crate::status::{LossDates, Revoked};

/// Makes it, if it is missing or ends soon.
pub(super) fn make(folder: &Folder, root: &CertificateFields, key: &dyn Signer, now: Time) -> Result<(), DemoError> {
    if until(folder)?.is_some_and(|until| until > now + LEFT_MIN) {
        return Ok(());
    }
    let not_made = |why: String| DemoError::RootCrl { path: folder.file(FILE), why };
    let slot = Slot::new(root, None).map_err(|error| not_made(error.to_string()))?;
    let nothing = Revoked::new(LossDates::Ignored, Seconds(0));
    let list = nothing.list(ScopeNo(1)).map_err(|error| not_made(error.to_string()))?;
    let lists = Lists::of_scope(list);
    let rules = Rules { dates: DatedByDay::NONE, expired: Expired::Dropped, delivery_within: Seconds(0) };
    let cutoff = Cutoff { position: Position(0), time: now };
    let content = Content { lists: &lists, cutoff, rules, regular: &[] };
    // A number that rises without anybody remembering the last: a root signs no two in one second.
    let number = CrlNumber::from(now.unix().unsigned_abs());
    let next_update = (now + LASTS).min(slot.not_after());
    let planned = Planned { number, kind: Kind::Full, next_update, reflects: None };
    let octets = build(&slot, &planned, &content, key).map_err(|error| match error {
        BuildError::Key(error) => DemoError::Key(error),
        BuildError::OtherKey => not_made(error.to_string()),
    })?;
    preflight(&octets, &slot, &planned, &content, &Exposed::default(), Base::None)
        .map_err(|fault| not_made(fault.to_string()))?;
    folder.write(FILE, Readers::Public, &to_pem(CRL_LABEL, &octets))
}

/// Until when the one that is there lasts.
fn until(folder: &Folder) -> Result<Option<Time>, DemoError> {
    if !folder.has(FILE) {
        return Ok(None);
    }
    let path = folder.file(FILE);
    let text = fs::read(&path).map_err(at(&path))?;
    let der = in_file(FILE, crl_in(&text))?;
    Ok(Crl::read(&der, CrlLimits::WIDEST).ok().map(|crl| crl.next_update))
}

/// Where the demonstration's configuration has it.
const FILE: &str = "external/root.crl";
const LASTS: Seconds = Seconds::days(365);
/// A demonstration lies about for weeks.
const LEFT_MIN: Seconds = Seconds::days(60);
