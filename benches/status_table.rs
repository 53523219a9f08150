//! What the status table costs: `cargo bench --bench status_table -- [million certificates] [status|p256|rsa]`.
//!
//! Memory is the resident size of this process (`/proc/self/statm`) less what it was before the table was made: chunks,
//! shards, what the allocator wastes, the writer's own maps, all of it. Serials have 16 octets, two in a hundred
//! certificates are revoked and one is held, on two issuers and fifty batches. Times are those of the thread on the
//! processor, to make a certificate and to put it in, with its reply; the last line's is a reply replaced. After so many the table grows by 15 %,
//! and is measured again. Each kind of reply is measured in a process of its own, so that no memory is used twice.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

#[path = "status/fill.rs"]
mod fill;

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tashika::model::{CertificateKey, CertificateNo, Change, Position};
use tashika::status::{Changed, HashKey, Signature, Table};

use fill::{busy, fill, keep, key, mix, noon, read_to, resident};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let millions = arguments.iter().find_map(|argument| argument.parse::<u64>().ok()).unwrap_or(10);
    match KINDS.iter().find(|kind| arguments.contains(&kind.name.to_owned())) {
        Some(kind) => measure(kind, millions * 1_000_000),
        None => {
            for kind in &KINDS {
                let program = std::env::current_exe().expect("this program has a path");
                let ran = Command::new(program).args([millions.to_string(), kind.name.to_owned()]).status();
                assert!(ran.expect("this program runs").success(), "{} failed", kind.name);
            }
        }
    }
}

struct Kind {
    name: &'static str,
    says: &'static str,
    signature_octets: usize,
    must: f64,
    aim: f64,
}

const KINDS: [Kind; 3] = [
    Kind { name: "status", says: "status only", signature_octets: 0, must: 48.0, aim: 32.0 },
    Kind { name: "p256", says: "with kept P-256 reply", signature_octets: 64, must: 128.0, aim: 108.0 },
    Kind { name: "rsa", says: "with kept RSA-2048 reply", signature_octets: 256, must: 360.0, aim: 320.0 },
];

/// Fills a table, measures it, lets it grow, measures it again.
fn measure(kind: &Kind, count: u64) {
    if kind.signature_octets == 0 {
        look_ups("10,000", &filled(10_000, kind).0, 10_000);
    }
    let before = resident();
    let (table, mut at, took) = filled(count, kind);
    report(kind, count, before, took);
    look_ups(&format!("{count}"), &table, count);
    let grown = count + count * 15 / 100;
    let began = busy();
    fill(&table, &mut at, count, grown, kind.signature_octets);
    report(kind, grown, before, (busy() - began) / (grown - count) as f64);
    if kind.signature_octets > 0 {
        let replaced = refresh(&table, at, grown, kind);
        report(kind, grown, before, replaced);
    }
    beside_a_writer(&table, &mut at, grown);
}

fn filled(count: u64, kind: &Kind) -> (Table, Position, f64) {
    let (table, mut at) = (Table::empty(HashKey::new([0x5a; 16])), Position(0));
    let began = busy();
    fill(&table, &mut at, 0, count, kind.signature_octets);
    (table, at, (busy() - began) / count as f64)
}

/// Every reply signed anew, as a round of refreshing does.
fn refresh(table: &Table, at: Position, count: u64, kind: &Kind) -> f64 {
    let signature = vec![0x78; kind.signature_octets];
    let began = busy();
    (1..=count).for_each(|number| keep(table, at, number, 600, &signature));
    (busy() - began) / count as f64
}

/// Uniformly random hits, then misses: the best of five rounds.
fn look_ups(of: &str, table: &Table, count: u64) {
    let hits = nanoseconds(table, |draw| key(draw % count + 1));
    let misses = nanoseconds(table, |draw| key(draw | 1 << 63));
    println!("  look-ups among {of}: hit {hits:.0} ns ({:.1} M/s), miss {misses:.0} ns", 1e3 / hits);
}

fn nanoseconds(table: &Table, key: impl Fn(u64) -> CertificateKey) -> f64 {
    // The keys are made beforehand; walking through them costs one sequential cache line each.
    let keys: Vec<CertificateKey> = (0..ROUND).map(|draw| key(mix(draw ^ 0x1234_5678))).collect();
    let mut signature = Signature::default();
    let mut round = || {
        let began = busy();
        let found = keys.iter().filter(|key| table.look_up(key, &mut signature).is_some()).count();
        std::hint::black_box(found);
        (busy() - began) / ROUND as f64
    };
    (0..5).map(|_| round()).fold(f64::INFINITY, f64::min)
}

/// The same look-ups while another thread changes certificates and signs anew, as fast as it can.
fn beside_a_writer(table: &Table, at: &mut Position, count: u64) {
    let alone = nanoseconds(table, |draw| key(draw % count + 1));
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let (mut written, began) = (0_u64, Instant::now());
            while !stop.load(Ordering::Relaxed) {
                *at = at.next();
                let number = mix(written) % count + 1;
                let change = Change::LossDated { lost_at: noon() };
                let no = CertificateNo(number);
                let changed =
                    Changed { position: *at, time: noon(), cause: *at, no, key: key(number), change: &change };
                table.change(&changed).expect("a registered certificate");
                table.publish(read_to(*at)).expect("a later position");
                written += 1;
            }
            written as f64 / began.elapsed().as_secs_f64()
        });
        let beside = nanoseconds(table, |draw| key(draw % count + 1));
        stop.store(true, Ordering::Relaxed);
        let rate = writer.join().expect("the writer ends well");
        println!("  hit beside a writer of {rate:.0} changes/s: {beside:.0} ns ({alone:.0} ns without)");
    });
}

fn report(kind: &Kind, count: u64, before: u64, ns: f64) {
    let each = (resident() - before) as f64 / count as f64;
    let verdict = match each {
        each if each <= kind.aim => "aim reached",
        each if each <= kind.must => "must reached",
        _ => "SHORT",
    };
    println!(
        "{}, {count}: {each:.1} B a certificate (at most {}, aim {}: {verdict}); {ns:.0} ns for each",
        kind.says, kind.must, kind.aim,
    );
}

const ROUND: u64 = 2_000_000;
