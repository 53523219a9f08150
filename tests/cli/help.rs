//! Help, completions, manual pages and exit codes: what people read before they do anything.

use crate::installation::{Installation, run_in};

#[test]
fn help_of_every_verb_is_pinned() {
    let dir = tempfile::tempdir().unwrap();
    let mut all = String::new();
    for verb in VERBS {
        let arguments: Vec<_> = verb.split_whitespace().chain(["--help"]).collect();
        let ran = run_in(dir.path(), &arguments);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{verb}");
        let is_family = VERBS.iter().any(|other| other.starts_with(&format!("{verb} ")));
        assert!(
            verb.is_empty() || is_family || verb == "man" || ran.stdout.contains("Example"),
            "{verb} shows no example"
        );
        all.push_str(&format!("$ tashika {}\n{}\n", arguments.join(" "), ran.stdout));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn the_reference_names_every_verb_and_every_exit_code() {
    let reference = include_str!("../../docs/CLI.md");
    for verb in VERBS.iter().filter(|verb| !verb.is_empty()) {
        assert!(reference.contains(&format!("tashika {verb}")), "docs/CLI.md says nothing of '{verb}'");
    }
    let help = run_in(std::env::temp_dir().as_path(), &["--help"]).stdout;
    for verb in VERBS.iter().filter(|verb| !verb.is_empty() && !verb.contains(' ')) {
        assert!(help.contains(&format!("\n  {verb} ")), "--help says nothing of '{verb}'");
    }
    let codes = help.split("Exit codes:\n").nth(1).unwrap();
    assert_eq!(codes.lines().count(), 10);
    for line in codes.lines() {
        let (code, meaning) = line.trim().split_once("  ").unwrap();
        assert!(reference.contains(&format!("| {code} | {meaning} |")), "docs/CLI.md: exit code {line}");
    }
}

#[test]
fn without_a_verb_there_is_help_and_no_success() {
    let dir = tempfile::tempdir().unwrap();
    for arguments in [&[][..], &["cert"], &["ledger"]] {
        let ran = run_in(dir.path(), arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(ran.stderr.contains("Usage: tashika"), "{arguments:?}: {}", ran.stderr);
    }
}

#[test]
fn shells_and_manual_readers_are_served() {
    let dir = tempfile::tempdir().unwrap();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = run_in(dir.path(), &["completions", shell]);
        assert!(ran.code == 0 && ran.stdout.contains("openssl-index"), "{shell}");
    }
    assert_eq!(run_in(dir.path(), &["man", "pages"]).code, 0);
    let page = std::fs::read_to_string(dir.path().join("pages/tashika-ledger-verify.1")).unwrap();
    assert!(page.contains(".TH"), "{page}");
}

#[test]
fn the_configuration_is_found_here_or_beside_a_demonstration() {
    let house = Installation::new();
    assert_eq!(house.ok(&["config", "check"]), "tashika.toml is good\n");
    let parent = house.path().parent().unwrap().to_owned();
    let ran = run_in(&parent, &["issuer", "list"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("--config FILE"), "{}", ran.stderr);
    std::fs::rename(house.path(), parent.join("tashika-demo")).unwrap();
    assert_eq!(run_in(&parent, &["issuer", "list"]).code, 0);
}

const VERBS: [&str; 45] = [
    "",
    "cert",
    "cert activate",
    "cert hold",
    "cert release",
    "cert revoke",
    "cert show",
    "check",
    "completions",
    "config",
    "config check",
    "config show",
    "crl",
    "crl diff",
    "crl list",
    "crl publish",
    "crl pull",
    "crl show",
    "crl verify",
    "import",
    "import certificates",
    "import openssl-index",
    "init",
    "issuer",
    "issuer add",
    "issuer list",
    "ledger",
    "ledger adopt",
    "ledger backup",
    "ledger checkpoint",
    "ledger restore",
    "ledger verify",
    "man",
    "queue",
    "queue approve",
    "queue list",
    "queue reject",
    "queue show",
    "report",
    "scope",
    "scope add",
    "scope list",
    "serve",
    "undo",
    "up",
];
