//! The committed test certificates: what the generator makes, what the reader reads, and what openssl says of each.
//!
//! The openssl command line is the independent witness here. Where it is missing these tests fail; they never skip.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on should stop where it stands")]

#[path = "../../xtask/src/testdata/mod.rs"]
mod generator;

mod openssl;
mod status;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use generator::{OpensslOpinion, Role, TestCertificate, TestData, Verdict};
use openssl::Openssl;
use tashika::asn1::{
    Asn1Error, BasicConstraints, CertificateFields, ExtendedKeyUsage, FullName, KeyUsage, Name, SignatureAlgorithm,
    certificates_in,
};

static DATA: LazyLock<TestData> = LazyLock::new(TestData::generate);

#[test]
fn what_is_committed_is_what_the_generator_makes() {
    let made = DATA.files();
    let mut committed = BTreeMap::new();
    collect(&folder(), "", &mut committed);
    let differing: Vec<_> = made.iter().filter(|(path, contents)| committed.get(*path) != Some(*contents)).collect();
    let differing: Vec<_> = differing.into_iter().map(|(path, _)| path).collect();
    assert!(differing.is_empty(), "not as generated: {differing:?}; `cargo xtask testdata` writes them");
    let stray: Vec<_> = committed.keys().filter(|path| !made.contains_key(*path)).collect();
    assert!(stray.is_empty(), "not made by the generator: {stray:?}");
    assert_eq!(TestData::generate().files(), made, "made twice, the same bytes");
}

#[test]
fn the_reader_finds_in_every_certificate_what_was_asked_of_the_builder() {
    assert!(DATA.certificates.len() > 80);
    for certificate in &DATA.certificates {
        let path = &certificate.path;
        let fields = read(path);
        let asked = &certificate.profile;
        assert_eq!(fields.serial, asked.serial, "{path}");
        assert_eq!(fields.issuer, asked.issuer, "{path}");
        assert_eq!(fields.subject, asked.subject, "{path}");
        assert_eq!(fields.validity, asked.validity, "{path}");
        assert_eq!(fields.public_key, asked.public_key, "{path}");
        assert_eq!(fields.extensions, asked.extensions, "{path}");
        assert!(fields.unknown_critical.is_empty(), "{path}");
        let issuer = read(&certificate.issuer);
        let algorithm = match issuer.public_key.algorithm().to_string().as_str() {
            "P-256" => SignatureAlgorithm::EcdsaSha256,
            "P-384" => SignatureAlgorithm::EcdsaSha384,
            "RSA-2048" => SignatureAlgorithm::RsaSha256,
            other => panic!("{path}: {other}"),
        };
        assert_eq!(fields.signature_algorithm, Some(algorithm), "{path}");
    }
}

#[test]
fn the_reader_refuses_every_malformed_certificate_for_its_own_reason() {
    use tashika::model::SerialError::{Negative, TooLong, Zero};
    let mut left: BTreeMap<&str, fn(&Asn1Error) -> bool> = BTreeMap::from([
        ("algorithms-differ.pem", (|e| *e == Asn1Error::AlgorithmMismatch) as fn(&Asn1Error) -> bool),
        ("cut-off.der", |e| *e == Asn1Error::CutOff),
        ("extension-twice.pem", |e| *e == Asn1Error::DuplicateExtension("2.5.29.35".into())),
        ("not-after-in-month-13.pem", |e| matches!(e, Asn1Error::Time { part: "notAfter", .. })),
        ("not-after-with-offset.pem", |e| matches!(e, Asn1Error::Time { part: "notAfter", .. })),
        ("octet-behind-the-end.der", |e| matches!(e, Asn1Error::Malformed { part: "the certificate", .. })),
        ("serial-negative.pem", |e| *e == Asn1Error::Serial(Negative)),
        ("serial-of-21-octets.pem", |e| *e == Asn1Error::Serial(TooLong)),
        ("serial-with-needless-zero.pem", |e| *e == Asn1Error::NotDer("the serial number")),
        ("serial-zero.pem", |e| *e == Asn1Error::Serial(Zero)),
    ]);
    for file in &DATA.malformed {
        let refused = CertificateFields::from_file(&contents(&file.path)).expect_err(&file.path);
        let expected = left.remove(file.path.trim_start_matches("malformed/")).expect(&file.path);
        assert!(expected(&refused), "{}: {refused:?}", file.path);
    }
    assert!(left.is_empty(), "{:?}", left.keys());
}

