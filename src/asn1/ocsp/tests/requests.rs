//! Requests, row by row: Q1 to Q15 and N1 to N5 of the conformance table, as far as they are about octets.

use super::*;
use crate::asn1::SignatureAlgorithm;

fn refused(bytes: &[u8]) -> Malformed {
    assert_eq!(recognise(bytes, LIMITS), None, "{bytes:02x?}");
    read(bytes, LIMITS).unwrap_err()
}

/// What `read` says, which both readers must say if the recogniser says anything.
fn understood(bytes: &[u8]) -> Request<'_> {
    let request = read(bytes, LIMITS).unwrap_or_else(|error| panic!("{error}: {bytes:02x?}"));
    assert_eq!(decode(bytes, LIMITS).as_ref(), Ok(&request));
    request
}

fn question(cert_id: &[u8]) -> Question<'static> {
    let bytes = request_of(&[cert_id.to_vec()], &[]);
    let request = understood(&bytes);
    let [question] = request.questions() else { panic!("one question") };
    assert_eq!(&*question.cert_id, cert_id, "echoed octet for octet");
    Question { cert_id: question.cert_id.to_vec().into(), ..question.clone() }
}

#[test]
fn q1_an_unsigned_request_of_one_question_is_read() {
    let bytes = request_of(&[usual_cert_id()], &[]);
    let request = understood(&bytes);
    assert_eq!(recognise(&bytes, LIMITS).as_ref(), Some(&request), "the common shape");
    let [question] = request.questions() else { panic!("one question") };
    assert_eq!(question.issuer, IssuerAsked::By(sha1_issuer(), Parameters::Null));
    assert_eq!(question.serial, SerialAsked::Serial(serial(&[0x12, 0x34])));
    assert_eq!((request.nonce, request.accepts, request.preferred), (None, Accepts::Basic, vec![]));
}

#[test]
fn q1_every_truncation_and_every_octet_too_many_is_malformed() {
    for bytes in [
        request_of(&[usual_cert_id()], &[]),
        request_of(&[usual_cert_id(), usual_cert_id()], &[nonce_extension(16), extension(4, &seq(&[&ocsp_oid(1)]))]),
    ] {
        for length in 0..bytes.len() {
            assert_eq!(refused(&bytes[..length]), Malformed::Syntax, "{length}");
        }
        assert_eq!(refused(&[&bytes[..], &[0]].concat()), Malformed::Syntax);
    }
    assert_eq!(ErrorReply::MalformedRequest, Malformed::Syntax.reply());
}

#[test]
fn q1_octets_too_many_inside_any_structure_are_malformed() {
    let cert_id = usual_cert_id();
    let list = seq(&[&seq(&[&cert_id])]);
    let extensions = der(0xa2, &[&seq(&[&nonce_extension(16)])]);
    let inside_cert_id = seq(&[&cert_id[2..], &[5, 0]]);
    for tbs in [
        seq(&[&list, &extensions, &[5, 0]]),
        seq(&[&seq(&[&seq(&[&cert_id, &[5, 0]])])]),
        seq(&[&seq(&[&seq(&[&inside_cert_id])])]),
        seq(&[&list, &der(0xa2, &[&seq(&[&nonce_extension(16)]), &[5, 0]])]),
        seq(&[&list, &der(0xa2, &[&seq(&[&nonce_extension(16), &[5, 0]])])]),
        seq(&[&list, &der(0xa2, &[&seq(&[&seq(&[&ocsp_oid(2), &octets(&octets(&[1])), &[5, 0]])])])]),
        seq(&[&list, &der(0xa3, &[&seq(&[&nonce_extension(16)])])]),
        seq(&[&list, &list]),
    ] {
        assert_eq!(refused(&seq(&[&tbs])), Malformed::Syntax, "{tbs:02x?}");
    }
    assert_eq!(refused(&seq(&[&seq(&[&list]), &[5, 0]])), Malformed::Syntax);
}

#[test]
fn q1_a_request_without_questions_is_malformed() {
    assert_eq!(refused(&request_of(&[], &[])), Malformed::NoQuestion);
    assert_eq!(refused(&request_of(&[], &[nonce_extension(16)])), Malformed::NoQuestion);
    for bytes in [&b""[..], b"\x30\x00", b"\x30\x02\x30\x00", b"\x05\x00", b"\x31\x02\x30\x00"] {
        assert_eq!(refused(bytes), Malformed::Syntax, "{bytes:02x?}");
    }
}

