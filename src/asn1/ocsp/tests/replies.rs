//! Replies: what is assembled is what `rasn-ocsp` encodes of the same values, and what openssl reads.

use proptest::prelude::*;
use rasn::types::{BitString, GeneralizedTime, Ia5String, Integer, ObjectIdentifier};
use rasn_ocsp::{
    BasicOcspResponse, CrlId, OcspResponse, OcspResponseStatus, ResponderId as RasnResponder, ResponseBytes,
    ResponseData as RasnData, RevokedInfo, SingleResponse as RasnSingle,
};
use rasn_pkix::{Certificate, CrlReason, Extension};

use super::*;
use crate::asn1::{Name, NameAttribute, SignatureAlgorithm, samples};
use crate::model::{Reason, Time};

mod openssl;

/// The values of a reply, owned: made at random, stated to both encoders.
#[derive(Clone, Debug)]
struct Values {
    by_key: bool,
    produced_at: Time,
    singles: Vec<Single>,
    nonce: Option<Vec<u8>>,
    not_issued: NotIssued,
    algorithm: SignatureAlgorithm,
    signature: Vec<u8>,
    certificates: usize,
}

#[derive(Clone, Debug)]
struct Single {
    cert_id: Vec<u8>,
    status: CertStatus,
    this_update: Time,
    next_update: Time,
    archive_cutoff: Option<Time>,
    crl: Option<(String, Vec<u8>, Time)>,
    invalidity_date: Option<Time>,
}

impl Values {
    /// What this room makes of them: the octets to be signed, the reply from its parts, the reply around those octets.
    fn assembled(&self) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
        let responder =
            if self.by_key { ResponderId::by_key(&samples::p256_key(3)) } else { ResponderId::by_name(&name()) };
        let nonce = self.nonce.as_ref().map(|octets| Nonce::new(&octets[..]).unwrap());
        let responses: Vec<_> = self.singles.iter().map(Single::stated).collect();
        let data = ResponseData {
            responder: &responder,
            produced_at: self.produced_at,
            responses: &responses,
            nonce: nonce.as_ref(),
            not_issued: self.not_issued,
        };
        let certificate = samples::assembled(&samples::leaf());
        let credentials = Credentials::new(self.algorithm, &vec![&certificate[..]; self.certificates]);
        let tbs = data.to_be_signed();
        let around = credentials.response(&tbs, &self.signature);
        (tbs, data.response(&credentials, &self.signature), around)
    }

    /// What `rasn-ocsp` makes of them.
    fn encoded(&self) -> (Vec<u8>, Vec<u8>) {
        let responder_id = if self.by_key {
            RasnResponder::ByKey(samples::p256_key(3).key_identifier().into())
        } else {
            RasnResponder::ByName(rasn::der::decode(name().as_der()).unwrap())
        };
        let nonce = self.nonce.iter().map(|nonce| plain(OCSP, 2, octets(nonce)));
        let extended_revoke = plain(OCSP, 9, vec![5, 0]);
        let extensions: Vec<_> =
            nonce.chain((self.not_issued == NotIssued::Revoked).then_some(extended_revoke)).collect();
        let data = RasnData {
            version: 0.into(),
            responder_id,
            produced_at: generalized(self.produced_at),
            responses: self.singles.iter().map(Single::encoded).collect(),
            response_extensions: (!extensions.is_empty()).then(|| extensions.into()),
        };
        let tbs = rasn::der::encode(&data).unwrap();
        let certificate: Certificate = rasn::der::decode(&samples::assembled(&samples::leaf())).unwrap();
        let basic = BasicOcspResponse {
            tbs_response_data: data,
            signature_algorithm: rasn::der::decode(&self.algorithm.identifier_der()).unwrap(),
            signature: BitString::from_slice(&self.signature),
            certs: (self.certificates > 0).then(|| vec![certificate; self.certificates]),
        };
        let response = OcspResponse {
            status: OcspResponseStatus::Successful,
            bytes: Some(ResponseBytes { r#type: oid(OCSP, 1), response: rasn::der::encode(&basic).unwrap().into() }),
        };
        (tbs, rasn::der::encode(&response).unwrap())
    }
}

impl Single {
    fn stated(&self) -> SingleResponse<'_> {
        let crl = self.crl.as_ref().map(|(url, number, time)| CrlReference::new(url, number, *time).unwrap());
        SingleResponse {
            cert_id: &self.cert_id,
            status: self.status,
            this_update: self.this_update,
            next_update: self.next_update,
            extensions: SingleExtensions {
                archive_cutoff: self.archive_cutoff,
                crl,
                invalidity_date: self.invalidity_date,
            },
        }
    }

    fn encoded(&self) -> RasnSingle {
        let date = |arcs, last, time| plain(arcs, last, rasn::der::encode(&generalized(time)).unwrap());
        let crl = self.crl.as_ref().map(|(url, number, time)| {
            let id = CrlId {
                url: Some(Ia5String::try_from(url.clone()).unwrap()),
                num: Some(unsigned(number)),
                time: Some(generalized(*time)),
            };
            plain(OCSP, 3, rasn::der::encode(&id).unwrap())
        });
        let cutoff = self.archive_cutoff.map(|time| date(OCSP, 6, time));
        let invalidity = self.invalidity_date.map(|time| date(&[2, 5, 29], 24, time));
        let extensions: Vec<_> = [cutoff, crl, invalidity].into_iter().flatten().collect();
        let revoked = |at, reason| {
            let revocation_time = generalized(at);
            rasn_ocsp::CertStatus::Revoked(RevokedInfo { revocation_time, revocation_reason: reason })
        };
        RasnSingle {
            cert_id: rasn::der::decode(&self.cert_id).unwrap(),
            cert_status: match self.status {
                CertStatus::Good => rasn_ocsp::CertStatus::Good,
                CertStatus::Held { since } => revoked(since, Some(CrlReason::CertificateHold)),
                CertStatus::Revoked { at, reason } => revoked(at, reason_said(reason)),
                CertStatus::Unknown => rasn_ocsp::CertStatus::Unknown(()),
            },
            this_update: generalized(self.this_update),
            next_update: Some(generalized(self.next_update)),
            single_extensions: (!extensions.is_empty()).then(|| extensions.into()),
        }
    }
}

