//! The writer against `rasn-pkix`: the same content, the same octets.

use super::*;
use aws_lc_rs::digest::digest;
use rasn::types::{Any, BitString, GeneralizedTime, Integer, ObjectIdentifier, UtcTime};
use rasn_pkix::{
    AuthorityKeyIdentifier, CertificateList, DistributionPoint as RasnPoint, Extension, GeneralName,
    IssuingDistributionPoint, RevokedCertificate, TbsCertList, Version,
};

/// What `rasn` writes. A list without entries is left out by its `default`.
fn encoded(stated: &Stated) -> Vec<u8> {
    let algorithm = rasn::der::decode(&stated.profile.algorithm.identifier_der()).unwrap();
    let list = CertificateList {
        tbs_cert_list: TbsCertList {
            version: Version::V2,
            signature: rasn::der::decode(&stated.profile.algorithm.identifier_der()).unwrap(),
            issuer: rasn::der::decode(stated.profile.issuer.as_der()).unwrap(),
            this_update: time(stated.profile.this_update),
            next_update: Some(time(stated.profile.next_update)),
            revoked_certificates: entries(stated),
            crl_extensions: Some(extensions(&stated.profile).into()),
        },
        signature_algorithm: algorithm,
        signature: BitString::from_slice(&stated.signature),
    };
    rasn::der::encode(&list).unwrap()
}

fn entries(stated: &Stated) -> Vec<RevokedCertificate> {
    let mut issuer = None;
    let one = |entry: &StatedEntry| {
        let mut list = Vec::new();
        if entry.listed != Listed::Revoked(Reason::Unspecified) {
            let code = vec![0x0a, 1, entry.listed.code()];
            list.push(extension(&[2, 5, 29, 21], false, code));
        }
        if let Some(lost) = entry.invalidity_date {
            list.push(extension(&[2, 5, 29, 24], false, rasn::der::encode(&generalized(lost)).unwrap()));
        }
        if entry.issuer != issuer {
            let own = entry.issuer.as_ref().unwrap_or(&stated.profile.issuer);
            let names: Vec<GeneralName> = vec![GeneralName::DirectoryName(rasn::der::decode(own.as_der()).unwrap())];
            list.push(extension(&[2, 5, 29, 29], true, rasn::der::encode(&names).unwrap()));
            issuer = entry.issuer.clone();
        }
        RevokedCertificate {
            user_certificate: integer(entry.serial.as_octets()),
            revocation_date: time(entry.date),
            crl_entry_extensions: (!list.is_empty()).then(|| list.into()),
        }
    };
    stated.entries.iter().map(one).collect()
}

fn extensions(profile: &CrlProfile) -> Vec<Extension> {
    let key = AuthorityKeyIdentifier {
        key_identifier: Some(profile.authority_key_id.clone().into()),
        ..AuthorityKeyIdentifier::default()
    };
    let number = |number: CrlNumber| rasn::der::encode(&integer(number.as_octets())).unwrap();
    let mut list = vec![
        extension(&[2, 5, 29, 35], false, rasn::der::encode(&key).unwrap()),
        extension(&[2, 5, 29, 20], false, number(profile.number)),
    ];
    if let CrlKind::Delta { base } = &profile.kind {
        list.push(extension(&[2, 5, 29, 27], true, number(*base)));
    }
    if let Some(point) = &profile.issuing_point {
        list.push(extension(&[2, 5, 29, 28], true, issuing_point(point)));
    }
    if let CrlKind::Full { freshest: Some(place) } = &profile.kind {
        let name = rasn::der::decode(place.as_der()).unwrap();
        let point = RasnPoint { distribution_point: Some(name), reasons: None, crl_issuer: None };
        list.push(extension(&[2, 5, 29, 46], false, rasn::der::encode(&vec![point]).unwrap()));
    }
    if let Some(since) = profile.expired_since {
        list.push(extension(&[2, 5, 29, 60], false, rasn::der::encode(&generalized(since)).unwrap()));
    }
    if let Some(reflects) = profile.reflects {
        let epoch = Any::new(rasn::der::encode(&reflects.epoch.0).unwrap());
        let position = Any::new(rasn::der::encode(&reflects.position.0).unwrap());
        let value = rasn::der::encode(&vec![epoch, position]).unwrap();
        list.push(extension(&[2, 999, 392, 3, 1], false, value));
    }
    list
}

