//! An S3 server for the tests of this folder, and buckets in it. Used by the contract and by the bucket's own tests.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tashika::publisher::BucketPlace;
use tashika::publisher::bucket::BucketStore;

/// A prefix of its own in the server's one bucket.
pub struct Bucket {
    pub place: BucketPlace,
    pub environment: Vec<(String, String)>,
}

impl Bucket {
    pub fn new() -> Self {
        static SERVER: OnceLock<Server> = OnceLock::new();
        Self::at(SERVER.get_or_init(|| Server::start(&[])))
    }

    /// In that server's bucket.
    pub fn at(server: &Server) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let place = BucketPlace {
            bucket: "crls".into(),
            prefix: format!("test/{}", NEXT.fetch_add(1, Ordering::Relaxed)),
            endpoint: Some(server.url.clone()),
            region: None,
            timeout: Duration::from_secs(60),
        };
        let environment = [("AWS_ACCESS_KEY_ID", &server.key), ("AWS_SECRET_ACCESS_KEY", &server.secret)];
        Self { place, environment: environment.map(|(name, value)| (name.to_owned(), value.clone())).to_vec() }
    }

    pub fn open(&self) -> BucketStore {
        BucketStore::open(&self.place, self.environment.clone()).unwrap()
    }
}

/// A server that is running.
pub struct Server {
    url: String,
    key: String,
    secret: String,
    /// With its standard input, which the system closes with this process, however that ends; then it ends as well.
    _process: Child,
}

impl Server {
    /// With the files of a certificate and its key: over TLS.
    pub fn start(tls: &[&Path]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stores/python/bucket_server.py");
        let mut child = Command::new(python())
            .arg(script)
            .args(tls)
            // None of the settings of whoever runs the tests.
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        let [url, key, secret] = words[..] else { panic!("the server didn't start: {line:?}") };
        Self { url: url.into(), key: key.into(), secret: secret.into(), _process: child }
    }
}

/// The environment with exactly the packages of `python/requirements.txt`.
fn python() -> std::path::PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("target/stores-python");
    let installed = std::fs::read(folder.join("requirements.txt")).ok();
    let wanted = std::fs::read(root.join("tests/stores/python/requirements.txt")).unwrap();
    let remedy = "`cargo xtask setup` installs what the tests need";
    assert!(installed == Some(wanted), "{} is missing or of another list: {remedy}", folder.display());
    folder.join("bin/python")
}
