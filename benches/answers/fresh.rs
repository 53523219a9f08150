//! From a commit in the ledger by another process to the first answer that shows it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rasn_ocsp::{BasicOcspResponse, CertStatus, OcspResponse};
use tashika::app::Writer;
use tashika::asn1::ocsp::{Parameters, cert_id};
use tashika::asn1::{CertificateFields, certificates_in};
use tashika::desk::{Desk, Task};
use tashika::ledger::Ledger;
use tashika::ledger::sqlite::SqliteLedger;
use tashika::model::{Actor, CertificateKey, Channel, Command as Asked, PersonId, Policy, Request, Role, Time};

use crate::Scale;
use crate::load::generator;
use crate::served::time;
use crate::table::{Table, Verdict};

/// On the embedded ledger of a demonstration, while it answers others, too.
pub fn sqlite(scale: Scale, table: &mut Table) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = folder.path().join("demo");
    let _up = up(&dir);
    let ledger: Arc<dyn Ledger> =
        Arc::new(SqliteLedger::open(&dir.join("ledger.db")).expect("the demonstration's ledger"));
    let load = beside(&dir, scale);
    let mut latencies = latencies(&ledger, &dir, if scale.rounds > 2 { 500 } else { 100 });
    drop(load);
    latencies.sort_by(f64::total_cmp);
    let (p50, p99) = (latencies[latencies.len() / 2], latencies[latencies.len() * 99 / 100]);
    table.row(
        "commit by another process → first answer that shows it, at half load, SQLite",
        format!("p99 {p99:.1} ms (p50 {p50:.1} ms, {} holds)", latencies.len()),
        "≤ 20 ms",
        "≤ 5 ms",
        Verdict::at_most(p99, 20.0, 5.0),
    );
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn up(dir: &Path) -> Killed {
    let built = Command::new("cargo").args(["build", "--release", "--bin", "tashika"]).status().expect("cargo");
    assert!(built.success(), "the program can't be built");
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/release/tashika");
    let mut child = Command::new(program)
        .args(["up", "--listen", ADDRESS, "--admin", "127.0.0.1:7087", "--certificates", "2000", "--dir"])
        .arg(dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    assert!(lines.map_while(Result::ok).any(|line| line.starts_with("ready")), "the demonstration is not ready");
    Killed(child)
}

/// Others' questions, about half of what the machine can carry with its generator on it.
fn beside(dir: &Path, scale: Scale) -> Killed {
    let issuer = dir.join("demo/phone-auth/issuer.pem").display().to_string();
    let good = dir.join("demo/phone-auth/good.pem").display().to_string();
    let seconds = format!("{}s", scale.seconds * 60);
    let child = Command::new(generator())
        .args(["run", "--url", &format!("http://{ADDRESS}/ocsp"), "--issuer", &issuer, "--cert", &good])
        .args(["--rate", "20000", "--connections", "32", "--verify", "none", "--duration", &seconds])
        .stdout(Stdio::null())
        .spawn();
    std::thread::sleep(Duration::from_secs(1));
    Killed(child.expect("the load generator"))
}

/// One hold after another; for each, milliseconds from its acknowledgement to the first answer that isn't good any more.
fn latencies(ledger: &Arc<dyn Ledger>, dir: &Path, count: usize) -> Vec<f64> {
    let pem = std::fs::read(dir.join("demo/card-auth/issuer.pem")).expect("the demonstration's CA");
    let fields = CertificateFields::from_der(&certificates_in(&pem).expect("a certificate")[0]).expect("a certificate");
    let issuer = fields.issuer_hashes();
    let book = ledger.book().expect("a book").1;
    let no = book.issuers.iter().find(|one| one.key_sha1 == issuer.key_sha1).expect("the CA").no;
    let mut keys: Vec<CertificateKey> = Vec::new();
    let scanned = ledger.scan(&mut |entry| {
        let good = entry.status.revocation().is_none() && entry.status.holds.is_empty();
        if entry.certificate.key.issuer == no && good && entry.status.life == tashika::model::Life::Active {
            keys.push(entry.certificate.key);
        }
        if keys.len() < count { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    scanned.expect("a scan");
    let policy = Policy { budget_floor: u32::MAX, ..Policy::default() };
    let writer = Writer::new(Desk::new(ledger.clone(), policy), now);
    keys.iter().map(|key| shown_after(&writer, *key, &cert_id(&issuer.sha1(), Parameters::Null, &key.serial))).collect()
}

fn shown_after(writer: &Writer, key: CertificateKey, cert_id: &[u8]) -> f64 {
    let octets = (0..4).fold(cert_id.to_vec(), |inner, _| {
        let mut outer = vec![0x30, u8::try_from(inner.len()).expect("short")];
        outer.extend(inner);
        outer
    });
    let mut stream = TcpStream::connect(ADDRESS).expect("the listener");
    stream.set_nodelay(true).expect("a socket");
    assert!(is_good(&mut stream, &octets), "nothing was held yet");
    let polls = AtomicBool::new(true);
    std::thread::scope(|scope| {
        let poll = scope.spawn(|| {
            while polls.load(Ordering::Relaxed) {
                if !is_good(&mut stream, &octets) {
                    return Some(Instant::now());
                }
            }
            None
        });
        let actor = Actor { role: Role::CallCentre, person: PersonId([7; 16]), channel: Channel::Api };
        let command = Asked::Hold { key, lost_at: None };
        writer.submit(Task::Request(Request { actor, command, idempotency: None })).expect("a hold");
        let acknowledged = Instant::now();
        while !poll.is_finished() && acknowledged.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_micros(200));
        }
        polls.store(false, Ordering::Relaxed);
        let shown = poll.join().expect("a poll").expect("an answer shows it within five seconds");
        shown.saturating_duration_since(acknowledged).as_secs_f64() * 1e3
    })
}

fn is_good(stream: &mut TcpStream, octets: &[u8]) -> bool {
    let head = format!(
        "POST /ocsp HTTP/1.1\r\nHost: x\r\nContent-Type: application/ocsp-request\r\nContent-Length: {}\r\n\r\n",
        octets.len()
    );
    stream.write_all(&[head.as_bytes(), octets].concat()).expect("a request");
    let mut answer = vec![0; 4_096];
    let mut length = 0;
    loop {
        length += stream.read(&mut answer[length..]).expect("an answer");
        let text = &answer[..length];
        let Some(head) = text.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let names = String::from_utf8_lossy(&text[..head]).to_lowercase();
        let body =
            names.split("content-length: ").nth(1).and_then(|rest| rest.split('\r').next()?.parse::<usize>().ok());
        if length >= head + 4 + body.expect("a length") {
            let response: OcspResponse = rasn::der::decode(&text[head + 4..]).expect("a response");
            let basic: BasicOcspResponse =
                rasn::der::decode(&response.bytes.expect("a reply").response).expect("basic");
            return matches!(basic.tbs_response_data.responses[0].cert_status, CertStatus::Good);
        }
    }
}

fn now() -> Time {
    time()
}

const ADDRESS: &str = "127.0.0.1:7086";
