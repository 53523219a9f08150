//! The places at which this installation publishes: one for each scope of an issuer whose key is here, beside them the issuer's
//! complete CRL, and the combined one.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::app::compose;
use crate::app::config::{Config, SignerFiles};
use crate::app::signers::SignerFolder;
use crate::app::words::refused_file;
use crate::asn1::crl::IssuingPoint;
use crate::asn1::{CertificateFields, DistributionPointName};
use crate::keys::Signer;
use crate::model::{Issuer, Scope};
use crate::publisher::{Covers, Place, Schedule, Slot};
use crate::status::Registers;

/// What is published here, and what can't be.
#[derive(Debug, Default)]
pub struct Places {
    /// By path.
    pub all: BTreeMap<String, Place>,
    /// Paths without a CRL of this installation that should have one, and why.
    pub without: Vec<(String, String)>,
}

/// The places that there are for these issuers and scopes.
pub fn places(config: &Config, registers: &Registers) -> Places {
    let mut places = Places::default();
    let mut published = Vec::new();
    for issuer in &registers.issuers {
        let signer = match SignerFolder::of(config).crl_key(issuer) {
            Ok(Some(signer)) => Arc::from(signer),
            // Its CA publishes by itself.
            Ok(None) => continue,
            Err(error) => {
                places.without.push((issuer.name.clone(), error.to_string()));
                continue;
            }
        };
        match CertificateFields::from_der(&issuer.certificate) {
            Ok(fields) => {
                let scopes: Vec<_> = registers.scopes.iter().filter(|scope| scope.issuer == issuer.no).collect();
                let own = Own { config, issuer, fields: &fields, signer: &signer };
                own.add_scopes(&scopes, &mut places);
                own.add_complete(&scopes, &mut places);
                published.extend(scopes.iter().map(|scope| (fields.subject.as_der().to_vec(), scope.no)));
            }
            Err(error) => places.without.push((issuer.name.clone(), error.to_string())),
        }
    }
    if let Some(files) = &config.crl.combined {
        match combined(config, files, published) {
            Ok(place) => places.add(place),
            Err(why) => places.without.push((COMBINED.into(), why)),
        }
    }
    places
}

impl Places {
    fn add(&mut self, place: Place) {
        if self.all.contains_key(&place.path) {
            self.without.push((place.path, "another CRL is published at this path".into()));
            return;
        }
        self.all.insert(place.path.clone(), place);
    }
}

/// One issuer's places.
struct Own<'a> {
    config: &'a Config,
    issuer: &'a Issuer,
    fields: &'a CertificateFields,
    signer: &'a Arc<dyn Signer>,
}

impl Own<'_> {
    fn add_scopes(&self, scopes: &[&Scope], places: &mut Places) {
        for scope in scopes {
            let point = match scope.distribution_point.as_slice() {
                [] => Ok(None),
                der => DistributionPointName::from_der(der).map(|name| Some(IssuingPoint::of(name))),
            };
            let point = point.map_err(|error| error.to_string());
            match point.and_then(|point| self.place(&scope.path, point, Covers::Scope(scope.no))) {
                Ok(place) => places.add(place),
                Err(why) => places.without.push((scope.path.clone(), why)),
            }
        }
    }

    /// All of the issuer's in one CRL without IDP, for clients that refuse any: unless a scope is just that.
    fn add_complete(&self, scopes: &[&Scope], places: &mut Places) {
        let is_there = scopes.iter().any(|scope| scope.distribution_point.is_empty() && scopes.len() == 1);
        if is_there || places.all.contains_key(&self.issuer.name) {
            return;
        }
        let budget = self.config.crl.complete;
        if budget.is_none() && !scopes.is_empty() {
            return;
        }
        let covers = Covers::Scopes(scopes.iter().map(|scope| scope.no).collect());
        match self.place(&self.issuer.name, None, covers) {
            Ok(place) => places.add(Place { budget, ..place }),
            Err(why) => places.without.push((self.issuer.name.clone(), why)),
        }
    }

    fn place(&self, path: &str, point: Option<IssuingPoint>, covers: Covers) -> Result<Place, String> {
        let slot = Slot::new(self.fields, point).map_err(|error| error.to_string())?;
        at(self.config, path, &self.issuer.name, slot, covers, self.signer.clone())
    }
}

/// The combined CRL's place, whose lists are those of these scopes.
pub(super) fn combined(
    config: &Config,
    files: &SignerFiles,
    published: Vec<(Vec<u8>, crate::model::ScopeNo)>,
) -> Result<Place, String> {
    let fields = certificate(&files.certificate)?;
    let signer = compose::open_signing_key(&files.key, config.passphrase_file.as_deref());
    let signer: Arc<dyn Signer> = Arc::from(signer.map_err(|error| error.to_string())?);
    if signer.public_key() != fields.public_key.as_der() {
        return Err(format!("{}: this is not the key of {}", files.key.display(), files.certificate.display()));
    }
    let name = address(config, COMBINED, ".crl")?;
    let slot = Slot::new(&fields, Some(IssuingPoint::indirect(name))).map_err(|error| error.to_string())?;
    at(config, COMBINED, COMBINED, slot, Covers::Issuers(published), signer)
}

fn at(
    config: &Config,
    path: &str,
    issuer: &str,
    slot: Slot,
    covers: Covers,
    signer: Arc<dyn Signer>,
) -> Result<Place, String> {
    let hours = config.crl.hours_of(path);
    let slot = match hours.deltas {
        Some(_) => slot.with_deltas_at(address(config, path, ".delta.crl")?),
        None => slot,
    };
    let delay = Schedule::delay_of(path, config.crl.spread);
    let schedule = Schedule { full_at: hours.full_at, full_for: hours.full_for, deltas: hours.deltas, delay };
    Ok(Place { path: path.to_owned(), issuer: issuer.to_owned(), slot, covers, schedule, budget: None, signer })
}

fn address(config: &Config, path: &str, ending: &str) -> Result<DistributionPointName, String> {
    let url = format!("{}/crl/{path}{ending}", config.public_url);
    DistributionPointName::uri(&url).map_err(|error| error.to_string())
}

/// The first certificate in a file.
pub(super) fn certificate(file: &Path) -> Result<CertificateFields, String> {
    let octets = fs::read(file).map_err(|error| format!("{}: {}", file.display(), refused_file(&error)))?;
    CertificateFields::from_file(&octets).map_err(|error| format!("{}: {error}", file.display()))
}

/// The path of the combined CRL.
pub(super) const COMBINED: &str = "combined";
