//! Long files over the network: what an octet costs beside nginx, and what downloads do to answers beside them.

use std::fs;
use std::process::{Child, Command, Stdio};

use crate::Scale;
use crate::load::{Nginx, Server, ca, cpu_us, generator, in_turns};
use crate::served;
use crate::table::{Table, Verdict};

/// Processor time of an octet of a file of 40 MB, over loopback, beside nginx with `sendfile`.
pub fn cost(scale: Scale, table: &mut Table) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("reply.der"), vec![0x5a; FILE_OCTETS]).expect("a file");
    let nginx = Nginx::of(folder.path(), 7_083);
    let ours = server();
    let [own, theirs] = in_turns(scale.rounds, |at| {
        let (server, cpu): (_, &dyn Fn() -> f64) =
            if at == 0 { (&ours, &|| cpu_us(ours.pid())) } else { (&nginx.server, &|| nginx.cpu_us()) };
        let before = cpu();
        let fetched = Fetching::begin(server, 1, 0, scale.seconds).octets();
        (cpu() - before) * 1e3 / fetched
    });
    let ratio = own / theirs;
    let measured = format!("{ratio:.2} × ({own:.3} ns, nginx {theirs:.3} ns)");
    let name = "CPU per octet of a 40 MB CRL, beside nginx with sendfile";
    table.row(name, measured, "≤ 1.2 ×", "≤ 1 ×", Verdict::at_most(ratio, 1.2, 1.0));
}

/// Kept answers while eight files are fetched at 100 Mbit/s each.
pub fn beside(scale: Scale, table: &mut Table) {
    let (server, generator) = (server(), generator());
    let issuer = ca("card-sign-g2-p256").join("issuer.pem").display().to_string();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let serials = folder.path().join("serials");
    fs::write(&serials, format!("{}\n", served::serial(1))).expect("a file");
    let seconds = scale.seconds * 2;
    let load = || {
        let output = Command::new("taskset")
            .args(["-c", "1"])
            .arg(&generator)
            .args(["run", "--json", "--url", &server.url, "--issuer", &issuer, "--verify", "none"])
            .args(["--rate", "5000", "--connections", "32", "--duration", &format!("{seconds}s"), "--serials"])
            .arg(&serials)
            .output()
            .expect("taskset");
        let report: serde_json::Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("no report: {}", String::from_utf8_lossy(&output.stderr)));
        report["loads"][0]["latency_ms"]["p99"].as_f64().unwrap_or(f64::NAN)
    };
    let mut pace = f64::INFINITY;
    let [quiet, busy] = in_turns(scale.rounds, |at| {
        if at == 0 {
            return load();
        }
        let fetching = Fetching::begin(&server, 8, PACE, seconds + 1);
        let p99 = load();
        pace = pace.min(fetching.octets() / (seconds + 1) as f64 / 8.0);
        p99
    });
    // Downloads that fell behind would leave answers in peace.
    assert!(pace > 0.9 * PACE as f64, "a download at {pace:.0} octets a second, for {PACE}");
    let ratio = busy / quiet;
    let name = "OCSP p99 (5,000/s) with 8 downloads of 40 MB at 100 Mbit/s each, against quiet";
    let measured = format!("{ratio:.2} × ({busy:.3} ms, quiet {quiet:.3} ms)");
    table.row(name, measured, "≤ 2 ×", "≤ 1.3 ×", Verdict::at_most(ratio, 2.0, 1.3));
}

fn server() -> Server {
    let what = ["certificates=10000".into(), "kept=filled".into(), format!("file={FILE_OCTETS}")];
    Server::responder(7_080, "0", &what)
}

/// Downloads on the second core.
struct Fetching(Child);

impl Fetching {
    fn begin(server: &Server, downloads: usize, octets_a_second: u64, seconds: u64) -> Self {
        let at = server.url.trim_start_matches("http://").trim_end_matches("/ocsp");
        let program = std::env::current_exe().expect("this program has a path");
        let child = Command::new("taskset")
            .args(["-c", "1"])
            .arg(program)
            .args(["fetch", &format!("at={at}"), &format!("downloads={downloads}"), &format!("seconds={seconds}")])
            .arg(format!("octets-a-second={octets_a_second}"))
            .stdout(Stdio::piped())
            .spawn();
        Self(child.expect("taskset"))
    }

    /// How many came, when it has ended.
    fn octets(self) -> f64 {
        let output = self.0.wait_with_output().expect("a process of our own");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.trim().parse().expect("a number of octets")
    }
}

const FILE_OCTETS: usize = 40_000_000;
/// 100 Mbit/s.
const PACE: u64 = 12_500_000;
