//! The embedded ledger's figures, printed as a table: `cargo bench --bench ledger_sqlite -- [million rows of the large case]`.
//!
//! Wall-clock times of real files, flushes included; the best of several rounds, for other work on the machine only ever
//! adds. The folder is `$TASHIKA_BENCH_DIR`, else the system's for temporary files: it must lie on a real disk.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![allow(clippy::unwrap_used, reason = "a benchmark that can't go on should stop where it is")]

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tashika::ledger::sqlite::SqliteLedger;
use tashika::ledger::{Batch, Ledger, LedgerError, NewStatus, Upkeep, Wanted};
use tashika::model::{
    Actor, AppletId, Batch as ChipBatch, Body, BudgetKey, Certificate, CertificateKey, Change, Channel, Delivery,
    Event, HoldKind, HolderId, IssuerNo, KeyOrigin, LedgerId, Links, Medium, MediumId, MediumKind, Municipality,
    PersonId, Proofing, Role, ScopeNo, Serial, Sim, SimId, Time, Usage,
};

fn main() {
    let millions: u64 = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(10);
    let folder = std::env::var_os("TASHIKA_BENCH_DIR").map_or_else(std::env::temp_dir, Into::into);
    let folder = tempfile::tempdir_in(folder).unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = SqliteLedger::create(&path, &Batch::genesis(LedgerId([7; 16]), ACTOR, now())).unwrap();
    println!("machine: {}", machine());

    let first = register(&ledger, 0, MILLION);
    first.print("empty → 1 M");
    settle_down(&ledger);
    changes(&ledger, folder.path());
    scan(&ledger);
    beside(&ledger, &ledger, MILLION, "the same handle");
    beside(&ledger, &SqliteLedger::open(&path).unwrap(), MILLION + BESIDE, "another handle");
    if millions > 1 {
        let load = register(&ledger, MILLION + 2 * BESIDE, (millions - 1) * MILLION - 2 * BESIDE);
        load.print(&format!("1 M → {millions} M"));
        let more = register(&ledger, millions * MILLION, MILLION);
        more.print(&format!("{millions} M → {} M", millions + 1));
        settle_down(&ledger);
        changes(&ledger, folder.path());
        scan(&ledger);
        beside(&ledger, &ledger, (millions + 1) * MILLION, "the same handle");
        let other = SqliteLedger::open(&path).unwrap();
        beside(&ledger, &other, (millions + 1) * MILLION + BESIDE, "another handle");
    }
}

/// Lone changes while certificates are registered in bulk: what a window waits beside an import.
fn beside(ledger: &SqliteLedger, window: &SqliteLedger, from: u64, which: &str) {
    let done = AtomicBool::new(false);
    let (registered, (waits, retries)) = std::thread::scope(|scope| {
        let window = scope.spawn(|| {
            let (mut waits, mut retries) = (Vec::new(), 0);
            while !done.load(Ordering::Relaxed) {
                let key = certificate(mix(waits.len() as u64) % MILLION).key;
                let start = Instant::now();
                while !change(window, vec![key]) {
                    retries += 1;
                }
                waits.push(start.elapsed());
                std::thread::sleep(Duration::from_millis(3));
            }
            (waits, retries)
        });
        let registered = register(ledger, from, BESIDE);
        done.store(true, Ordering::Relaxed);
        (registered, window.join().unwrap())
    });
    registered.print("beside lone changes");
    report(&format!("lone change beside registering, through {which}"), &waits);
    println!("  ({} changes, decided again {retries} times)", waits.len());
}

/// What came of registering.
struct Registered {
    rows: u64,
    cpu: Duration,
    making: Duration,
    asking: Duration,
    appending: Duration,
    longest: Duration,
}

impl Registered {
    fn print(&self, what: &str) {
        let rate = |time: Duration| self.rows as f64 / time.as_secs_f64();
        println!(
            "register {what}: {:.0}/s (on the CPU {:.0}/s, append alone {:.0}/s, making batches {:.0}/s, asking {:.0}/s); longest append {:?}",
            rate(self.asking + self.appending),
            rate(self.cpu),
            rate(self.appending),
            rate(self.making),
            rate(self.asking),
            self.longest
        );
    }
}

