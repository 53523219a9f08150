//! openssl plays responder, CRL issuer and verifier with the test data's keys: each signer must be taken, or refused
//! for exactly what its file name says, and the two distribution points must lead to the right CRL.

use std::fs;
use std::path::Path;

use crate::openssl::{Call, Openssl};
use crate::{DATA, contents, path, read, root};

#[test]
fn openssl_takes_good_ocsp_signers_and_refuses_the_others_for_their_own_reason() {
    let openssl = Openssl::find();
    let work = tempfile::tempdir().unwrap();
    let all = work.path().join("authorities.pem");
    let folders: Vec<&str> = DATA.certificates.iter().filter_map(|c| c.path.strip_suffix("/ocsp-good.pem")).collect();
    assert_eq!(folders.len(), 6);
    let known: Vec<u8> = folders.iter().flat_map(|folder| contents(&format!("{folder}/issuer.pem"))).collect();
    fs::write(&all, known).unwrap();
    for folder in folders {
        for (signer, reason) in [
            ("good", None),
            ("without-nocheck", None),
            ("expired", Some("certificate has expired")),
            ("without-eku", Some("missing ocspsigning usage")),
            // The chain itself is complete: openssl refuses because this CA has not delegated.
            ("of-wrong-ca", Some("root ca not trusted")),
            ("of-wrong-generation", Some("root ca not trusted")),
        ] {
            let signer = format!("{folder}/ocsp-{signer}.pem");
            if signer.ends_with("generation.pem") && !folder.starts_with("card-sign-g") {
                continue;
            }
            let call = ask(&openssl, work.path(), folder, &signer, all.to_str().unwrap());
            match reason {
                None => assert!(call.text.contains("Response verify OK"), "{signer}: {call:?}"),
                Some(reason) => {
                    assert!(call.text.contains("Response Verify Failure"), "{signer}: {call:?}");
                    assert!(call.text.contains(reason), "{signer}: {call:?}");
                }
            }
        }
    }
}

/// Answers for the good leaf with that signer, and verifies the answer.
fn ask(openssl: &Openssl, work: &Path, folder: &str, signer: &str, known: &str) -> Call {
    let file = |name: &str| work.join(name).to_str().unwrap().to_owned();
    let (index, request, response) = (file("index.txt"), file("request.der"), file("response.der"));
    let leaf = format!("{folder}/leaf-good.pem");
    let line = format!("V\t491231145959Z\t\t{}\tunknown\t/CN=leaf\n", read(&leaf).serial);
    fs::write(&index, line).unwrap();
    let (issuer, leaf) = (path(&format!("{folder}/issuer.pem")), path(&leaf));
    openssl.output(["ocsp", "-issuer", &issuer, "-cert", &leaf, "-reqout", &request, "-no_nonce"]);
    let (signer, key) = (path(signer), path(&format!("{folder}/ocsp.key")));
    openssl.output([
        "ocsp", "-index", &index, "-CA", &issuer, "-rsigner", &signer, "-rkey", &key, "-reqin", &request, "-respout",
        &response, "-ndays", "1",
    ]);
    let root = root();
    openssl.run([
        "ocsp",
        "-respin",
        &response,
        "-issuer",
        &issuer,
        "-cert",
        &leaf,
        "-CAfile",
        &root,
        "-verify_other",
        known,
        "-no_nonce",
    ])
}

#[test]
fn openssl_finds_status_through_each_of_the_two_distribution_points() {
    let openssl = Openssl::find();
    let work = tempfile::tempdir().unwrap();
    let folder = "phone-auth-p256";
    let shard = crl(
        &openssl,
        work.path(),
        "shard",
        folder,
        "fullname = URI:http://status.tashika.example/crl/phone-auth-7.crl",
    );
    let combined = crl(
        &openssl,
        work.path(),
        "combined",
        "combined",
        "fullname = URI:http://status.tashika.example/crl/combined.crl\nindirectCRL = TRUE",
    );
    let check = |leaf: &str, crl: &str| {
        let (root, issuer, leaf) = (root(), path(&format!("{folder}/issuer.pem")), path(&format!("{folder}/{leaf}")));
        let combined = path("combined/issuer.pem");
        openssl.run([
            "verify",
            "-extended_crl",
            "-crl_check",
            "-CAfile",
            &root,
            "-untrusted",
            &issuer,
            "-untrusted",
            &combined,
            "-CRLfile",
            crl,
            &leaf,
        ])
    };
    for (leaf, crl, good) in [
        ("leaf-good.pem", &shard, true),
        ("leaf-good.pem", &combined, true),
        ("leaf-of-another-shard.pem", &shard, false),
        ("leaf-of-another-shard.pem", &combined, true),
        ("leaf-without-combined-point.pem", &shard, true),
        ("leaf-without-combined-point.pem", &combined, false),
    ] {
        let call = check(leaf, crl);
        assert_eq!(call.success, good, "{leaf} by {crl}: {call:?}");
        let other_scope = ["unable to get certificate CRL", "different CRL scope"];
        assert!(good || other_scope.iter().any(|reason| call.text.contains(reason)), "{leaf} by {crl}: {call:?}");
    }
}

/// An empty CRL with that issuing distribution point, signed by openssl.
fn crl(openssl: &Openssl, work: &Path, name: &str, folder: &str, point: &str) -> String {
    let file = |extension: &str| work.join(format!("{name}.{extension}")).to_str().unwrap().to_owned();
    let (index, settings, crl) = (file("index"), file("settings"), file("crl"));
    fs::write(&index, "").unwrap();
    let text = format!(
        "[ca]\ndefault_ca = it\n[it]\ndatabase = {index}\ndefault_md = sha256\ncrl_extensions = extensions\n\
         [extensions]\nauthorityKeyIdentifier = keyid\nissuingDistributionPoint = critical, @point\n[point]\n{point}\n"
    );
    fs::write(&settings, text).unwrap();
    let (certificate, key) = (path(&format!("{folder}/issuer.pem")), path(&format!("{folder}/issuer.key")));
    openssl.output([
        "ca",
        "-gencrl",
        "-config",
        &settings,
        "-cert",
        &certificate,
        "-keyfile",
        &key,
        "-crldays",
        "1",
        "-out",
        &crl,
    ]);
    crl
}