#[test]
fn q1_only_version_1_is_read() {
    let list = seq(&[&seq(&[&usual_cert_id()])]);
    let version = |number: u8| seq(&[&seq(&[&der(0xa0, &[&integer(&[number])]), &list])]);
    // DER leaves the default out, some clients don't.
    assert_eq!(understood(&version(0)).questions().len(), 1);
    assert_eq!(refused(&version(1)), Malformed::Version);
    assert_eq!(refused(&version(0xff)), Malformed::Version);
}

#[test]
fn q1_ber_is_malformed() {
    let cert_id = usual_cert_id();
    let single = seq(&[&cert_id]);
    let indefinite = |contents: &[u8]| [&[0x30, 0x80], contents, &[0, 0]].concat();
    let long = |contents: &[u8]| [&[0x30, 0x82, 0, contents.len() as u8], contents].concat();
    for wrap in [indefinite, long] as [fn(&[u8]) -> Vec<u8>; 2] {
        for bytes in [
            wrap(&seq(&[&seq(&[&single])])),
            seq(&[&wrap(&seq(&[&single]))]),
            seq(&[&seq(&[&wrap(&single)])]),
            seq(&[&seq(&[&seq(&[&wrap(&cert_id)])])]),
            seq(&[&seq(&[&seq(&[&seq(&[&wrap(&cert_id[2..])])])])]),
        ] {
            assert_eq!(refused(&bytes), Malformed::Syntax, "{bytes:02x?}");
        }
    }
    let parts = |name: &[u8], serial: &[u8]| request_of(&[seq(&[SHA1_NULL, name, &octets(&[0xbb; 20]), serial])], &[]);
    let constructed = der(0x24, &[&octets(&[0xaa; 20])]);
    assert_eq!(refused(&parts(&constructed, &integer(&[1]))), Malformed::Syntax);
    assert_eq!(refused(&parts(&octets(&[0xaa; 20]), &[2, 0x81, 1, 1])), Malformed::Syntax);
    assert_eq!(refused(&parts(&octets(&[0xaa; 20]), &[2, 0])), Malformed::Syntax);
    assert_eq!(refused(&parts(&octets(&[0xaa; 20]), &[4, 1, 1])), Malformed::Syntax);
}

#[test]
fn q1_nesting_without_end_is_refused_without_descending() {
    for part in [&b"\x30\x80"[..], b"\xa0\x80", b"\x24\x80"] {
        assert_eq!(refused(&part.repeat(60_000)), Malformed::Syntax);
        // Where any element may stand: as requestorName, as signature, as parameters of an algorithm.
        let deep = part.repeat(20_000);
        let list = seq(&[&seq(&[&usual_cert_id()])]);
        let algorithm = seq(&[&[6, 5, 0x2b, 0x0e, 3, 2, 0x1a], &deep]);
        for bytes in [
            seq(&[&seq(&[&der(0xa1, &[&deep]), &list])]),
            seq(&[&seq(&[&list]), &der(0xa0, &[&deep])]),
            request_of(&[asked(&algorithm, 20, &[1])], &[]),
        ] {
            assert_eq!(refused(&bytes), Malformed::Syntax);
        }
    }
}

#[test]
fn q2_questions_keep_their_order() {
    let numbers = [7_u8, 3, 9, 3];
    let cert_ids: Vec<_> = numbers.iter().map(|number| asked(SHA256_ABSENT, 32, &[*number])).collect();
    let bytes = request_of(&cert_ids, &[nonce_extension(32)]);
    let request = understood(&bytes);
    assert_eq!(recognise(&bytes, LIMITS).as_ref(), Some(&request), "the common shape");
    let read: Vec<_> = request.questions().iter().map(|question| question.serial).collect();
    assert_eq!(read, numbers.map(|number| SerialAsked::Serial(serial(&[number]))));
    assert!(request.questions().iter().zip(&cert_ids).all(|(question, cert_id)| &*question.cert_id == cert_id));
}

