//! A bucket over TLS: taken with the roots that the system has, and with none that it doesn't have.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tashika::publisher::bucket::BucketStore;
use tashika::publisher::{BucketPlace, Store, StoreError};

use crate::bucket_server::{Bucket, Server};
use crate::contract::{index, put};

/// Endpoint, prefix, key and secret of the server that speaks TLS.
const PLACE: &str = "TASHIKA_STORE_TLS";

fn openssl(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("openssl");
    command.env_remove("OPENSSL_CONF").env("LC_ALL", "C").stdin(Stdio::null()).current_dir(folder);
    let output = command.args(arguments).output().expect("`cargo xtask setup` installs openssl");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// `ca.pem`, and `server.pem` with `server.key` for 127.0.0.1.
fn certify(folder: &Path) {
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    openssl(
        folder,
        &[&["req", "-x509"], &key[..], &["-subj", "/CN=roots", "-keyout", "ca.key", "-out", "ca.pem"]].concat(),
    );
    openssl(
        folder,
        &[&["req"], &key[..], &["-subj", "/CN=s3", "-keyout", "server.key", "-out", "server.csr"]].concat(),
    );
    fs::write(folder.join("names"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    let issue = ["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"];
    openssl(folder, &[&issue[..], &["-extfile", "names", "-out", "server.pem"]].concat());
}

#[test]
fn over_tls_a_server_is_taken_by_the_systems_roots_only() {
    let folder = tempfile::tempdir().unwrap();
    certify(folder.path());
    let at = |name: &str| folder.path().join(name);
    let server = Server::start(&[&at("server.pem"), &at("server.key")]);
    let bucket = Bucket::at(&server);
    // Not with the roots of this process.
    let error = put(&bucket.open(), &index(1), b"{}").unwrap_err();
    assert!(matches!(error, StoreError::Medium { .. }) && bucket.open().get(&index(1)).is_err(), "{error}");
    // Another process, with its own roots, puts what it can read.
    let words = [
        bucket.place.endpoint.as_deref().unwrap(),
        &bucket.place.prefix,
        &bucket.environment[0].1,
        &bucket.environment[1].1,
    ];
    let status = Command::new(env::current_exe().unwrap())
        .args(["--exact", "tls::a_publication_over_tls", "--test-threads=1"])
        .env("SSL_CERT_FILE", at("ca.pem"))
        .env(PLACE, words.join(" "))
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

/// The process that the other starts; on its own it publishes without TLS.
#[test]
fn a_publication_over_tls() {
    let store = match env::var(PLACE) {
        Ok(words) => {
            let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
            let [endpoint, prefix, key, secret] = words.try_into().unwrap();
            let place = BucketPlace { endpoint: Some(endpoint), prefix, ..Bucket::new().place };
            let environment = [("AWS_ACCESS_KEY_ID".into(), key), ("AWS_SECRET_ACCESS_KEY".into(), secret)];
            BucketStore::open(&place, environment).unwrap()
        }
        Err(_) => Bucket::new().open(),
    };
    put(&store, &index(1), b"{}").unwrap();
    let tip = store.advance(None, 1.into()).unwrap();
    assert_eq!((store.get(&index(1)).unwrap().unwrap(), store.tip().unwrap()), (b"{}".to_vec(), Some(tip)));
}
