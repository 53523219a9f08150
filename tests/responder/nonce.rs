//! Nonces: repeated as they came, given to nobody else, of one octet to 128.

use tashika::responder::{Refusal, Reuse};

use crate::bureau::{Bureau, Ca, stranger};
use crate::ocsp::{Form, MALFORMED, Said, cert_id, request};

#[test]
fn a_nonce_comes_back_and_its_answer_is_kept_for_nobody() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let one = bureau.register(0);
    let id = cert_id(&bureau.cas[0].certificate(), one.1.serial.as_octets(), Form::Sha1Null);
    let mut before = 0;
    for length in [1, 16, 20, 32, 33, 128] {
        let nonce = vec![length as u8; length];
        let asked = request(std::slice::from_ref(&id), Some(&nonce));
        for _ in 0..2 {
            let answer = bureau.answer(&asked);
            let seen = bureau.read(0, &answer);
            assert_eq!((seen.said(), seen.nonce.as_deref()), (Said::Good, Some(&nonce[..])));
            assert_eq!(answer.unwrap().reuse, Reuse::Never);
            before += 1;
            assert_eq!(bureau.hand.signed(), before, "each is signed for itself");
        }
    }
    bureau.ask(stranger(1), &bureau.usual(0, &one.1)).waits();
    assert_eq!(bureau.responder.figures().kept, 0, "nothing with a nonce is kept");
}

#[test]
fn an_answer_without_a_nonce_is_not_changed_by_one_that_has_one() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let one = bureau.register(0);
    let plain = bureau.usual(0, &one.1);
    let kept = bureau.answer(&plain).unwrap().der;
    let id = cert_id(&bureau.cas[0].certificate(), one.1.serial.as_octets(), Form::Sha1Null);
    bureau.answer(&request(&[id], Some(&[7; 32]))).unwrap();
    assert_eq!(bureau.ask(stranger(1), &plain).kept().der, kept);
    assert_eq!(bureau.seen(&plain).nonce, None);
}

#[test]
fn a_nonce_of_no_octets_or_too_many_is_malformed() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let one = bureau.register(0);
    let id = cert_id(&bureau.cas[0].certificate(), one.1.serial.as_octets(), Form::Sha1Null);
    for length in [0, 129, 4_000] {
        let refused = bureau.answer(&request(std::slice::from_ref(&id), Some(&vec![1; length])));
        assert!(matches!(refused, Err(Refusal::Malformed(_))), "{length}: {refused:?}");
        assert_eq!(bureau.read(0, &refused).status, MALFORMED, "{length}");
    }
    assert_eq!(bureau.hand.signed(), 0);
}
