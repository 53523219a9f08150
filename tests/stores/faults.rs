//! A process that dies, or whose disk fails, at each step of publishing into a folder: the kernel is told, by a filter on the
//! calls of that one process (seccomp), to kill it or to fail the call. Then the same is done again, as after a restart.
//!
//! What is seen from outside must be the old round or the new one, every object whole, and nothing left over.

#![allow(unsafe_code, reason = "the kernel takes a filter by a pointer; see beside the call")]

use std::env;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use tashika::publisher::directory::DirectoryStore;
use tashika::publisher::{Object, ObjectName, Store, StoreError};

use crate::contract::{crl, index};
use crate::directory::modes;

/// What the filter does to a call.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Kill,
    Fail(i32),
}

/// The calls that change something, or make it last. Linux has newer forms of some; a process uses one of them.
const CALLS: [(&str, &[i64]); 7] = [
    (
        "mkdir",
        &[
            libc::SYS_mkdirat,
            #[cfg(target_arch = "x86_64")]
            libc::SYS_mkdir,
        ],
    ),
    ("write", &[libc::SYS_write]),
    ("chmod", &[libc::SYS_fchmod]),
    ("fsync", &[libc::SYS_fsync]),
    ("link", &[libc::SYS_linkat]),
    ("lock", &[libc::SYS_flock]),
    (
        "rename",
        &[
            libc::SYS_renameat,
            libc::SYS_renameat2,
            #[cfg(target_arch = "x86_64")]
            libc::SYS_rename,
        ],
    ),
];

/// What one process does: puts a round, moves the pointer to it, or puts objects by the thousand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Put,
    Advance,
    Many,
}

const FOLDER: &str = "TASHIKA_STORE_FOLDER";
const FAULT: &str = "TASHIKA_STORE_FAULT";
const PART: &str = "TASHIKA_STORE_PART";
/// How the process below says what the store said.
const FAILED_PASSING: i32 = 41;
const FAILED_FOR_GOOD: i32 = 42;

/// The process that the others start; on its own it publishes into a folder in which nothing fails.
#[test]
fn a_round_is_published() {
    let own = tempfile::tempdir().unwrap();
    let folder = env::var_os(FOLDER).map_or_else(|| own.path().join("crls"), PathBuf::from);
    let part = env::var(PART).ok();
    if part.is_some() {
        // What is for everybody stays so, whatever the umask of whoever starts the program.
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    }
    if let Ok(text) = env::var(FAULT) {
        let (call, fault) = text.split_once(':').unwrap();
        let fault = fault.parse().map_or(Fault::Kill, Fault::Fail);
        let (_, numbers) = CALLS.iter().find(|(name, _)| *name == call).unwrap();
        install(numbers, fault);
    }
    let published = match part.as_deref() {
        Some("Put") => put(&folder, &round()),
        Some("Advance") => advance(&folder),
        Some(_) => put(&folder, &many()),
        None => put(&folder, &round()).and_then(|()| advance(&folder)),
    };
    match published {
        Ok(()) => {}
        // Not by a panic: that would write.
        Err(StoreError::Medium { passing: true, .. }) => std::process::exit(FAILED_PASSING),
        Err(_) => std::process::exit(FAILED_FOR_GOOD),
    }
}

fn round() -> Vec<(ObjectName, Vec<u8>)> {
    vec![(crl("a", 2), vec![0xa2; 70_000]), (crl("towns/b", 2), vec![0xb2; 300]), (index(2), b"{2}".to_vec())]
}

fn many() -> Vec<(ObjectName, Vec<u8>)> {
    (0..2000_u64).map(|at| (crl(&format!("many/{at}"), 2), at.to_be_bytes().repeat(500))).collect()
}

fn put(folder: &Path, all: &[(ObjectName, Vec<u8>)]) -> Result<(), StoreError> {
    let objects: Vec<Object> = all.iter().map(|(name, octets)| Object { name, octets }).collect();
    DirectoryStore::open(folder)?.put(&objects)
}

fn advance(folder: &Path) -> Result<(), StoreError> {
    let store = DirectoryStore::open(folder)?;
    store.advance(store.tip()?.as_ref(), 2.into()).map(drop)
}

/// Tells the kernel what to do with these calls of this thread, and of those that it starts.
fn install(calls: &[i64], fault: Fault) {
    let action = match fault {
        Fault::Kill => libc::SECCOMP_RET_KILL_PROCESS,
        Fault::Fail(errno) => libc::SECCOMP_RET_ERRNO | errno as u32,
    };
    let statement = |code: u32, k: u32| libc::sock_filter { code: code as u16, jt: 0, jf: 0, k };
    // Octet 0 of what the filter sees is the call's number.
    let mut filter = vec![statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0)];
    for call in calls {
        let is = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
        filter.push(libc::sock_filter { code: is as u16, jt: 0, jf: 1, k: *call as u32 });
        filter.push(statement(libc::BPF_RET | libc::BPF_K, action));
    }
    filter.push(statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW));
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: the kernel copies the filter during the call, and both it and the vector behind it live until then; the
    // first call takes numbers only.
    let done = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) == 0
    };
    assert!(done, "{}", std::io::Error::last_os_error());
}

