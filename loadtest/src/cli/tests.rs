//! What the command line takes, refuses and prints. Part of `cli`.

use clap::CommandFactory as _;

use super::*;
use crate::fake::{Ca, Recipe};
use crate::fake_server::{Reply, Script, always, http, serve};
use crate::tests::folder_of;

const CA: &str = "card-sign-g2-p256";

fn done(words: &[&str]) -> Exit {
    let cli = Cli::try_parse_from([&["tashika-load"], words].concat()).unwrap();
    let done = match cli.verb {
        Verb::Run(args) => run(*args),
        Verb::Probe(args) => probe(*args),
        Verb::Capture(args) => capture(*args),
    };
    done.unwrap_or_else(|error| error.exit())
}

#[test]
fn help_is_as_it_was_seen() {
    let mut command = Cli::command();
    command.clone().debug_assert();
    command.build();
    let mut text = command.render_help().to_string();
    for verb in command.get_subcommands_mut().filter(|verb| verb.get_name() != "help") {
        text += &format!("\n{:-<100}\n{}", "", verb.render_help());
    }
    insta::assert_snapshot!("help", text);
}

#[test]
fn exit_codes_tell_right_from_wrong_and_from_undone() {
    let issuer = folder_of(CA).join("issuer.pem");
    let cert = folder_of(CA).join("leaf-good.pem");
    let (issuer, cert) = (issuer.to_str().unwrap(), cert.to_str().unwrap());
    let url = format!("http://{}/ocsp", serve(Ca::in_folder(CA), always(Recipe::good())));
    let run = |url: &str, expect: &str, issuer: &str| {
        let fixed = ["run", "--cert", cert, "--closed", "--duration", "50ms", "--connections", "1"];
        done(&[&fixed[..], &["--url", url, "--issuer", issuer, "--expect", expect]].concat())
    };
    assert_eq!(run(&url, "good", issuer), Exit::Right);
    assert_eq!(run(&url, "revoked", issuer), Exit::Wrong);
    assert_eq!(run(&url, "good", "/no/such/file"), Exit::Nonsense);
    assert_eq!(run("http://127.0.0.1:9/", "good", issuer), Exit::Undone);
    let probe = ["probe", "--url", &url, "--issuer", issuer, "--cert", cert, "--give-up", "50ms", "--until"];
    assert_eq!(done(&[&probe[..], &["good"]].concat()), Exit::Right);
    assert_eq!(done(&[&probe[..], &["held"]].concat()), Exit::Undone);
}

#[test]
fn flags_of_one_load_and_a_file_of_loads_exclude_each_other() {
    let parse = |words: &[&str]| Cli::try_parse_from([&["tashika-load", "run"], words].concat());
    assert!(parse(&["--loads", "x.toml", "--json"]).is_ok());
    for flag in [["--rate", "5"], ["--duration", "5s"], ["--url", "http://a/"]] {
        assert!(parse(&[&["--loads", "x.toml"], &flag[..]].concat()).is_err(), "{flag:?}");
    }
    assert!(parse(&["--url", "http://a/"]).is_err(), "no issuer");
}

#[test]
fn what_is_captured_is_what_was_sent_and_only_if_it_is_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("reply");
    let (issuer, cert) = (folder_of(CA).join("issuer.pem"), folder_of(CA).join("leaf-good.pem"));
    let capture = |bytes: Vec<u8>, more: &[&str]| {
        let script: Script = Box::new(move |_, _, _| Reply::Send(bytes.clone()));
        let url = format!("http://{}/ocsp", serve(Ca::in_folder(CA), script));
        let (issuer, cert, out) = (issuer.to_str().unwrap(), cert.to_str().unwrap(), out.to_str().unwrap());
        let words = ["capture", "--url", &url, "--issuer", issuer, "--cert", cert, "--out", out];
        let exit = done(&[&words[..], more].concat());
        (exit, fs::read(out).unwrap_or_default())
    };
    let answer = http(&[0x30, 3, 10, 1, 3], "X: y\r\n");
    assert_eq!(capture(answer.clone(), &[]), (Exit::Right, answer.clone()));
    assert_eq!(capture(answer, &["--body-only"]), (Exit::Right, vec![0x30, 3, 10, 1, 3]));
    fs::remove_file(&out).unwrap();
    let missing = b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n".to_vec();
    assert_eq!(capture(missing, &[]), (Exit::Undone, Vec::new()));
}

#[test]
fn loads_of_one_file_run_together_and_are_reported_apart() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://{}/ocsp", serve(Ca::in_folder(CA), always(Recipe::good())));
    let (issuer, cert) = (folder_of(CA).join("issuer.pem"), folder_of(CA).join("leaf-good.pem"));
    let serials = folder.path().join("serials.txt");
    fs::write(&serials, "0A good\n0b revoked\n").unwrap();
    let load = |name: &str, rest: &str| {
        format!("[[load]]\nname = {name:?}\nurl = {url:?}\nissuer = {issuer:?}\nduration = \"400ms\"\n{rest}\n")
    };
    let honest = load("honest", &format!("cert = [{cert:?}]\nexpect = \"good\"\nrate = 100\nverify = \"all\""));
    let storm = load("storm", &format!("serials = {serials:?}\nclosed = true\nnonce = \"random\"\nverify = \"none\""));
    let file = folder.path().join("loads.toml");
    let report_of = |text: &str| {
        fs::write(&file, text).unwrap();
        let words = ["tashika-load", "run", "--loads", file.to_str().unwrap(), "--server-pid"];
        let pid = std::process::id().to_string();
        match Cli::try_parse_from([&words[..], &[&pid]].concat()).unwrap().verb {
            Verb::Run(args) => measure(*args),
            _ => unreachable!("the verb is run"),
        }
    };
    let report = report_of(&format!("{honest}{storm}")).unwrap();
    let [honest_seen, storm_seen] = &report.loads[..] else { panic!("{report}") };
    assert_eq!((&*honest_seen.name, &*storm_seen.name), ("honest", "storm"));
    assert!(honest_seen.right > 10 && honest_seen.right == honest_seen.answers, "{report}");
    assert!(honest_seen.signatures_checked == honest_seen.right && storm_seen.signatures_checked == 0, "{report}");
    // Every answer says good: what the list expects to be revoked is wrong, and no more.
    let wrong = storm_seen.wrong["status-not-as-expected"];
    assert!(wrong > 0 && storm_seen.right > 0 && wrong + storm_seen.right == storm_seen.answers, "{report}");
    let server = report.server.as_ref().unwrap();
    assert!(server.cpu_us_per_answer > 0.0 && server.threads.len() > 1, "{report}");
    let parsed: serde_json::Value = serde_json::from_str(&json(&report)).unwrap();
    assert!(parsed["loads"][1]["latency_ms"]["p99.99"].as_f64().unwrap() > 0.0, "{parsed}");
    assert_eq!(parsed["loads"][0]["rate_due"], 100.0);

    let unknown = report_of(&honest.replace("rate =", "rat =")).unwrap_err();
    assert!(unknown.to_string().contains("rat") && unknown.exit() == Exit::Nonsense, "{unknown}");
    let both = report_of(&honest.replace("rate = 100", "rate = 100\nclosed = true")).unwrap_err();
    assert!(both.to_string().contains("honest: either `rate`"), "{both}");
    assert_eq!(report_of("load = []").unwrap_err().exit(), Exit::Nonsense);
}
