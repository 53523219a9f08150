//! The JDK's `PKIXRevocationChecker`: by GET and by POST, with and without a nonce.

use std::path::Path;

use tashika::model::Time;

use crate::house::{self, CAS, House, Leaf, Reason, Said, data};
use crate::tap::Tap;
use crate::tool;

/// Judges every leaf with these settings; says what the JDK thought of each, and lets the tap hear it.
fn judge(settings: &[&str], url: &str) -> Vec<String> {
    let root = data("root.pem");
    let asked = CAS.iter().flat_map(|ca| Leaf::ALL.map(|leaf| (house::issuer(ca), leaf.path(ca))));
    let input: String = asked.map(|(issuer, leaf)| format!("{root}\t{issuer}\t{leaf}\t{url}\n")).collect();
    java(settings, "java/Jdk.java", &input)
}

/// Runs one of the programs beside the tests.
pub fn java(settings: &[&str], program: &str, input: &str) -> Vec<String> {
    let program = tool::beside(program);
    tool::call(Path::new("java"), &[settings, &[&program]].concat(), input.as_bytes()).lines()
}

/// Seconds since 1970.
pub fn seconds(time: &str) -> i64 {
    time.parse::<Time>().unwrap().unix()
}

fn expected(house: &House, ca: &'static str, leaf: Leaf) -> String {
    let revoked = |reason| format!("REVOKED {reason} {}", seconds(house.time(ca, leaf)));
    match (leaf, leaf.said()) {
        // Judged before anybody is asked.
        (Leaf::Expired, _) => "REFUSED EXPIRED".to_owned(),
        (_, Said::Good) => "GOOD".to_owned(),
        (_, Said::Held) => revoked("CERTIFICATE_HOLD"),
        (_, Said::Revoked(Some(Reason::KeyCompromise))) => revoked("KEY_COMPROMISE"),
        (_, Said::Revoked(None)) => revoked("UNSPECIFIED"),
        (_, Said::Unknown) => "REFUSED UNDETERMINED_REVOCATION_STATUS".to_owned(),
    }
}

#[test]
fn every_state_by_get_and_post_with_and_without_a_nonce() {
    let house = House::open();
    // With and without a slash behind the address, as people write it.
    for (path, settings, method, nonce) in [
        ("/ocsp", &[][..], "GET", false),
        ("/ocsp/", &["-Dcom.sun.security.ocsp.useget=false"], "POST", false),
        ("/p/bank/login/", &["-Djdk.security.certpath.ocspNonce=true"], "GET", true),
        (
            "/p/bank/login",
            &["-Djdk.security.certpath.ocspNonce=true", "-Dcom.sun.security.ocsp.useget=false"],
            "POST",
            true,
        ),
    ] {
        let tap = Tap::before(&house.address);
        let said = judge(settings, &tap.url(path));
        let leaves = CAS.iter().flat_map(|ca| Leaf::ALL.map(|leaf| (*ca, leaf)));
        let wanted: Vec<String> = leaves.map(|(ca, leaf)| expected(house, ca, leaf)).collect();
        assert_eq!(said, wanted, "{settings:?}");
        let heard = tap.heard();
        assert_eq!(heard.len(), CAS.len() * (Leaf::ALL.len() - 1), "asked once for each that isn't expired");
        assert!(heard.iter().all(|one| one.method == method && one.has_nonce() == nonce), "{settings:?}: {heard:?}");
    }
}