#[test]
fn openssl_has_the_stated_opinion_of_every_malformed_certificate() {
    let openssl = Openssl::find();
    for file in &DATA.malformed {
        let form = if file.path.ends_with(".der") { "DER" } else { "PEM" };
        let path = path(&file.path);
        let shown = openssl.run(["x509", "-inform", form, "-noout", "-text", "-in", &path]);
        let verified = openssl.verify(&root(), &known_to_verifier("malformed"), &path);
        match file.openssl {
            OpensslOpinion::Refuses => assert!(!shown.success && !verified.success, "{path}"),
            OpensslOpinion::Reads => assert!(shown.success && verified.success, "{path}"),
            OpensslOpinion::Shows(line) => {
                assert!(shown.success && verified.success && shown.text.contains(line), "{path}: {}", shown.text);
            }
            OpensslOpinion::VerifyFails(reason) => {
                assert!(shown.success && !verified.success && verified.text.contains(reason), "{path}: {verified:?}");
            }
        }
    }
}

#[test]
fn openssl_verifies_the_good_and_refuses_the_others_for_their_own_reason() {
    let openssl = Openssl::find();
    for certificate in &DATA.certificates {
        let path = path(&certificate.path);
        let verified = openssl.verify(&root(), &known_to_verifier(&certificate.path), &path);
        let reason = match certificate.verdict {
            Verdict::Good => "",
            Verdict::BadSignature => "error 7 at 0 depth lookup: certificate signature failure",
            Verdict::Expired => "error 10 at 0 depth lookup: certificate has expired",
            Verdict::NotYetValid => "error 9 at 0 depth lookup: certificate is not yet valid",
            Verdict::SelfSigned => "error 18 at 0 depth lookup: self-signed certificate",
            Verdict::UnknownIssuer => "error 20 at 0 depth lookup: unable to get local issuer certificate",
        };
        assert_eq!(verified.success, certificate.verdict == Verdict::Good, "{path}: {verified:?}");
        let errors: Vec<_> =
            verified.text.lines().filter(|line| line.starts_with("error ") && line.contains(" at ")).collect();
        assert_eq!(errors.join("\n"), reason, "{path}: the one reason");
    }
}

#[test]
fn what_is_wrong_is_all_that_is_wrong() {
    let openssl = Openssl::find();
    for certificate in DATA.certificates.iter().filter(|certificate| certificate.verdict != Verdict::Good) {
        let path = path(&certificate.path);
        let issuer = self::path(&certificate.issuer);
        let verified = match certificate.verdict {
            Verdict::Expired => openssl.verify_at(1_500_000_000, &root(), &issuer, &path),
            Verdict::NotYetValid => openssl.verify_at(2_500_000_000, &root(), &issuer, &path),
            // Trust the CA that did issue it: the chain holds, so only the CA was wrong.
            Verdict::SelfSigned => openssl.verify(&issuer, &issuer, &path),
            Verdict::UnknownIssuer if certificate.path.starts_with("stranger/leaf-of-unknown-key") => continue,
            Verdict::UnknownIssuer if certificate.issuer.starts_with("stranger/") => {
                openssl.verify(&issuer, &issuer, &path)
            }
            Verdict::UnknownIssuer => openssl.verify(&root(), &issuer, &path),
            Verdict::BadSignature | Verdict::Good => continue,
        };
        assert!(verified.success, "{path}: {verified:?}");
    }
}

#[test]
fn openssl_shows_every_field_as_it_was_asked_for() {
    let openssl = Openssl::find();
    for certificate in &DATA.certificates {
        let path = path(&certificate.path);
        let shown = openssl.run(["x509", "-noout", "-serial", "-dates", "-dateopt", "iso_8601", "-text", "-in", &path]);
        assert!(shown.success, "{path}: {shown:?}");
        let text = shown.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let validity = certificate.profile.validity;
        for line in [
            format!("serial={}", certificate.profile.serial),
            format!("notBefore={}", validity.not_before.to_string().replace('T', " ")),
            format!("notAfter={}", validity.not_after.to_string().replace('T', " ")),
        ] {
            assert!(shown.text.lines().any(|shown| shown == line), "{path}: {line} in {}", shown.text);
        }
        assert_extensions(certificate, &text);
    }
}

