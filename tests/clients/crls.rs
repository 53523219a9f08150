//! The CRLs that `up` publishes, of every kind, before judges that others wrote: pkilint, certtool and pyca.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use tashika::asn1::{CRL_LABEL, to_pem};

use crate::pkilint::findings;
use crate::program::Program;
use crate::{tap, tool};

/// One of each kind: of a town's scope, of a shard, of a whole issuer, combined, and the root's; full and delta.
const KINDS: [&str; 9] = [
    "card-sign-91101.crl",
    "card-sign-91101.delta.crl",
    "phone-auth-0.crl",
    "phone-auth-0.delta.crl",
    "card-auth.crl",
    "card-auth.delta.crl",
    "combined.crl",
    "combined.delta.crl",
    "root.crl",
];

#[test]
fn no_judge_finds_anything_wrong_with_any_kind() {
    let dir = tempfile::tempdir().unwrap();
    let mut up = Program::up(dir.path(), &["--certificates", "500"]);
    let at = up.ready();
    let until = Instant::now() + Duration::from_secs(60);
    while tap::file(&at.public, "/crl/index.json").is_none() {
        assert!(Instant::now() < until, "nothing is published");
        std::thread::sleep(Duration::from_millis(20));
    }
    let issuer = |name: &str| match name.split(['.', '-']).next().unwrap() {
        "root" => "root.pem".to_owned(),
        "combined" => "combined/issuer.pem".to_owned(),
        card => format!("{}/issuer.pem", if card == "card" { &name[..9] } else { "phone-auth" }),
    };
    for name in KINDS {
        let octets = tap::file(&at.public, &format!("/crl/{name}")).unwrap_or_else(|| panic!("{name} is missing"));
        let file = dir.path().join("judged.crl");
        fs::write(&file, &octets).unwrap();
        assert_eq!(findings("lint_crl", &["-t", "CRL", "-p", "PKIX"], &file), [""; 0], "{name}");

        let file = file.to_str().unwrap();
        let ca = dir.path().join("demo").join(issuer(name)).to_str().unwrap().to_owned();
        // GnuTLS takes CRLs of CAs only, and whoever signs the combined one is none: it prints it, and trusts it not.
        let says = if name.starts_with("combined") { "X.509 Certificate Revocation List" } else { "Verified." };
        let arguments = ["--verify-crl", "--load-ca-certificate", &ca];
        let pem = to_pem(CRL_LABEL, &octets);
        let text = tool::call(Path::new("certtool"), &arguments, pem.as_bytes()).text();
        assert!(text.contains(says), "{name}: {text}");

        let call = tool::call(&tool::python(), &["-c", PYCA, file, &ca], b"");
        let (entries, index) = (call.text(), name.contains("delta"));
        assert!(entries.starts_with("valid "), "{name}: {entries}");
        assert!(index || name == "root.crl" || !entries.starts_with("valid 0"), "{name} lists somebody: {entries}");
    }
    assert!(up.end("TERM").success());
}

/// Whether the signature is the issuer's, and every entry can be read.
const PYCA: &str = "
import sys
from cryptography import x509
crl = x509.load_der_x509_crl(open(sys.argv[1], 'rb').read())
ca = x509.load_pem_x509_certificate(open(sys.argv[2], 'rb').read())
assert crl.issuer == ca.subject
assert crl.is_signature_valid(ca.public_key())
entries = 0
for entry in crl:
    list(entry.extensions)
    entries += 1
list(crl.extensions)
print('valid', entries)
";