/// Registers in chunks as an import does: ask whether the keys are new, then append.
fn register(ledger: &SqliteLedger, from: u64, rows: u64) -> Registered {
    let mut result = Registered {
        rows,
        cpu: Duration::ZERO,
        making: Duration::ZERO,
        asking: Duration::ZERO,
        appending: Duration::ZERO,
        longest: Duration::ZERO,
    };
    for first in (from..from + rows).step_by(CHUNK as usize) {
        let certificates: Vec<_> = (first..(first + CHUNK).min(from + rows)).map(certificate).collect();
        let keys: Vec<_> = certificates.iter().map(|certificate| certificate.key).collect();
        let (start, cpu) = (Instant::now(), on_cpu());
        let known = ledger.registered(&keys).unwrap();
        result.asking += start.elapsed();
        assert!(known.iter().all(Option::is_none));
        let start = Instant::now();
        let mut making = Duration::ZERO;
        let appended = ledger.append_in_turn(&mut |head| {
            let start = Instant::now();
            let mut batch = Batch::on(head.clone());
            batch.register(ACTOR, now(), certificates.clone());
            making = start.elapsed();
            Ok(batch)
        });
        appended.unwrap();
        result.making += making;
        let took = start.elapsed() - making;
        result.appending += took;
        result.longest = result.longest.max(took);
        result.cpu += on_cpu() - cpu;
    }
    result
}

fn settle_down(ledger: &SqliteLedger) {
    let start = Instant::now();
    let (mut steps, mut longest) = (0, Duration::ZERO);
    loop {
        let step = Instant::now();
        let more = ledger.upkeep().unwrap() == Upkeep::More;
        longest = longest.max(step.elapsed());
        steps += 1;
        if !more {
            break;
        }
    }
    println!("upkeep until idle: {steps} steps, {:?}, longest {longest:?}", start.elapsed());
}

/// Groups of 64 and lone changes, against a bare commit of one row.
fn changes(ledger: &SqliteLedger, folder: &Path) {
    let count = ledger.head().unwrap().certificates;
    let mut picker = 0_u64;
    let mut round = |size: u64| {
        let keys: Vec<_> = (0..size).map(|n| certificate(mix(picker * 1000 + n) % count).key).collect();
        picker += 1;
        let start = Instant::now();
        assert!(change(ledger, keys), "nobody else writes");
        start.elapsed()
    };
    let cpu = on_cpu();
    let groups: Vec<_> = (0..400).map(|_| round(64)).collect();
    report("find + append of 64 changes", &groups);
    println!("  (on the CPU {:?} each, making the keys included)", (on_cpu() - cpu) / 400);
    // Taken in turns, so that both meet the same weather.
    let mut bare = bare_commits(&folder.join("bare.db"));
    let cpu = on_cpu();
    (0..500).for_each(|_| _ = round(1));
    let lone_cpu = (on_cpu() - cpu) / 500;
    let cpu = on_cpu();
    (0..500).for_each(|_| _ = bare());
    println!("lone on the CPU {lone_cpu:?}, bare {:?}", (on_cpu() - cpu) / 500);
    let (bare, lone): (Vec<_>, Vec<_>) = (0..2000).map(|_| (bare(), round(1))).unzip();
    report("lone find + append", &lone);
    report("bare commit of one row", &bare);
    let ratio = |share| at(&lone, share).as_secs_f64() / at(&bare, share).as_secs_f64();
    println!("lone / bare: best tenth {:.2}, quarter {:.2}, median {:.2}", ratio(0.1), ratio(0.25), ratio(0.5));
}

