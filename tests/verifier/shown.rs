//! `crl show` and `crl diff`, on what this house makes and on what openssl makes.

use std::fs;

use tashika::asn1::to_pem;
use tashika::model::Listed;

use crate::openssl::openssl;
use crate::press::{LOST, PHONES, Press, serial, tashika, testdata, text};

#[test]
fn a_crl_is_shown_with_what_matters_and_its_entries() {
    let (press, dir) = (Press::new(), tempfile::tempdir().unwrap());
    let file = dir.path().join("full.crl");
    let made = press.phones(17, &[(1, LOST), (2, Listed::Held), (3, Listed::Held)]);
    fs::write(&file, press.der(&made)).unwrap();
    let ran = tashika(&["crl", "show", text(&file)]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    for line in [
        "number             17",
        "kind               full",
        "2 certificateHold, 1 keyCompromise",
        "/crl/phone-auth-07.crl",
    ] {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words(&ran.out).contains(&words(line)), "{line}: {}", ran.out);
    }
    let ran = tashika(&["crl", "show", text(&file), "--serial", &serial(2).to_string().to_lowercase()]);
    assert!(ran.code == 0 && ran.out.contains("certificateHold"), "{ran:?}");
    let ran = tashika(&["crl", "show", text(&file), "--serial", "7F"]);
    assert!(ran.code == 3 && ran.out.contains("not listed"), "{ran:?}");
    let ran = tashika(&["crl", "show", text(&file), "--entries", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (&json["count"], &json["number"], &json["by_reason"]["certificateHold"]),
        (&3.into(), &"17".into(), &2.into())
    );
    assert_eq!(json["entries"][0]["serial"], serial(1).to_string());
    let shown = openssl(&["crl", "-inform", "DER", "-in", text(&file), "-noout", "-fingerprint", "-sha256"]);
    let hash = shown.text.split('=').nth(1).unwrap().trim().replace(':', "").to_lowercase();
    assert_eq!(json["sha256"], hash);
}

#[test]
fn what_openssl_makes_is_shown_and_what_is_no_crl_is_refused_with_its_reason() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let config = "[ca]\ndefault_ca=d\n[d]\ndatabase=index\ndefault_md=sha256\ndefault_crl_days=2\n";
    fs::write(at("config"), config).unwrap();
    let index = |reason: &str| format!("R\t491231235959Z\t260101000000Z{reason}\t0A1B\tunknown\t/CN=x\n");
    fs::write(at("index"), index("")).unwrap();
    fs::write(at("number"), "2A\n").unwrap();
    let authority = testdata(PHONES);
    let make = || {
        let mut call = std::process::Command::new("openssl");
        call.current_dir(dir.path()).args(["ca", "-config", "config", "-gencrl", "-out", "made.pem", "-keyfile"]);
        call.args([authority.join("issuer.key"), "-cert".into(), authority.join("issuer.pem")]);
        let made = call.output().unwrap();
        assert!(made.status.success(), "{made:?}");
        tashika(&["crl", "show", text(&at("made.pem"))])
    };
    let ran = make();
    // Without extensions openssl makes a CRL of version 1, which RFC 5280 doesn't have.
    assert!(ran.code == 7 && ran.err.contains("not of version 2"), "{ran:?}");
    fs::write(at("config"), format!("{config}crlnumber=number\ncrl_extensions=x\n[x]\nauthorityKeyIdentifier=keyid\n"))
        .unwrap();
    fs::write(at("index"), index(",CACompromise")).unwrap();
    let ran = make();
    assert!(
        ran.code == 0 && ran.out.contains("1 cACompromise") && ran.out.contains("number               42"),
        "{ran:?}"
    );

    let whole = fs::read(at("made.pem")).unwrap();
    for (name, octets, why) in [
        ("text", b"hello".to_vec(), "no CRL found"),
        ("cut.pem", whole[..whole.len() - 30].to_vec(), "does not end"),
        ("cut.der", vec![0x30, 0x82, 0x01, 0x00, 0x30], "cut off"),
        ("two.pem", [&whole[..], &whole].concat(), "the file has 2"),
        ("cert.pem", to_pem("X509 CRL", &[0x30, 0x03, 0x02, 0x01, 0x01]).into_bytes(), "is not as DER"),
    ] {
        fs::write(at(name), octets).unwrap();
        let ran = tashika(&["crl", "show", text(&at(name))]);
        assert!(ran.code == 7 && ran.err.contains(why) && ran.err.lines().count() == 1, "{name}: {ran:?}");
    }
    assert_eq!(tashika(&["crl", "show", text(&at("missing"))]).code, 7);
}

#[test]
fn two_crls_are_compared_entry_by_entry() {
    let (press, dir) = (Press::new(), tempfile::tempdir().unwrap());
    let (old, new) = (dir.path().join("old.crl"), dir.path().join("new.pem"));
    fs::write(&old, press.der(&press.phones(1, &[(1, LOST), (2, Listed::Held), (3, LOST)]))).unwrap();
    let der = press.der(&press.phones(2, &[(2, LOST), (3, LOST), (4, Listed::Held)]));
    fs::write(&new, to_pem("X509 CRL", &der)).unwrap();
    let ran = tashika(&["crl", "diff", text(&old), text(&new), "--json"]);
    assert_eq!(ran.code, 1);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["added"][0]["serial"], serial(4).to_string());
    assert_eq!(json["removed"][0]["serial"], serial(1).to_string());
    // Dated otherwise and for another reason: two of them changed.
    assert_eq!(json["changed"].as_array().unwrap().len(), 2);
    let ran = tashika(&["crl", "diff", text(&old), text(&new)]);
    assert!(ran.out.contains("! number: 1 -> 2\n") && ran.out.contains(&format!("\n+ {}", serial(4))), "{}", ran.out);
    let ran = tashika(&["crl", "diff", text(&old), text(&old)]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "they say the same\n"));
}