fn start(folder: &Path, part: Part, fault: Option<(&str, Fault)>) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "faults::a_round_is_published", "--test-threads=1"]);
    command.env(FOLDER, folder).env(PART, format!("{part:?}")).stdout(Stdio::null()).stderr(Stdio::null());
    match fault {
        Some((call, Fault::Kill)) => command.env(FAULT, format!("{call}:kill")),
        Some((call, Fault::Fail(errno))) => command.env(FAULT, format!("{call}:{errno}")),
        None => &mut command,
    };
    command.spawn().unwrap()
}

fn run(folder: &Path, part: Part, fault: Option<(&str, Fault)>) -> ExitStatus {
    start(folder, part, fault).wait().unwrap()
}

/// A folder in which round 1 was published, and of round 2 what comes before that part.
fn before(part: Part) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let store = DirectoryStore::open(&folder.path().join("crls")).unwrap();
    store.put(&[Object { name: &index(1), octets: b"{1}" }]).unwrap();
    store.advance(None, 1.into()).unwrap();
    if part == Part::Advance {
        put(&folder.path().join("crls"), &round()).unwrap();
    }
    folder
}

/// Old or new, and every object whole.
fn check(folder: &Path) -> u64 {
    let store = DirectoryStore::open(folder).unwrap();
    let tip = store.tip().unwrap().unwrap();
    let there = store.names().unwrap();
    for (name, octets) in round() {
        match store.get(&name).unwrap() {
            Some(found) => assert!(found == octets && there.contains(&name), "{name}"),
            None => assert!(tip.number == 1.into() && !there.contains(&name), "{name}"),
        }
    }
    assert!(tip.number == 1.into() || tip.number == 2.into());
    if tip.number == 2.into() { 2 } else { 1 }
}

/// Done again it goes through, and nothing is there but what belongs there, for everybody to read.
fn finish(folder: &Path) {
    assert!(run(folder, Part::Put, None).success() && run(folder, Part::Advance, None).success());
    assert_eq!(check(folder), 2);
    let files = ["1.index.json", "2.index.json", "a.2.crl", "b.2.crl", "tip"].map(|name| (name.to_owned(), 0o644));
    let folders = ["crl", "round", "towns"].map(|name| (name.to_owned(), 0o755));
    let mut expected = [&files[..], &folders].concat();
    expected.sort();
    assert_eq!(modes(folder), expected);
}

#[test]
fn killed_at_each_step() {
    let mut killed = Vec::new();
    for part in [Part::Put, Part::Advance] {
        for (call, _) in CALLS {
            let temporary = before(part);
            let folder = temporary.path().join("crls");
            let end = run(&folder, part, Some((call, Fault::Kill)));
            if end.signal() != Some(libc::SIGSYS) {
                assert!(end.success(), "{part:?} {call}: {end}");
                continue;
            }
            killed.push((part, call));
            assert_eq!(check(&folder), 1, "{part:?} {call}: nothing that comes before the rename moves the pointer");
            finish(&folder);
        }
    }
    let steps = ["mkdir", "write", "chmod", "fsync", "link"].map(|call| (Part::Put, call));
    let moves = ["write", "chmod", "fsync", "link", "lock", "rename"].map(|call| (Part::Advance, call));
    assert_eq!(killed, [&steps[..], &moves].concat(), "every step was met, and no other");
}

#[test]
fn disks_that_are_full_or_broken_or_may_not_be_written_to() {
    for (errno, code) in [
        (libc::ENOSPC, FAILED_PASSING),
        (libc::EIO, FAILED_PASSING),
        (libc::EROFS, FAILED_FOR_GOOD),
        (libc::EDQUOT, FAILED_PASSING),
    ] {
        for (part, call) in [
            (Part::Put, "mkdir"),
            (Part::Put, "write"),
            (Part::Put, "chmod"),
            (Part::Put, "fsync"),
            (Part::Put, "link"),
            (Part::Advance, "write"),
            (Part::Advance, "fsync"),
            (Part::Advance, "link"),
            (Part::Advance, "rename"),
        ] {
            let temporary = before(part);
            let folder = temporary.path().join("crls");
            let end = run(&folder, part, Some((call, Fault::Fail(errno))));
            assert_eq!(end.code(), Some(code), "{part:?} {call} {errno}");
            assert_eq!(check(&folder), 1, "{part:?} {call} {errno}");
            finish(&folder);
        }
    }
}

#[test]
fn killed_in_the_middle_of_thousands() {
    let temporary = before(Part::Many);
    let folder = temporary.path().join("crls");
    let store = DirectoryStore::open(&folder).unwrap();
    let whole = || {
        many().iter().filter(|(name, octets)| store.get(name).unwrap().is_some_and(|found| found == *octets)).count()
    };
    let mut kills = 0;
    for enough in [1, 300, 900, 1500] {
        let mut child = start(&folder, Part::Many, None);
        while store.names().unwrap().len() < enough && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        kills += usize::from(child.wait().unwrap().signal().is_some());
        // The index of round 1 is there as well.
        assert_eq!(whole() + 1, store.names().unwrap().len(), "what is there is whole");
    }
    assert!(kills >= 2, "it was over before it could be killed");
    assert!(run(&folder, Part::Many, None).success());
    assert_eq!(whole(), many().len());
}
