//! What openssl makes of replies: it reads every status and extension, and verifies an answer to its own request.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use super::*;

/// Calls `openssl ocsp` and says what it printed and whether it liked what it saw.
fn openssl(arguments: &[&OsStr]) -> (bool, String) {
    let output =
        Command::new("openssl").env("OPENSSL_CONF", "/dev/null").arg("ocsp").args(arguments).output().expect("openssl");
    let text = [output.stderr, output.stdout].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

fn shown_by_openssl(reply: &[u8]) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reply.der");
    std::fs::write(&path, reply).unwrap();
    let arguments = ["-noverify", "-resp_text", "-respin"].map(OsStr::new);
    openssl(&[&arguments[..], &[path.as_os_str()]].concat())
}

#[test]
fn r1_r6_openssl_reads_each_status() {
    let at = time("2026-11-19T01:02:03Z");
    for (status, lines) in [
        (CertStatus::Good, &["Cert Status: good", "Next Update: Nov 20 00:10:00 2026 GMT"][..]),
        (CertStatus::Held { since: at }, &["Cert Status: revoked", "Revocation Reason: certificateHold (0x6)"]),
        (
            CertStatus::Revoked { at, reason: Reason::KeyCompromise },
            &["Revocation Time: Nov 19 01:02:03 2026 GMT", "Revocation Reason: keyCompromise (0x1)"],
        ),
        (CertStatus::Unknown, &["Cert Status: unknown", "This Update: Nov 20 00:00:00 2026 GMT"]),
    ] {
        for algorithm in SignatureAlgorithm::ALL {
            let (_, reply, _) = Values { algorithm, ..sample(status) }.assembled();
            let (liked, text) = shown_by_openssl(&reply);
            assert!(liked, "{text}");
            let common = ["OCSP Response Status: successful (0x0)", "Responder Id: ", "Serial Number: 1234"];
            for line in lines.iter().chain(&common) {
                assert!(text.contains(line), "{line}\n{text}");
            }
        }
    }
}

