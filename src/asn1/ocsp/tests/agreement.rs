//! The recogniser says what `decode` says; both say what `rasn-ocsp` says; nothing that arrives makes either panic.

use proptest::prelude::*;
use rasn::types::{Any, ObjectIdentifier};
use rasn_ocsp::{CertId, OcspRequest, TbsRequest};
use rasn_pkix::{AlgorithmIdentifier, Extension};

use super::*;

/// Requests of any size and shape that clients send, in their octets.
fn requests() -> impl Strategy<Value = Vec<u8>> {
    let questions = prop::collection::vec(cert_ids(), 1..5);
    let extensions = prop::collection::vec(extensions(), 0..3);
    (questions, extensions, prop::bool::weighted(0.8)).prop_map(|(questions, extensions, without)| {
        let request_list =
            questions.into_iter().map(|req_cert| rasn_ocsp::Request { req_cert, single_request_extensions: None });
        let request = OcspRequest {
            tbs_request: TbsRequest {
                version: 0.into(),
                requestor_name: None,
                request_list: request_list.collect(),
                request_extensions: (!without && !extensions.is_empty()).then(|| extensions.into()),
            },
            optional_signature: None,
        };
        rasn::der::encode(&request).unwrap()
    })
}

fn cert_ids() -> impl Strategy<Value = CertId> {
    let algorithms = prop_oneof![
        Just((&[1_u32, 3, 14, 3, 2, 26][..], 20)),
        Just((&[2, 16, 840, 1, 101, 3, 4, 2, 1][..], 32)),
        Just((&[2, 16, 840, 1, 101, 3, 4, 2, 2][..], 48)),
        Just((&[1, 3, 14, 3, 2, 26][..], 32)),
    ];
    let serials = prop::collection::vec(any::<u8>(), 1..24);
    (algorithms, any::<bool>(), any::<u8>(), any::<u8>(), serials).prop_map(
        |((arcs, length), null, name, key, serial)| CertId {
            hash_algorithm: AlgorithmIdentifier {
                algorithm: ObjectIdentifier::new(arcs.to_vec()).unwrap(),
                parameters: null.then(|| Any::new(vec![5, 0])),
            },
            issuer_name_hash: vec![name; length].into(),
            issuer_key_hash: vec![key; length].into(),
            serial_number: number(&serial),
        },
    )
}

/// The number with that content of an INTEGER, of either sign, or another one where DER has none such.
fn number(contents: &[u8]) -> rasn::types::Integer {
    rasn::der::decode(&integer(contents)).unwrap_or_else(|_| 0.into())
}

fn extensions() -> impl Strategy<Value = Extension> {
    let id = prop_oneof![4 => Just(2_u32), 1 => Just(4), 1 => Just(8), 1 => Just(77)];
    (id, prop::bool::weighted(0.1), 0_usize..140).prop_map(|(arc, critical, length)| Extension {
        extn_id: ObjectIdentifier::new(vec![1, 3, 6, 1, 5, 5, 7, 48, 1, arc]).unwrap(),
        critical,
        extn_value: match arc {
            4 => seq(&[&ocsp_oid(1)]).into(),
            8 => seq(&[]).into(),
            _ => octets(&vec![0x4e; length]).into(),
        },
    })
}

/// What `rasn-ocsp` reads of the same octets, compared part by part.
fn agrees_with_rasn_ocsp(bytes: &[u8], request: &Request<'_>) {
    let theirs: OcspRequest = rasn::der::decode(bytes).unwrap();
    let list = &theirs.tbs_request.request_list;
    assert_eq!(request.questions().len(), list.len());
    for (ours, theirs) in request.questions().iter().zip(list) {
        let theirs = &theirs.req_cert;
        assert_eq!(ours.cert_id, rasn::der::encode(theirs).unwrap());
        let has_null = theirs.hash_algorithm.parameters.is_some();
        let (name, key) = (&theirs.issuer_name_hash[..], &theirs.issuer_key_hash[..]);
        match ours.issuer {
            IssuerAsked::By(HashedIssuer::Sha1 { name: ours, key: our_key }, parameters) => {
                assert_eq!((&ours[..], &our_key[..]), (name, key));
                assert_eq!((cert_id_is_sha1(theirs), parameters == Parameters::Null), (true, has_null));
            }
            IssuerAsked::By(HashedIssuer::Sha256 { name: ours, key: our_key }, parameters) => {
                assert_eq!((&ours[..], &our_key[..]), (name, key));
                assert_eq!((cert_id_is_sha1(theirs), parameters == Parameters::Null), (false, has_null));
            }
            IssuerAsked::Other => assert!(name.len() == 48 || (name.len() == 32 && cert_id_is_sha1(theirs))),
        }
        let number = rasn::der::encode(&theirs.serial_number).unwrap();
        match ours.serial {
            SerialAsked::Serial(serial) => {
                assert_eq!(
                    number[2..].iter().skip_while(|octet| **octet == 0).copied().collect::<Vec<_>>(),
                    serial.as_octets()
                );
            }
            SerialAsked::Impossible => {
                let contents = &number[2..];
                assert!(contents == [0] || contents[0] & 0x80 != 0 || contents.len() > 20, "{contents:02x?}");
            }
        }
    }
    let nonces = theirs.tbs_request.request_extensions.iter().flat_map(|extensions| extensions.iter());
    let nonce =
        nonces.filter(|extension| extension.extn_id.last() == Some(&2)).map(|nonce| nonce.extn_value[2..].to_vec());
    let ours = request.nonce.iter().map(|nonce| nonce.as_octets().to_vec());
    // A length of 128 octets takes one octet more.
    assert!(nonce.map(|nonce| if nonce.len() > 128 { nonce[1..].to_vec() } else { nonce }).eq(ours));
}

