//! Looking a certificate up on CRLs: in a folder, or where the certificate says that they are.

use std::fs;
use std::path::{Path, PathBuf};

use crate::app::pull::Source;
use crate::asn1::crl::Crl;
use crate::asn1::ocsp::CertStatus;
use crate::asn1::{CertificateFields, DistributionPoint, DistributionPointName, FullName, crl_in};
use crate::http::{Fetcher, Got};
use crate::model::{CrlLimits, Listed, Time};
use crate::publisher::verifier::{Word, chain, in_time, signer_of, speaks_of, word};
use crate::publisher::{Index, fits_base};

use super::{By, Check, Link, OfOne, Said};

/// The octets of a CRL, and where they came from.
struct Found {
    place: String,
    der: Vec<u8>,
}

impl Check {
    /// Looks a certificate up until one list counts.
    pub(super) fn look_up(&self, link: Link<'_>, fetcher: &mut Fetcher, one: &mut OfOne) {
        if let Some(folder) = &self.crl_dir {
            let files = folder_of(folder, &mut one.unheard);
            let said = self.of_files(&files, link, &mut one.unheard);
            if said.is_none() && one.unheard.is_empty() {
                one.unheard.push(format!("CRL: {}: none speaks of this certificate", folder.display()));
            }
            one.said.extend(said);
            return;
        }
        for point in &link.certificate.extensions.crl_distribution_points {
            for url in self.urls(point, fetcher, &mut one.unheard) {
                match self.of_url(&url, link, fetcher, &mut one.unheard) {
                    Ok(said) => {
                        one.said.push(said);
                        return;
                    }
                    Err(why) => one.unheard.push(format!("CRL: {why}")),
                }
            }
        }
    }

