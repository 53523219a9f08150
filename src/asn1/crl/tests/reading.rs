//! The reader: what was written comes back, `rasn` reads the same, and what is malformed is refused where it is wrong.

use rasn_pkix::{CertificateList, RevokedCertificate};

use super::*;
use crate::model::SerialError;

fn read(octets: &[u8]) -> Result<(Crl<'_>, Vec<CrlEntry<'_>>), CrlError> {
    let crl = Crl::read(octets, CrlLimits::WIDEST)?;
    let entries = crl.entries().collect::<Result<Vec<_>, _>>()?;
    Ok((crl, entries))
}

/// What `rasn` says of the same octets, for all that the reader takes.
fn agrees_with_rasn(octets: &[u8]) -> Result<(), TestCaseError> {
    let Ok((crl, entries)) = read(octets) else { return Ok(()) };
    let theirs: CertificateList = match rasn::der::decode(octets) {
        Ok(list) => list,
        // It keeps the numbers of object identifiers in 32 bits, and extensions that nobody knows may have longer ones.
        Err(error) if error.to_string().contains("exceeds the supported 32 bits") => return Ok(()),
        Err(error) => return Err(TestCaseError::fail(format!("rasn refuses what was read: {error}"))),
    };
    let list = &theirs.tbs_cert_list;
    let issuer: rasn_pkix::Name = rasn::der::decode(crl.issuer.as_der()).unwrap();
    prop_assert_eq!(&list.issuer, &issuer);
    prop_assert_eq!(list.revoked_certificates.len(), entries.len());
    for (theirs, ours) in list.revoked_certificates.iter().zip(&entries) {
        agrees_on_entry(theirs, ours)?;
    }
    Ok(())
}

fn agrees_on_entry(theirs: &RevokedCertificate, ours: &CrlEntry<'_>) -> Result<(), TestCaseError> {
    let serial = rasn::der::encode(&theirs.user_certificate).unwrap();
    prop_assert!(serial.ends_with(ours.serial.as_octets()));
    let seconds = match theirs.revocation_date {
        rasn_pkix::Time::Utc(time) => time.timestamp(),
        rasn_pkix::Time::General(time) => time.timestamp(),
    };
    // `rasn` takes the two digits 50 to 69 for 2050 to 2069.
    let century = 3_155_760_000;
    prop_assert!(seconds == ours.date.unix() || (ours.date.unix() < 0 && seconds == ours.date.unix() + century));
    let extensions = theirs.crl_entry_extensions.as_deref().map_or(&[][..], |list| &list[..]);
    let value = |arc: u32| extensions.iter().find(|one| *one.extn_id == [2, 5, 29, arc]).map(|one| &one.extn_value[..]);
    let code = value(21).map_or(0, |value| value[2]);
    prop_assert_eq!(code, ours.listed.code());
    let lost = value(24).map(|value| rasn::der::decode::<rasn::types::GeneralizedTime>(value).unwrap().timestamp());
    prop_assert_eq!(lost, ours.invalidity_date.map(Time::unix));
    Ok(())
}

/// What is read as plain is what the entry is; how many are.
fn plain_agrees(octets: &[u8]) -> Result<usize, TestCaseError> {
    let Ok(crl) = Crl::read(octets, CrlLimits::WIDEST) else { return Ok(0) };
    let (mut entries, mut count) = (crl.entries(), 0);
    loop {
        let mut ahead = entries.clone();
        let plain = ahead.next_plain();
        let next = entries.next();
        if let Some(plain) = plain {
            prop_assert_eq!(next, Some(Ok(CrlEntry::from(plain))));
            prop_assert_eq!(ahead.next(), entries.clone().next());
            count += 1;
        } else {
            prop_assert_eq!(ahead.next(), next.clone());
            if next.is_none() {
                return Ok(count);
            }
        }
    }
}

/// A CRL of entries that are plain, or nearly so.
fn plain_ones() -> impl Strategy<Value = Stated> {
    let serial = prop::collection::vec(any::<u8>(), 15..=17)
        .prop_filter_map("zero", |octets| Serial::from_unsigned(&octets).ok());
    let entry = (serial, times(), listed(), any::<bool>());
    (crls(), prop::collection::vec(entry, 1..8)).prop_map(|(mut stated, plain)| {
        let entries = plain.into_iter().map(|(serial, date, listed, is_lost)| StatedEntry {
            serial,
            date,
            listed,
            invalidity_date: is_lost.then_some(date),
            issuer: None,
        });
        stated.entries = entries.collect();
        stated
    })
}