fn issuing_point(point: &IssuingPoint) -> Vec<u8> {
    let rasn = IssuingDistributionPoint {
        distribution_point: point.name.as_ref().map(|name| rasn::der::decode(name.as_der()).unwrap()),
        only_contains_user_certs: point.contains == Contains::Users,
        only_contains_ca_certs: point.contains == Contains::Authorities,
        only_some_reasons: None,
        indirect_crl: point.lists == Lists::Others,
        only_contains_attribute_certs: false,
    };
    rasn::der::encode(&rasn).unwrap()
}

fn extension(arcs: &[u32], critical: bool, value: Vec<u8>) -> Extension {
    Extension { extn_id: ObjectIdentifier::new(arcs.to_vec()).unwrap(), critical, extn_value: value.into() }
}

fn integer(octets: &[u8]) -> Integer {
    let mut der = vec![0x02, octets.len() as u8 + 1, 0];
    der.extend(octets);
    if octets.first().is_some_and(|first| first & 0x80 == 0) {
        der.remove(2);
        der[1] -= 1;
    }
    rasn::der::decode(&der).unwrap()
}

fn time(time: Time) -> rasn_pkix::Time {
    let date = date(time);
    if (-631_152_000..2_524_608_000).contains(&time.unix()) {
        rasn_pkix::Time::Utc(date)
    } else {
        rasn_pkix::Time::General(date.into())
    }
}

fn generalized(time: Time) -> GeneralizedTime {
    date(time).into()
}

fn date(time: Time) -> UtcTime {
    UtcTime::from_timestamp(time.unix(), 0).unwrap()
}

proptest! {
    #[test]
    fn the_octets_are_those_of_rasn(stated in crls()) {
        prop_assert_eq!(stated.written(), encoded(&stated));
    }

    #[test]
    fn the_hash_is_that_of_what_is_signed(stated in crls()) {
        let unsigned = stated.profile.write(stated.entries.iter().map(StatedEntry::borrowed));
        let hashed = unsigned.digest().as_ref().to_vec();
        let written = unsigned.assemble(&stated.signature);
        let read = Crl::read(&written, CrlLimits::WIDEST).unwrap();
        let signed = digest(stated.profile.algorithm.digest(), read.tbs_der());
        prop_assert_eq!(&hashed[..], signed.as_ref());
    }
}

/// Lists whose lengths lie around those at which one more octet tells them, the last of them hashed piece by piece.
#[test]
fn long_lists_are_the_octets_of_rasn() {
    let profile = full();
    let entry = |number: u32| StatedEntry {
        serial: Serial::from_unsigned(&(u128::from(number) << 96 | 5).to_be_bytes()).unwrap(),
        date: Time::from_unix(1_700_000_000 + i64::from(number) * 86_400).unwrap(),
        listed: if number.is_multiple_of(3) { Listed::Held } else { Listed::Revoked(Reason::Superseded) },
        invalidity_date: None,
        issuer: None,
    };
    for count in [1, 2, 3, 5, 1_330, 1_331, 1_332, 1_333, 1_334, 1_335, 5_000] {
        let entries = (1..=count).map(entry).collect();
        let stated = Stated { profile: profile.clone(), entries, signature: vec![0x30; 71] };
        assert_eq!(stated.written(), encoded(&stated), "{count} entries");
    }
}

/// For every length of signature that there is, on lists of every length around 64 KiB.
#[test]
fn a_shorter_signature_moves_the_list_where_it_must() {
    let entry = StatedEntry {
        serial: Serial::from_unsigned(&[9; 16]).unwrap(),
        date: "2026-11-20T00:00:00Z".parse().unwrap(),
        listed: Listed::Held,
        invalidity_date: None,
        issuer: None,
    };
    let mut moved = 0;
    for pad in 1..20 {
        let profile = CrlProfile {
            algorithm: SignatureAlgorithm::RsaSha256,
            issuer: name("Issuer"),
            this_update: entry.date,
            next_update: entry.date,
            authority_key_id: vec![0x4b; pad],
            number: CrlNumber::from(7),
            kind: CrlKind::Full { freshest: None },
            issuing_point: None,
            expired_since: None,
            reflects: None,
        };
        let entries = vec![entry.clone(); 1_325];
        for signature in [256, 512] {
            let stated = Stated { profile: profile.clone(), entries: entries.clone(), signature: vec![7; signature] };
            let written = stated.written();
            assert_eq!(written, encoded(&stated));
            moved += usize::from(written[1] == 0x82);
        }
    }
    assert!(moved > 0, "some lists end below 64 KiB");
}
