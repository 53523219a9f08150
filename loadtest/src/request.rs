//! Requests as octets: everything that does not change is built once; serial, nonce and lengths are written each time.
//! Used by `engine` for every request and by `judge` to know which CertIDs must come back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::sha2::{Digest as _, Sha256};
use sha1::Sha1;

use crate::answer::OID_NONCE;
use crate::certificate::Certificate;
use crate::der::{put_head, whole_length};
use crate::serials::Key;

/// By which hashes a CertID names the issuer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HashName {
    #[default]
    Sha1,
    Sha256,
}

/// How the request travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    Get,
    #[default]
    Post,
}

/// Whether connections are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// HTTP/1.1 keep-alive.
    Keep,
    /// HTTP/1.0, one connection for each request.
    Close,
}

/// Writes requests about certificates of one issuer.
#[derive(Debug)]
pub struct Writer {
    /// CertID without its own head and without the serial.
    issuer: Vec<u8>,
    method: Method,
    /// The request line up to the path's end, and what comes behind it.
    before: Vec<u8>,
    behind: Vec<u8>,
    scratch: Vec<u8>,
}

/// A nonce of the length that RFC 9654 asks clients to send.
pub type Nonce = [u8; 32];

impl Writer {
    /// `path` as in the URL, `host` with its port.
    pub fn new(issuer: &Certificate, hash: HashName, method: Method, reuse: Reuse, host: &str, path: &str) -> Self {
        let version = match reuse {
            Reuse::Keep => "1.1",
            Reuse::Close => "1.0",
        };
        let (verb, slash, kind) = match method {
            Method::Post => ("POST", "", "Content-Type: application/ocsp-request\r\nContent-Length: "),
            Method::Get => ("GET", if path.ends_with('/') { "" } else { "/" }, ""),
        };
        Self {
            issuer: cert_id_prefix(issuer, hash),
            method,
            before: format!("{verb} {path}{slash}").into_bytes(),
            behind: format!(" HTTP/{version}\r\nHost: {host}\r\nAccept: application/ocsp-response\r\n{kind}")
                .into_bytes(),
            scratch: Vec::new(),
        }
    }

    /// Replaces `out` by a request about `keys`, in their order.
    pub fn write<'k>(&mut self, keys: impl Iterator<Item = &'k Key> + Clone, nonce: Option<&Nonce>, out: &mut Vec<u8>) {
        let mut der = std::mem::take(&mut self.scratch);
        der.clear();
        self.write_der(keys, nonce, &mut der);
        out.clear();
        out.extend_from_slice(&self.before);
        match self.method {
            Method::Post => {
                out.extend_from_slice(&self.behind);
                put_decimal(out, der.len());
                out.extend_from_slice(b"\r\n\r\n");
                out.extend_from_slice(&der);
            }
            Method::Get => {
                put_path(out, &der);
                out.extend_from_slice(&self.behind);
                out.extend_from_slice(b"\r\n");
            }
        }
        self.scratch = der;
    }

    /// The OCSPRequest alone.
    pub fn write_der<'k>(&self, keys: impl Iterator<Item = &'k Key> + Clone, nonce: Option<&Nonce>, out: &mut Vec<u8>) {
        let list: usize = keys.clone().map(|key| whole_length(whole_length(self.cert_id_length(key)))).sum();
        let extension = if nonce.is_some() { NONCE_HEAD.len() + 32 } else { 0 };
        let body = whole_length(list) + extension;
        put_head(out, 0x30, whole_length(body));
        put_head(out, 0x30, body);
        put_head(out, 0x30, list);
        for key in keys {
            put_head(out, 0x30, whole_length(self.cert_id_length(key)));
            self.write_cert_id(key, out);
        }
        if let Some(nonce) = nonce {
            out.extend_from_slice(&NONCE_HEAD);
            out.extend_from_slice(nonce);
        }
    }

    /// The CertID of `key`, with tag and length.
    pub fn write_cert_id(&self, key: &Key, out: &mut Vec<u8>) {
        put_head(out, 0x30, self.cert_id_length(key));
        out.extend_from_slice(&self.issuer);
        put_head(out, 2, key.octets().len());
        out.extend_from_slice(key.octets());
    }

    fn cert_id_length(&self, key: &Key) -> usize {
        self.issuer.len() + whole_length(key.octets().len())
    }
}

fn cert_id_prefix(issuer: &Certificate, hash: HashName) -> Vec<u8> {
    let digest = |bytes: &[u8]| match hash {
        HashName::Sha1 => Sha1::digest(bytes).to_vec(),
        HashName::Sha256 => Sha256::digest(bytes).to_vec(),
    };
    let id: &[u8] = match hash {
        HashName::Sha1 => &[0x2b, 0x0e, 3, 2, 0x1a],
        HashName::Sha256 => &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1],
    };
    let mut out = Vec::new();
    // With parameters NULL, as openssl and the JDK send it.
    put_head(&mut out, 0x30, whole_length(id.len()) + 2);
    put_head(&mut out, 6, id.len());
    out.extend_from_slice(id);
    out.extend([5, 0]);
    for hash in [digest(&issuer.subject), digest(&issuer.key_bits)] {
        put_head(&mut out, 4, hash.len());
        out.extend(hash);
    }
    out
}