/// `text`: what openssl shows, white space collapsed.
fn assert_extensions(certificate: &TestCertificate, text: &str) {
    let path = &certificate.path;
    let extensions = &certificate.profile.extensions;
    let usage = extensions.key_usage.expect("every one here has a key usage");
    let is_authority = matches!(extensions.basic_constraints, Some(BasicConstraints::Authority { .. }));
    for (shown, asked) in [
        ("OCSP No Check:", extensions.ocsp_no_check),
        ("X509v3 Extended Key Usage: OCSP Signing", extensions.extended_key_usage == [ExtendedKeyUsage::OcspSigning]),
        ("TLS Web Client Authentication", extensions.extended_key_usage == [ExtendedKeyUsage::ClientAuth]),
        ("X509v3 Extended Key Usage", !extensions.extended_key_usage.is_empty()),
        ("X509v3 Key Usage: critical", true),
        ("Digital Signature", usage.contains(KeyUsage::DIGITAL_SIGNATURE)),
        ("Non Repudiation", usage.contains(KeyUsage::NON_REPUDIATION)),
        ("Certificate Sign", usage.contains(KeyUsage::KEY_CERT_SIGN)),
        ("CRL Sign", usage.contains(KeyUsage::CRL_SIGN)),
        ("X509v3 Basic Constraints: critical CA:TRUE", is_authority),
        ("X509v3 Basic Constraints: critical", extensions.basic_constraints.is_some()),
        ("X509v3 CRL Distribution Points:", !extensions.crl_distribution_points.is_empty()),
        ("Policy: 2.999.392.", !extensions.policies.is_empty()),
    ] {
        assert_eq!(text.contains(shown), asked, "{path}: {shown}");
    }
    for uri in &extensions.authority_access.ocsp {
        assert!(text.contains(&format!("OCSP - URI:{uri}")), "{path}");
    }
    for uri in &extensions.authority_access.ca_issuers {
        assert!(text.contains(&format!("CA Issuers - URI:{uri}")), "{path}");
    }
    for (label, id) in [("Authority", &extensions.authority_key_id), ("Subject", &extensions.subject_key_id)] {
        let id: Vec<_> = id.iter().flatten().map(|octet| format!("{octet:02X}")).collect();
        assert!(text.contains(&format!("X509v3 {label} Key Identifier: {}", id.join(":"))), "{path}");
    }
    let points: Vec<String> = extensions.crl_distribution_points.iter().map(shown_point).collect();
    let points = points.join(" ");
    assert!(
        points.is_empty() || text.contains(&format!("X509v3 CRL Distribution Points: {points}")),
        "{path}: {points}"
    );
    assert_eq!(text.matches("Full Name:").count(), extensions.crl_distribution_points.len(), "{path}");
    if certificate.role == Role::Leaf && !path.contains("without") && !path.starts_with("stranger") {
        assert_eq!((text.matches("Full Name:").count(), text.matches("CRL Issuer:").count()), (2, 1), "{path}");
    }
}

/// A distribution point as openssl shows it.
fn shown_point(point: &tashika::asn1::DistributionPoint) -> String {
    let name = match point.name.as_ref().expect("every point here has a name").full_names() {
        [FullName::Directory(name)] => format!("DirName:{}", shown_name(name)),
        [FullName::Uri(uri)] => format!("URI:{uri}"),
        others => panic!("{others:?}"),
    };
    match &point.crl_issuer {
        None => format!("Full Name: {name}"),
        Some(issuer) => format!("Full Name: {name} CRL Issuer: DirName:{}", shown_name(issuer)),
    }
}

/// `C = JP, O = …`, octets beyond ASCII escaped.
fn shown_name(name: &Name) -> String {
    let text = name.to_string().replace('=', " = ");
    let escape = |octet: u8| if octet.is_ascii() { char::from(octet).to_string() } else { format!("\\{octet:02X}") };
    text.bytes().map(escape).collect()
}

#[test]
fn the_private_keys_match() {
    let openssl = Openssl::find();
    for certificate in &DATA.certificates {
        let key = openssl.output(["pkey", "-pubout", "-outform", "DER", "-in", &path(&certificate.key)]);
        assert_eq!(read(&certificate.path).public_key.as_der(), key, "{}", certificate.path);
    }
    for path in DATA.keys.keys() {
        assert!(DATA.certificates.iter().any(|certificate| certificate.key == *path), "{path} belongs to nothing");
        let text = String::from_utf8(contents(path)).unwrap();
        assert!(text.starts_with("-----BEGIN PRIVATE KEY-----\n"), "{path}: PKCS#8");
    }
}