fn reason_said(reason: Reason) -> Option<CrlReason> {
    match reason {
        Reason::AaCompromise => Some(CrlReason::AaCompromise),
        Reason::AffiliationChanged => Some(CrlReason::AffiliationChanged),
        Reason::CaCompromise => Some(CrlReason::CaCompromise),
        Reason::CessationOfOperation => Some(CrlReason::CessationOfOperation),
        Reason::KeyCompromise => Some(CrlReason::KeyCompromise),
        Reason::PrivilegeWithdrawn => Some(CrlReason::PrivilegeWithdrawn),
        Reason::Superseded => Some(CrlReason::Superseded),
        Reason::Unspecified => None,
    }
}

/// By way of RFC 3339 and `rasn`'s own reading.
fn generalized(time: Time) -> GeneralizedTime {
    let text = time.to_string().replace(['-', ':', 'T'], "");
    rasn::der::decode(&der(0x18, &[text.as_bytes()])).unwrap()
}

fn unsigned(octets: &[u8]) -> Integer {
    let digits: Vec<u8> = octets.iter().copied().skip_while(|octet| *octet == 0).collect();
    let sign: &[u8] = if digits.first().is_none_or(|first| first & 0x80 != 0) { &[0] } else { &[] };
    rasn::der::decode(&integer(&[sign, &digits].concat())).unwrap()
}

fn oid(arcs: &[u32], last: u32) -> ObjectIdentifier {
    ObjectIdentifier::new([arcs, &[last]].concat()).unwrap()
}

fn plain(arcs: &[u32], last: u32, value: Vec<u8>) -> Extension {
    Extension { extn_id: oid(arcs, last), critical: false, extn_value: value.into() }
}

fn name() -> Name {
    Name::new(&[(NameAttribute::Country, "JP"), (NameAttribute::CommonName, "Responder")]).unwrap()
}

const OCSP: &[u32] = &[1, 3, 6, 1, 5, 5, 7, 48, 1];

fn times() -> impl Strategy<Value = Time> {
    let range = prop_oneof![4 => 1_700_000_000..2_600_000_000_i64, 1 => -62_135_596_800_i64..=253_402_300_799];
    range.prop_map(|seconds| Time::from_unix(seconds).unwrap())
}

fn statuses() -> impl Strategy<Value = CertStatus> {
    prop_oneof![
        Just(CertStatus::Good),
        times().prop_map(|since| CertStatus::Held { since }),
        (times(), prop::sample::select(&Reason::ALL[..])).prop_map(|(at, reason)| CertStatus::Revoked { at, reason }),
        Just(CertStatus::Unknown),
    ]
}

fn singles() -> impl Strategy<Value = Single> {
    let cert_id = (any::<bool>(), prop::collection::vec(1_u8.., 1..=20)).prop_map(|(sha1, octets)| {
        cert_id(&if sha1 { sha1_issuer() } else { sha256_issuer() }, Parameters::Null, &serial(&octets))
    });
    let crl = ("[ -~]{0,150}", prop::collection::vec(any::<u8>(), 0..21), times());
    let optional = (prop::option::of(times()), prop::option::of(crl), prop::option::of(times()));
    (cert_id, statuses(), times(), times(), optional).prop_map(
        |(cert_id, status, this_update, next_update, optional)| {
            let (archive_cutoff, crl, invalidity_date) = optional;
            Single { cert_id, status, this_update, next_update, archive_cutoff, crl, invalidity_date }
        },
    )
}

