//! What a snapshot costs: `cargo bench --bench snapshot -- [million certificates] [status|p256]`.
//!
//! Writes a table of so many certificates, then reads the file back with one and with two threads, each time in a
//! process of its own, with the file in the page cache, and compares that with reading the file and doing nothing. A
//! load ends with the first right answer. Fastest of five; the time beside it is what the processor was busy with it,
//! all threads together, which others on the machine can't lengthen as much.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

#[path = "status/fill.rs"]
#[allow(dead_code, reason = "shared with the table's own benchmark, which uses other parts")]
mod fill;

use std::fs::File;
use std::io::Read as _;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tashika::model::{CertificateNo, LedgerId, Position};
use tashika::status::{About, Capture, HashKey, Registers, Salt, Signature, Snapshot, SnapshotKey, Table};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [mode, path, threads] = &arguments[..]
        && mode == "load"
    {
        return load(Path::new(path), threads.parse().expect("a number of threads"));
    }
    let millions = arguments.iter().find_map(|argument| argument.parse::<u64>().ok()).unwrap_or(10);
    for (name, signature_octets) in [("status", 0), ("p256", 64)] {
        if KINDS.iter().all(|kind| !arguments.contains(&(*kind).to_owned())) || arguments.contains(&name.to_owned()) {
            measure(name, millions * 1_000_000, signature_octets);
        }
    }
}

fn measure(name: &str, count: u64, signature_octets: usize) {
    let folder = tempfile::tempdir().expect("a folder for the file");
    let path = folder.path().join("status.snapshot");
    let octets = write(&path, count, signature_octets);
    println!("{name}, {count}: {:.0} MB, {:.1} B a certificate", octets as f64 / 1e6, octets as f64 / count as f64);
    let read = (0..5).map(|_| plain_read(&path)).fold(f64::INFINITY, f64::min);
    println!("  read and nothing else: {read:.2} s");
    for threads in ["1", "2"] {
        let figures: Vec<(f64, f64)> = (0..5).map(|_| in_a_process(&path, threads)).collect();
        let (wall, busy) = figures.into_iter().reduce(|a, b| if a.0 < b.0 { a } else { b }).expect("five of them");
        println!(
            "  loaded by {threads}: {wall:.2} s to the first answer ({:.1} x the plain read), processor {busy:.2} s",
            wall / read
        );
    }
}

fn write(path: &Path, count: u64, signature_octets: usize) -> u64 {
    let (table, mut at) = (Arc::new(Table::empty(HashKey::new([0x5a; 16]))), Position(0));
    fill::fill(&table, &mut at, 0, count, signature_octets);
    let about = About { ledger: LedgerId([7; 16]), context: vec![1; 500], registers: Registers::default() };
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let signer = scope.spawn(|| keep_replies(&table, at, count, &stop));
        let (began, ran) = (Instant::now(), fill::busy());
        let capture = Capture::begin(&table).expect("between two batches");
        let written = capture.write(path, &about, &key(), Salt([3; 32]), fill::noon()).expect("room on the disk");
        let (took, ran) = (began.elapsed().as_secs_f64(), (fill::busy() - ran) / 1e9);
        stop.store(true, Ordering::Relaxed);
        assert_eq!(written.certificates, count);
        println!("written in {took:.2} s, flushed to the disk included; processor {ran:.2} s");
        let mut waits = signer.join().expect("the signer ends well");
        waits.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize] * 1e6;
        println!(
            "  meanwhile {} replies kept, each in {:.1} µs (median), {:.0} (99 %), {:.0} (99.9 %), {:.0} (most)",
            waits.len(),
            at(0.5),
            at(0.99),
            at(0.999),
            at(1.0)
        );
        if signature_octets == 0 {
            println!("  row by row, without replies: {:.2} s of one processor", row_by_row(&table, count));
        }
        written.octets
    })
}

/// The same certificates put into another table one by one, as a scan does it, without the time to read them.
fn row_by_row(table: &Table, count: u64) -> f64 {
    let (other, mut ns) = (Table::empty(HashKey::new([0x5b; 16])), 0.0);
    for first in (1..=count).step_by(5_000) {
        let rows: Vec<_> = (first..=count).take(5_000).filter_map(|no| table.row(CertificateNo(no))).collect();
        let began = fill::busy();
        rows.iter().for_each(|row| other.restore(row).expect("a new row"));
        ns += fill::busy() - began;
    }
    assert_eq!(other.count(), count);
    ns / 1e9
}

/// Keeps a reply every 50 µs, as a signer would; how long each keeping took.
fn keep_replies(table: &Table, at: Position, count: u64, stop: &AtomicBool) -> Vec<f64> {
    let mut waits = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_micros(50));
        let began = Instant::now();
        fill::keep(table, at, fill::mix(waits.len() as u64) % count + 1, 600, &[0x77; 64]);
        waits.push(began.elapsed().as_secs_f64());
    }
    waits
}

fn plain_read(path: &Path) -> f64 {
    let began = Instant::now();
    let (mut file, mut buffer) = (File::open(path).expect("it was written"), vec![0; 1 << 18]);
    while file.read(&mut buffer).expect("it is readable") > 0 {}
    began.elapsed().as_secs_f64()
}

/// Another process has none of this one's memory.
fn in_a_process(path: &Path, threads: &str) -> (f64, f64) {
    let program = std::env::current_exe().expect("this program has a path");
    let ran = Command::new(program).args(["load".as_ref(), path.as_os_str(), threads.as_ref()]).output();
    let ran = ran.expect("this program runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let figures = String::from_utf8_lossy(&ran.stdout);
    let (wall, busy) = figures.trim().split_once(' ').expect("two figures");
    (wall.parse().expect("seconds"), busy.parse().expect("seconds"))
}

fn load(path: &Path, threads: NonZeroUsize) {
    let began = Instant::now();
    let table = Snapshot::open(path, &key()).and_then(|snapshot| snapshot.load(threads)).expect("what was written");
    let view = table.look_up(&fill::key(77), &mut Signature::default()).expect("it is in there");
    let took = began.elapsed().as_secs_f64();
    assert_eq!(view.no, CertificateNo(77));
    println!("{took} {}", processor_seconds());
    // Freeing it is no part of a start.
    std::mem::forget(table);
}

/// What all threads of this process have used, user and system.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux counts a process's time");
    let after_name = stat.rsplit(')').next().expect("a name in brackets");
    let ticks = after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<f64>().expect("ticks"));
    ticks.sum::<f64>() / 100.0
}

fn key() -> SnapshotKey {
    SnapshotKey::new([9; 32])
}

const KINDS: [&str; 2] = ["status", "p256"];
