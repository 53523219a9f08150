//! What is written is what `rasn` writes for the same content, what is read is what `rasn` reads, and nothing that arrives
//! makes the reader panic.

mod reading;
mod writing;

use proptest::prelude::*;

use super::*;
use crate::asn1::{DistributionPointName, Name, NameAttribute, SignatureAlgorithm};
use crate::model::{CrlLimits, CrlNumber, Epoch, Listed, Position, Reason, Serial, Time};

/// A whole CRL as a test states it.
#[derive(Clone, Debug)]
struct Stated {
    profile: CrlProfile,
    entries: Vec<StatedEntry>,
    signature: Vec<u8>,
}

/// An entry with an issuer that it owns.
#[derive(Clone, Debug, PartialEq, Eq)]
struct StatedEntry {
    serial: Serial,
    date: Time,
    listed: Listed,
    invalidity_date: Option<Time>,
    issuer: Option<Name>,
}

impl Stated {
    fn written(&self) -> Vec<u8> {
        let entries = self.entries.iter().map(StatedEntry::borrowed);
        self.profile.write(entries).assemble(&self.signature)
    }
}

impl StatedEntry {
    fn borrowed(&self) -> CrlEntry<'_> {
        let Self { serial, date, listed, invalidity_date, .. } = *self;
        CrlEntry { serial, date, listed, invalidity_date, issuer: self.issuer.as_ref().map(Name::as_der) }
    }
}

fn name(common: &str) -> Name {
    Name::new(&[(NameAttribute::Country, "JP"), (NameAttribute::CommonName, common)]).unwrap()
}

/// A full CRL's without anything that may be left out.
fn full() -> CrlProfile {
    CrlProfile {
        algorithm: SignatureAlgorithm::EcdsaSha256,
        issuer: name("Issuer"),
        this_update: "2026-11-20T00:00:00Z".parse().unwrap(),
        next_update: "2026-11-21T06:00:00Z".parse().unwrap(),
        authority_key_id: vec![0x4b; 20],
        number: CrlNumber::from(7),
        kind: CrlKind::Full { freshest: None },
        issuing_point: None,
        expired_since: None,
        reflects: None,
    }
}

fn times() -> impl Strategy<Value = Time> {
    let seconds = prop_oneof![
        8 => 1_500_000_000_i64..2_000_000_000,
        1 => Just(2_524_607_999),
        1 => Just(2_524_608_000),
        1 => -62_135_596_800_i64..=253_402_300_799,
    ];
    seconds.prop_map(|seconds| Time::from_unix(seconds).unwrap())
}

fn serials() -> impl Strategy<Value = Serial> {
    prop::collection::vec(any::<u8>(), 1..=20).prop_filter_map("zero", |octets| Serial::from_unsigned(&octets).ok())
}

fn listed() -> impl Strategy<Value = Listed> {
    let reasons = Reason::ALL.map(Listed::Revoked).into_iter().chain([Listed::Held, Listed::Removed]);
    prop::sample::select(reasons.collect::<Vec<_>>())
}

fn entries() -> impl Strategy<Value = StatedEntry> {
    let issuers = prop_oneof![6 => Just(None), 1 => Just(Some(name("A"))), 1 => Just(Some(name("B")))];
    let lost = prop::option::weighted(0.2, times());
    (serials(), times(), listed(), lost, issuers).prop_map(|(serial, date, listed, invalidity_date, issuer)| {
        StatedEntry { serial, date, listed, invalidity_date, issuer }
    })
}

fn numbers() -> impl Strategy<Value = CrlNumber> {
    prop_oneof![
        any::<u64>().prop_map(CrlNumber::from),
        prop::collection::vec(any::<u8>(), 1..=19).prop_map(|octets| CrlNumber::from_unsigned(&octets).unwrap()),
    ]
}

fn places() -> impl Strategy<Value = DistributionPointName> {
    // `[1]` nameRelativeToCRLIssuer with one attribute.
    let relative = [0xa1, 0x0b, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x06, 0x13, 0x02, 0x4a, 0x50];
    prop_oneof![
        Just(DistributionPointName::uri("http://status.example/crl/phone-7.crl").unwrap()),
        Just(DistributionPointName::directory(&name("Hanamizu-shi"))),
        Just(DistributionPointName::from_der(&relative).unwrap()),
    ]
}

fn points() -> impl Strategy<Value = IssuingPoint> {
    let contains = prop::sample::select(vec![Contains::All, Contains::Authorities, Contains::Users]);
    let lists = prop::sample::select(vec![Lists::Own, Lists::Others]);
    (places(), contains, lists).prop_map(|(name, contains, lists)| IssuingPoint { name: Some(name), contains, lists })
}

fn profiles() -> impl Strategy<Value = CrlProfile> {
    let kinds = prop_oneof![
        numbers().prop_map(|base| CrlKind::Delta { base }),
        prop::option::of(places()).prop_map(|freshest| CrlKind::Full { freshest }),
    ];
    let algorithms = prop::sample::select(SignatureAlgorithm::ALL.to_vec());
    let reflects = (any::<u32>(), any::<u64>())
        .prop_map(|(epoch, position)| Reflects { epoch: Epoch(epoch), position: Position(position) });
    let dates = (times(), times(), prop::option::of(times()));
    let rest = (prop::option::of(points()), prop::option::of(reflects));
    (algorithms, dates, numbers(), kinds, rest).prop_map(|(algorithm, dates, number, kind, rest)| CrlProfile {
        algorithm,
        issuer: name("Issuer"),
        this_update: dates.0,
        next_update: dates.1,
        authority_key_id: vec![0x4b; 20],
        number,
        kind,
        issuing_point: rest.0,
        expired_since: dates.2,
        reflects: rest.1,
    })
}

fn crls() -> impl Strategy<Value = Stated> {
    let signatures = prop_oneof![Just(vec![0x30; 70]), Just(vec![0x5a; 256]), Just(vec![0; 8])];
    (profiles(), prop::collection::vec(entries(), 0..12), signatures).prop_map(|(profile, entries, signature)| Stated {
        profile,
        entries,
        signature,
    })
}