    /// The newest list of a folder that counts.
    fn of_files(&self, files: &[Found], link: Link<'_>, unheard: &mut Vec<String>) -> Option<Said> {
        let mut said: Option<Said> = None;
        let read = |found: &'_ Found| -> Option<bool> {
            Some(Crl::read(&found.der, CrlLimits::WIDEST).ok()?.extensions.base.is_some())
        };
        let (deltas, fulls): (Vec<&Found>, Vec<&Found>) = files.iter().partition(|found| read(found) == Some(true));
        for full in fulls {
            let Ok(crl) = Crl::read(&full.der, CrlLimits::WIDEST) else {
                unheard.push(format!("CRL: {}: it is not a CRL that can be read", full.place));
                continue;
            };
            // Of a folder most CRLs are other certificates'.
            if speaks_of(&crl, link.certificate).is_err() {
                continue;
            }
            let fitting = deltas.iter().filter(|delta| {
                Crl::read(&delta.der, CrlLimits::WIDEST).is_ok_and(|delta| fits_base(&delta, &crl).is_ok())
            });
            let newest = fitting.max_by_key(|delta| {
                Crl::read(&delta.der, CrlLimits::WIDEST).ok().and_then(|delta| delta.extensions.number)
            });
            match self.judge(full, newest.copied(), link, &[], unheard) {
                Ok(found) if said.as_ref().is_none_or(|said| said.this_update < found.this_update) => {
                    said = Some(found)
                }
                Ok(_) => {}
                Err(why) => unheard.push(format!("CRL: {why}")),
            }
        }
        said
    }

    fn of_url(
        &self,
        url: &str,
        link: Link<'_>,
        fetcher: &mut Fetcher,
        unheard: &mut Vec<String>,
    ) -> Result<Said, String> {
        let full = fetched(fetcher, url)?;
        let crl = Crl::read(&full.der, CrlLimits::WIDEST).map_err(|error| format!("{url}: {error}"))?;
        let mut delta = None;
        for place in crl.extensions.freshest.iter().flat_map(uris) {
            match fetched(fetcher, place) {
                Ok(found) => {
                    delta = Some(found);
                    break;
                }
                Err(why) => unheard.push(format!("delta CRL: {why}")),
            }
        }
        // A CRL that another than the issuer signs: its certificate lies beside the CRLs.
        let beside = if crl.issuer == link.issuer.subject { None } else { signer_beside(fetcher, url) };
        let beside: Vec<CertificateFields> = beside.into_iter().collect();
        self.judge(&full, delta.as_ref(), link, &beside, unheard)
    }

    /// What a full CRL and its delta say, if they count. A delta that doesn't is left out, and that is said.
    fn judge(
        &self,
        full: &Found,
        delta: Option<&Found>,
        link: Link<'_>,
        beside: &[CertificateFields],
        unheard: &mut Vec<String>,
    ) -> Result<Said, String> {
        let Link { certificate, issuer, now } = link;
        let refused = |why: &dyn std::fmt::Display| format!("{}: {why}", full.place);
        let crl = Crl::read(&full.der, CrlLimits::WIDEST).map_err(|error| refused(&error))?;
        speaks_of(&crl, certificate).map_err(|fault| refused(&fault))?;
        let known: Vec<CertificateFields> = [&self.others, beside].concat();
        // Generations of one CA have one name and lists of their own: another's says nothing of this certificate.
        let signer = if crl.issuer == issuer.subject {
            signer_of(&crl, [issuer])
        } else {
            signer_of(&crl, self.anchors.iter().chain(&known))
        };
        let signer = signer.map_err(|fault| refused(&fault))?;
        chain(signer, &known, &self.anchors, now).map_err(|fault| refused(&fault))?;
        in_time(&crl, now).map_err(|fault| refused(&fault))?;
        let read = delta.map(|found| (found, newer(found, &crl, signer, now)));
        let delta = match &read {
            Some((found, Err(why))) => {
                unheard.push(format!("delta CRL: {}: {why}", found.place));
                None
            }
            Some((found, Ok(delta))) => Some((found, delta)),
            None => None,
        };
        let found =
            word(&crl, delta.as_ref().map(|(_, delta)| *delta), certificate).map_err(|error| refused(&error))?;
        let shown =
            |crl: &Crl<'_>| crl.extensions.number.map_or("without a number".into(), |number| number.to_string());
        let (mut place, mut because) = (full.place.clone(), format!("full CRL {}", shown(&crl)));
        let (mut this_update, mut next_update) = (crl.this_update, crl.next_update);
        if let Some((found, delta)) = &delta {
            place.push_str(&format!(" and {}", found.place));
            because.push_str(&format!(" of {} and delta {}", crl.this_update, shown(delta)));
            (this_update, next_update) = (delta.this_update.max(this_update), delta.next_update);
        }
        because.push_str(&format!(", signed by {}; {}", signer.subject, in_words(&found)));
        Ok(Said { by: By::Crl, status: status(&found), this_update, next_update: Some(next_update), place, because })
    }

    /// Where a distribution point's CRL is fetched; a directory name by the index.
    fn urls(&self, point: &DistributionPoint, fetcher: &mut Fetcher, unheard: &mut Vec<String>) -> Vec<String> {
        let found: Vec<String> = uris(point).map(str::to_owned).collect();
        let Some(name) = point.name.as_ref().filter(|_| found.is_empty()) else { return found };
        let Some(index) = &self.index else {
            let entry = crate::app::describe::point_text(name.as_der()).unwrap_or_default();
            unheard
                .push(format!("CRL: {entry}: a directory name; give the publication that lists it with --index URL"));
            return found;
        };
        match listed(index, name, fetcher) {
            Ok(url) => vec![url],
            Err(why) => {
                unheard.push(format!("CRL: {why}"));
                found
            }
        }
    }
}

/// The address of a directory name's CRL, as an index has it.
fn listed(index: &str, name: &DistributionPointName, fetcher: &mut Fetcher) -> Result<String, String> {
    let (place, octets) = Source::index_at(index, fetcher).map_err(|error| error.to_string())?;
    let index = Index::read(&octets).map_err(|error| format!("{place}: {error}"))?;
    let slot = index.slots.iter().find(|slot| slot.point().as_deref() == Some(name.as_der()));
    let slot = slot.ok_or_else(|| format!("{place}: it does not list the certificate's distribution point"))?;
    Ok(slot.full.url.clone())
}