/// Decides and appends; `false` if another was faster.
fn change(ledger: &SqliteLedger, keys: Vec<CertificateKey>) -> bool {
    let wanted = Wanted { keys, budgets: vec![BudgetKey("ops hold".into())], hour: 500_000, ..Wanted::default() };
    let found = ledger.find(&wanted).unwrap();
    let mut batch = Batch::on(found.head);
    for mut entry in found.entries {
        let handed = entry.status.handed_to.map_or(1, |town| town.0 + 1);
        let change = match entry.status.holds.len() {
            0 => Change::Held { kind: HoldKind::Window, lost_at: None, becomes: None },
            _ => Change::HandedOver { to: Municipality(handed) },
        };
        let body = Body::Changed { no: entry.no, key: entry.certificate.key, change: change.clone() };
        let (position, time) = batch.record(Event { time: now(), actor: ACTOR, cause: None, body });
        entry.status.apply(&change, position, time, position);
        batch.statuses.push(NewStatus { no: entry.no, status: entry.status });
    }
    batch.budgets.push((BudgetKey("ops hold".into()), 500_000, 1));
    match ledger.append(&batch) {
        Ok(()) => true,
        Err(LedgerError::Moved { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

/// The cheapest durable thing that SQLite does.
fn bare_commits(path: &Path) -> impl FnMut() -> Duration + use<> {
    let db = rusqlite::Connection::open(path).unwrap();
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;
         CREATE TABLE IF NOT EXISTS t (a INTEGER PRIMARY KEY, b BLOB)",
    )
    .unwrap();
    move || {
        let mut insert = db.prepare_cached("INSERT INTO t (b) VALUES (?1)").unwrap();
        let start = Instant::now();
        insert.execute([[5_u8; 160]]).unwrap();
        start.elapsed()
    }
}

fn scan(ledger: &SqliteLedger) {
    let rounds = (0..3).map(|_| {
        let (start, mut rows, mut held) = (Instant::now(), 0_u64, 0_u64);
        let head = ledger.scan(&mut |entry| {
            rows += 1;
            held += u64::from(!entry.status.holds.is_empty());
            ControlFlow::Continue(())
        });
        assert_eq!(head.unwrap().certificates, rows);
        (rows as f64 / start.elapsed().as_secs_f64(), held)
    });
    let (best, held) = rounds.fold((0.0, 0), |best: (f64, u64), round| (best.0.max(round.0), round.1));
    println!("scan: {best:.0} rows/s ({held} held)");
}

/// What this thread has had of a processor: on a busy machine a better measure than the time that has passed.
fn on_cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}

fn report(what: &str, times: &[Duration]) {
    let [best, tenth, median, p99, worst] = [0.0, 0.1, 0.5, 0.99, 1.0].map(|share| at(times, share));
    println!("{what}: best {best:?}, best tenth {tenth:?}, median {median:?}, p99 {p99:?}, worst {worst:?}");
}

/// The time that this share of them doesn't exceed.
fn at(times: &[Duration], share: f64) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[((times.len() - 1) as f64 * share) as usize]
}

/// The n-th certificate: four in five on cards, the rest in SIMs; two for each holder and medium; all names random.
fn certificate(n: u64) -> Certificate {
    let pair = n / 2;
    let sim = pair.is_multiple_of(5);
    Certificate {
        key: CertificateKey { issuer: IssuerNo(1), serial: Serial::from_unsigned(&name(1, n)).unwrap() },
        usage: if n.is_multiple_of(2) { Usage::Sign } else { Usage::Auth },
        medium: Medium { kind: if sim { MediumKind::Sim } else { MediumKind::Card }, id: MediumId(name(2, pair)) },
        holder: HolderId(name(3, pair)),
        sim: sim.then(|| Sim {
            operator: "mno-1".parse().unwrap(),
            sim: SimId(name(4, pair)),
            applet: AppletId(name(5, pair)),
        }),
        batch: ChipBatch(3),
        not_before: now(),
        not_after: Time::from_unix(now().unix() + 5 * 365 * 86_400).unwrap(),
        scope: ScopeNo(1),
        municipality: Municipality(13_101),
        key_origin: KeyOrigin::Medium,
        proofing: Proofing::InPerson,
        delivery: Delivery::Delivered,
        links: Links::default(),
    }
}

fn name(kind: u64, n: u64) -> [u8; 16] {
    let (a, b) = (mix(n ^ kind << 60), mix(mix(n) ^ kind));
    let mut name = [0; 16];
    name[..8].copy_from_slice(&a.to_be_bytes());
    name[8..].copy_from_slice(&b.to_be_bytes());
    name
}

/// Deals numbers out over all 64 bits, each to one other.
fn mix(n: u64) -> u64 {
    let n = (n.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

fn now() -> Time {
    Time::from_unix(1_800_000_000).unwrap()
}

fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    format!("{cores} cores, {}, load {}", model.trim_start_matches([' ', '\t', ':']), load.trim())
}

const ACTOR: Actor = Actor { role: Role::Ops, person: PersonId([9; 16]), channel: Channel::Import };
const MILLION: u64 = 1_000_000;
/// Rows registered while somebody else wants to write.
const BESIDE: u64 = 200_000;
/// Rows of one append.
const CHUNK: u64 = 5_000;