proptest! {
    #[test]
    fn whatever_is_plain_is_read_as_such(stated in plain_ones()) {
        let octets = stated.written();
        let (_, entries) = read(&octets).unwrap();
        let is_plain = |entry: &&CrlEntry<'_>| PlainEntry::of(entry).is_some() && date::is_utc_time(entry.date);
        prop_assert_eq!(plain_agrees(&octets)?, entries.iter().filter(is_plain).count());
    }

    #[test]
    fn what_is_read_as_plain_is_so_even_damaged(
        (stated, others) in (plain_ones(), crls()),
        (at, octet) in (any::<prop::sample::Index>(), any::<u8>()),
    ) {
        for stated in [stated, others] {
            let mut octets = stated.written();
            plain_agrees(&octets)?;
            let at = at.index(octets.len());
            octets[at] = octet;
            plain_agrees(&octets)?;
        }
    }

    #[test]
    fn what_is_written_is_read_back(stated in crls()) {
        let octets = stated.written();
        let (crl, entries) = read(&octets).unwrap();
        let profile = &stated.profile;
        prop_assert_eq!(crl.signature_algorithm, Some(profile.algorithm));
        prop_assert_eq!(&crl.issuer, &profile.issuer);
        prop_assert_eq!((crl.this_update, crl.next_update), (profile.this_update, profile.next_update));
        prop_assert_eq!(crl.signature, &stated.signature[..]);
        let read = &crl.extensions;
        prop_assert_eq!(read.authority_key_id.as_ref(), Some(&profile.authority_key_id));
        prop_assert_eq!(read.number, Some(profile.number));
        prop_assert_eq!(&read.issuing_point, &profile.issuing_point);
        prop_assert_eq!((read.expired_since, read.reflects), (profile.expired_since, profile.reflects));
        match &profile.kind {
            CrlKind::Delta { base } => prop_assert_eq!((read.base, read.freshest.len()), (Some(*base), 0)),
            CrlKind::Full { freshest } => {
                let places: Vec<_> = read.freshest.iter().map(|point| point.name.clone().unwrap()).collect();
                prop_assert_eq!((read.base, places), (None, freshest.iter().cloned().collect()));
            }
        }
        let listed: Vec<_> = stated.entries.iter().map(StatedEntry::borrowed).collect();
        prop_assert_eq!(entries, listed);
        agrees_with_rasn(&octets)?;
    }

    #[test]
    fn nothing_that_arrives_makes_it_panic(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&octets);
    }

    /// One octet of a CRL is another: it is refused, or `rasn` reads the same as we do.
    #[test]
    fn damaged_it_is_refused_or_read_alike(stated in crls(), at in any::<prop::sample::Index>(), octet in any::<u8>()) {
        let mut octets = stated.written();
        let at = at.index(octets.len());
        octets[at] = octet;
        agrees_with_rasn(&octets)?;
    }

    #[test]
    fn cut_off_it_is_refused(stated in crls(), at in any::<prop::sample::Index>()) {
        let octets = stated.written();
        prop_assert!(read(&octets[..at.index(octets.len())]).is_err());
    }
}

fn small() -> Stated {
    let entry = |serial: &[u8], listed, issuer| StatedEntry {
        serial: Serial::from_unsigned(serial).unwrap(),
        date: "2026-11-20T00:00:00Z".parse().unwrap(),
        listed,
        invalidity_date: None,
        issuer,
    };
    Stated {
        profile: full(),
        entries: vec![
            entry(&[1], Listed::Held, None),
            entry(&[2], Listed::Revoked(Reason::KeyCompromise), Some(name("A"))),
            entry(&[3], Listed::Revoked(Reason::Unspecified), Some(name("A"))),
            entry(&[4], Listed::Removed, None),
        ],
        signature: vec![0x30; 70],
    }
}

/// The same CRL with one piece of it replaced by another of the same length.
fn with(old: &[u8], new: &[u8]) -> Vec<u8> {
    let octets = small().written();
    let places: Vec<_> = (0..octets.len()).filter(|at| octets[*at..].starts_with(old)).collect();
    assert!(old.len() == new.len() && !places.is_empty(), "nothing to replace");
    let mut changed = octets;
    changed[places[0]..places[0] + old.len()].copy_from_slice(new);
    changed
}