#[test]
fn q3_q4_hash_algorithm_lengths_and_parameters_say_which_issuer() {
    for (algorithm, length, parameters) in [
        (SHA1_NULL, 20, Parameters::Null),
        (SHA1_ABSENT, 20, Parameters::Absent),
        (SHA256_NULL, 32, Parameters::Null),
        (SHA256_ABSENT, 32, Parameters::Absent),
    ] {
        let issuer = if length == 20 { sha1_issuer() } else { sha256_issuer() };
        assert_eq!(question(&asked(algorithm, length, &[1])).issuer, IssuerAsked::By(issuer, parameters));
        for length in [0, 16, length - 1, length + 1, 52 - length, 64] {
            assert_eq!(question(&asked(algorithm, length, &[1])).issuer, IssuerAsked::Other, "{length}");
        }
    }
    let sha1_with_octets = seq(&[&SHA1_ABSENT[2..], &octets(&[0])]);
    assert_eq!(question(&asked(&sha1_with_octets, 20, &[1])).issuer, IssuerAsked::Other);
    assert_eq!(question(&asked(MD5_NULL, 16, &[1])).issuer, IssuerAsked::Other);
    // Q6: SHA-384 is read, and is nobody's issuer here.
    let mut sha384 = SHA256_NULL.to_vec();
    sha384[12] = 2;
    assert_eq!(question(&asked(&sha384, 48, &[1])).issuer, IssuerAsked::Other);
}

#[test]
fn q5_a_cert_id_written_here_is_the_one_that_is_asked() {
    for octets in [&[1][..], &[0x7f, 0xff], &[0x80], &[0xff; 20], &[0x12, 0x34]] {
        let padded = if octets[0] & 0x80 == 0 { octets.to_vec() } else { [&[0], octets].concat() };
        for (algorithm, parameters) in [(SHA1_NULL, Parameters::Null), (SHA1_ABSENT, Parameters::Absent)] {
            assert_eq!(cert_id(&sha1_issuer(), parameters, &serial(octets)), asked(algorithm, 20, &padded));
        }
        for (algorithm, parameters) in [(SHA256_NULL, Parameters::Null), (SHA256_ABSENT, Parameters::Absent)] {
            assert_eq!(cert_id(&sha256_issuer(), parameters, &serial(octets)), asked(algorithm, 32, &padded));
        }
    }
}

#[test]
fn q7_serials_are_numbers() {
    let most = [&[0][..], &[0xff; 20]].concat();
    for (contents, number) in [(&[0x00, 0x80][..], &[0x80][..]), (&most, &[0xff; 20]), (&[0x7f; 20], &[0x7f; 20])] {
        assert_eq!(question(&asked(SHA1_NULL, 20, contents)).serial, SerialAsked::Serial(serial(number)));
    }
    for contents in
        [&[0][..], &[0xff], &[0x80, 0, 1], &[0, 0, 1], &[0, 1], &[0, 0], &[1; 21], &[1; 1000], &[0xff, 0xff, 0xfe]]
    {
        assert_eq!(question(&asked(SHA1_NULL, 20, contents)).serial, SerialAsked::Impossible, "{contents:02x?}");
    }
}

#[test]
fn q8_unknown_extensions_are_ignored_unless_they_are_critical() {
    let unknown = der(6, &[&[0x2a, 3, 4]]);
    let ignored = seq(&[&unknown, &octets(b"anything")]);
    let spelled_out = seq(&[&unknown, &[1, 1, 0], &octets(b"")]);
    let must_not_be = critical(&unknown, b"");
    let cert_id = usual_cert_id();
    let in_single = |extension: &[u8]| seq(&[&seq(&[&seq(&[&seq(&[&cert_id, &der(0xa0, &[&seq(&[extension])])])])])]);
    for extension in [&ignored, &spelled_out] {
        understood(&request_of(std::slice::from_ref(&cert_id), &[extension.clone(), extension.clone()]));
        assert_eq!(&*understood(&in_single(extension)).questions()[0].cert_id, cert_id);
    }
    assert_eq!(
        refused(&request_of(std::slice::from_ref(&cert_id), &[ignored, must_not_be.clone()])),
        Malformed::CriticalExtension
    );
    assert_eq!(refused(&in_single(&must_not_be)), Malformed::CriticalExtension);
    // BOOLEAN TRUE has one form in DER.
    let mut neither = must_not_be.clone();
    let at = neither.windows(3).position(|octets| octets == [1, 1, 0xff]).unwrap();
    neither[at + 2] = 1;
    assert_eq!(refused(&request_of(&[cert_id], &[neither])), Malformed::Syntax);
}

