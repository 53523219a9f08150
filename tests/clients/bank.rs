//! What the two TLS servers have in common: a bank's folder and key, starting and ending, and customers who log in.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::house::{CAS, data, issuer};
use crate::tool::{self, Call};

/// A folder with what a server needs, and the server once it is started; ended and removed when dropped.
pub struct Bank {
    dir: tempfile::TempDir,
    pub port: u16,
    server: Option<Child>,
}

/// The CAs of the test data.
pub fn known() -> Vec<String> {
    CAS.into_iter().map(issuer).chain([data("root.pem")]).collect()
}

/// What became of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    Admitted,
    Refused,
}

impl Bank {
    /// With a server's certificate, the CAs whose customers it knows, and something to see for whoever is let in.
    pub fn new(known: &[String]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        // A server that gives up root's rights still reads what it shows.
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let bank = Self { dir, port, server: None };
        let (key, certificate) = (bank.file("server.key"), bank.file("server.pem"));
        let request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
        let names = ["-config", "/dev/null", "-subj", "/CN=bank.example", "-keyout", &key, "-out", &certificate];
        tool::call(Path::new("openssl"), &[&request[..], &names].concat(), b"").lines();
        bank.write("customers.pem", &known.iter().flat_map(|file| fs::read(file).unwrap()).collect::<Vec<_>>());
        fs::create_dir(bank.path("shown")).unwrap();
        bank.write("shown/index.html", WELCOME.as_bytes());
        bank
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn file(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    pub fn write(&self, name: &str, contents: &[u8]) {
        fs::write(self.path(name), contents).unwrap();
    }

    /// Starts the server, which must stay in the foreground, and waits until it answers.
    pub fn start(&mut self, command: &mut Command) {
        let out = fs::File::create(self.path("said")).unwrap();
        let spawned = command.stdin(Stdio::null()).stdout(out.try_clone().unwrap()).stderr(out).spawn();
        self.server = Some(spawned.unwrap());
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.server.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none() && began.elapsed() < PATIENCE, "{ended:?}: {}", self.told());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What the server has written about itself and its customers.
    pub fn told(&self) -> String {
        ["said", "errors"].map(|name| fs::read_to_string(self.path(name)).unwrap_or_default()).concat()
    }

    /// A customer with that certificate and its key, or that of all in its folder.
    pub fn login(&self, certificate: &str) -> Login {
        let call = self.visit(certificate);
        let text = call.text();
        if text.contains(WELCOME) {
            return Login::Admitted;
        }
        // Refused by the server, and not for want of a connection.
        let refused = ["400 Bad Request", "alert"].iter().any(|word| text.contains(word));
        assert!(refused, "neither let in nor turned away: {text}\n{}", self.told());
        Login::Refused
    }

    fn visit(&self, certificate: &str) -> Call {
        let (at, ca) = (format!("127.0.0.1:{}", self.port), self.file("server.pem"));
        let own = Path::new(certificate).with_extension("key");
        let key = if own.exists() { own } else { own.with_file_name("leaf.key") };
        let identity = ["-cert", certificate, "-key", key.to_str().unwrap(), "-CAfile", &ca];
        let connection = ["s_client", "-quiet", "-verify_return_error", "-connect", &at];
        let request = b"GET /index.html HTTP/1.0\r\n\r\n";
        tool::call(Path::new("openssl"), &[&connection[..], &identity].concat(), request)
    }
}

impl Drop for Bank {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            // In order, so that it leaves no shared memory behind; if it has ended already, that is what is wanted.
            let _ = Command::new("kill").arg(server.id().to_string()).status();
            let _ = server.wait();
        }
    }
}

pub const WELCOME: &str = "welcome, customer\n";

const PATIENCE: Duration = Duration::from_secs(30);
