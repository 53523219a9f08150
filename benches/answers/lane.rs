//! Answers signed now: what they cost above the kept ones, and what a storm of them does to everybody else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::Scale;
use crate::load::{Server, busy, ca, generator, in_turns, load};
use crate::served;
use crate::table::{Table, Verdict};

/// A lane with always something waiting.
pub fn saturated(scale: Scale, table: &mut Table) {
    let generator = generator();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let serials = serials(folder.path());
    let cas = [("card-sign-g2-p256", 1.25, 1.1), ("card-auth-p384", 1.1, 1.03), ("card-sign-g1-rsa2048", 1.1, 1.03)];
    for (name, must, aim) in cas {
        let what = [format!("ca={name}"), "certificates=10000".into(), "kept=signed".into()];
        let server = Server::responder(7_080, "0", &what);
        let issuer = ca(name).join("issuer.pem").display().to_string();
        let seconds = format!("{}s", scale.seconds);
        let signer = served::signer(name);
        let common =
            ["--issuer", &issuer, "--serials", &serials, "--closed", "--connections", "64", "--duration", &seconds];
        let [kept, now, bare] = in_turns(scale.rounds, |at| match at {
            0 => load(&generator, &server, &[&common[..], &["--verify", "sample=1000"]].concat()).cpu_us,
            1 => {
                load(&generator, &server, &[&common[..], &["--nonce", "random", "--verify", "sample=1000"]].concat())
                    .cpu_us
            }
            _ => {
                let octets = vec![0x5a; 380];
                let (began, count) = (busy(), 2_000);
                (0..count).for_each(|_| drop(signer.sign(&octets).expect("a signature")));
                (busy() - began) * 1e6 / f64::from(count)
            }
        });
        let ratio = (now - kept) / bare;
        let figure = format!(
            "answer signed now (nonce), saturated, 64 connections, above the kept one, in bare signatures: {name}"
        );
        let measured = format!("{ratio:.2} ({now:.1} µs, kept {kept:.1} µs, signature {bare:.1} µs)");
        let (must_text, aim_text) = (format!("≤ {must}"), format!("≤ {aim}"));
        table.row(figure, measured, &must_text, &aim_text, Verdict::at_most(ratio, must, aim));
    }
}

/// Several loads at once on one responder that signs with RSA-2048.
struct Weather {
    generator: PathBuf,
    folder: tempfile::TempDir,
    serials: String,
    issuer: String,
    server: Server,
    seconds: u64,
}

impl Weather {
    fn new(scale: Scale) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let name = "card-sign-g1-rsa2048";
        let what = [format!("ca={name}"), "certificates=10000".into(), "kept=signed".into()];
        Self {
            generator: generator(),
            serials: serials(folder.path()),
            folder,
            issuer: ca(name).join("issuer.pem").display().to_string(),
            server: Server::responder(7_080, "0", &what),
            seconds: scale.seconds * 3,
        }
    }

    /// One load, from an address of its own; accredited if its name says so.
    fn load(&self, name: &str, address: u8, more: &str) -> String {
        let path = if name.starts_with("accredited") { "/p/demo/login/ocsp" } else { "/ocsp" };
        let (url, issuer, serials) = (self.server.url.replace("/ocsp", path), &self.issuer, &self.serials);
        let seconds = self.seconds;
        format!(
            "[[load]]\nname = \"{name}\"\nurl = \"{url}\"\nissuer = \"{issuer}\"\nserials = \"{serials}\"\n\
             duration = \"{seconds}s\"\nverify = \"sample=1000\"\nsource-address = \"127.0.0.{address}\"\n{more}\n"
        )
    }

    /// All of them at once, from the second core.
    fn run(&self, loads: &[String]) -> Vec<Value> {
        let file = self.folder.path().join("loads.toml");
        fs::write(&file, loads.concat()).expect("a file");
        let mut command = Command::new("taskset");
        command.args(["-c", "1"]).arg(&self.generator).args(["run", "--json", "--loads"]).arg(&file);
        let output = command.output().expect("taskset");
        let report: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("no report: {}", String::from_utf8_lossy(&output.stderr)));
        report["loads"].as_array().expect("a list of loads").clone()
    }
}

/// Kept answers and an honest nonce client beside a storm of nonces.
pub fn storm(scale: Scale, table: &mut Table) {
    let weather = Weather::new(scale);
    let kept = weather.load("kept", 2, "rate = 5000\nconnections = 32");
    let nonces = |rate, connections| format!("rate = {rate}\nconnections = {connections}\nnonce = \"random\"");
    let honest = weather.load("honest", 3, &nonces(SHARE * 4 / 100, 8));
    let storm = weather.load("storm", 4, &nonces(SHARE * 4, 512));
    let quiet = weather.run(&[kept.clone(), honest.clone()]);
    let stormy = weather.run(&[kept, honest, storm]);
    let (calm, rough) = (p99(&quiet[0]), p99(&stormy[0]));
    let ratio = rough / calm;
    let name = "p99 of kept answers under a nonce storm at 4 × the lane's share";
    let measured = format!("{ratio:.2} × ({rough:.2} ms, quiet {calm:.2} ms)");
    table.row(name, measured, "≤ 2 ×", "≤ 1.3 ×", Verdict::at_most(ratio, 2.0, 1.3));
    let keeps = number(&stormy[1]["right"]) / number(&stormy[1]["sent"]);
    let name = "an honest nonce client at 1 % of that storm keeps";
    table.row(name, format!("{:.2} %", keeps * 100.0), "≥ 99 %", "–", Verdict::at_least(keeps, 0.99, 0.99));
}

/// Accredited callers beside everything that strangers can send.
pub fn flood(scale: Scale, table: &mut Table) {
    let weather = Weather::new(scale);
    let loads = [
        weather.load("accredited", 1, "rate = 2000\nconnections = 16"),
        weather.load("accredited-nonce", 1, "rate = 300\nconnections = 16\nnonce = \"random\""),
        weather.load("flood", 5, "rate = 42000\nconnections = 512\nnonce = \"random\""),
        weather.load("kept-flood", 6, "rate = 20000\nconnections = 64"),
        weather.load("new-flood", 7, "rate = 5000\nconnections = 64\nclose = true"),
    ];
    let found = weather.run(&loads);
    let sent: f64 = found[..2].iter().map(|load| number(&load["sent"])).sum();
    let right: f64 = found[..2].iter().map(|load| number(&load["right"])).sum();
    let lost = sent - right;
    let name = "accredited callers (kept and signed now, RSA-2048) under an anonymous flood of nonces, kept requests and connections";
    let measured =
        format!("{lost:.0} of {sent:.0} answers lost (p99 {:.1} and {:.1} ms)", p99(&found[0]), p99(&found[1]));
    table.row(name, measured, "0 lost", "–", Verdict::at_most(lost, 0.0, 0.0));
}

fn p99(load: &Value) -> f64 {
    number(&load["latency_ms"]["p99"])
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

fn serials(folder: &Path) -> String {
    let text: String = (1..=10_000).map(|number| format!("{}\n", served::serial(number))).collect();
    let file = folder.join("serials");
    fs::write(&file, text).expect("a file");
    file.display().to_string()
}

/// What the lane signs in a second for strangers, about, on a core that it shares.
const SHARE: u32 = 3_000;