#[test]
fn r7_r11_r12_openssl_reads_every_extension() {
    let mut values = sample(CertStatus::Held { since: time("1970-01-01T00:00:00Z") });
    values.by_key = false;
    values.nonce = Some(vec![0x4e; 32]);
    values.not_issued = NotIssued::Revoked;
    let single = &mut values.singles[0];
    single.archive_cutoff = Some(time("2020-01-02T03:04:05Z"));
    single.crl = Some(("http://status.example/a.crl".into(), vec![0xff, 1], time("2026-11-20T00:00:00Z")));
    single.invalidity_date = Some(time("2026-11-18T00:00:00Z"));
    values.singles.push(values.singles[0].clone());
    let (_, reply, _) = values.assembled();
    let (liked, text) = shown_by_openssl(&reply);
    assert!(liked, "{text}");
    for line in [
        "Responder Id: C = JP, CN = Responder",
        "Revocation Time: Jan  1 00:00:00 1970 GMT",
        "OCSP Nonce:",
        "OCSP Archive Cutoff:",
        "Jan  2 03:04:05 2020 GMT",
        "OCSP CRL ID:",
        "crlUrl: http://status.example/a.crl",
        "crlNum: FF01",
        "Invalidity Date:",
        "Nov 18 00:00:00 2026 GMT",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert_eq!(text.matches("Cert Status: revoked").count(), 2);
}

#[test]
fn r15_openssl_reads_error_replies() {
    for (reply, words) in [
        (ErrorReply::InternalError, "internalerror (2)"),
        (ErrorReply::MalformedRequest, "malformedrequest (1)"),
        (ErrorReply::SigRequired, "sigrequired (5)"),
        (ErrorReply::TryLater, "trylater (3)"),
        (ErrorReply::Unauthorized, "unauthorized (6)"),
    ] {
        let (liked, text) = shown_by_openssl(reply.der());
        assert!(!liked && text.contains(words), "{text}");
    }
}

#[test]
fn q1_q2_q5_n1_r3_openssl_asks_and_verifies_the_answer() {
    let house = Path::new(env!("CARGO_MANIFEST_DIR")).join("certs-testdata");
    let pki = house.join("phone-auth-p256");
    let [issuer, leaf, other] =
        ["issuer.pem", "leaf-good.pem", "leaf-serial-of-20-octets-top-bit.pem"].map(|file| pki.join(file));
    let root = house.join("root.pem");
    let folder = tempfile::tempdir().unwrap();
    let [asked, answered] = ["asked.der", "answered.der"].map(|file| folder.path().join(file));
    for (hash, nonce) in [("-sha1", "-nonce"), ("-sha256", "-no_nonce")] {
        let [hash, nonce, cert, by, out] = [hash, nonce, "-cert", "-issuer", "-reqout"].map(OsStr::new);
        let both = [cert, leaf.as_os_str(), cert, other.as_os_str()];
        let question = [&[hash, nonce, by, issuer.as_os_str()][..], &both, &[out, asked.as_os_str()]].concat();
        let (made, text) = openssl(&question);
        assert!(made, "{text}");
        let request = std::fs::read(&asked).unwrap();
        std::fs::write(&answered, answer_to(&request, &pki)).unwrap();
        let [respin, trusted, other_certs] = ["-respin", "-CAfile", "-verify_other"].map(OsStr::new);
        let check = [respin, answered.as_os_str(), trusted, root.as_os_str(), other_certs, issuer.as_os_str()];
        // Against the request, which compares the nonce; then certificate by certificate, which compares CertIDs.
        let (liked, text) = openssl(&[&check[..], &[OsStr::new("-reqin"), asked.as_os_str()]].concat());
        assert!(liked && text.contains("Response verify OK"), "{text}");
        assert!(!text.to_lowercase().contains("nonce") && !text.contains("WARNING"), "{text}");
        let by_certificate = [hash, OsStr::new("-no_nonce"), by, issuer.as_os_str()];
        let (liked, text) = openssl(&[&check[..], &by_certificate, &both].concat());
        assert!(liked && text.contains("Response verify OK"), "{text}");
        assert!(text.contains("leaf-good.pem: good") && text.contains("top-bit.pem: revoked"), "{text}");
    }
}

/// The first is good, the second revoked; signed by the key in the test data.
fn answer_to(request: &[u8], pki: &Path) -> Vec<u8> {
    use p256::ecdsa::signature::Signer as _;
    use p256::pkcs8::DecodePrivateKey as _;
    let request = recognise(request, LIMITS).expect("openssl asks in the common shape");
    let revoked = CertStatus::Revoked { at: time("2026-01-01T00:00:00Z"), reason: Reason::Superseded };
    let statuses = [CertStatus::Good, revoked];
    let responses = request.questions().iter().zip(statuses).map(|(question, status)| {
        let (this_update, next_update) = (time("2026-01-01T00:00:00Z"), time("9999-01-01T00:00:00Z"));
        let extensions = SingleExtensions::default();
        SingleResponse { cert_id: &question.cert_id, status, this_update, next_update, extensions }
    });
    let responses: Vec<_> = responses.collect();
    let pem = |file| std::fs::read(pki.join(file)).unwrap();
    let certificate = crate::asn1::certificates_in(&pem("ocsp-good.pem")).unwrap().remove(0);
    let fields = crate::asn1::CertificateFields::from_der(&certificate).unwrap();
    let responder = ResponderId::by_key(&fields.public_key);
    let data = ResponseData {
        responder: &responder,
        produced_at: time("2026-01-01T00:00:00Z"),
        responses: &responses,
        nonce: request.nonce.as_ref(),
        not_issued: NotIssued::Unknown,
    };
    let secret = p256::SecretKey::from_pkcs8_pem(&String::from_utf8(pem("ocsp.key")).unwrap()).unwrap();
    let signature: p256::ecdsa::Signature = p256::ecdsa::SigningKey::from(secret).sign(&data.to_be_signed());
    let credentials = Credentials::new(SignatureAlgorithm::EcdsaSha256, &[&certificate]);
    data.response(&credentials, signature.to_der().as_bytes())
}
