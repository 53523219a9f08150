//! Signers: brought with `issuer add`, shown by `issuer list`, looked after by `config check`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::installation::{Installation, testdata};

const CA: &str = "card-sign-g2-p256";

/// The test data's keys are public, and so are their files: a private copy of one, in the installation.
fn key(house: &Installation, name: &str) -> String {
    let copy = name.replace('/', "-");
    let path = house.path().join(&copy);
    fs::copy(testdata(name), &path).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    copy
}

fn add(issuer: &str, more: &[&str]) -> Vec<String> {
    let cert = testdata(&format!("{CA}/issuer.pem"));
    let head = ["issuer", "add", "--name", issuer, "--cert", &cert];
    head.iter().chain(more).map(|word| (*word).to_owned()).collect()
}

fn refs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

#[test]
fn an_issuer_is_added_with_its_signer_and_once_more_completes_what_is_missing() {
    let house = Installation::new();
    let (cert, ocsp) = (testdata(&format!("{CA}/ocsp-good.pem")), key(&house, &format!("{CA}/ocsp.key")));
    let crl = key(&house, &format!("{CA}/issuer.key"));
    let whole = add("card", &["--ocsp-cert", &cert, "--ocsp-key", &ocsp, "--crl-key", &crl]);
    // As it was done before there were signers.
    house.ok(&refs(&add("card", &[])));
    let list = house.json(&["issuer", "list"]);
    let problem = list["issuers"][0]["signer"]["problem"].as_str().unwrap();
    assert!(problem.contains("there is no signer of its answers"), "{problem}");
    house.refused_in_one_line(&["config", "check"], 7, "issuer 'card'");
    assert!(house.ok(&["issuer", "list"]).contains("no signer"));

    let head = house.head();
    let told = house.ok(&refs(&whole));
    assert!(told.starts_with("it was so already") && told.contains("its answers are signed with"), "{told}");
    assert_eq!(house.head(), head);
    let folder = house.path().join("signers/card");
    let files = ["ocsp.key", "ocsp.pem", "crl.key"].map(|name| folder.join(name));
    let before = files.each_ref().map(|file| fs::read(file).unwrap());
    assert_eq!(before[0], fs::read(house.path().join(&ocsp)).unwrap());
    for (file, mode) in files.iter().zip([0o600, 0o644, 0o600]) {
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, mode);
    }
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    // A command that was broken off after the first file.
    files[1..].iter().for_each(|file| fs::remove_file(file).unwrap());
    house.refused_in_one_line(&["config", "check"], 7, "ocsp.pem");
    house.ok(&refs(&whole));
    assert_eq!(files.each_ref().map(|file| fs::read(file).unwrap()), before);

    let until = house.json(&["config", "check"])["signers"]["card"]["until"].as_str().unwrap().to_owned();
    assert_eq!(house.json(&["issuer", "list"])["issuers"][0]["signer"]["until"], until.as_str());
    assert_eq!(house.json(&refs(&whole))["signer"]["until"], until.as_str());
    assert!(house.ok(&["issuer", "list"]).contains(&until));
}

#[test]
fn papers_that_are_not_in_order_change_nothing() {
    let house = Installation::new();
    let (good, ocsp) = (testdata(&format!("{CA}/ocsp-good.pem")), key(&house, &format!("{CA}/ocsp.key")));
    let (leaf, crl) = (key(&house, &format!("{CA}/leaf.key")), key(&house, "phone-auth-p256/issuer.key"));
    let bad = |name: &str| testdata(&format!("{CA}/ocsp-{name}.pem"));
    for (cert, key, says) in [
        (bad("expired"), &ocsp, "the certificate is valid from"),
        (bad("of-wrong-ca"), &ocsp, "was not issued by this CA"),
        (bad("without-eku"), &ocsp, "lacks the purpose OCSPSigning"),
        (bad("without-nocheck"), &ocsp, "lacks ocsp-nocheck"),
        (good.clone(), &leaf, "another key's"),
        (good.clone(), &testdata(&format!("{CA}/ocsp.key")), "others may read this key"),
        (good.clone(), &"nowhere.key".to_owned(), "this key can't be read"),
        ("nowhere.pem".to_owned(), &ocsp, "nowhere.pem"),
    ] {
        house.refused_in_one_line(&refs(&add("card", &["--ocsp-cert", &cert, "--ocsp-key", key])), 7, says);
    }
    let with_crl = add("card", &["--ocsp-cert", &good, "--ocsp-key", &ocsp, "--crl-key", &crl]);
    house.refused_in_one_line(&refs(&with_crl), 7, "this is not the key of the CA's certificate");
    house.refused_in_one_line(&refs(&add("card", &["--ocsp-cert", &good])), 2, "--ocsp-key");
    house.refused_in_one_line(&refs(&add("card", &["--ocsp-key", &ocsp])), 2, "--ocsp-cert");
    assert!(!house.path().join("signers").exists());
    // What the desk refuses puts no key anywhere.
    house.ok(&refs(&add("card", &[])));
    let twice = add("other", &["--ocsp-cert", &good, "--ocsp-key", &ocsp]);
    house.refused_in_one_line(&refs(&twice), 1, "has the same key");
    assert!(!house.path().join("signers").exists());
    // A key that lies there stays.
    fs::create_dir_all(house.path().join("signers/card")).unwrap();
    fs::copy(house.path().join(&leaf), house.path().join("signers/card/ocsp.key")).unwrap();
    let again = add("card", &["--ocsp-cert", &good, "--ocsp-key", &ocsp]);
    house.refused_in_one_line(&refs(&again), 1, "there is already a key");
    house.refused(&["config", "check"], 7, "ocsp.pem");
    assert!(house.ok(&["issuer", "list"]).contains("unusable"));
}

