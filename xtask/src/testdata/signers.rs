//! Delegated OCSP signers, good and bad, and the combined CRL's issuer. Called by `TestData::generate`.

use tashika::asn1::{CertificateProfile, Extensions, KeyUsage};

use super::authorities::{Authority, find};
use super::keys::Kind;
use super::{Draft, Role, TestData, Verdict, names};

/// The combined CRL's issuer, below the root, with a key of its own.
pub fn add_combined(data: &mut TestData, root: &Authority) -> Authority {
    let key_path = "combined/issuer.key";
    let combined = Authority {
        spec: None,
        name: names::service(&["Combined CRL issuer"]),
        key: data.key(key_path, Kind::P256, "of the combined CRL's issuer"),
        certificate: "combined/issuer.pem".to_owned(),
    };
    let (public, issuer) = (combined.key.public(), root.key.public());
    let extensions = Extensions {
        crl_distribution_points: vec![names::scope("root")],
        authority_access: names::access("root"),
        ..Extensions::for_crl_signer(&public, &issuer)
    };
    let without = Extensions { key_usage: Some(KeyUsage::DIGITAL_SIGNATURE), ..extensions.clone() };
    for (path, about, extensions) in [
        ("combined/issuer.pem", "signs the combined CRL over the card and phone CAs; no CA itself", extensions),
        ("combined/issuer-without-crl-sign.pem", "the same key, but its key usage lacks cRLSign", without),
    ] {
        let profile = CertificateProfile {
            serial: names::serial(path),
            issuer: root.name.clone(),
            validity: names::validity(names::AUTHORITY_YEARS),
            subject: combined.name.clone(),
            public_key: public.clone(),
            extensions,
        };
        let role = Role::CrlSigner;
        let path = path.to_owned();
        data.issue(root, Draft { path, about, role, profile, key: key_path, verdict: Verdict::Good });
    }
    combined
}

/// The OCSP signers of one CA. All have one key and one subject, so that what is wrong is the only difference.
pub fn add_ocsp(data: &mut TestData, authorities: &[Authority], index: usize) {
    let authority = &authorities[index];
    let spec = authority.spec.expect("issuing CAs come from the table");
    let key_path = format!("{}/ocsp.key", spec.folder);
    let public = data.key(&key_path, spec.kind, "of every OCSP signer in the folder").public();
    let subject = names::common(&authority.name, "OCSP signer");
    let mut add = |file: &str, about: &str, signer: &Authority, years, spoil: fn(&mut Extensions), verdict| {
        let path = format!("{}/ocsp-{file}.pem", spec.folder);
        let mut extensions = Extensions::for_ocsp_signer(&public, &signer.key.public());
        spoil(&mut extensions);
        let profile = CertificateProfile {
            serial: names::serial(&path),
            issuer: signer.name.clone(),
            validity: names::validity(years),
            subject: subject.clone(),
            public_key: public.clone(),
            extensions,
        };
        let role = Role::OcspSigner;
        data.issue(signer, Draft { path, about, role, profile, key: &key_path, verdict });
    };
    let good = names::GOOD_YEARS;
    add("good", "delegated OCSP signer as it should be", authority, good, |_| (), Verdict::Good);
    add("expired", "OCSP signer, ended in 2020", authority, names::EXPIRED_YEARS, |_| (), Verdict::Expired);
    let spoil = |extensions: &mut Extensions| extensions.ocsp_no_check = false;
    add("without-nocheck", "OCSP signer without id-pkix-ocsp-nocheck", authority, good, spoil, Verdict::Good);
    let spoil = |extensions: &mut Extensions| extensions.extended_key_usage.clear();
    add("without-eku", "OCSP signer without the purpose OCSPSigning", authority, good, spoil, Verdict::Good);
    let stranger = find(authorities, spec.stranger);
    let about = format!("OCSP signer that {} has issued", spec.stranger);
    add("of-wrong-ca", &about, stranger, good, |_| (), Verdict::UnknownIssuer);
    if let Some(folder) = spec.next_generation {
        let about = format!("OCSP signer under the right name, but issued with the key of {folder}");
        add("of-wrong-generation", &about, find(authorities, folder), good, |_| (), Verdict::UnknownIssuer);
    }
}
