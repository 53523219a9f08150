//! The names under which openssl, and whoever is built on it, looks for CRLs in a folder.

use std::collections::HashMap;

use crate::asn1::Name;

/// A name for each issuer's CRL, in their order: the hash of the issuer's name, and a number that rises from 0 among equal
/// hashes without a gap, for openssl stops looking at the first that is missing.
pub fn hash_names<'a>(issuers: impl IntoIterator<Item = &'a Name>) -> Vec<String> {
    let mut seen: HashMap<u32, u32> = HashMap::new();
    let mut name = |issuer: &Name| {
        let hash = issuer.openssl_hash();
        let number = seen.entry(hash).or_default();
        let name = format!("{hash:08x}.r{number}");
        *number += 1;
        name
    };
    issuers.into_iter().map(&mut name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::NameAttribute::CommonName;

    #[test]
    fn equal_names_are_numbered_without_a_gap() {
        let [one, other] = ["One", "Other"].map(|text| Name::new(&[(CommonName, text)]).unwrap());
        let names = hash_names([&one, &other, &one, &one]);
        let endings: Vec<_> = names.iter().map(|name| name.split('.').next_back().unwrap()).collect();
        assert_eq!(endings, ["r0", "r0", "r1", "r2"]);
        assert!(names[0][..8] == names[3][..8] && names[0][..8] != names[1][..8]);
    }
}