#[test]
fn an_encrypted_key_needs_its_passphrase_file() {
    let house = Installation::new();
    let cert = testdata(&format!("{CA}/ocsp-good.pem"));
    let plain = house.path().join(key(&house, &format!("{CA}/ocsp.key")));
    let locked = house.path().join("locked.key");
    let encrypt = ["pkcs8", "-topk8", "-passout", "pass:kagi", "-in"].map(std::ffi::OsStr::new);
    let more = [plain.as_os_str(), "-out".as_ref(), locked.as_os_str()];
    assert!(Command::new("openssl").args(encrypt).args(more).status().unwrap().success());
    let words = add("card", &["--ocsp-cert", &cert, "--ocsp-key", "locked.key"]);
    house.refused_in_one_line(&refs(&words), 7, "name a file with its passphrase (keys.passphrase_file)");
    house.configure("keys.passphrase_file = 'word'");
    house.refused_in_one_line(&refs(&words), 7, "word");
    house.write("word", "kagi\n");
    fs::set_permissions(house.path().join("word"), Permissions::from_mode(0o600)).unwrap();
    house.ok(&refs(&words));
    assert_eq!(house.ok(&["config", "check"]), "tashika.toml is good\n");
    let stored = fs::read_to_string(house.path().join("signers/card/ocsp.key")).unwrap();
    assert!(stored.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"), "{stored}");
}

#[test]
fn settings_for_an_issuer_that_nobody_knows_are_found() {
    let house = Installation::new();
    house.configure("ocsp.issuer.crad.presign = 'all'");
    house.refused_in_one_line(&["config", "check"], 2, "ocsp.issuer.crad: the ledger knows no issuer of this name");
    house.ok(&refs(&add("card", &[])));
    house.refused(&["config", "check"], 2, "2 settings can't be used");
    let told = house.run(&["config", "check"]).stderr;
    assert!(told.contains("ocsp.issuer.crad") && told.contains("issuer 'card'"), "{told}");
    fs::remove_file(house.path().join("ledger.db")).unwrap();
    let told = house.ok(&["config", "check"]);
    assert!(told.starts_with("tashika.toml is good\nthe signers were not checked: "), "{told}");
}

#[test]
fn what_crls_need_is_looked_at_before_anything_is_published() {
    let told = |settings: &str, bring: &dyn Fn(&Installation)| {
        let house = Installation::new();
        bring(&house);
        house.configure(settings);
        let ran = house.run(&["config", "check"]);
        (ran.code, ran.stdout + &ran.stderr)
    };
    let cert = testdata(&format!("{CA}/issuer.pem"));
    let combined = |key: &str, cert: &str| format!("crl.combined = {{ certificate = '{cert}', key = '{key}' }}");
    let own = |name: &'static str| move |house: &Installation| drop(key(house, &format!("{CA}/{name}")));
    let (ours, others) = (format!("{CA}-issuer.key"), format!("{CA}-ocsp.key"));
    let ocsp = testdata(&format!("{CA}/ocsp-good.pem"));
    let external = format!("crl.external = [{{ path = 'root', file = 'root.crl', certificate = '{cert}' }}]");
    let nothing: &dyn Fn(&Installation) = &|_| {};
    assert_eq!(told(&combined(&ours, &cert), &own("issuer.key")).0, 0);
    assert_eq!(told("crl.role = 'off'\ncrl.store = 'no/such/folder'", nothing).0, 0);
    // Whoever only serves needs no key, but knows by the certificate who signs the index.
    assert_eq!(told(&format!("crl.role = 'serve'\n{}", combined("gone.key", &cert)), nothing).0, 0);
    assert_eq!(told(&format!("crl.role = 'serve'\n{}", combined("gone.key", "gone.pem")), nothing).0, 2);
    for (settings, bring, code, says) in [
        (combined(&ours, &cert), nothing, 2, "crl.combined: "),
        (combined(&others, &cert), &own("ocsp.key"), 2, "this is not the key of"),
        (combined(&others, &ocsp), &own("ocsp.key"), 2, "lacks cRLSign"),
        (external, nothing, 2, "crl.external 'root': "),
        ("crl.store = 'no/such/folder'".into(), nothing, 7, "no/such/folder: it can't be made"),
        ("crl.store = 'tashika.toml'".into(), nothing, 7, "tashika.toml"),
        ("crl.scope.crad.full_at = '01:00'".into(), nothing, 2, "crl.scope.\"crad\": no scope and no issuer"),
    ] {
        let (found, told) = told(&settings, bring);
        assert!(found == code && told.contains(says), "{settings}: {found} {told}");
    }
    // A store that is away is no fault of the settings.
    let house = Installation::new();
    house.configure("crl.store = 's3://crls'\ncrl.endpoint = 'http://127.0.0.1:9'");
    let mut check = Command::new(env!("CARGO_BIN_EXE_tashika"));
    check.args(["config", "check"]).current_dir(house.path());
    let ran = check.envs([("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "y")]).output().unwrap();
    let told = String::from_utf8(ran.stdout).unwrap();
    assert!(ran.status.success() && told.contains("the store of CRLs was not checked: "), "{told}");
}
