//! `pkilint` on a reply of each status and algorithm, and on the signers' certificates: nothing at warning or above,
//! but what lies in the private profile and is named here with its reason.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::house::{self, CAS, House, Leaf, data};
use crate::program::Program;
use crate::{pyca, tap, tool};

/// The codes of its findings at warning or above.
pub fn findings(linter: &str, arguments: &[&str], file: &Path) -> Vec<String> {
    let common = ["-s", "WARNING", "-f", "JSON"];
    let module = format!("pkilint.bin.{linter}");
    let all = [&["-m", &module, "lint"], arguments, &common, &[file.to_str().unwrap()]].concat();
    let call = tool::call(&tool::python(), &all, b"");
    let report: Value = serde_json::from_slice(&call.stdout).unwrap_or_else(|_| panic!("{}", call.text()));
    let results = report["results"].as_array().unwrap_or_else(|| panic!("no results in {report}"));
    let findings = results.iter().flat_map(|result| result["finding_descriptions"].as_array().unwrap());
    let mut codes: Vec<_> = findings.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect();
    codes.sort();
    codes
}

#[test]
fn replies_of_each_status_and_algorithm() {
    let house = House::open();
    let work = tempfile::tempdir().unwrap();
    let mut jobs = Vec::new();
    for ca in CAS {
        for leaf in [Leaf::Good, Leaf::Held, Leaf::Revoked, Leaf::Unissued, Leaf::Unspecified] {
            let sha1 = leaf != Leaf::Good;
            let (hash, nonce) = if sha1 { ("sha1", Value::Null) } else { ("sha256", json!("5a".repeat(32))) };
            jobs.push(json!({ "issuer": house::issuer(ca), "leaf": leaf.path(ca), "hash": hash, "nonce": nonce }));
        }
    }
    let requests = pyca::requests(&jobs);
    let file = |at: usize| work.path().join(format!("{at}.der"));
    for (at, request) in requests.iter().enumerate() {
        fs::write(file(at), tap::post(&house.address, request)).unwrap();
    }
    std::thread::scope(|scope| {
        for first in 0..2 {
            let (jobs, file) = (&jobs, &file);
            scope.spawn(move || {
                for at in (first..jobs.len()).step_by(2) {
                    assert_eq!(findings("lint_ocsp_response", &[], &file(at)), [""; 0], "{}", jobs[at]);
                }
            });
        }
    });
    // The linter does find something: a time with a fraction, which RFC 5280 forbids.
    let mut spoilt = fs::read(file(0)).unwrap();
    let time = spoilt.windows(4).position(|window| window == [0x18, 15, b'2', b'0']).unwrap() + 2;
    spoilt[time + 12..time + 15].copy_from_slice(b".5Z");
    fs::write(file(0), spoilt).unwrap();
    assert_eq!(findings("lint_ocsp_response", &[], &file(0)), ["pkix.generalizedtime_incorrect_syntax"]);
}

/// The profile of OCSP responder certificates in the browsers' baseline requirements, stricter than RFC 6960.
#[test]
fn signers_certificates() {
    for ca in CAS {
        let signer = data(&format!("{ca}/ocsp-good.pem"));
        assert_eq!(of_signer(Path::new(&signer)), [UNIT, TWO_UNITS], "{ca}");
        assert_eq!(findings("lint_pkix_cert", &[], Path::new(&signer)), [""; 0], "{ca}");
    }
    // And those that `up` makes.
    let dir = tempfile::tempdir().unwrap();
    let mut up = Program::up(dir.path(), &["--certificates", "0"]);
    up.ready();
    for issuer in ["card-sign", "card-auth", "phone-auth"] {
        let signer = dir.path().join(format!("signers/{issuer}/ocsp.pem"));
        assert_eq!(of_signer(&signer), [UNIT], "{issuer}");
        assert_eq!(findings("lint_pkix_cert", &[], &signer), [""; 0], "{issuer}");
    }
}

fn of_signer(file: &Path) -> Vec<String> {
    findings("lint_cabf_serverauth_cert", &["-t", "OCSP-RESPONDER"], file)
}

/// The web's rules forbid organizational units in a name. The names of a national PKI of this kind have them (as JPKI's
/// have), and a signer's name begins with its CA's: RFC 5280 allows it.
const UNIT: &str = "cabf.serverauth.ca.organizational_unit_name_attribute_present";

/// Likewise two of them, which the names of the test data have.
const TWO_UNITS: &str = "cabf.serverauth.prohibited_duplicate_attribute_type";
