//! Pulling as the built program does it: what it says, what is carried to it, a disk that takes nothing, the shipped unit.

use std::fs;
use std::path::Path;

use tashika::app::pull::Source;

use crate::press::{Made, Press, tashika, testdata, text};
use crate::pulling::{Verifier, begin};
use crate::server::Answer;

#[test]
fn the_program_says_one_line_and_its_exit_code_says_the_rest() {
    let (mut press, verifier) = (Press::new(), Verifier::new());
    let (phones, _) = begin(&mut press);
    let (trust, to) = (testdata("root.pem"), verifier.pull.to.clone());
    let pull = |more: &[&str]| {
        let common = ["crl", "pull", "--url", &press.server.at, "--to", text(&to), "--trust", text(&trust)];
        tashika(&[&common[..], more].concat())
    };
    let ran = pull(&["--form", "pem"]);
    assert_eq!((ran.code, ran.err.as_str(), ran.out.lines().count()), (0, "", 1), "{ran:?}");
    assert!(ran.out.starts_with("index 1: 2 of 2 scopes are new"), "{}", ran.out);
    let ran = pull(&["--form", "pem", "--quiet"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
    let ran = pull(&["--max-age", "45m", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert!(ran.code == 9 && json["alarms"] == 2, "{ran:?}");
    assert_eq!(pull(&["--scope", "nobody"]).code, 3);
    assert_eq!(pull(&["--max-age", "soon"]).code, 2);
    press.server.put("/crl/index.json", Answer::Octets(b"<html>".to_vec()));
    assert_eq!(pull(&[]).code, 7);
    press.server.remove("/crl/index.json");
    let ran = pull(&[]);
    assert!(ran.code == 5 && ran.err.contains("404"), "{ran:?}");
    let _ = phones;
}

#[test]
fn a_folder_that_was_carried_is_a_source_and_a_full_disk_leaves_what_was_there() {
    let (mut press, verifier) = (Press::new(), Verifier::new());
    let (phones, _) = begin(&mut press);
    let carried = verifier.dir.path().join("carried");
    let names = [
        "crl/index.json",
        "crl/phone-auth-07.crl",
        "crl/phone-auth-07.delta.crl",
        "crl/card/13101.crl",
        "ca/phone-auth-p256.cer",
        "ca/card-auth-p384.cer",
    ];
    for name in names {
        let file = carried.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, press.server.octets(&format!("/{name}"))).unwrap();
    }
    let mut source = Source::Folder(carried.join("crl"));
    let round = verifier.pull.run(&mut source, press.now).unwrap().round.unwrap();
    assert_eq!((round.taken.len(), round.received), (2, 0));
    let before = verifier.installed();

    // Nothing can be written: the round fails, and what was there stays.
    press.publish(&Made { number: 9, ..phones });
    press.index();
    let limited = |bytes: &str| {
        let program = env!("CARGO_BIN_EXE_tashika");
        let command = format!(
            "trap '' XFSZ; ulimit -f {bytes}; exec {program} crl pull --url {} --to {} --trust {} --form pem",
            press.server.at,
            text(&verifier.pull.to),
            text(&testdata("root.pem"))
        );
        let output = std::process::Command::new("bash").args(["-c", &command]).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, errors) = limited("0");
    assert!(code == 7 && errors.contains("too large"), "{code} {errors}");
    assert!(verifier.installed() == before && !verifier.pull.to.join(".draft").exists());
    // What a dead process left is no obstacle.
    fs::write(verifier.pull.to.join(".draft"), b"in the way").unwrap();
    let (code, errors) = limited("unlimited");
    assert!(code == 0 && verifier.installed() != before, "{code} {errors}");
}

#[test]
fn the_shipped_unit_pulls() {
    let (mut press, verifier) = (Press::new(), Verifier::new());
    begin(&mut press);
    let unit =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/systemd/tashika-pull.service")).unwrap();
    let command = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/tashika ")).unwrap();
    let trust = testdata("root.pem");
    let arguments = command.split(' ').map(|word| match word {
        "http://status.example.jp" => press.server.at.as_str(),
        "/var/lib/tashika-crl" => text(&verifier.pull.to),
        "/etc/tashika/root.pem" => text(&trust),
        word => word,
    });
    let ran = tashika(&arguments.collect::<Vec<_>>());
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""), "{ran:?}");
    assert!(verifier.at("crls.pem").exists() && verifier.at("hash").exists());
}
