//! Somebody who asks a house about one certificate after the other, over one connection, and reads the answers with `rasn`.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use rasn_ocsp::{BasicOcspResponse, CertStatus, OcspResponse};
use tashika::asn1::ocsp::{HashedIssuer, Parameters, cert_id};
use tashika::model::Serial;

use crate::house;

/// One connection.
pub struct Asker {
    stream: TcpStream,
    issuer: HashedIssuer,
}

impl Asker {
    /// To the house that is served.
    pub fn connect() -> Self {
        let stream = TcpStream::connect(house::ADDRESS).expect("the listener");
        stream.set_nodelay(true).expect("a socket");
        Self { stream, issuer: house::issuer().issuer_hashes().sha1() }
    }

    /// Whether that certificate is said to be good.
    pub fn is_good(&mut self, serial: &Serial) -> bool {
        let octets = request(&cert_id(&self.issuer, Parameters::Null, serial));
        let head = format!(
            "POST /ocsp HTTP/1.1\r\nHost: x\r\nContent-Type: application/ocsp-request\r\nContent-Length: {}\r\n\r\n",
            octets.len()
        );
        self.stream.write_all(&[head.as_bytes(), &octets].concat()).expect("a request");
        let mut answer = vec![0; 4_096];
        let mut length = 0;
        loop {
            length += self.stream.read(&mut answer[length..]).expect("an answer");
            let text = &answer[..length];
            let Some(head) = text.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let names = String::from_utf8_lossy(&text[..head]).to_lowercase();
            let body =
                names.split("content-length: ").nth(1).and_then(|rest| rest.split('\r').next()?.parse::<usize>().ok());
            if length >= head + 4 + body.expect("a length") {
                return says_good(&text[head + 4..]);
            }
        }
    }
}

/// An OCSPRequest of one question.
pub fn request(cert_id: &[u8]) -> Vec<u8> {
    (0..4).fold(cert_id.to_vec(), |inner, _| {
        let mut outer = vec![0x30, u8::try_from(inner.len()).expect("short")];
        outer.extend(inner);
        outer
    })
}

fn says_good(body: &[u8]) -> bool {
    let response: OcspResponse = rasn::der::decode(body).expect("a response");
    let basic = response.bytes.expect("a reply").response;
    let basic: BasicOcspResponse = rasn::der::decode(&basic).expect("a basic response");
    matches!(basic.tbs_response_data.responses[0].cert_status, CertStatus::Good)
}
