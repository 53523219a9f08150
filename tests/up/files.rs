//! `up` serves files: what its certificates' AIA leads to, and the newest checkpoint.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use base64::Engine as _;

use crate::program::{Program, ask, until};

/// The head of the answer in lower case, and its body.
pub fn fetch(address: &str, path: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let head = answer.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
    (String::from_utf8_lossy(&answer[..head]).to_lowercase(), answer.split_off(head + 4))
}

#[test]
fn certificates_of_cas_and_the_newest_checkpoint_are_served() {
    let dir = tempfile::tempdir().unwrap();
    let demo = dir.path().join("demo");
    let mut up = Program::up(&demo, &["--certificates", "0"]);
    let at = up.ready();
    for issuer in ["card-auth", "card-sign", "phone-auth"] {
        let (head, der) = fetch(&at.public, &format!("/ca/{issuer}.cer"));
        assert!(head.contains(" 200 ok") && head.contains("content-type: application/pkix-cert"), "{head}");
        let pem = std::fs::read_to_string(demo.join("demo").join(issuer).join("issuer.pem")).unwrap();
        let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        assert_eq!(der, base64::engine::general_purpose::STANDARD.decode(base64).unwrap(), "{issuer}");
    }
    let kept = || std::fs::read_to_string(demo.join("checkpoints.txt")).unwrap_or_default();
    until("the last checkpoint in the file is the one that is served", || {
        let (head, body) = fetch(&at.public, "/checkpoint");
        let body = String::from_utf8(body).unwrap();
        head.contains(" 200 ok") && head.contains("tashika-position: ") && kept().trim_end().ends_with(body.trim_end())
    });
    assert_eq!(ask(&at.public, "GET", "/ca/nobody.cer").0, 404);
    assert_eq!(ask(&at.public, "PUT", "/checkpoint").0, 405);
    assert!(up.end("TERM").success());
}
