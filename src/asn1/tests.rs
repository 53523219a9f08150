//! Builder and reader against each other and against spoilt input. Real signatures and openssl: `tests/testdata.rs`.

use proptest::prelude::*;

use super::raw::encode;
use super::samples::{assembled, leaf, p256_key, rsa_key};
use super::*;
use crate::model::{Serial, SerialError, Time};

fn assert_reads_back(profile: &CertificateProfile) {
    let unsigned = profile.unsigned(SignatureAlgorithm::RsaSha256).unwrap();
    let fields = CertificateFields::from_der(&unsigned.assemble(&[7; 256])).unwrap();
    assert_eq!(fields.serial, profile.serial);
    assert_eq!(fields.issuer, profile.issuer);
    assert_eq!(fields.subject, profile.subject);
    assert_eq!(fields.validity, profile.validity);
    assert_eq!(fields.public_key, profile.public_key);
    assert_eq!(fields.extensions, profile.extensions);
    assert!(fields.unknown_critical.is_empty());
    assert_eq!(fields.signature_algorithm, Some(SignatureAlgorithm::RsaSha256));
    assert_eq!(fields.signature, vec![7; 256]);
    assert_eq!(fields.tbs_der(), unsigned.tbs_der());
}

/// The sample leaf with one part of its encoding replaced; lengths around it are corrected.
fn spoilt(part: &[u8], replacement: &[u8]) -> Vec<u8> {
    let profile = leaf();
    let unsigned = profile.unsigned(SignatureAlgorithm::EcdsaSha256).unwrap();
    let (certificate, tbs) = raw::RawCertificate::decode(&unsigned.assemble(&[0x5a; 70])).unwrap();
    let spoil = |any: &mut rasn::types::Any| {
        if any.as_bytes() == part {
            *any = rasn::types::Any::new(replacement.to_vec());
        }
    };
    let mut tbs = tbs;
    for any in [&mut tbs.serial, &mut tbs.signature, &mut tbs.issuer, &mut tbs.subject, &mut tbs.public_key] {
        spoil(any);
    }
    spoil(&mut tbs.validity.not_before);
    spoil(&mut tbs.validity.not_after);
    tbs.extensions.as_mut().unwrap().iter_mut().for_each(spoil);
    let spoilt = encode(&tbs);
    assert_ne!(spoilt, certificate.tbs.as_bytes(), "the part to spoil is in the certificate");
    encode(&raw::RawCertificate { tbs: rasn::types::Any::new(spoilt), ..certificate })
}

fn serial_der() -> Vec<u8> {
    [&[0x02, 21, 0x00][..], &[0xfe; 20]].concat()
}

#[test]
fn every_profile_reads_back_equal() {
    let (key, issuer) = (p256_key(1), rsa_key(384));
    for extensions in [
        Extensions::default(),
        Extensions::for_authority(&key, &issuer, None),
        Extensions::for_authority(&key, &issuer, Some(0)),
        Extensions::for_crl_signer(&key, &issuer),
        Extensions::for_ocsp_signer(&key, &issuer),
        Extensions::for_signature(&key, &issuer),
        Extensions::for_authentication(&key, &issuer),
    ] {
        assert_reads_back(&CertificateProfile { extensions, ..leaf() });
    }
    assert_reads_back(&leaf());
    assert_reads_back(&CertificateProfile { public_key: rsa_key(256), ..leaf() });
    assert_reads_back(&CertificateProfile { subject: Name::from_der(&[0x30, 0]).unwrap(), ..leaf() });
}

#[test]
fn agrees_with_the_typed_certificate_of_rasn() {
    let der = assembled(&leaf());
    let typed: rasn_pkix::Certificate = rasn::der::decode(&der).unwrap();
    assert_eq!(encode(&typed), der);
}

#[test]
fn a_top_bit_serial_gets_a_sign_octet() {
    let der = assembled(&leaf());
    assert!(der.windows(23).any(|window| window == serial_der()));
}

