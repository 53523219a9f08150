//! Names, places, times and numbers of the fictional PKI. Called by the other files of the generator.

use rsa::sha2::{Digest, Sha256};
use tashika::asn1::NameAttribute::{CommonName, Country, Organization, OrganizationalUnit};
use tashika::asn1::{AuthorityAccess, DistributionPoint, DistributionPointName, Name, Oid, Validity};
use tashika::model::{Serial, Time};

/// A name below the fictional service.
pub fn service(units: &[&str]) -> Name {
    let units: Vec<_> = units.iter().map(|unit| (OrganizationalUnit, *unit)).collect();
    let service = Name::new(&[(Country, "JP"), (Organization, "Tashika Test Authentication Service")]);
    service.and_then(|name| name.with(&units)).expect("the names fit their attributes")
}

/// A name with a common name below `base`.
pub fn common(base: &Name, text: &str) -> Name {
    base.with(&[(CommonName, text)]).expect("the names fit their attributes")
}

/// The distribution point of a municipality, below its CA's name as card certificates have it.
pub fn municipality(authority: &Name, prefecture: &str, town: &str) -> DistributionPoint {
    let name = authority.with(&[
        (OrganizationalUnit, "CRL Distribution Points"),
        (OrganizationalUnit, prefecture),
        (CommonName, town),
    ]);
    DistributionPoint::own(DistributionPointName::directory(&name.expect("the names fit their attributes")))
}

/// The distribution point of a scope that has an address.
pub fn scope(scope: &str) -> DistributionPoint {
    DistributionPoint::own(crl_address(scope))
}

/// The combined CRL's distribution point, which names who signs it.
pub fn combined(issuer: &Name) -> DistributionPoint {
    DistributionPoint::indirect(crl_address("combined"), issuer.clone())
}

/// Where the certificates of `authority` are asked about.
pub fn access(authority: &str) -> AuthorityAccess {
    AuthorityAccess { ocsp: vec![format!("{HOST}/ocsp")], ca_issuers: vec![format!("{HOST}/ca/{authority}.cer")] }
}

/// A policy below the arc that X.660 reserves for examples.
pub fn policy(number: u32) -> Oid {
    Oid::new(vec![2, 999, 392, number]).expect("the arcs are those of an object identifier")
}

/// A number of eight octets that belongs to that path.
pub fn serial(path: &str) -> Serial {
    let digest = Sha256::new().chain_update("tashika test serial: ").chain_update(path).finalize();
    let mut octets: [u8; 8] = digest[..8].try_into().expect("the digest is longer");
    // Eight octets always, none of them a sign.
    octets[0] = octets[0] & 0x3f | 0x40;
    Serial::from_unsigned(&octets).expect("the first octet isn't zero")
}

/// The number of those octets.
pub fn serial_of(octets: &[u8]) -> Serial {
    Serial::from_unsigned(octets).expect("the octets make a serial")
}

/// From the first to the last, both RFC 3339.
pub fn validity((not_before, not_after): (&str, &str)) -> Validity {
    let at = |text: &str| -> Time { text.parse().expect("the times are RFC 3339") };
    Validity { not_before: at(not_before), not_after: at(not_after) }
}

fn crl_address(scope: &str) -> DistributionPointName {
    DistributionPointName::uri(&format!("{HOST}/crl/{scope}.crl")).expect("scopes are plain ASCII")
}

/// Nobody's host (RFC 2606).
const HOST: &str = "http://status.tashika.example";

/// Roots and CAs: longer than everything below them.
pub const AUTHORITY_YEARS: (&str, &str) = ("2009-12-31T15:00:00Z", "2049-12-31T23:59:59Z");
/// Begins and ends at midnight in Japan; the end is the last UTCTime year.
pub const GOOD_YEARS: (&str, &str) = ("2023-12-31T15:00:00Z", "2049-12-31T14:59:59Z");
/// Over.
pub const EXPIRED_YEARS: (&str, &str) = ("2014-12-31T15:00:00Z", "2020-12-31T14:59:59Z");
/// Not begun.
pub const FUTURE_YEARS: (&str, &str) = ("2047-12-31T15:00:00Z", "2049-12-31T14:59:59Z");
/// No well-defined end (RFC 5280 §4.1.2.5), a GeneralizedTime.
pub const ENDLESS_YEARS: (&str, &str) = ("2023-12-31T15:00:00Z", "9999-12-31T23:59:59Z");