#[test]
fn each_defect_is_refused_for_its_own_reason() {
    let part = |error: CrlError| match error {
        CrlError::Malformed { part, .. } => part,
        other => panic!("{other}"),
    };
    let refused = |octets: &[u8]| read(octets).unwrap_err();
    // The version of the tbsCertList, then a date in the wrong form for its year, a reason that isn't assigned.
    assert_eq!(refused(&with(&[0x02, 1, 1, 0x30], &[0x02, 1, 0, 0x30])), CrlError::NotVersion2);
    assert_eq!(part(refused(&with(b"261120000000Z", b"261320000000Z"))), "a date");
    assert_eq!(part(refused(&with(&[0x0a, 1, 6], &[0x0a, 1, 7]))), "a reasonCode");
    for (octets, cause) in [([0x02, 0, 1, 0x17], SerialError::Empty), ([0x02, 1, 0, 0x17], SerialError::Zero)] {
        let error = refused(&with(&[0x02, 1, 1, 0x17], &octets));
        assert!(matches!(error, CrlError::Serial { cause: found, .. } if found == cause), "{error}");
    }
    // TRUE has one spelling; certificateIssuer must be critical; an unknown critical extension stands for itself.
    assert_eq!(part(refused(&with(&[0x1d, 29, 1, 1, 0xff], &[0x1d, 29, 1, 1, 1]))), "an extension");
    assert!(matches!(refused(&with(&[0x1d, 29, 1, 1], &[0x1d, 99, 1, 1])), CrlError::UnknownCritical { .. }));
    assert!(matches!(refused(&with(&[0x1d, 20, 4], &[0x1d, 35, 4])), CrlError::DuplicateExtension { .. }));
    let octets = small().written();
    let outer = octets.windows(3).rposition(|window| window == [0x04, 0x03, 0x02]).unwrap();
    let mut differs = octets.clone();
    differs[outer + 2] = 3;
    assert_eq!(refused(&differs), CrlError::AlgorithmMismatch);
    let mut longer = octets;
    longer.push(0);
    assert_eq!(part(refused(&longer)), "the CRL");
}

#[test]
fn a_list_without_entries_is_left_out_and_an_empty_one_refused() {
    let mut empty = Stated { entries: Vec::new(), ..small() };
    empty.profile.authority_key_id.truncate(8);
    let octets = empty.written();
    assert_eq!(read(&octets).unwrap().1, []);
    let date = octets.windows(13).rposition(|window| window == b"261121060000Z").unwrap() + 13;
    let mut with_empty = octets;
    with_empty.splice(date..date, [0x30, 0]);
    // The lengths of the whole and of the tbsCertList.
    assert!(with_empty.starts_with(&[0x30, 0x81]) && with_empty[3] == 0x30 && with_empty[4] < 0x7e);
    with_empty[2] += 2;
    with_empty[4] += 2;
    let refused = read(&with_empty).unwrap_err();
    assert!(matches!(refused, CrlError::Malformed { part: "revokedCertificates", .. }), "{refused}");
}

#[test]
fn limits_are_kept() {
    let octets = small().written();
    let limits = CrlLimits { octets_max: octets.len() - 1, entries_max: 9 };
    let refused = Crl::read(&octets, limits).unwrap_err();
    assert_eq!(refused, CrlError::TooLarge { octets: octets.len(), octets_max: octets.len() - 1 });
    let crl = Crl::read(&octets, CrlLimits { octets_max: octets.len(), entries_max: 3 }).unwrap();
    let read: Vec<_> = crl.entries().collect();
    assert_eq!(read.len(), 4);
    assert_eq!(read[3], Err(CrlError::TooManyEntries { entries_max: 3 }));
    let exactly = Crl::read(&octets, CrlLimits { octets_max: octets.len(), entries_max: 4 }).unwrap();
    assert!(exactly.entries().all(|entry| entry.is_ok()));
}

#[test]
fn an_issuer_holds_until_another_is_named() {
    let octets = small().written();
    let (_, entries) = read(&octets).unwrap();
    let other = name("A");
    let issuers: Vec<_> = entries.iter().map(|entry| entry.issuer).collect();
    assert_eq!(issuers, [None, Some(other.as_der()), Some(other.as_der()), None]);
}