#[test]
fn q8_more_extensions_than_there_are_kinds_are_refused() {
    let unknown = || seq(&[&der(6, &[&[0x2a, 3, 4]]), &octets(b"")]);
    let many = |count| vec![unknown(); count];
    understood(&request_of(&[usual_cert_id()], &many(16)));
    assert_eq!(refused(&request_of(&[usual_cert_id()], &many(17))), Malformed::TooManyExtensions);
    let single = seq(&[&usual_cert_id(), &der(0xa0, &[&seq(&[&many(17).concat()])])]);
    assert_eq!(refused(&seq(&[&seq(&[&seq(&[&single])])])), Malformed::TooManyExtensions);
}

#[test]
fn q9_requestor_name_is_ignored() {
    let list = seq(&[&seq(&[&usual_cert_id()])]);
    let directory_name = der(0xa4, &[&seq(&[])]);
    let dns_name = der(0x82, &[b"client.example"]);
    for name in [directory_name, dns_name] {
        let bytes = seq(&[&seq(&[&der(0xa1, &[&name]), &list])]);
        assert_eq!(understood(&bytes).questions().len(), 1);
    }
    assert_eq!(refused(&seq(&[&seq(&[&der(0xa1, &[]), &list])])), Malformed::Syntax);
}

#[test]
fn q10_signatures_are_ignored_whatever_they_are() {
    let tbs = seq(&[&seq(&[&seq(&[&usual_cert_id()])])]);
    let signed = |signature: &[u8]| seq(&[&tbs, &der(0xa0, &[signature])]);
    let unknown_algorithm = seq(&[&seq(&[&der(6, &[&[0x2a, 3, 4]])]), &der(3, &[&[0, 1, 2, 3]])]);
    for signature in [unknown_algorithm, seq(&[]), seq(&[b"\x04\x01\x00", &der(0xa0, &[&seq(&[b"\x05\x00"])])])] {
        assert_eq!(understood(&signed(&signature)).questions().len(), 1, "{signature:02x?}");
    }
    assert_eq!(refused(&seq(&[&tbs, &der(0xa0, &[])])), Malformed::Syntax);
    assert_eq!(refused(&signed(&[0x30, 5, 1])), Malformed::Syntax);
}

#[test]
fn q11_a_thousand_questions_are_read_and_one_more_is_refused() {
    let cert_ids = |count: u32| -> Vec<_> {
        let serial = |number: u32| [&[0x7f; 16][..], &number.to_be_bytes()].concat();
        (0..count).map(|number| asked(SHA256_NULL, 32, &serial(number))).collect()
    };
    let thousand = request_of(&cert_ids(1000), &[nonce_extension(32)]);
    assert!(thousand.len() <= LIMITS.octets_max);
    let request = understood(&thousand);
    assert_eq!(request.questions().len(), 1000);
    assert_eq!(recognise(&thousand, LIMITS).as_ref(), Some(&request));
    let more = request_of(&cert_ids(1001), &[]);
    assert_eq!(refused(&more), Malformed::TooManyQuestions);
    assert_eq!(Malformed::TooManyQuestions.reply(), ErrorReply::Unauthorized);
    let limits = RequestLimits::ANONYMOUS;
    assert_eq!(read(&request_of(&cert_ids(20), &[]), limits).unwrap().questions().len(), 20);
    assert_eq!(read(&request_of(&cert_ids(21), &[]), limits), Err(Malformed::TooManyQuestions));
}

#[test]
fn q11_the_octets_are_bounded_before_anything_is_read() {
    let bytes = request_of(&[usual_cert_id()], &[]);
    let exactly = RequestLimits { octets_max: bytes.len(), questions_max: 1 };
    assert!(read(&bytes, exactly).is_ok());
    let less = RequestLimits { octets_max: bytes.len() - 1, ..exactly };
    assert_eq!(read(&bytes, less), Err(Malformed::TooLong));
    assert_eq!(read(&bytes, RequestLimits { questions_max: 0, ..exactly }), Err(Malformed::TooManyQuestions));
    assert_eq!(refused(&vec![0x30; 10_000_000]), Malformed::TooLong);
}

