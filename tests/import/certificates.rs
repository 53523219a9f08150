//! Certificates themselves, PEM and DER, from the test data.

use std::fs;

use tashika::asn1::{CertificateFields, certificates_in};
use tashika::desk::bulk::Job;
use tashika::ledger::import::{Defaults, Format};
use tashika::ledger::{Batch, Ledger};
use tashika::model::{
    Batch as ChipBatch, Body, Event, Issuer, IssuerNo, MediumKind, Municipality, Role, Scope, ScopeNo, Usage,
};

use crate::memory_ledger::MemoryLedger;
use crate::nation;
use crate::town::{Imported, Refused, Town};

fn file(name: &str) -> Vec<u8> {
    fs::read(format!("{}/certs-testdata/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn der(name: &str) -> Vec<u8> {
    certificates_in(&file(name)).unwrap().remove(0)
}

fn fields(name: &str) -> CertificateFields {
    CertificateFields::from_der(&der(name)).unwrap()
}

/// A ledger whose issuer 1 is a CA of the test data, with the scopes that the named leaves lie in.
fn town(ca: &str, scopes_of: &[&str]) -> Town {
    let ledger = MemoryLedger::create(&nation::genesis(1));
    let mut batch = Batch::on(ledger.head().unwrap());
    let certificate = der(&format!("{ca}/issuer.pem"));
    let hashes = CertificateFields::from_der(&certificate).unwrap().issuer_hashes();
    let issuer = Issuer {
        no: IssuerNo(1),
        name: "ca".into(),
        certificate,
        name_sha1: hashes.name_sha1,
        key_sha1: hashes.key_sha1,
        name_sha256: hashes.name_sha256,
        key_sha256: hashes.key_sha256,
    };
    let mut bodies = vec![Body::IssuerAdded(issuer)];
    for (leaf, no) in scopes_of.iter().zip(1..) {
        let points = fields(&format!("{ca}/{leaf}.pem")).extensions.crl_distribution_points;
        let own = points.iter().find(|point| point.crl_issuer.is_none()).unwrap();
        let distribution_point = own.name.as_ref().unwrap().as_der().to_vec();
        let path = format!("scope-{no}");
        bodies.push(Body::ScopeAdded(Scope { no: ScopeNo(no), issuer: IssuerNo(1), distribution_point, path }));
    }
    for body in bodies {
        batch.record(Event { time: nation::at(0), actor: nation::actor(Role::Ops), cause: None, body });
    }
    ledger.append(&batch).unwrap();
    Town::on(Box::new(ledger))
}

fn import(town: &Town, files: &[&str]) -> Result<Imported, Refused> {
    let text: Vec<u8> = files.iter().flat_map(|name| file(name)).collect();
    town.import(&text, Format::detect(&text).unwrap())
}

#[test]
fn leaves_of_every_algorithm_are_registered_with_their_own_facts() {
    for (ca, usage) in [
        ("card-sign-g1-rsa2048", Usage::Sign),
        ("card-sign-g2-p256", Usage::Sign),
        ("card-sign-g3-p384", Usage::Sign),
        ("card-auth-p384", Usage::Auth),
        ("phone-auth-p256", Usage::Auth),
    ] {
        let town = town(ca, &["leaf-good"]);
        let name = format!("{ca}/leaf-good.pem");
        let imported = import(&town, &[&name]).unwrap();
        let told = (imported.counts.registered, imported.plan.without_combined, imported.plan.unverified);
        assert_eq!(told, (1, 0, 0), "{ca}");
        let leaf = fields(&name);
        let entry = town.entry(&leaf.serial.to_string()).unwrap();
        assert_eq!(entry.certificate.not_before, leaf.validity.not_before);
        assert_eq!(entry.certificate.not_after, leaf.validity.not_after);
        assert_eq!((entry.certificate.usage, entry.certificate.scope), (usage, ScopeNo(1)), "{ca}");
    }
}

#[test]
fn many_in_a_file_and_der_behind_der() {
    let ca = "card-sign-g2-p256";
    let town = town(ca, &["leaf-good", "leaf-of-another-municipality", "leaf-of-a-kanji-municipality"]);
    let names = [
        "leaf-good",
        "leaf-expired",
        "leaf-without-end",
        "leaf-of-another-municipality",
        "leaf-of-a-kanji-municipality",
        "leaf-serial-of-20-octets-top-bit",
        "leaf-serial-of-1-octet-top-bit",
        "leaf-without-combined-point",
    ]
    .map(|leaf| format!("{ca}/{leaf}.pem"));
    let mut bundle = b"subject=... and other explanations\n".to_vec();
    // A key among them is none of the importer's business.
    bundle.extend(file(&format!("{ca}/leaf.key")));
    names.iter().for_each(|name| bundle.extend(file(name)));
    let imported = town.import(&bundle, Format::detect(&bundle).unwrap()).unwrap();
    assert_eq!((imported.counts.registered, imported.plan.without_combined), (8, 1));
    let other = fields(&names[3]).serial.to_string();
    assert_eq!(town.entry(&other).unwrap().certificate.scope, ScopeNo(2));

    let concatenated: Vec<u8> = names.iter().flat_map(|name| der(name)).collect();
    let again = town.import(&concatenated, Format::detect(&concatenated).unwrap()).unwrap();
    assert_eq!((again.counts.registered, again.counts.unchanged), (0, 8));
}

#[test]
fn what_is_not_the_issuers_is_refused_by_line() {
    let ca = "card-sign-g2-p256";
    let cases = [
        (format!("{ca}/leaf-signature-broken.pem"), "signature does not verify"),
        ("card-sign-g3-p384/leaf-good.pem".into(), "another key generation"),
        ("phone-auth-p256/leaf-good.pem".into(), "another issuer"),
        ("stranger/leaf-of-unknown-issuer.pem".into(), "another issuer"),
        ("stranger/leaf-of-unknown-key-under-known-name.pem".into(), "authority key identifier differs"),
        (format!("{ca}/leaf-without-points.pem"), "no distribution point"),
        (format!("{ca}/leaf-of-another-municipality.pem"), "is no scope of the issuer"),
        ("malformed/serial-zero.pem".into(), "not zero"),
        ("malformed/serial-negative.pem".into(), "positive"),
        ("malformed/serial-of-21-octets.pem".into(), "at most 20"),
        ("malformed/not-after-in-month-13.pem".into(), "notAfter"),
        ("malformed/extension-twice.pem".into(), "appears twice"),
        ("malformed/cut-off.der".into(), "was cut off"),
    ];
    let town = town(ca, &["leaf-good"]);
    for (name, cause) in cases {
        let refused = import(&town, &[&name]).unwrap_err();
        assert!(refused.only().1.contains(cause), "{name}: {refused:?}");
    }
    let two = import(&town, &[&format!("{ca}/leaf-good.pem"), &format!("{ca}/leaf-signature-broken.pem")]).unwrap_err();
    let lines = String::from_utf8(file(&format!("{ca}/leaf-good.pem"))).unwrap().lines().count() as u64;
    assert_eq!(two.only().0, lines + 1);
    let refused = import(&town, &[&format!("{ca}/leaf.key")]).unwrap_err();
    assert!(refused.only().1.contains("no certificate found"), "{refused:?}");
    let mut cut = file(&format!("{ca}/leaf-good.pem"));
    cut.truncate(cut.len() - 40);
    assert!(town.import(&cut, Format::Pem).unwrap_err().only().1.contains("does not end"));
    let whole = der(&format!("{ca}/leaf-good.pem"));
    for cut in [1, 2, 3, 4, 100, whole.len() - 1] {
        let two = [&whole[..], &whole[..cut]].concat();
        let refused = town.import(&two, Format::Der).unwrap_err();
        assert_eq!(refused.only(), (2, "the file ends in the middle of this certificate: it was cut off"), "{cut}");
    }
}

#[test]
fn the_certificate_names_its_scope_and_nobody_overrules_it() {
    let ca = "card-sign-g2-p256";
    let town = town(ca, &["leaf-good", "leaf-of-another-municipality"]);
    let good = file(&format!("{ca}/leaf-good.pem"));
    let mut defaults = town.defaults();
    defaults.scope = Some(ScopeNo(2));
    let job = Job { defaults, ..town.job(&good, Format::Pem) };
    assert!(town.import_job(&job).unwrap_err().only().1.contains("names another scope"));
    defaults.scope = Some(ScopeNo(1));
    let job = Job { defaults, ..town.job(&good, Format::Pem) };
    assert_eq!(town.import_job(&job).unwrap().counts.registered, 1);
    defaults.scope = Some(ScopeNo(7));
    let job = Job { defaults, ..town.job(&good, Format::Pem) };
    assert!(town.import_job(&job).unwrap_err().error.to_string().contains("CRL scope 7"));
    // A CRL without IDP speaks for all of an issuer's certificates.
    let whole = town.add_scope(vec![], "ca");
    import(&town, &[&format!("{ca}/leaf-without-points.pem")]).unwrap();
    let serial = fields(&format!("{ca}/leaf-without-points.pem")).serial.to_string();
    assert_eq!(town.entry(&serial).unwrap().certificate.scope, whole);
}

#[test]
fn formats_are_told_apart_by_content() {
    assert_eq!(Format::detect(b"\n {\"serial\"").unwrap(), Format::Ndjson);
    assert_eq!(Format::detect(b"\xef\xbb\xbf{").unwrap(), Format::Ndjson);
    assert_eq!(Format::detect(&der("root.pem")).unwrap(), Format::Der);
    assert_eq!(Format::detect(&file("root.pem")).unwrap(), Format::Pem);
    for nothing in [&b""[..], b"serial,not_after", b"V\t310101000000Z\t\t01\tunknown\t/CN=x", b"0 bytes"] {
        assert!(Format::detect(nothing).is_err(), "{}", nothing.escape_ascii());
    }
}

#[test]
fn an_option_must_not_contradict_what_is_registered() {
    let ca = "card-sign-g2-p256";
    let town = town(ca, &["leaf-good", "leaf-of-another-municipality"]);
    let good = file(&format!("{ca}/leaf-good.pem"));
    let serial = fields(&format!("{ca}/leaf-good.pem")).serial.to_string();
    let own = Defaults {
        usage: Some(Usage::Sign),
        medium: Some(MediumKind::Card),
        batch: Some(ChipBatch(7)),
        municipality: Some(Municipality(13_101)),
        scope: Some(ScopeNo(1)),
        ..town.defaults()
    };
    let index = format!("V\t491231145959Z\t\t{serial}\tunknown\t/CN=taro\n");
    for (text, format) in [(good, Format::Pem), (index.into_bytes(), Format::OpensslIndex)] {
        let again = |defaults| town.import_job(&Job { defaults, ..town.job(&text, format) });
        let first = again(own).unwrap().counts;
        assert_eq!(first.registered + first.unchanged, 1, "the index speaks of what the certificate registered");
        assert_eq!(again(own).unwrap().counts.unchanged, 1);
        let unsaid = Defaults { scope: own.scope, ..town.defaults() };
        assert_eq!(again(unsaid).unwrap().counts.unchanged, 1, "nothing is asked for");
        for (other, says) in [
            (Defaults { usage: Some(Usage::Auth), ..own }, "type is SIGN in the ledger, AUTH was asked for"),
            (Defaults { medium: Some(MediumKind::SeApple), ..own }, "medium is CARD in the ledger, SE_APPLE was"),
            (Defaults { batch: Some(ChipBatch(8)), ..own }, "batch is 7 in the ledger, 8 was"),
            (Defaults { municipality: Some(Municipality(2)), ..own }, "municipality is 13101 in the ledger, 2 was"),
            (Defaults { scope: Some(ScopeNo(2)), ..own }, "scope"),
        ] {
            let refused = again(other).unwrap_err();
            assert!(refused.only().1.contains(says), "{format:?}: {refused:?}");
        }
    }
}

#[test]
fn what_lives_in_sims_needs_a_format_that_says_in_which() {
    let town = town("card-sign-g2-p256", &["leaf-good"]);
    let good = file("card-sign-g2-p256/leaf-good.pem");
    let defaults = Defaults { medium: Some(MediumKind::Sim), ..town.defaults() };
    let index = b"V\t491231235959Z\t\t0A\tunknown\t/CN=taro\n".to_vec();
    for (text, format) in [(&good, Format::Pem), (&der("root.pem"), Format::Der), (&index, Format::OpensslIndex)] {
        let refused = town.import_job(&Job { defaults, ..town.job(text, format) }).unwrap_err();
        assert!(refused.error.to_string().contains("NDJSON"), "{format:?}: {refused:?}");
    }
}
