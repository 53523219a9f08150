//! Kept answers over the network, beside what the same octets cost without a responder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Scale;
use crate::load::{Nginx, Server, ca, generator, in_turns, load};
use crate::served;
use crate::table::{Table, Verdict};

/// What the figures of this file work with.
struct Bench {
    folder: tempfile::TempDir,
    generator: PathBuf,
    issuer: String,
    seconds: String,
}

impl Bench {
    fn new(scale: Scale) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("loadtest/floor/build.sh");
        let built = Command::new("sh").arg(script).arg(folder.path()).status().expect("sh");
        assert!(built.success(), "the floors can't be built: is there a C compiler?");
        let issuer = ca(CA).join("issuer.pem").display().to_string();
        Self { folder, generator: generator(), issuer, seconds: format!("{}s", scale.seconds) }
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// A list of serials: the first so many.
    fn serials(&self, count: u64) -> String {
        let text: String = (1..=count).map(|number| format!("{}\n", served::serial(number))).collect();
        let file = self.file(&format!("serials-{count}"));
        fs::write(&file, text).expect("a file");
        file
    }

    /// One answer as it came.
    fn capture(&self, server: &Server, name: &str, more: &[&str]) -> String {
        let file = self.file(name);
        let captured = Command::new(&self.generator)
            .args(["capture", "--url", &server.url, "--issuer", &self.issuer, "--out", &file])
            .args(["--serial", &served::serial(1).to_string()])
            .args(more)
            .status();
        assert!(captured.expect("the load generator").success());
        file
    }

    fn cost(&self, server: &Server, serials: &str, more: &[&str]) -> f64 {
        let common = ["--issuer", &self.issuer, "--serials", serials, "--closed", "--duration", &self.seconds];
        // What is kept here are signatures of the right length, not true ones: the generator judges everything else.
        let unsigned = ["--verify", "none"];
        load(&self.generator, server, &[&common[..], &unsigned, more].concat()).cpu_us
    }
}

/// POST and GET over kept connections.
pub fn keep_alive(scale: Scale, table: &mut Table) {
    let bench = Bench::new(scale);
    let responder = responder(7_080, scale.million);
    let floor = floor(&bench, "floor", 7_081, &bench.capture(&responder, "reply.http", &[]));
    let one = bench.serials(1);
    for method in ["post", "get"] {
        let flags = ["--connections", "64", "--method", method];
        let [ours, least] = in_turns(scale.rounds, |at| bench.cost([&responder, &floor][at], &one, &flags));
        let ratio = ours / least;
        let name = format!("kept answer over keep-alive, {} , beside an epoll loop in C", method.to_uppercase());
        let measured = format!("{ratio:.2} × ({ours:.2} µs, floor {least:.2} µs)");
        table.row(name.replace(" ,", ","), measured, "≤ 1.45 ×", "≤ 1.3 ×", Verdict::at_most(ratio, 1.45, 1.3));
    }
}

/// GET beside nginx, which serves the same reply as a file.
pub fn nginx(scale: Scale, table: &mut Table) {
    let bench = Bench::new(scale);
    let responder = responder(7_080, scale.million);
    bench.capture(&responder, "reply.der", &["--method", "get", "--body-only"]);
    let nginx = Nginx::of(bench.folder.path(), 7_083);
    let one = bench.serials(1);
    let flags = ["--connections", "64", "--method", "get"];
    let [ours, theirs] = in_turns(scale.rounds, |at| match at {
        0 => bench.cost(&responder, &one, &flags),
        _ => {
            let before = nginx.cpu_us();
            let common = ["--issuer", &bench.issuer, "--serials", &one, "--closed", "--duration", &bench.seconds];
            let unsigned = ["--verify", "none"];
            let measured = load(&bench.generator, &nginx.server, &[&common[..], &unsigned, &flags].concat());
            (nginx.cpu_us() - before) / measured.answers
        }
    });
    let ratio = ours / theirs;
    let measured = format!("{ratio:.2} × ({ours:.2} µs, nginx {theirs:.2} µs)");
    table.row(
        "GET beside nginx with the reply as a file",
        measured,
        "≤ 0.8 ×",
        "≤ 0.7 ×",
        Verdict::at_most(ratio, 0.8, 0.7),
    );
}

/// A connection for each request, as the commonest client does it.
pub fn close(scale: Scale, table: &mut Table) {
    let bench = Bench::new(scale);
    let responder = responder(7_080, scale.million);
    let floor = floor(&bench, "floor_close", 7_082, &bench.capture(&responder, "reply.http", &[]));
    let one = bench.serials(1);
    let flags = ["--connections", "16", "--close"];
    let [ours, least] = in_turns(scale.rounds, |at| bench.cost([&responder, &floor][at], &one, &flags));
    let ratio = ours / least;
    let measured = format!("{ratio:.2} × ({ours:.2} µs, floor {least:.2} µs)");
    let name = "one connection for each request (HTTP/1.0), beside accept, read, write, close in C";
    table.row(name, measured, "≤ 1.5 ×", "≤ 1.4 ×", Verdict::at_most(ratio, 1.5, 1.4));
}

/// Ten million certificates, asked for evenly, beside ten thousand.
pub fn millions(scale: Scale, table: &mut Table) {
    let bench = Bench::new(scale);
    let (many, few) = (responder(7_080, scale.ten_million), responder(7_084, 10_000));
    // Evenly over all of them, as far as the generator's own list goes.
    let asked = scale.ten_million.min(1_000_000);
    let step = scale.ten_million / asked;
    let text: String = (0..asked).map(|at| format!("{}\n", served::serial(at * step + 1))).collect();
    let spread = bench.file("spread");
    fs::write(&spread, text).expect("a file");
    let serials = [spread, bench.serials(10_000)];
    let flags = ["--connections", "64", "--keys", "uniform"];
    let [large, small] = in_turns(scale.rounds, |at| bench.cost([&many, &few][at], &serials[at], &flags));
    let ratio = large / small;
    let measured = format!("{ratio:.2} × ({large:.2} µs, {small:.2} µs)");
    let name = format!("keep-alive at {} certificates, asked for evenly, beside 10,000", scale.ten_million);
    table.row(name, measured, "≤ 1.15 ×", "≤ 1.05 ×", Verdict::at_most(ratio, 1.15, 1.05));
}

fn responder(port: u16, certificates: u64) -> Server {
    Server::responder(port, "0", &[format!("certificates={certificates}"), "kept=filled".into()])
}

fn floor(bench: &Bench, program: &str, port: u16, reply: &str) -> Server {
    let mut command = Command::new("taskset");
    command.args(["-c", "0", &bench.file(program), &port.to_string(), reply]);
    Server::floor(command, port)
}

const CA: &str = "card-sign-g2-p256";
