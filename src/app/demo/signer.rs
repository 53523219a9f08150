//! The signers of the demonstration's answers: for each CA a key and a certificate in the folder where `serve` looks for
//! them, and a new certificate for the same key once it has ended.
//!
//! Called while the PKI is made. A nation's responders renew theirs every few days; a demonstration lies about for years.

use super::error::DemoError;
use super::folder::Folder;
use super::pki::{Authority, certificate, fresh_serial, in_file, key, public_of, read, renewed, years};
use super::places::Ca;
use crate::app::compose;
use crate::app::signers::{CERTIFICATE, CRL_KEY, KEY};
use crate::asn1::{CertificateProfile, Extensions, PublicKey, Validity};
use crate::model::Time;

/// Makes what is missing of a CA's signer; `of_ca` is the CA's own validity.
pub(super) fn make(
    folder: &Folder,
    ca: Ca,
    authority: &Authority,
    of_ca: Validity,
    founded: Time,
    now: Time,
) -> Result<(), DemoError> {
    let place = format!("{FOLDER}/{}", ca.name);
    let (key_file, file) = (format!("{place}/{KEY}"), format!("{place}/{CERTIFICATE}"));
    let public = public_of(&file, &*key(folder, &key_file)?)?;
    let from = |from| profile(ca, authority, &public, from, of_ca);
    // Where the CA has ended, nothing that it signs helps.
    let ended = folder.has(&file) && read(folder, &file)?.validity.not_after < now && now < of_ca.not_after;
    if ended {
        renewed(folder, &file, authority, || from(now))?;
    }
    certificate(folder, &file, authority, || from(founded)).map(drop)
}

/// Puts the CA's own key to where whoever publishes looks for it: here, and here only, the CA itself is at hand.
pub(super) fn lend_key(folder: &Folder, ca: Ca, key_file: &str) -> Result<(), DemoError> {
    let name = format!("{FOLDER}/{}/{CRL_KEY}", ca.name);
    if !folder.has(&name) {
        compose::install_signing_key(&folder.file(key_file), &folder.file(&name))?;
    }
    Ok(())
}

/// Digital signatures on answers and nothing else, and nobody asks for its status (RFC 6960 §4.2.2.2).
fn profile(
    ca: Ca,
    authority: &Authority,
    public: &PublicKey,
    from: Time,
    of_ca: Validity,
) -> Result<CertificateProfile, DemoError> {
    let five_years = years(from, 0, YEARS);
    Ok(CertificateProfile {
        serial: fresh_serial()?,
        issuer: authority.name.clone(),
        validity: Validity { not_after: five_years.not_after.min(of_ca.not_after), ..five_years },
        subject: in_file(ca.name, ca.signer())?,
        extensions: Extensions::for_ocsp_signer(public, &authority.public),
        public_key: public.clone(),
    })
}

/// The folder of signers, as the demonstration's configuration names it.
pub(super) const FOLDER: &str = "signers";
/// As long as the leaves.
const YEARS: u32 = 5;

#[cfg(test)]
mod tests {
    use super::super::pki;
    use super::super::places::CAS;
    use super::*;
    use crate::app::compose::open_signing_key;
    use crate::asn1::{CertificateFields, ExtendedKeyUsage, KeyUsage, certificates_in};
    use crate::keys::OcspSigner;
    use crate::model::Seconds;
    use std::fs;

    fn signer(folder: &Folder, ca: Ca, now: Time) -> OcspSigner {
        let first = |name: String| certificates_in(&fs::read(folder.file(&name)).unwrap()).unwrap().remove(0);
        let key = open_signing_key(&folder.file(&format!("signers/{}/ocsp.key", ca.name)), None).unwrap();
        let certificate = first(format!("signers/{}/ocsp.pem", ca.name));
        OcspSigner::new(key, &certificate, &first(format!("demo/{}/issuer.pem", ca.name)), now).unwrap()
    }

    #[test]
    fn every_ca_has_a_signer_that_says_nothing_but_what_it_is_for() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::enter(&dir.path().join("demo")).unwrap();
        let now: Time = "2026-11-20T00:00:00Z".parse().unwrap();
        pki::make(&folder, "http://status.example", now).unwrap();
        for ca in CAS {
            let signer = signer(&folder, ca, now);
            let fields = CertificateFields::from_der(signer.certificate()).unwrap();
            assert_eq!(fields.validity, years(now, 0, 5));
            assert_eq!(fields.extensions.key_usage, Some(KeyUsage::DIGITAL_SIGNATURE));
            assert_eq!(fields.extensions.extended_key_usage, [ExtendedKeyUsage::OcspSigning]);
            let found = &fields.extensions;
            assert!(found.ocsp_no_check && found.authority_key_id.is_some() && found.subject_key_id.is_some());
            assert!(found.basic_constraints.is_none() && found.crl_distribution_points.is_empty());
        }
    }

    #[test]
    fn a_signer_that_has_ended_is_renewed_within_its_ca_s_time() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::enter(&dir.path().join("demo")).unwrap();
        let founded: Time = "2026-11-20T00:00:00Z".parse().unwrap();
        let later = |years: u32| founded + Seconds::days(365 * years);
        let make = |now| pki::make(&folder, "http://status.example", now).unwrap();
        let file = folder.file("signers/card-sign/ocsp.pem");
        make(founded);
        let (first, key) = (fs::read(&file).unwrap(), fs::read(folder.file("signers/card-sign/ocsp.key")).unwrap());
        make(later(5));
        assert_eq!(fs::read(&file).unwrap(), first, "valid to its last second");
        make(later(5) + Seconds(1));
        let renewed = signer(&folder, CAS[0], later(6));
        assert_eq!(renewed.not_after(), later(10) + Seconds(1));
        make(later(11));
        assert_eq!(signer(&folder, CAS[0], later(12)).not_after(), later(15), "no longer than the CA");
        let last = fs::read(&file).unwrap();
        make(later(16));
        assert_eq!(fs::read(&file).unwrap(), last, "a CA that has ended renews nothing");
        assert_eq!(fs::read(folder.file("signers/card-sign/ocsp.key")).unwrap(), key);
    }
}