fn cert_id_is_sha1(cert_id: &CertId) -> bool {
    cert_id.hash_algorithm.algorithm.starts_with(&[1, 3, 14])
}

/// Whether its extensions are wrong: a critical one that nobody knows, one twice, a nonce of a length that none has.
fn may_be_refused(bytes: &[u8]) -> bool {
    let theirs: OcspRequest = rasn::der::decode(bytes).unwrap();
    let extensions: Vec<_> = theirs.tbs_request.request_extensions.iter().flat_map(|list| list.iter()).collect();
    let last = |extension: &Extension| *extension.extn_id.last().unwrap();
    extensions.iter().enumerate().any(|(at, extension)| {
        let twice = extensions[..at].iter().any(|before| last(before) == last(extension));
        let nonce_length = extension.extn_value.len();
        (last(extension) == 77 && extension.critical)
            || (last(extension) != 77 && twice)
            || (last(extension) == 2 && !(3..=131).contains(&nonce_length))
    })
}

/// Both readers on the same octets.
fn compare(bytes: &[u8]) -> Option<Request<'_>> {
    for limits in [LIMITS, RequestLimits { octets_max: 300, questions_max: 2 }] {
        let decoded = decode(bytes, limits);
        if let Some(recognised) = recognise(bytes, limits) {
            assert_eq!(decoded.as_ref(), Ok(&recognised), "{bytes:02x?}");
        }
        assert_eq!(read(bytes, limits), decoded);
    }
    read(bytes, LIMITS).ok()
}

#[derive(Clone, Debug)]
enum Damage {
    Cut(prop::sample::Index),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Set(prop::sample::Index, u8),
}

impl Damage {
    fn any() -> impl Strategy<Value = Self> {
        let at = any::<prop::sample::Index>;
        let octet = prop_oneof![
            any::<u8>(),
            prop::sample::select(&b"\x00\x01\x02\x04\x05\x06\x30\x7f\x80\x81\x82\xa0\xa1\xa2\xff"[..])
        ];
        let octet = octet.boxed();
        prop_oneof![
            1 => at().prop_map(Self::Cut),
            3 => (at(), octet.clone()).prop_map(|(at, octet)| Self::Insert(at, octet)),
            3 => at().prop_map(Self::Remove),
            6 => (at(), octet).prop_map(|(at, octet)| Self::Set(at, octet)),
        ]
    }

    fn to(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        match self {
            Self::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Self::Insert(at, octet) => bytes.insert(at.index(bytes.len()), *octet),
            Self::Remove(at) => drop(bytes.remove(at.index(bytes.len()))),
            Self::Set(at, octet) => {
                let at = at.index(bytes.len());
                bytes[at] = *octet;
            }
        }
    }
}

#[test]
fn every_single_octet_changed_to_every_value_reads_alike() {
    let bytes = request_of(&[asked(SHA256_ABSENT, 32, &[0, 0x80])], &[nonce_extension(3)]);
    let (mut read, mut recognised) = (0, 0);
    for at in 0..bytes.len() {
        for octet in 0..=255 {
            let mut bytes = bytes.clone();
            bytes[at] = octet;
            read += u32::from(compare(&bytes).is_some());
            recognised += u32::from(recognise(&bytes, LIMITS).is_some());
        }
    }
    // The hashes and the nonce may be anything, so many of them are requests still; and the recogniser leaves some over.
    assert!(recognised > 67 * 255 && read > recognised, "{read} {recognised}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_clients_send_reads_alike_everywhere(bytes in requests()) {
        match compare(&bytes) {
            Some(request) => agrees_with_rasn_ocsp(&bytes, &request),
            None => prop_assert!(may_be_refused(&bytes)),
        }
    }

    #[test]
    fn damaged_requests_read_alike(bytes in requests(), damage in prop::collection::vec(Damage::any(), 1..4)) {
        let mut bytes = bytes;
        damage.iter().for_each(|damage| damage.to(&mut bytes));
        compare(&bytes);
    }

    #[test]
    fn any_octets_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        compare(&bytes);
    }

    #[test]
    fn a_cert_id_written_here_is_recognised(sha1: bool, null: bool, octets in prop::collection::vec(any::<u8>(), 1..=20)) {
        prop_assume!(octets.iter().any(|octet| *octet != 0));
        let issuer = if sha1 { sha1_issuer() } else { sha256_issuer() };
        let parameters = if null { Parameters::Null } else { Parameters::Absent };
        let der = cert_id(&issuer, parameters, &serial(&octets));
        let bytes = request_of(std::slice::from_ref(&der), &[]);
        let request = recognise(&bytes, LIMITS).expect("the common shape");
        let wanted = Question {
            cert_id: der.into(),
            issuer: IssuerAsked::By(issuer, parameters),
            serial: SerialAsked::Serial(serial(&octets)),
        };
        prop_assert_eq!(request.questions(), &[wanted][..]);
    }
}
