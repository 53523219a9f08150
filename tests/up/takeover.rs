//! Several `serve` on one ledger: one leads, the others follow, and one of them takes over.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tashika::keys::Signer as _;
use tashika::keys::software::Ed25519Key;
use tashika::ledger::{Checkpoint, CheckpointFile, KeyKind, VerifierKey, Vouched};

use crate::program::{Program, readiness, run, until};
use crate::serving::demonstration;

#[test]
fn the_lease_passes_on_after_kill_9() {
    let dir = tempfile::tempdir().unwrap();
    let config = demonstration(dir.path());
    let mut first = Program::serve(&config, &[]);
    first.ready();
    let mut second = Program::serve(&config, &[]);
    let admin = second.ready().admin;
    assert_eq!(readiness(&admin).1["leads"], false, "one leads");
    first.kill();
    let took = until("the other leads", || readiness(&admin).1["leads"] == true);
    assert!(took < TAKEOVER_MAX, "{took:?}");
    let (status, body) = readiness(&admin);
    assert_eq!(status, 200, "{body}");
    assert!(second.end("TERM").success());
}

#[test]
fn a_lease_that_is_given_back_need_not_run_out() {
    let dir = tempfile::tempdir().unwrap();
    let config = demonstration(dir.path());
    let mut first = Program::serve(&config, &[]);
    first.ready();
    let mut second = Program::serve(&config, &[]);
    let admin = second.ready().admin;
    assert!(first.end("TERM").success());
    let took = until("the other leads", || readiness(&admin).1["leads"] == true);
    assert!(took < TAKEOVER_MAX, "{took:?}");
}

#[test]
fn a_follower_never_leads_and_says_when_nobody_does() {
    let dir = tempfile::tempdir().unwrap();
    let config = demonstration(dir.path());
    let text = fs::read_to_string(&config).unwrap();
    let impatient = config.with_file_name("impatient.toml");
    fs::write(&impatient, text.replace("[keys]", "heartbeat_max_seconds = 2\n\n[keys]")).unwrap();
    let mut leader = Program::serve(&config, &[]);
    leader.ready();
    let mut follower = Program::serve(&impatient, &["--role", "follower"]);
    let admin = follower.ready().admin;
    leader.kill();
    until("nobody leads", || {
        let (status, body) = readiness(&admin);
        assert_ne!(body["leads"], true, "a follower never leads");
        assert_eq!(status, 200, "what it knows is young enough to answer: {body}");
        body["obstacles"][0]["kind"] == "no-leader"
    });
    let mut leader = Program::serve(&config, &[]);
    leader.ready();
    until("somebody leads again", || readiness(&admin).1["obstacles"].as_array().is_some_and(Vec::is_empty));
}

#[test]
fn a_follower_counter_signs_what_it_has_read_itself() {
    let dir = tempfile::tempdir().unwrap();
    let config = demonstration(dir.path());
    let folder = config.parent().unwrap();
    // Another machine: a key and a name of its own, the same ledger and the same file of checkpoints.
    let other = folder.join("other.toml");
    let key = Ed25519Key::create(&folder.join("other.key"), &zeroize::Zeroizing::new([9; 32])).unwrap();
    let text = fs::read_to_string(&config).unwrap().replace("checkpoint.key", "other.key");
    fs::write(&other, text.replace("[checkpoints]", "[checkpoints]\nname = \"osaka-1\"")).unwrap();
    let mut leader = Program::serve(&config, &[]);
    leader.ready();
    let mut follower = Program::serve(&other, &["--role", "follower"]);
    follower.ready();
    let report = ["report", "phone-lost", "--config", config.to_str().unwrap(), "--holder", "demo-good"];
    let (code, _, error) = run(&report);
    assert_eq!(code, 0, "{error}");
    let public = key.public_key().try_into().unwrap();
    let osaka = VerifierKey::new("osaka-1", KeyKind::Follower, public).unwrap();
    let before = vouched(folder, &osaka);
    until("the follower has counter-signed the report's checkpoint", || vouched(folder, &osaka) > before);
    leader.end("TERM");
}

/// The position of the last checkpoint that both have signed.
fn vouched(folder: &Path, follower: &VerifierKey) -> u64 {
    let writer = Ed25519Key::open(&folder.join("checkpoint.key")).unwrap();
    let notes = CheckpointFile::at(folder.join("checkpoints.txt")).all().unwrap().notes;
    let both = notes.iter().rev().find(|note| {
        let name = Checkpoint::origin(note.checkpoint.ledger);
        let writer = VerifierKey::new(&name, KeyKind::Writer, writer.public()).unwrap();
        let who = note.check(&[writer, follower.clone()]).unwrap();
        who.len() == 2 && who.iter().any(|who| matches!(who, Vouched::Follower { name, .. } if name == "osaka-1"))
    });
    both.map_or(0, |note| note.checkpoint.position.0)
}

/// The lease runs out within 900 ms of its last renewal and the other is there when it does; the rest is for a busy
/// machine and for asking.
const TAKEOVER_MAX: Duration = Duration::from_millis(1_500);
