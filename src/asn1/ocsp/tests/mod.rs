//! Requests and replies against the rows of RFC 6960, 9654 and 9919, against `rasn-ocsp`, and against openssl.
//!
//! Requests are made here from parts by hand, since most of them are wrong in some way.

mod agreement;
mod replies;
mod requests;

use super::*;
use crate::model::{RequestLimits, Serial};

const LIMITS: RequestLimits = RequestLimits::ACCREDITED;

/// One element around the parts.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let contents = parts.concat();
    let mut der = vec![tag];
    match contents.len() {
        length @ ..0x80 => der.push(length as u8),
        length @ 0x80..0x1_0000 => {
            der.push(0x82);
            der.extend((length as u16).to_be_bytes());
            if length < 0x100 {
                der.splice(1..3, [0x81]);
            }
        }
        length => {
            der.push(0x83);
            der.extend(&(length as u32).to_be_bytes()[1..]);
        }
    }
    der.extend(contents);
    der
}

fn seq(parts: &[&[u8]]) -> Vec<u8> {
    der(0x30, parts)
}

fn octets(contents: &[u8]) -> Vec<u8> {
    der(4, &[contents])
}

fn integer(contents: &[u8]) -> Vec<u8> {
    der(2, &[contents])
}

/// Not the constants of the room: written down once more.
const SHA1_NULL: &[u8] = b"\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00";
const SHA1_ABSENT: &[u8] = b"\x30\x07\x06\x05\x2b\x0e\x03\x02\x1a";
const SHA256_NULL: &[u8] = b"\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00";
const SHA256_ABSENT: &[u8] = b"\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01";
const MD5_NULL: &[u8] = b"\x30\x0c\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x05\x05\x00";

/// A CertID with these contents of the serial's INTEGER.
fn asked(algorithm: &[u8], hash_len: usize, serial: &[u8]) -> Vec<u8> {
    seq(&[algorithm, &octets(&vec![0xaa; hash_len]), &octets(&vec![0xbb; hash_len]), &integer(serial)])
}

fn usual_cert_id() -> Vec<u8> {
    asked(SHA1_NULL, 20, &[0x12, 0x34])
}

/// An OCSPRequest with those CertIDs and, if there are any, those extensions.
fn request_of(cert_ids: &[Vec<u8>], extensions: &[Vec<u8>]) -> Vec<u8> {
    let singles: Vec<u8> = cert_ids.iter().flat_map(|cert_id| seq(&[cert_id])).collect();
    let list = seq(&[&singles]);
    if extensions.is_empty() {
        return seq(&[&seq(&[&list])]);
    }
    seq(&[&seq(&[&list, &der(0xa2, &[&seq(&[&extensions.concat()])])])])
}

/// An extension of id-pkix-ocsp that isn't critical.
fn extension(last_arc: u8, value: &[u8]) -> Vec<u8> {
    seq(&[&ocsp_oid(last_arc), &octets(value)])
}

fn critical(oid: &[u8], value: &[u8]) -> Vec<u8> {
    seq(&[oid, &[1, 1, 0xff], &octets(value)])
}

fn ocsp_oid(last_arc: u8) -> Vec<u8> {
    der(6, &[b"\x2b\x06\x01\x05\x05\x07\x30\x01", &[last_arc]])
}

fn nonce_extension(length: usize) -> Vec<u8> {
    extension(2, &octets(&vec![0x4e; length]))
}

fn sha1_issuer() -> HashedIssuer {
    HashedIssuer::Sha1 { name: [0xaa; 20], key: [0xbb; 20] }
}

fn sha256_issuer() -> HashedIssuer {
    HashedIssuer::Sha256 { name: [0xaa; 32], key: [0xbb; 32] }
}

fn serial(octets: &[u8]) -> Serial {
    Serial::from_unsigned(octets).unwrap()
}