fn values() -> impl Strategy<Value = Values> {
    let not_issued = prop_oneof![3 => Just(NotIssued::Unknown), 1 => Just(NotIssued::Revoked)];
    let length = prop_oneof![60_usize..80, Just(256), Just(384), 0..1000_usize];
    let signature = (length, any::<u8>()).prop_map(|(length, octet)| vec![octet; length]);
    let signed = (prop::sample::select(&SignatureAlgorithm::ALL[..]), signature, 0_usize..3);
    let nonce = prop::option::of(prop::collection::vec(any::<u8>(), 1..=128));
    let many = prop_oneof![3 => 1_usize..2, 1 => 2_usize..6];
    let singles = many.prop_flat_map(|count| prop::collection::vec(singles(), count));
    (any::<bool>(), times(), singles, nonce, not_issued, signed).prop_map(
        |(by_key, produced_at, singles, nonce, not_issued, (algorithm, signature, certificates))| Values {
            by_key,
            produced_at,
            singles,
            nonce,
            not_issued,
            algorithm,
            signature,
            certificates,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn r1_what_is_assembled_is_what_rasn_encodes(values in values()) {
        let (tbs, response, around) = values.assembled();
        prop_assert_eq!(response.capacity(), response.len(), "one buffer, of the exact length");
        let (expected_tbs, expected) = values.encoded();
        prop_assert_eq!(tbs, expected_tbs);
        prop_assert_eq!(&response, &expected);
        prop_assert_eq!(around, expected);
    }
}

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

/// One answer, signed with noise.
fn sample(status: CertStatus) -> Values {
    Values {
        by_key: true,
        produced_at: time("2026-11-20T00:00:01Z"),
        singles: vec![Single {
            cert_id: usual_cert_id(),
            status,
            this_update: time("2026-11-20T00:00:00Z"),
            next_update: time("2026-11-20T00:10:00Z"),
            archive_cutoff: None,
            crl: None,
            invalidity_date: None,
        }],
        nonce: None,
        not_issued: NotIssued::Unknown,
        algorithm: SignatureAlgorithm::EcdsaSha256,
        signature: vec![0x5a; 71],
        certificates: 1,
    }
}

#[test]
fn r1_thousands_of_answers_have_lengths_of_three_octets() {
    let mut values = sample(CertStatus::Good);
    values.singles = vec![values.singles[0].clone(); 1000];
    let (_, response, _) = values.assembled();
    assert!(response.len() > 0x1_0000);
    assert_eq!(response, values.encoded().1);
}

#[test]
fn r1_error_replies_are_five_octets() {
    for (reply, status, hex) in [
        (ErrorReply::InternalError, OcspResponseStatus::InternalError, *b"\x30\x03\x0a\x01\x02"),
        (ErrorReply::MalformedRequest, OcspResponseStatus::MalformedRequest, *b"\x30\x03\x0a\x01\x01"),
        (ErrorReply::SigRequired, OcspResponseStatus::SigRequired, *b"\x30\x03\x0a\x01\x05"),
        (ErrorReply::TryLater, OcspResponseStatus::TryLater, *b"\x30\x03\x0a\x01\x03"),
        (ErrorReply::Unauthorized, OcspResponseStatus::Unauthorized, *b"\x30\x03\x0a\x01\x06"),
    ] {
        assert_eq!(reply.der(), &hex);
        assert_eq!(rasn::der::encode(&OcspResponse { status, bytes: None }).unwrap(), hex);
    }
}

#[test]
fn r2_by_key_is_the_hash_of_the_key_bits() {
    let key = samples::p256_key(3);
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, key.key_bits());
    let (tbs, ..) = sample(CertStatus::Good).assembled();
    assert!(tbs.windows(24).any(|octets| octets == [&[0xa2, 22, 4, 20], hash.as_ref()].concat()));
}

#[test]
fn r4_times_have_no_fraction() {
    let (tbs, ..) = sample(CertStatus::Good).assembled();
    let expected = [&b"\x18\x0f20261120000000Z"[..], b"\xa0\x11\x18\x0f20261120001000Z"].concat();
    assert!(tbs.windows(expected.len()).any(|octets| octets == expected));
}

#[test]
fn r9_unspecified_is_left_out() {
    let at = time("2026-11-19T00:00:00Z");
    let (with, ..) = sample(CertStatus::Revoked { at, reason: Reason::KeyCompromise }).assembled();
    let (without, ..) = sample(CertStatus::Revoked { at, reason: Reason::Unspecified }).assembled();
    assert_eq!(with.len(), without.len() + 5);
}

#[test]
fn r12_a_url_that_is_no_ia5string_is_refused() {
    assert!(CrlReference::new("http://例え/", &[1], time("2026-11-20T00:00:00Z")).is_err());
}
