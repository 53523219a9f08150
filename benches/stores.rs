//! What a folder takes to keep a round of CRLs: `cargo bench --bench stores [FOLDER]` prints the table of
//! `docs/PERFORMANCE.md`.
//!
//! 8,000 objects of 25,000 octets, 5 million entries in 8,000 scopes, put in one batch and durable at the end. Beside it, on
//! the same disk in the same run: the same files written one after another, and made durable by one flush of the whole file
//! system (`syncfs`), or not at all. Of several rounds the quickest counts. FOLDER is where it happens, a new one in the
//! system's own by default; `--quick` takes a tenth.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Instant;

use tashika::publisher::directory::DirectoryStore;
use tashika::publisher::{IsDelta, Object, ObjectName, Store};

fn main() {
    let given: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let count = if given.iter().any(|argument| argument == "--quick") { 800 } else { 8_000 };
    let place = given.iter().find(|argument| !argument.starts_with('-')).map_or_else(std::env::temp_dir, PathBuf::from);
    let octets: Vec<u8> = (0..OCTETS).map(|at| (at % 251) as u8).collect();
    let mut best = [f64::INFINITY; 5];
    for round in 0..ROUNDS {
        let folder = tempfile::tempdir_in(&place).expect("a folder of its own");
        let all: Vec<ObjectName> =
            (0..count).map(|at| ObjectName::crl(&format!("card-{at}"), IsDelta::No, round.into())).collect();
        let objects: Vec<Object> = all.iter().map(|name| Object { name, octets: &octets }).collect();
        let store = DirectoryStore::open(&folder.path().join("store")).expect("a store");
        let took = [
            seconds(|| plain(&folder.path().join("plain"), count, &octets)),
            seconds(|| {
                plain(&folder.path().join("flushed"), count, &octets);
                flush(folder.path());
            }),
            seconds(|| store.put(&objects).expect("room")),
            seconds(|| store.put(&objects).expect("nothing to do")),
            seconds(|| all.iter().for_each(|name| drop(store.get(name).expect("it is there")))),
        ];
        best.iter_mut().zip(took).for_each(|(best, took)| *best = best.min(took));
    }
    let says = ["written, not durable", "written, syncfs", "put", "put again", "got"];
    for (what, seconds) in says.iter().zip(best) {
        println!("{count} objects of {OCTETS} octets, {what}: {:.0} ms", seconds * 1000.0);
    }
}

fn plain(folder: &Path, count: u64, octets: &[u8]) {
    fs::create_dir(folder).expect("a folder");
    (0..count).for_each(|at| fs::write(folder.join(at.to_string()), octets).expect("room"));
}

fn flush(folder: &Path) {
    rustix::fs::syncfs(File::open(folder).expect("it is there")).expect("a disk that works");
}

fn seconds(what: impl FnOnce()) -> f64 {
    let start = Instant::now();
    what();
    start.elapsed().as_secs_f64()
}

const OCTETS: usize = 25_000;
const ROUNDS: u64 = 3;