#[test]
fn q12_acceptable_responses() {
    let of = |kinds: &[u8]| {
        let value = kinds.iter().map(|kind| ocsp_oid(*kind)).collect::<Vec<_>>().concat();
        let bytes = request_of(&[usual_cert_id()], &[extension(4, &seq(&[&value]))]);
        understood(&bytes).accepts
    };
    assert_eq!(of(&[1]), Accepts::Basic);
    assert_eq!(of(&[99, 1]), Accepts::Basic);
    assert_eq!(of(&[99]), Accepts::OtherKinds);
    assert_eq!(of(&[]), Accepts::OtherKinds);
    for value in [&b"garbage"[..], b"", b"\x05\x00", &seq(&[&octets(b"")]), &seq(&[&ocsp_oid(1).repeat(100)])] {
        assert_eq!(refused(&request_of(&[usual_cert_id()], &[extension(4, value)])), Malformed::Extension);
    }
}

#[test]
fn q13_preferred_signature_algorithms_are_kept_in_their_order() {
    use SignatureAlgorithm::{EcdsaSha256, EcdsaSha384, RsaSha256};
    let identifier = |algorithm: SignatureAlgorithm| algorithm.identifier_der();
    let ed25519 = seq(&[&der(6, &[&[0x2b, 0x65, 0x70]])]);
    let rsa_key = seq(&[b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"]);
    let list = seq(&[
        &seq(&[&ed25519]),
        &seq(&[&identifier(RsaSha256), &rsa_key]),
        &seq(&[&identifier(EcdsaSha384)]),
        &seq(&[&identifier(EcdsaSha256)]),
    ]);
    let bytes = request_of(&[usual_cert_id()], &[extension(8, &list)]);
    assert_eq!(understood(&bytes).preferred, [RsaSha256, EcdsaSha384, EcdsaSha256]);
    for value in [&b"garbage"[..], b"\x05\x00", &seq(&[&ed25519]), &seq(&[&seq(&[&ed25519]).repeat(200)])] {
        assert_eq!(refused(&request_of(&[usual_cert_id()], &[extension(8, value)])), Malformed::Extension);
    }
}

#[test]
fn q14_service_locator_is_ignored() {
    let locator = seq(&[&ocsp_oid(7), &octets(&seq(&[&seq(&[])]))]);
    let single = seq(&[&usual_cert_id(), &der(0xa0, &[&seq(&[&locator])])]);
    assert_eq!(understood(&seq(&[&seq(&[&seq(&[&single])])])).questions().len(), 1);
}

#[test]
fn q15_the_same_question_twice_is_two_questions() {
    let bytes = request_of(&[usual_cert_id(), usual_cert_id()], &[]);
    let request = understood(&bytes);
    assert_eq!(request.questions().len(), 2);
    assert_eq!(request.questions()[0], request.questions()[1]);
}

#[test]
fn n1_nonces_of_1_to_128_octets_are_kept() {
    for length in [1, 16, 20, 32, 33, 127, 128] {
        let bytes = request_of(&[usual_cert_id()], &[nonce_extension(length)]);
        let request = understood(&bytes);
        assert_eq!(request.nonce.as_ref().unwrap().as_octets(), vec![0x4e; length]);
        assert_eq!(recognise(&bytes, LIMITS), Some(request), "the common shape");
    }
}

#[test]
fn n2_other_lengths_are_malformed() {
    for length in [0, 129, 4000] {
        let bytes = request_of(&[usual_cert_id()], &[nonce_extension(length)]);
        assert_eq!(refused(&bytes), Malformed::Nonce, "{length}");
    }
}

#[test]
fn n5_duplicate_unwrapped_and_critical_nonces() {
    let twice = request_of(&[usual_cert_id()], &[nonce_extension(16), nonce_extension(16)]);
    assert_eq!(refused(&twice), Malformed::DuplicateExtension);
    for value in [&[0x4e; 16][..], b"", &integer(&[1; 16]), &[octets(&[1; 16]), vec![0]].concat()] {
        assert_eq!(refused(&request_of(&[usual_cert_id()], &[extension(2, value)])), Malformed::Nonce, "{value:02x?}");
    }
    let critical = request_of(&[usual_cert_id()], &[critical(&ocsp_oid(2), &octets(&[0x4e; 16]))]);
    assert_eq!(understood(&critical).nonce.unwrap().as_octets(), [0x4e; 16]);
}