#[test]
fn the_issuer_hashes_are_those_of_openssl() {
    let openssl = Openssl::find();
    let hex = |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02X}")).collect::<String>();
    for certificate in &DATA.certificates {
        let hashes = read(&certificate.path).issuer_hashes();
        let shown = openssl.run(["x509", "-noout", "-ocspid", "-in", &path(&certificate.path)]);
        assert!(shown.text.contains(&format!("Subject OCSP hash: {}", hex(&hashes.name_sha1))), "{}", certificate.path);
        assert!(
            shown.text.contains(&format!("Public key OCSP hash: {}", hex(&hashes.key_sha1))),
            "{}",
            certificate.path
        );
        let leaf = format!("{}leaf-good.pem", certificate.path.trim_end_matches("issuer.pem"));
        if certificate.role != Role::Authority || !path_exists(&leaf) {
            continue;
        }
        for (algorithm, name, key) in [
            ("-sha1", &hashes.name_sha1[..], &hashes.key_sha1[..]),
            ("-sha256", &hashes.name_sha256[..], &hashes.key_sha256[..]),
        ] {
            let issuer = path(&certificate.path);
            let asked =
                openssl.run(["ocsp", algorithm, "-issuer", &issuer, "-cert", &path(&leaf), "-req_text", "-no_nonce"]);
            assert!(asked.text.contains(&format!("Issuer Name Hash: {}", hex(name))), "{asked:?}");
            assert!(asked.text.contains(&format!("Issuer Key Hash: {}", hex(key))), "{asked:?}");
        }
    }
}

#[test]
fn three_generations_share_their_name_and_a_serial_and_nothing_else() {
    let folders = ["card-sign-g1-rsa2048", "card-sign-g2-p256", "card-sign-g3-p384"];
    let issuers = folders.map(|folder| read(&format!("{folder}/issuer.pem")));
    let leaves = folders.map(|folder| read(&format!("{folder}/leaf-serial-in-every-generation.pem")));
    for (left, right) in [(0, 1), (1, 2), (0, 2)] {
        assert_eq!(issuers[left].subject, issuers[right].subject);
        assert_eq!(issuers[left].issuer_hashes().name_sha1, issuers[right].issuer_hashes().name_sha1);
        assert_ne!(issuers[left].issuer_hashes().key_sha1, issuers[right].issuer_hashes().key_sha1);
        assert_eq!((leaves[left].serial, &leaves[left].issuer), (leaves[right].serial, &leaves[right].issuer));
        let points = |index: usize| &leaves[index].extensions.crl_distribution_points;
        assert_eq!(points(left), points(right));
    }
}

fn read(path: &str) -> CertificateFields {
    CertificateFields::from_file(&contents(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn contents(path: &str) -> Vec<u8> {
    fs::read(folder().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn path_exists(path: &str) -> bool {
    folder().join(path).exists()
}

fn path(path: &str) -> String {
    folder().join(path).to_str().expect("the checkout's path is UTF-8").to_owned()
}

fn root() -> String {
    path("root.pem")
}

/// The CA that the verifier knows: that of the folder, or card-sign's second generation where the folder has none.
fn known_to_verifier(certificate: &str) -> String {
    let folder = certificate.split('/').next().expect("a split has a first part");
    let own = format!("{folder}/issuer.pem");
    path(if folder != "stranger" && path_exists(&own) { &own } else { "card-sign-g2-p256/issuer.pem" })
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("certs-testdata")
}

fn collect(folder: &Path, prefix: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            collect(&path, &format!("{name}/"), found);
        } else {
            found.insert(name, fs::read(&path).unwrap());
        }
    }
}

#[test]
fn one_file_may_hold_a_whole_chain() {
    let chain = [contents("card-auth-p384/leaf-good.pem"), contents("card-auth-p384/issuer.pem"), contents("root.pem")];
    let certificates = certificates_in(&chain.concat()).unwrap();
    let fields: Vec<_> = certificates.iter().map(|der| CertificateFields::from_der(der).unwrap()).collect();
    assert_eq!(fields[0].issuer, fields[1].subject);
    assert_eq!(fields[1].issuer, fields[2].subject);
    assert_eq!(fields[0].extensions.authority_key_id, fields[1].extensions.subject_key_id);
}