/// A delta that may be applied.
fn newer<'a>(found: &'a Found, full: &Crl<'_>, signer: &CertificateFields, now: Time) -> Result<Crl<'a>, String> {
    let delta = Crl::read(&found.der, CrlLimits::WIDEST).map_err(|error| error.to_string())?;
    fits_base(&delta, full).map_err(|fault| fault.to_string())?;
    if !delta.is_signed_by(&signer.public_key) {
        return Err("its signature is not that of the full CRL's signer".into());
    }
    in_time(&delta, now).map_err(|fault| fault.to_string())?;
    Ok(delta)
}

fn fetched(fetcher: &mut Fetcher, url: &str) -> Result<Found, String> {
    match fetcher.get(url, None, CRL_OCTETS_MAX).map_err(|error| error.to_string())? {
        Got::Octets { body, .. } => {
            let der = crl_in(&body).map_err(|error| format!("{url}: {error}"))?.into_owned();
            Ok(Found { place: url.to_owned(), der })
        }
        Got::Unchanged => Err(format!("{url}: it was not sent")),
    }
}

/// A certificate that is fetched, if there is one.
pub(super) fn certificate(fetcher: &mut Fetcher, url: &str) -> Option<CertificateFields> {
    match fetcher.get(url, None, CERTIFICATE_OCTETS_MAX) {
        Ok(Got::Octets { body, .. }) => CertificateFields::from_file(&body).ok(),
        _ => None,
    }
}

/// The certificate that a publication has beside a CRL of that address.
fn signer_beside(fetcher: &mut Fetcher, url: &str) -> Option<CertificateFields> {
    let (folder, path) = url.strip_suffix(".crl")?.rsplit_once("/crl/")?;
    certificate(fetcher, &format!("{folder}/ca/{path}.cer"))
}

fn uris(point: &DistributionPoint) -> impl Iterator<Item = &str> {
    let names = point.name.iter().flat_map(DistributionPointName::full_names);
    names.filter_map(|name| if let FullName::Uri(uri) = name { Some(uri.as_str()) } else { None })
}

/// Every CRL below a folder; where something was pulled into it, those of the current round.
fn folder_of(folder: &Path, unheard: &mut Vec<String>) -> Vec<Found> {
    let pulled = folder.join("current/der");
    let mut folders = vec![if pulled.is_dir() { pulled } else { folder.to_owned() }];
    let mut found = Vec::new();
    let mut failed = |path: &Path, why: &dyn std::fmt::Display| unheard.push(format!("CRL: {}: {why}", path.display()));
    while let Some(next) = folders.pop() {
        let entries: Vec<PathBuf> = match fs::read_dir(&next) {
            Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
            Err(error) => {
                failed(&next, &error);
                continue;
            }
        };
        for path in entries {
            let is_crl = path.extension().is_some_and(|ending| ending == "crl" || ending == "pem");
            if path.is_dir() {
                folders.push(path);
            } else if is_crl {
                match fs::read(&path).map_err(|error| error.to_string()) {
                    Ok(octets) => match crl_in(&octets) {
                        Ok(der) => found.push(Found { place: path.display().to_string(), der: der.into_owned() }),
                        Err(error) => failed(&path, &error),
                    },
                    Err(error) => failed(&path, &error),
                }
            }
        }
    }
    found
}

fn status(word: &Word<'_>) -> CertStatus {
    match word {
        Word::Absent | Word::Lifted => CertStatus::Good,
        Word::OnDelta(entry) | Word::OnFull(entry) => match entry.listed {
            Listed::Held => CertStatus::Held { since: entry.date },
            Listed::Removed => CertStatus::Good,
            Listed::Revoked(reason) => CertStatus::Revoked { at: entry.date, reason },
        },
    }
}

fn in_words(word: &Word<'_>) -> &'static str {
    match word {
        Word::Absent => "not listed",
        Word::Lifted => "the delta lifts it from the list",
        Word::OnDelta(_) => "listed on the delta",
        Word::OnFull(_) => "listed on the full CRL",
    }
}

/// The nation's whole list, with room to spare.
const CRL_OCTETS_MAX: u64 = 4 << 30;
/// Far more than any certificate.
const CERTIFICATE_OCTETS_MAX: u64 = 64 << 10;
