//! Distinguished names, kept as their DER: issuer, subject, distribution points.
//!
//! Built by the demonstration PKI and the test data; read from certificates. Two names are the same here when their
//! octets are: that is how a CertID's name hash and a CRL's distribution point are compared (RFC 6960 §4.1.1,
//! RFC 5280 §5.2.5).

use std::fmt;

use rasn::prelude::*;
use rasn_pkix::{AttributeTypeAndValue, RdnSequence};

use super::raw::{self, encode};
use super::{Asn1Error, Oid};

/// A distinguished name in its DER form.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    der: Vec<u8>,
}

/// The attributes that this house writes into names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameAttribute {
    /// CN, at most 64 characters.
    CommonName,
    /// C, two letters.
    Country,
    /// L, at most 128 characters.
    Locality,
    /// O, at most 64 characters.
    Organization,
    /// OU, at most 64 characters.
    OrganizationalUnit,
    /// serialNumber of a subject, at most 64 printable characters.
    SerialNumber,
    /// ST, at most 128 characters.
    State,
}

impl Name {
    /// A name of one attribute per RDN, the most general first.
    ///
    /// Country and serialNumber are written as PrintableString, everything else as UTF8String (RFC 5280 §4.1.2.4).
    pub fn new(attributes: &[(NameAttribute, &str)]) -> Result<Self, Asn1Error> {
        if attributes.is_empty() {
            return Err(Asn1Error::EmptyName("the name"));
        }
        let mut sequence = Vec::with_capacity(attributes.len());
        for (attribute, text) in attributes {
            let value = Any::new(attribute.encode_value(text)?);
            let pair = AttributeTypeAndValue { r#type: attribute.oid(), value };
            sequence.push(Any::new(encode(&SetOf::from_vec(vec![pair]))));
        }
        Ok(Self { der: encode(&sequence) })
    }

    /// The name in `der`, kept octet for octet. An empty sequence is a name, too.
    pub fn from_der(der: &[u8]) -> Result<Self, Asn1Error> {
        rasn::der::decode::<RdnSequence>(der).map_err(Asn1Error::malformed("a name"))?;
        Ok(Self { der: der.to_vec() })
    }

    /// The DER: what the name hash of a CertID is computed over.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// Whether it has no attribute at all.
    pub fn is_empty(&self) -> bool {
        self.der == EMPTY_SEQUENCE
    }

    /// This name with further attributes behind its own, as a municipality's distribution point stands below its CA.
    pub fn with(&self, attributes: &[(NameAttribute, &str)]) -> Result<Self, Asn1Error> {
        let more = Self::new(attributes)?;
        let mut sequence = self.parts();
        sequence.extend(more.parts());
        Ok(Self { der: encode(&sequence) })
    }

    fn parts(&self) -> Vec<Any> {
        rasn::der::decode(&self.der).expect("a Name holds a sequence of RDNs")
    }
}

impl fmt::Display for Name {
    /// `C=JP, O=…, CN=…` in the order of the encoding; control characters and separators escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sequence: RdnSequence = rasn::der::decode(&self.der).map_err(|_| fmt::Error)?;
        for (index, rdn) in sequence.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { ", " })?;
            for (index, pair) in rdn.to_vec().iter().enumerate() {
                f.write_str(if index == 0 { "" } else { "+" })?;
                write_pair(f, pair)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

impl NameAttribute {
    const ALL: [Self; 7] = [
        Self::CommonName,
        Self::Country,
        Self::Locality,
        Self::Organization,
        Self::OrganizationalUnit,
        Self::SerialNumber,
        Self::State,
    ];

    fn arc(self) -> u32 {
        match self {
            Self::CommonName => 3,
            Self::SerialNumber => 5,
            Self::Country => 6,
            Self::Locality => 7,
            Self::State => 8,
            Self::Organization => 10,
            Self::OrganizationalUnit => 11,
        }
    }

    fn oid(self) -> Oid {
        Oid::new_unchecked(vec![2, 5, 4, self.arc()].into())
    }

    fn label(self) -> &'static str {
        match self {
            Self::CommonName => "CN",
            Self::Country => "C",
            Self::Locality => "L",
            Self::Organization => "O",
            Self::OrganizationalUnit => "OU",
            Self::SerialNumber => "serialNumber",
            Self::State => "ST",
        }
    }

    /// RFC 5280 appendix A.1, the upper bounds; a country is exactly two letters.
    fn length_max(self) -> usize {
        match self {
            Self::Country => 2,
            Self::Locality | Self::State => 128,
            Self::CommonName | Self::Organization | Self::OrganizationalUnit | Self::SerialNumber => 64,
        }
    }

    fn encode_value(self, text: &str) -> Result<Vec<u8>, Asn1Error> {
        let refused = || Asn1Error::Text { kind: self.label(), text: text.escape_debug().to_string() };
        let length = text.chars().count();
        if length == 0 || length > self.length_max() || (self == Self::Country && length != 2) {
            return Err(refused());
        }
        match self {
            Self::Country | Self::SerialNumber => {
                let printable = PrintableString::try_from(text.to_owned()).map_err(|_| refused())?;
                Ok(encode(&printable))
            }
            _ => Ok(encode(&text.to_owned())),
        }
    }
}

fn write_pair(f: &mut fmt::Formatter<'_>, pair: &AttributeTypeAndValue) -> fmt::Result {
    match NameAttribute::ALL.iter().find(|attribute| attribute.oid() == pair.r#type) {
        Some(attribute) => write!(f, "{}=", attribute.label())?,
        None => write!(f, "{}=", pair.r#type)?,
    }
    let value = pair.value.as_bytes();
    let text = TEXT_TAGS.iter().find_map(|tag| raw::contents(*tag, value)).and_then(|text| str::from_utf8(text).ok());
    match text {
        Some(text) => text.chars().try_for_each(|character| match character {
            ',' | '+' | '=' | '\\' | '"' => write!(f, "\\{character}"),
            _ if character.is_control() => write!(f, "{}", character.escape_default()),
            _ => write!(f, "{character}"),
        }),
        None => {
            f.write_str("#")?;
            value.iter().try_for_each(|octet| write!(f, "{octet:02X}"))
        }
    }
}

const EMPTY_SEQUENCE: [u8; 2] = [0x30, 0x00];
/// UTF8String, PrintableString, IA5String; other strings are shown as hexadecimal.
const TEXT_TAGS: [u8; 3] = [0x0c, 0x13, 0x16];

#[cfg(test)]
mod tests {
    use super::*;
    use NameAttribute::{CommonName, Country, Organization, SerialNumber};

    #[test]
    fn is_written_as_expected_and_read_back() {
        let name = Name::new(&[(Country, "JP"), (Organization, "公的 A+B"), (CommonName, "x\n=y")]).unwrap();
        assert_eq!(name.to_string(), "C=JP, O=公的 A\\+B, CN=x\\n\\=y");
        assert_eq!(Name::from_der(name.as_der()).unwrap(), name);
        assert_eq!(&name.as_der()[..15], b"\x30\x31\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02JP");
        assert!(!name.is_empty());
    }

    #[test]
    fn grows_at_its_end() {
        let ca = Name::new(&[(Country, "JP"), (Organization, "A")]).unwrap();
        let point = ca.with(&[(CommonName, "B")]).unwrap();
        assert_eq!(point, Name::new(&[(Country, "JP"), (Organization, "A"), (CommonName, "B")]).unwrap());
    }

    #[test]
    fn refuses_what_an_attribute_cannot_carry() {
        let long = "x".repeat(65);
        for (attribute, text) in
            [(Country, "JPN"), (Country, "日本"), (CommonName, ""), (CommonName, &long), (SerialNumber, "a@b")]
        {
            assert!(matches!(Name::new(&[(attribute, text)]), Err(Asn1Error::Text { .. })), "{text}");
        }
        assert_eq!(Name::new(&[]), Err(Asn1Error::EmptyName("the name")));
    }

    #[test]
    fn refuses_bytes_that_are_no_name() {
        let name = Name::new(&[(Country, "JP")]).unwrap();
        let mut trailing = name.as_der().to_vec();
        trailing.push(0);
        for bytes in [&trailing[..], &name.as_der()[..5], &[], &[0x05, 0x00], &[0x30, 0x02, 0x05, 0x00]] {
            assert!(Name::from_der(bytes).is_err(), "{bytes:02x?}");
        }
        assert!(Name::from_der(&[0x30, 0x00]).unwrap().is_empty());
    }
}
