//! Answers signed now: what they cost above the kept ones, and what a storm of them does to everybody else.

use std::fs;
use std::path::Path;

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

/// Kept answers and an honest nonce client beside a storm of nonces.
pub fn storm(scale: Scale, table: &mut Table) {
    let generator = generator();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let serials = serials(folder.path());
    let name = "card-sign-g1-rsa2048";
    let what = [format!("ca={name}"), "certificates=10000".into(), "kept=signed".into()];
    let server = Server::responder(7_080, "0", &what);
    let issuer = ca(name).join("issuer.pem").display().to_string();
    let seconds = scale.seconds * 3;
    let one = |name: &str, more: &str| {
        format!(
            "[[load]]\nname = \"{name}\"\nurl = \"{url}\"\nissuer = \"{issuer}\"\nserials = \"{serials}\"\n\
             duration = \"{seconds}s\"\nverify = \"sample=1000\"\n{more}\n",
            url = if name == "accredited" || name == "accredited-nonce" {
                server.url.replace("/ocsp", "/p/demo/login/ocsp")
            } else {
                server.url.clone()
            },
        )
    };
    let run = |loads: &[String]| {
        let file = folder.path().join("loads.toml");
        fs::write(&file, loads.concat()).expect("a file");
        let output = std::process::Command::new("taskset")
            .args(["-c", "1"])
            .arg(&generator)
            .args(["run", "--json", "--loads"])
            .arg(&file)
            .output()
            .expect("taskset");
        let report: serde_json::Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("no report: {}", String::from_utf8_lossy(&output.stderr)));
        report
    };
    let p99 =
        |report: &serde_json::Value, at: usize| report["loads"][at]["latency_ms"]["p99"].as_f64().unwrap_or(f64::NAN);
    let got = |report: &serde_json::Value, at: usize| {
        let load = &report["loads"][at];
        load["right"].as_f64().unwrap_or(f64::NAN) / load["sent"].as_f64().unwrap_or(f64::NAN)
    };
    let share = 3_000;
    let kept = one("kept", "rate = 5000\nconnections = 32\nsource-address = \"127.0.0.2\"");
    let honest = one(
        "honest",
        &format!("rate = {}\nconnections = 8\nnonce = \"random\"\nsource-address = \"127.0.0.3\"", share * 4 / 100),
    );
    let storm = one(
        "storm",
        &format!("rate = {}\nconnections = 512\nnonce = \"random\"\nsource-address = \"127.0.0.4\"", share * 4),
    );
    let quiet = run(&[kept.clone(), honest.clone()]);
    let stormy = run(&[kept, honest, storm]);
    let ratio = p99(&stormy, 0) / p99(&quiet, 0);
    let measured = format!("{ratio:.2} × ({:.2} ms, quiet {:.2} ms)", p99(&stormy, 0), p99(&quiet, 0));
    table.row(
        "p99 of kept answers under a nonce storm at 4 × the lane's share",
        measured,
        "≤ 2 ×",
        "≤ 1.3 ×",
        Verdict::at_most(ratio, 2.0, 1.3),
    );
    let keeps = got(&stormy, 1);
    table.row(
        "an honest nonce client at 1 % of that storm keeps",
        format!("{:.2} %", keeps * 100.0),
        "≥ 99 %",
        "–",
        Verdict::at_least(keeps, 0.99, 0.99),
    );
    let accredited = one("accredited", "rate = 2000\nconnections = 16");
    let accredited_nonce = one("accredited-nonce", "rate = 300\nconnections = 16\nnonce = \"random\"");
    let flood = one("flood", "rate = 42000\nconnections = 512\nnonce = \"random\"\nsource-address = \"127.0.0.5\"");
    let kept_flood = one("kept-flood", "rate = 20000\nconnections = 64\nsource-address = \"127.0.0.6\"");
    let new_flood = one("new-flood", "rate = 5000\nconnections = 64\nclose = true\nsource-address = \"127.0.0.7\"");
    let report = run(&[accredited, accredited_nonce, flood, kept_flood, new_flood]);
    let lost: f64 = [0, 1]
        .map(|at| {
            let load = &report["loads"][at];
            load["sent"].as_f64().unwrap_or(f64::NAN) - load["right"].as_f64().unwrap_or(f64::NAN)
        })
        .iter()
        .sum();
    let sent: f64 = [0, 1].map(|at| report["loads"][at]["sent"].as_f64().unwrap_or(f64::NAN)).iter().sum();
    table.row(
        "accredited callers (kept and signed now, RSA-2048) under an anonymous flood of nonces, kept requests and connections",
        format!("{lost:.0} of {sent:.0} answers lost (p99 {:.1} and {:.1} ms)", p99(&report, 0), p99(&report, 1)),
        "0 lost",
        "–",
        Verdict::at_most(lost, 0.0, 0.0),
    );
}

fn serials(folder: &Path) -> String {
    let text: String = (1..=10_000).map(|number| format!("{}\n", served::serial(number))).collect();
    let file = folder.join("serials");
    fs::write(&file, text).expect("a file");
    file.display().to_string()
}