/// RFC 6960 A.1: base64, then what a path may not hold escaped.
fn put_path(out: &mut Vec<u8>, der: &[u8]) {
    let start = out.len();
    out.resize(start + der.len().div_ceil(3) * 4, 0);
    let written = STANDARD.encode_slice(der, &mut out[start..]).expect("room was made for it");
    debug_assert_eq!(start + written, out.len());
    let special = |octet: &u8| matches!(octet, b'+' | b'/' | b'=');
    let extra = out[start..].iter().filter(|octet| special(octet)).count() * 2;
    // From behind, so that nothing is overwritten before it was moved.
    let (mut from, mut to) = (out.len(), out.len() + extra);
    out.resize(to, 0);
    while from < to {
        from -= 1;
        let escaped: &[u8] = match out[from] {
            b'+' => b"%2B",
            b'/' => b"%2F",
            b'=' => b"%3D",
            plain => {
                to -= 1;
                out[to] = plain;
                continue;
            }
        };
        to -= 3;
        out[to..to + 3].copy_from_slice(escaped);
    }
}

fn put_decimal(out: &mut Vec<u8>, number: usize) {
    let (mut digits, mut at, mut rest) = ([0; 20], 20, number);
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            return out.extend_from_slice(&digits[at..]);
        }
    }
}

/// `[2] { SEQUENCE { SEQUENCE { id-pkix-ocsp-nonce, OCTET STRING { OCTET STRING of 32`, all but the nonce itself.
const NONCE_HEAD: [u8; 21] = {
    let mut head = [0xa2, 51, 0x30, 49, 0x30, 47, 6, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 34, 4, 32];
    let mut at = 0;
    while at < OID_NONCE.len() {
        head[8 + at] = OID_NONCE[at];
        at += 1;
    }
    head
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;
    use crate::serials::Expected;

    #[test]
    fn what_is_written_is_what_rasn_reads_and_would_write() {
        let ca = fake::Ca::p256();
        let keys: Vec<Key> =
            [&[1][..], &[0x80], &[0xff; 20]].map(|it| Key::new(it, Expected::Anything).unwrap()).to_vec();
        let many = keys.repeat(300);
        for hash in [HashName::Sha1, HashName::Sha256] {
            let writer = Writer::new(&ca.issuer, hash, Method::Post, Reuse::Keep, "h", "/");
            for keys in [&keys[..1], &keys[1..2], &keys, &many] {
                for nonce in [None, Some([9; 32])] {
                    let mut der = Vec::new();
                    writer.write_der(keys.iter(), nonce.as_ref(), &mut der);
                    let request: rasn_ocsp::OcspRequest = rasn::der::decode(&der).unwrap();
                    assert_eq!(rasn::der::encode(&request).unwrap(), der);
                    assert_eq!(request.tbs_request.request_list.len(), keys.len());
                    let extensions = request.tbs_request.request_extensions.map_or(0, |extensions| extensions.len());
                    assert_eq!(extensions, usize::from(nonce.is_some()));
                    let mut cert_id = Vec::new();
                    writer.write_cert_id(&keys[0], &mut cert_id);
                    assert_eq!(rasn::der::encode(&request.tbs_request.request_list[0].req_cert).unwrap(), cert_id);
                }
            }
        }
    }

    #[test]
    fn a_path_is_base64_with_its_special_letters_escaped() {
        for bytes in [&[0xfb, 0xff, 0xfe, 0x3e][..], &[0xff; 40], b"plain text", &[]] {
            let mut out = b"/ocsp/".to_vec();
            put_path(&mut out, bytes);
            let path = String::from_utf8(out).unwrap();
            assert!(!path[6..].contains(['+', '/', '=']), "{path}");
            let plain = path[6..].replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
            assert_eq!(STANDARD.decode(plain).unwrap(), bytes);
        }
    }

    #[test]
    fn the_length_of_a_body_is_its_length() {
        let ca = fake::Ca::p256();
        let key = Key::new(&[7], Expected::Good).unwrap();
        let mut out = Vec::new();
        Writer::new(&ca.issuer, HashName::Sha1, Method::Post, Reuse::Close, "h:1", "/ocsp").write(
            [&key].into_iter(),
            None,
            &mut out,
        );
        let at = out.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(out[..at].to_vec()).unwrap();
        assert!(head.starts_with("POST /ocsp HTTP/1.0\r\nHost: h:1\r\n"), "{head}");
        assert!(head.ends_with(&format!("Content-Length: {}", out.len() - at - 4)), "{head}");
    }
}
