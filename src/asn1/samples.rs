//! Keys, profiles and certificates for the unit tests of this room. The signatures are noise: nothing here verifies.

use super::raw::encode;
use super::{
    AuthorityAccess, CertificateProfile, DistributionPoint, DistributionPointName, Extensions, Name, NameAttribute,
    Oid, PublicKey, SignatureAlgorithm, Validity,
};
use crate::model::Serial;

/// A key in the form of P-256; its octets need not be a point for anything this room does.
pub(super) fn p256_key(seed: u8) -> PublicKey {
    let mut der =
        b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07".to_vec();
    der.extend([0x03, 0x42, 0x00, 0x04]);
    der.extend([seed; 64]);
    PublicKey::from_der(&der).unwrap()
}

/// A key in the form of RSA with a modulus of that many octets, top bit set.
pub(super) fn rsa_key(modulus_octets: usize) -> PublicKey {
    let mut modulus = vec![0x02, 0x82, 0, 0, 0x00];
    modulus[2..4].copy_from_slice(&(modulus_octets as u16 + 1).to_be_bytes());
    modulus.extend(vec![0xc5; modulus_octets]);
    let key = encode(&vec![rasn::types::Any::new(modulus), rasn::types::Any::new(vec![0x02, 0x03, 1, 0, 1])]);
    let algorithm = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00".to_vec();
    let bits = encode(&rasn::types::BitString::from_slice(&key));
    let der = encode(&vec![rasn::types::Any::new(algorithm), rasn::types::Any::new(bits)]);
    PublicKey::from_der(&der).unwrap()
}

/// The certificate of a card holder with two distribution points.
pub(super) fn leaf() -> CertificateProfile {
    let issuer = Name::new(&[(NameAttribute::Country, "JP"), (NameAttribute::Organization, "Sample CA")]).unwrap();
    let town = issuer.with(&[(NameAttribute::CommonName, "Hanamizu-shi")]).unwrap();
    let combined = Name::new(&[(NameAttribute::Country, "JP"), (NameAttribute::CommonName, "Combined")]).unwrap();
    let place = DistributionPointName::uri("http://status.example/crl/combined.crl").unwrap();
    CertificateProfile {
        serial: Serial::from_unsigned(&[0xfe; 20]).unwrap(),
        validity: Validity {
            not_before: "2024-04-01T00:00:00Z".parse().unwrap(),
            not_after: "2049-12-31T23:59:59Z".parse().unwrap(),
        },
        subject: issuer.with(&[(NameAttribute::SerialNumber, "0001")]).unwrap(),
        issuer,
        extensions: Extensions {
            policies: vec![Oid::new(vec![2, 999, 1]).unwrap()],
            crl_distribution_points: vec![
                DistributionPoint::own(DistributionPointName::directory(&town)),
                DistributionPoint::indirect(place, combined),
            ],
            authority_access: AuthorityAccess {
                ocsp: vec!["http://status.example/ocsp".into()],
                ca_issuers: vec!["http://status.example/ca/sample.cer".into()],
            },
            ..Extensions::for_authentication(&p256_key(1), &p256_key(2))
        },
        public_key: p256_key(1),
    }
}

/// The profile, "signed".
pub(super) fn assembled(profile: &CertificateProfile) -> Vec<u8> {
    profile.unsigned(SignatureAlgorithm::EcdsaSha256).unwrap().assemble(&[0x5a; 70])
}
