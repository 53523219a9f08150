//! What the status table costs: `cargo bench --bench status_table -- [million certificates] [status|p256|rsa]`.
//!
//! Memory is the resident size of this process (`/proc/self/statm`) less what it was before the table was made: chunks,
//! shards, what the allocator wastes, the writer's own maps, all of it. Serials have 16 octets, two in a hundred
//! certificates are revoked and one is held, on two issuers and fifty batches. Times are those of the thread on the
//! processor, to make a certificate and to put it in, with its reply; the last line's is a reply replaced. After so many the table grows by 15 %,
//! and is measured again. Each kind of reply is measured in a process of its own, so that no memory is used twice.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tashika::model::{
    Batch, Certificate, CertificateKey, CertificateNo, Change, Delivery, Epoch, HoldKind, HolderId, IssuerNo,
    KeyOrigin, Links, Medium, MediumId, MediumKind, Municipality, Position, Proofing, Reason, ScopeNo, Seconds, Serial,
    Time, Usage,
};
use tashika::status::{Changed, HashKey, Keeping, ReadTo, Signature, SignedFor, Table};

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
    fill(&table, &mut at, count, grown, kind);
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
    fill(&table, &mut at, 0, count, kind);
    (table, at, (busy() - began) / count as f64)
}

/// Registers, changes and signs for the certificates after `from`, up to `to`.
fn fill(table: &Table, at: &mut Position, from: u64, to: u64, kind: &Kind) {
    let signature = vec![0x77; kind.signature_octets];
    let mut certificates = Vec::new();
    let mut first = from + 1;
    while first <= to {
        let last = (first + 4_999).min(to);
        certificates.clear();
        certificates.extend((first..=last).map(certificate));
        *at = at.next();
        table.register(*at, CertificateNo(first), &certificates).expect("new certificates");
        for number in (first..=last).filter(|number| number % 100 < 3) {
            *at = at.next();
            change(table, *at, number);
        }
        table.publish(read_to(*at)).expect("a later position");
        if kind.signature_octets > 0 {
            for number in first..=last {
                keep(table, *at, number, 0, &signature);
            }
        }
        first = last + 1;
    }
}

fn change(table: &Table, position: Position, number: u64) {
    let revoked = Change::Revoked { reason: Reason::Superseded, at: noon(), lost_at: None };
    let held = Change::Held { kind: HoldKind::CallCentre, lost_at: Some(noon()), becomes: None };
    let change = if number % 100 == 2 { held } else { revoked };
    let no = CertificateNo(number);
    let changed = Changed { position, time: noon(), cause: position, no, key: key(number), change: &change };
    table.change(&changed).expect("a registered certificate");
}

/// Every reply signed anew, as a round of refreshing does.
fn refresh(table: &Table, at: Position, count: u64, kind: &Kind) -> f64 {
    let signature = vec![0x78; kind.signature_octets];
    let began = busy();
    (1..=count).for_each(|number| keep(table, at, number, 600, &signature));
    (busy() - began) / count as f64
}

fn keep(table: &Table, at: Position, number: u64, later: u32, signature: &[u8]) {
    let (this_update, next_update) = (noon() + Seconds(later), noon() + Seconds(later + 600));
    let signed = SignedFor { reflects: at, signer: 1, this_update, produced_at: this_update, next_update };
    assert_eq!(table.keep_reply(CertificateNo(number), &signed, signature), Keeping::Kept);
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

/// How long this thread has run, in nanoseconds: what others take of the processor doesn't count.
fn busy() -> f64 {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts a thread's time");
    times.split(' ').next().and_then(|time| time.parse().ok()).expect("a number of nanoseconds")
}

/// The resident size of this process, in octets.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("Linux says how large a process is");
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("a number of pages") * 4096
}

fn certificate(number: u64) -> Certificate {
    Certificate {
        key: key(number),
        usage: Usage::Auth,
        medium: Medium { kind: MediumKind::Card, id: MediumId([0; 16]) },
        holder: HolderId([0; 16]),
        sim: None,
        batch: Batch((number / 200_000) as u32),
        not_before: noon(),
        not_after: noon() + Seconds::days(1_000 + (number / 50_000) as u32),
        scope: ScopeNo(1),
        municipality: Municipality(13_101),
        key_origin: KeyOrigin::Medium,
        proofing: Proofing::InPerson,
        delivery: Delivery::Delivered,
        links: Links::default(),
    }
}

/// Two issuers in turn; serials of 16 octets without any order.
fn key(number: u64) -> CertificateKey {
    let mut octets = [0; 16];
    octets[..8].copy_from_slice(&(mix(number) | 1 << 63).to_be_bytes());
    octets[8..].copy_from_slice(&mix(!number).to_be_bytes());
    let serial = Serial::from_unsigned(&octets).expect("sixteen octets");
    CertificateKey { issuer: IssuerNo(1 + (number % 2) as u16), serial }
}

fn mix(number: u64) -> u64 {
    let z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn read_to(position: Position) -> ReadTo {
    ReadTo { epoch: Epoch(1), position }
}

fn noon() -> Time {
    Time::from_unix(1_795_143_600).expect("within the calendar")
}

const ROUND: u64 = 2_000_000;
