//! BouncyCastle's OCSP classes: they ask in both hashes with and without a nonce, verify, and write the same octets.

use crate::house::{self, CAS, House, Leaf, Reason, Said};
use crate::jdk::{java, seconds};
use crate::tool;

#[test]
fn every_state_verified_and_written_anew_octet_for_octet() {
    let house = House::open();
    let jars = ["bcprov", "bcpkix", "bcutil"].map(|name| {
        let jar = tool::installed(&[
            &format!("/usr/share/java/{name}.jar"),
            &format!("/usr/share/java/bouncycastle/{name}.jar"),
        ]);
        jar.to_str().unwrap().to_owned()
    });
    let (mut input, mut wanted) = (String::new(), Vec::new());
    for ca in CAS {
        for leaf in Leaf::ALL {
            for form in ["SHA1\tPLAIN", "SHA1\tNONCE", "SHA256\tPLAIN", "SHA256\tNONCE"] {
                input += &format!("{}\t{}\t{}\t{form}\n", house::issuer(ca), leaf.path(ca), house.url());
                wanted.push(format!("{ca} {leaf:?} {form}: {}", expected(house, ca, leaf)));
            }
        }
    }
    let said = java(&["-cp", &jars.join(":")], "java/BouncyCastle.java", &input);
    assert_eq!(said.len(), wanted.len());
    let labels = wanted.iter().map(|line| line.rsplit_once(": ").unwrap().0);
    let said: Vec<String> = labels.zip(&said).map(|(label, said)| format!("{label}: {said}")).collect();
    assert_eq!(said, wanted);
}

fn expected(house: &House, ca: &'static str, leaf: Leaf) -> String {
    let revoked = |reason| format!("REVOKED {reason} {}", seconds(house.time(ca, leaf)));
    match leaf.said() {
        Said::Good => "GOOD".to_owned(),
        // The numbers of RFC 5280, 5.3.1.
        Said::Held => revoked("6"),
        Said::Revoked(Some(Reason::KeyCompromise)) => revoked("1"),
        Said::Revoked(None) => revoked("-"),
        Said::Unknown => "UNKNOWN".to_owned(),
    }
}
