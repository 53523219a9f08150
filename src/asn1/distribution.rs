//! CRL distribution points: where a certificate says its status is listed, and by whom.
//!
//! The name is kept as the octets of its `DistributionPointName`, because the critical issuingDistributionPoint of a
//! CRL must carry the same octets for the CRL to count (RFC 5280 §5.2.5, §6.3.3).

use std::fmt;

use rasn::types::{Any, BitString};

use super::raw::{RawDirectoryName, RawDistributionPoint, RawPointName, TAG_DIRECTORY, TAG_URI, contents, encode};
use super::{Asn1Error, Name};

/// One `DistributionPoint` of a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DistributionPoint {
    /// The place; none: the CRL issuer's entry in a directory.
    pub name: Option<DistributionPointName>,
    /// Who signs the CRL found there, if not the certificate's issuer: an indirect CRL counts only if it is named here.
    pub crl_issuer: Option<Name>,
    /// Whether only some reasons are listed there (RFC 5280 recommends against it; this house never writes it).
    pub covers: ReasonsCovered,
}

/// Which reasons for revocation the CRL of a distribution point lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReasonsCovered {
    /// All of them.
    All,
    /// A part; this house publishes no such CRLs.
    Some,
}

/// A `DistributionPointName` in its DER form.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DistributionPointName {
    der: Vec<u8>,
    full_names: Vec<FullName>,
}

/// One of the general names by which a distribution point is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FullName {
    /// A directory entry, as the card CAs' municipalities have.
    Directory(Name),
    /// A kind of name that this house can't look up, as DER.
    Other(Vec<u8>),
    /// An address to fetch from.
    Uri(String),
}

impl DistributionPoint {
    /// A distribution point whose CRL the certificate's own issuer signs.
    pub fn own(name: DistributionPointName) -> Self {
        Self { name: Some(name), crl_issuer: None, covers: ReasonsCovered::All }
    }

    /// A distribution point whose CRL somebody else signs.
    pub fn indirect(name: DistributionPointName, crl_issuer: Name) -> Self {
        Self { name: Some(name), crl_issuer: Some(crl_issuer), covers: ReasonsCovered::All }
    }

    pub(super) fn decode(raw: RawDistributionPoint) -> Result<Self, Asn1Error> {
        if raw.name.is_none() && raw.crl_issuer.is_none() {
            return Err(Asn1Error::EmptyDistributionPoint);
        }
        let crl_issuer = match raw.crl_issuer {
            None => None,
            Some(names) => Some(directory_name(&names)?),
        };
        Ok(Self {
            name: raw.name.map(|name| DistributionPointName::from_der(name.as_bytes())).transpose()?,
            crl_issuer,
            covers: if raw.reasons.is_some() { ReasonsCovered::Some } else { ReasonsCovered::All },
        })
    }

    pub(super) fn encode(&self) -> Result<RawDistributionPoint, Asn1Error> {
        if self.name.is_none() && self.crl_issuer.is_none() {
            return Err(Asn1Error::EmptyDistributionPoint);
        }
        if self.covers == ReasonsCovered::Some {
            return Err(Asn1Error::wrong("a distribution point", "limited to some reasons"));
        }
        Ok(RawDistributionPoint {
            name: self.name.as_ref().map(|name| Any::new(name.der.clone())),
            reasons: None::<BitString>,
            crl_issuer: self.crl_issuer.as_ref().map(|name| vec![Any::new(encode_directory(name))]),
        })
    }
}

impl DistributionPointName {
    /// The place at that address.
    pub fn uri(uri: &str) -> Result<Self, Asn1Error> {
        Ok(Self::of(vec![Any::new(encode_uri(uri)?)], FullName::Uri(uri.to_owned())))
    }

    /// The directory entry of that name.
    pub fn directory(name: &Name) -> Self {
        Self::of(vec![Any::new(encode_directory(name))], FullName::Directory(name.clone()))
    }

    /// The name in `der`, kept octet for octet.
    pub fn from_der(der: &[u8]) -> Result<Self, Asn1Error> {
        let full_names = match rasn::der::decode(der).map_err(Asn1Error::malformed(PART))? {
            RawPointName::FullName(names) if names.is_empty() => return Err(Asn1Error::wrong(PART, "no name at all")),
            RawPointName::FullName(names) => names.iter().map(FullName::decode).collect::<Result<_, _>>()?,
            RawPointName::RelativeToIssuer(_) => vec![],
        };
        Ok(Self { der: der.to_vec(), full_names })
    }

    /// The DER of the `DistributionPointName`, as it stands in certificates and must stand in the CRL.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// Its full names in their order; empty if it is given relative to the CRL issuer.
    pub fn full_names(&self) -> &[FullName] {
        &self.full_names
    }

    fn of(names: Vec<Any>, full_name: FullName) -> Self {
        Self { der: encode(&RawPointName::FullName(names)), full_names: vec![full_name] }
    }
}

impl fmt::Debug for DistributionPointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DistributionPointName").field(&self.full_names).finish()
    }
}

