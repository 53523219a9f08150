//! Writing a request: one question with a nonce. Used by whoever asks a responder as a verifier.

use super::Nonce;
use super::write::{self, element_len, id, tag};

/// The DER of a request about the certificate with that CertID. Without a nonce whatever was signed before may be the answer.
pub fn request(cert_id: &[u8], nonce: Option<&Nonce<'_>>) -> Vec<u8> {
    let mut list = Vec::new();
    write::element(&mut list, tag::SEQUENCE, cert_id);
    let mut tbs = Vec::new();
    write::element(&mut tbs, tag::SEQUENCE, &list);
    if let Some(nonce) = nonce {
        let mut extension = id::NONCE.to_vec();
        let octets = nonce.as_octets();
        write::header(&mut extension, tag::OCTET_STRING, element_len(octets.len()));
        write::element(&mut extension, tag::OCTET_STRING, octets);
        let length = element_len(extension.len());
        write::header(&mut tbs, tag::CONTEXT_2, element_len(length));
        write::header(&mut tbs, tag::SEQUENCE, length);
        write::element(&mut tbs, tag::SEQUENCE, &extension);
    }
    let mut out = Vec::new();
    write::header(&mut out, tag::SEQUENCE, element_len(tbs.len()));
    write::element(&mut out, tag::SEQUENCE, &tbs);
    out
}

#[cfg(test)]
mod tests {
    use super::super::{HashedIssuer, IssuerAsked, Parameters, SerialAsked, cert_id, decode, recognise};
    use super::*;
    use crate::model::{RequestLimits, Serial};

    #[test]
    fn both_readers_of_this_house_read_it() {
        let issuer = HashedIssuer::Sha1 { name: [3; 20], key: [4; 20] };
        let serial = Serial::from_unsigned(&[0x80, 1]).unwrap();
        let id = cert_id(&issuer, Parameters::Null, &serial);
        let nonce = Nonce::new(vec![9; 32]).unwrap();
        for nonce in [None, Some(&nonce)] {
            let der = request(&id, nonce);
            let read = decode(&der, RequestLimits::ANONYMOUS).unwrap();
            assert_eq!(recognise(&der, RequestLimits::ANONYMOUS).as_ref(), Some(&read));
            let [question] = read.questions() else { panic!("{read:?}") };
            assert_eq!(question.cert_id, id);
            assert_eq!(question.issuer, IssuerAsked::By(issuer, Parameters::Null));
            assert_eq!(question.serial, SerialAsked::Serial(serial));
            assert_eq!(read.nonce.as_ref(), nonce);
        }
    }
}