#[test]
fn refuses_serials_that_are_none() {
    let long = [&[0x02, 21, 0x01][..], &[0; 20]].concat();
    let longer = [&[0x02, 22, 0x00, 0xff][..], &[0; 20]].concat();
    for (serial, error) in [
        (&[0x02, 1, 0x00][..], Asn1Error::Serial(SerialError::Zero)),
        (&[0x02, 1, 0x80], Asn1Error::Serial(SerialError::Negative)),
        (&[0x02, 2, 0x00, 0x7f], Asn1Error::NotDer("the serial number")),
        (&[0x02, 2, 0xff, 0x80], Asn1Error::NotDer("the serial number")),
        (&long, Asn1Error::Serial(SerialError::TooLong)),
        (&longer, Asn1Error::Serial(SerialError::TooLong)),
        (&[0x02, 0], Asn1Error::Serial(SerialError::Empty)),
    ] {
        assert_eq!(CertificateFields::from_der(&spoilt(&serial_der(), serial)), Err(error), "{serial:02x?}");
    }
    assert!(CertificateFields::from_der(&spoilt(&serial_der(), &[0x04, 1, 1])).is_err());
}

#[test]
fn refuses_an_inner_algorithm_that_differs() {
    let own = SignatureAlgorithm::EcdsaSha256.identifier_der();
    let other = SignatureAlgorithm::EcdsaSha384.identifier_der();
    assert_eq!(CertificateFields::from_der(&spoilt(&own, &other)), Err(Asn1Error::AlgorithmMismatch));
}

#[test]
fn refuses_an_empty_issuer() {
    let issuer = leaf().issuer;
    let error = Asn1Error::EmptyName("the issuer");
    assert_eq!(CertificateFields::from_der(&spoilt(issuer.as_der(), &[0x30, 0])), Err(error.clone()));
    let profile = CertificateProfile { issuer: Name::from_der(&[0x30, 0]).unwrap(), ..leaf() };
    assert_eq!(profile.unsigned(SignatureAlgorithm::EcdsaSha256), Err(error));
}

#[test]
fn names_unknown_critical_extensions_and_passes_over_others() {
    let usage = leaf().extensions.encode().unwrap()[2].as_bytes().to_vec();
    let unknown = |critical| {
        encode(&rasn_pkix::Extension {
            extn_id: Oid::new(vec![2, 999, 7]).unwrap(),
            critical,
            extn_value: b"anything".to_vec().into(),
        })
    };
    let fields = CertificateFields::from_der(&spoilt(&usage, &unknown(true))).unwrap();
    assert_eq!(fields.unknown_critical, [Oid::new(vec![2, 999, 7]).unwrap()]);
    assert_eq!(fields.extensions.key_usage, None);
    assert!(CertificateFields::from_der(&spoilt(&usage, &unknown(false))).unwrap().unknown_critical.is_empty());
}

#[test]
fn refuses_an_extension_that_appears_twice() {
    let list = leaf().extensions.encode().unwrap();
    let twice = spoilt(list[2].as_bytes(), list[1].as_bytes());
    assert_eq!(CertificateFields::from_der(&twice), Err(Asn1Error::DuplicateExtension("2.5.29.14".into())));
}

#[test]
fn a_false_default_written_out_is_read_all_the_same() {
    // Many CAs of the field write "critical FALSE" or "cA FALSE"; refusing them would refuse whole imports.
    let list = leaf().extensions.encode().unwrap();
    let explicit = [&list[1].as_bytes()[..7], &[0x01, 0x01, 0x00], &list[1].as_bytes()[7..]].concat();
    let mut explicit = explicit;
    explicit[1] += 3;
    let fields = CertificateFields::from_der(&spoilt(list[1].as_bytes(), &explicit)).unwrap();
    assert_eq!(fields.extensions, leaf().extensions);
}

#[test]
fn refuses_trailing_octets_and_other_lengths() {
    let der = assembled(&leaf());
    assert!(CertificateFields::from_der(&[&der[..], &[0]].concat()).is_err());
    for length in 0..der.len() {
        assert!(CertificateFields::from_der(&der[..length]).is_err(), "{length}");
    }
    // The outer length in three octets where two do.
    let long = [&[0x30, 0x83, 0x00], &der[2..]].concat();
    assert_eq!(CertificateFields::from_der(&long), Err(Asn1Error::NotDer("the certificate")));
}

#[test]
fn reads_files_of_one_certificate_only() {
    let der = assembled(&leaf());
    let pem = to_pem("CERTIFICATE", &der);
    assert_eq!(CertificateFields::from_file(pem.as_bytes()), CertificateFields::from_file(&der));
    let two = format!("{pem}{pem}");
    assert_eq!(CertificateFields::from_file(two.as_bytes()), Err(Asn1Error::SeveralCertificates(2)));
}