impl FullName {
    fn decode(any: &Any) -> Result<Self, Asn1Error> {
        let der = any.as_bytes();
        Ok(match der.first() {
            Some(&TAG_DIRECTORY) => Self::Directory(decode_directory(der)?),
            Some(&TAG_URI) => Self::Uri(decode_uri(der)?),
            _ => Self::Other(der.to_vec()),
        })
    }
}

/// The DER of a URI as a general name.
pub(super) fn encode_uri(uri: &str) -> Result<Vec<u8>, Asn1Error> {
    if uri.is_empty() || !uri.bytes().all(|octet| octet.is_ascii_graphic()) {
        return Err(Asn1Error::Text { kind: "URI", text: uri.escape_debug().to_string() });
    }
    let text = rasn::types::Ia5String::try_from(uri.to_owned())
        .map_err(|_| Asn1Error::Text { kind: "URI", text: uri.escape_debug().to_string() })?;
    Ok(encode(&rasn_pkix::GeneralName::Uri(text)))
}

/// The URI in a general name of that kind; never with spaces or control characters, which could forge a log line.
pub(super) fn decode_uri(der: &[u8]) -> Result<String, Asn1Error> {
    let octets = contents(TAG_URI, der).ok_or(Asn1Error::NotDer("a URI"))?;
    if octets.is_empty() || !octets.iter().all(u8::is_ascii_graphic) {
        return Err(Asn1Error::Text { kind: "URI", text: octets.escape_ascii().to_string() });
    }
    Ok(octets.iter().map(|octet| char::from(*octet)).collect())
}

fn encode_directory(name: &Name) -> Vec<u8> {
    encode(&RawDirectoryName(Any::new(name.as_der().to_vec())))
}

fn decode_directory(der: &[u8]) -> Result<Name, Asn1Error> {
    let RawDirectoryName(name) = rasn::der::decode(der).map_err(Asn1Error::malformed("a directoryName"))?;
    Name::from_der(name.as_bytes())
}

/// RFC 5280 §4.2.1.13: a cRLIssuer contains the CRL issuer's distinguished name; other general names may stand beside.
fn directory_name(names: &[Any]) -> Result<Name, Asn1Error> {
    let directory = names.iter().find(|name| name.as_bytes().first() == Some(&TAG_DIRECTORY));
    let name = directory.ok_or_else(|| Asn1Error::wrong("a cRLIssuer", "no distinguished name"))?;
    decode_directory(name.as_bytes())
}

const PART: &str = "a distribution point's name";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::NameAttribute::{CommonName, Country};

    #[test]
    fn agrees_with_the_typed_decoder_of_rasn() {
        let name = Name::new(&[(Country, "JP"), (CommonName, "Hanamizu")]).unwrap();
        let point = DistributionPoint::indirect(DistributionPointName::uri("http://a.example/c.crl").unwrap(), name);
        let der = encode(&point.encode().unwrap());
        let typed: rasn_pkix::DistributionPoint = rasn::der::decode(&der).unwrap();
        assert_eq!(encode(&typed), der);
        assert_eq!(DistributionPoint::decode(rasn::der::decode(&der).unwrap()).unwrap(), point);
    }

    #[test]
    fn a_directory_name_is_explicitly_tagged() {
        let name = Name::new(&[(Country, "JP")]).unwrap();
        let point = DistributionPointName::directory(&name);
        assert_eq!(&point.as_der()[..4], [0xa0, 0x11, 0xa4, 0x0f]);
        assert_eq!(&point.as_der()[4..], name.as_der());
        let read = DistributionPointName::from_der(point.as_der()).unwrap();
        assert_eq!(read.full_names(), [FullName::Directory(name)]);
    }

    #[test]
    fn keeps_what_it_cannot_look_up() {
        // nameRelativeToCRLIssuer, and an rfc822Name among the full names.
        let relative = [0xa1, 0x0b, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x06, 0x13, 0x02, 0x4a, 0x50];
        let read = DistributionPointName::from_der(&relative).unwrap();
        assert_eq!((read.as_der(), read.full_names().len()), (&relative[..], 0));
        let mail = [0xa0, 0x05, 0x81, 0x03, 0x61, 0x40, 0x62];
        let read = DistributionPointName::from_der(&mail).unwrap();
        assert_eq!(read.full_names(), [FullName::Other(mail[2..].to_vec())]);
    }

    #[test]
    fn refuses_empty_and_unprintable_names() {
        for uri in ["", "http://a b/", "http://é/", "a\nb"] {
            assert!(matches!(DistributionPointName::uri(uri), Err(Asn1Error::Text { .. })), "{uri}");
        }
        for der in [&[0xa0, 0x00][..], &[0xa0, 0x03, 0x86, 0x01, 0x0a], &[0xa0, 0x02, 0x86, 0x00], &[0x30, 0x00], &[]] {
            assert!(DistributionPointName::from_der(der).is_err(), "{der:02x?}");
        }
        let nothing = DistributionPoint { name: None, crl_issuer: None, covers: ReasonsCovered::All };
        assert_eq!(nothing.encode().unwrap_err(), Asn1Error::EmptyDistributionPoint);
        let empty: RawDistributionPoint = rasn::der::decode(&[0x30, 0x00]).unwrap();
        assert_eq!(DistributionPoint::decode(empty), Err(Asn1Error::EmptyDistributionPoint));
    }
}
