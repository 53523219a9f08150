//! The hash by which openssl finds an issuer in a folder (`HASH.r0`): of a name in the form in which it compares names.
//!
//! Used by whoever installs CRLs for openssl and what is built on it. Two names that differ in letter case, in spaces or in
//! the kind of string have one hash; what tells them apart is the number behind it.

use std::borrow::Cow;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rasn_pkix::RdnSequence;

use super::Name;
use super::raw::{contents, encode};
use super::write::{self, element_len, tag};

impl Name {
    /// What `openssl crl -hash` and `openssl x509 -subject_hash` print, as a number.
    pub fn openssl_hash(&self) -> u32 {
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &canonical(self));
        let first: [u8; 4] = hash.as_ref()[..4].try_into().expect("SHA-1 has twenty octets");
        u32::from_le_bytes(first)
    }
}

/// The name's RDNs behind each other, each value that is text as UTF-8 in small letters, without spaces around it and with
/// single ones within.
fn canonical(name: &Name) -> Vec<u8> {
    let sequence: RdnSequence = rasn::der::decode(name.as_der()).expect("a Name holds a sequence of RDNs");
    let mut out = Vec::new();
    for rdn in &sequence {
        let mut pairs: Vec<Vec<u8>> = Vec::new();
        for pair in rdn.to_vec() {
            let (kind, value) = (encode(&pair.r#type), value(pair.value.as_bytes()));
            let mut der = Vec::with_capacity(element_len(kind.len() + value.len()));
            write::header(&mut der, tag::SEQUENCE, kind.len() + value.len());
            der.extend_from_slice(&kind);
            der.extend_from_slice(&value);
            pairs.push(der);
        }
        // A SET OF stands in the order of its octets.
        pairs.sort_unstable();
        write::element(&mut out, TAG_SET, &pairs.concat());
    }
    out
}

fn value(der: &[u8]) -> Cow<'_, [u8]> {
    let Some(text) = text(der) else { return Cow::Borrowed(der) };
    let space = |c: char| matches!(c, ' ' | '\t'..='\r');
    let words: Vec<&str> = text.split(space).filter(|word| !word.is_empty()).collect();
    let text = words.join(" ").to_ascii_lowercase();
    let mut out = Vec::with_capacity(element_len(text.len()));
    write::element(&mut out, TAG_UTF8, text.as_bytes());
    Cow::Owned(out)
}

/// The text of a string of any of the kinds that names are compared in; none: it is compared octet for octet.
fn text(der: &[u8]) -> Option<String> {
    let octets = contents(*der.first()?, der)?;
    match der[0] {
        TAG_UTF8 => String::from_utf8(octets.to_vec()).ok(),
        TAG_PRINTABLE | TAG_T61 | TAG_IA5 | TAG_VISIBLE => {
            Some(octets.iter().map(|octet| char::from(*octet)).collect())
        }
        TAG_BMP => {
            let units: Vec<u16> = octets
                .chunks(2)
                .map(|pair| <[u8; 2]>::try_from(pair).map(u16::from_be_bytes))
                .collect::<Result<_, _>>()
                .ok()?;
            String::from_utf16(&units).ok()
        }
        TAG_UNIVERSAL => {
            let point = |four: &[u8]| char::from_u32(u32::from_be_bytes(four.try_into().ok()?));
            octets.chunks(4).map(point).collect()
        }
        _ => None,
    }
}

const TAG_SET: u8 = 0x31;
const TAG_UTF8: u8 = 0x0c;
const TAG_PRINTABLE: u8 = 0x13;
const TAG_T61: u8 = 0x14;
const TAG_IA5: u8 = 0x16;
const TAG_VISIBLE: u8 = 0x1a;
const TAG_UNIVERSAL: u8 = 0x1c;
const TAG_BMP: u8 = 0x1e;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::NameAttribute::{CommonName, Country, Organization};

    #[test]
    fn case_spaces_and_kinds_of_string_make_no_difference() {
        let name =
            |country: &str, organization: &str| Name::new(&[(Country, country), (Organization, organization)]).unwrap();
        let hash = name("JP", "Hana Mizu 花水").openssl_hash();
        assert_eq!(name("jp", "  hANA \t mizu 花水 ").openssl_hash(), hash);
        assert_ne!(name("JP", "HanaMizu 花水").openssl_hash(), hash);
        // The same CN as UTF8String, PrintableString, BMPString and UniversalString.
        let cn = |value: &[u8]| {
            let pair = [&[0x06, 3, 0x55, 4, 3][..], value].concat();
            let der =
                [&[0x30, pair.len() as u8 + 4, 0x31, pair.len() as u8 + 2, 0x30, pair.len() as u8][..], &pair].concat();
            Name::from_der(&der).unwrap().openssl_hash()
        };
        let utf8 = Name::new(&[(CommonName, "Ab")]).unwrap().openssl_hash();
        for value in [&b"\x13\x02aB"[..], b"\x1e\x04\0A\0b", b"\x1c\x08\0\0\0a\0\0\0b", b"\x14\x02ab"] {
            assert_eq!(cn(value), utf8, "{value:?}");
        }
        assert_ne!(cn(b"\x04\x02ab"), utf8, "octets are no text");
    }
}