#[test]
fn an_impossible_object_identifier_is_an_error() {
    let bad = Oid::new_unchecked(vec![7].into());
    let extensions = Extensions { policies: vec![bad], ..Extensions::default() };
    let profile = CertificateProfile { extensions, ..leaf() };
    assert_eq!(profile.unsigned(SignatureAlgorithm::EcdsaSha256), Err(Asn1Error::Oid("7".into())));
}

fn text() -> impl Strategy<Value = String> {
    "[\\PC]{1,40}"
}

prop_compose! {
    fn any_profile()(
        serial in prop::collection::vec(any::<u8>(), 1..=20),
        names in prop::collection::vec(text(), 4),
        times in (-62_135_596_800_i64..=253_402_300_799, 0_i64..=253_402_300_799),
        uris in prop::collection::vec("http://[a-z0-9.-]{1,300}/[!-~]{0,40}", 0..4),
        purposes in prop::collection::vec(0_u32..20, 0..4),
        flags in any::<[bool; 4]>(),
        path_length in any::<Option<u8>>(),
    ) -> CertificateProfile {
        let name = |text: &str| Name::new(&[(NameAttribute::Country, "JP"), (NameAttribute::CommonName, text)]).unwrap();
        let at = |seconds: i64| Time::from_unix(seconds).unwrap();
        let (issuer, key) = (p256_key(1), p256_key(2));
        let mut extensions = match (flags[0], flags[1]) {
            (true, true) => Extensions::for_authority(&key, &issuer, path_length),
            (true, false) => Extensions::for_ocsp_signer(&key, &issuer),
            (false, true) => Extensions::for_signature(&key, &issuer),
            (false, false) => Extensions::default(),
        };
        extensions.extended_key_usage =
            purposes.iter().map(|arc| Oid::new(vec![1, 3, 6, 1, 5, 5, 7, 3, *arc]).unwrap().into()).collect();
        extensions.policies = purposes.iter().map(|arc| Oid::new(vec![2, 999, *arc]).unwrap()).collect();
        for uri in &uris {
            let point = DistributionPointName::uri(uri).unwrap();
            extensions.crl_distribution_points.push(DistributionPoint::indirect(point, name(&names[2])));
            let point = DistributionPointName::directory(&name(&names[3]));
            extensions.crl_distribution_points.push(DistributionPoint::own(point));
            extensions.authority_access.ocsp.push(uri.clone());
        }
        if flags[2] {
            extensions.authority_access.ca_issuers = uris;
        }
        let serial = Serial::from_unsigned(&serial).unwrap_or(Serial::from_unsigned(&[1]).unwrap());
        CertificateProfile {
            serial,
            issuer: name(&names[0]),
            validity: Validity { not_before: at(times.0.min(times.1)), not_after: at(times.0.max(times.1)) },
            subject: name(&names[1]),
            public_key: if flags[3] { key } else { rsa_key(256) },
            extensions,
        }
    }
}

proptest! {
    #[test]
    fn what_is_built_reads_back_equal(profile in any_profile()) {
        assert_reads_back(&profile);
    }

    #[test]
    fn spoilt_octets_never_panic(at in any::<prop::sample::Index>(), octet: u8, cut in any::<prop::sample::Index>()) {
        let mut der = assembled(&leaf());
        let at = at.index(der.len());
        let same = der[at] == octet;
        der[at] = octet;
        if let Ok(fields) = CertificateFields::from_der(&der) {
            // What is still a certificate says something else, if only in its signature.
            let original = CertificateFields::from_der(&assembled(&leaf())).unwrap();
            prop_assert!(same || fields.tbs_der() != original.tbs_der() || fields.signature != original.signature);
        }
        let _ = CertificateFields::from_der(&der[..cut.index(der.len())]);
        let _ = CertificateFields::from_file(&der);
    }

    #[test]
    fn noise_never_panics(noise in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = CertificateFields::from_file(&noise);
        let _ = Name::from_der(&noise);
        let _ = PublicKey::from_der(&noise);
        let _ = DistributionPointName::from_der(&noise);
    }
}
