//! How fast a ledger is proved: `cargo bench --bench verify -- [million changes] [million certificates]`.
//!
//! An embedded ledger in which each change is an event of its own; every event is hashed, linked, decoded and played
//! back, and every row hashed and looked up. Wall-clock times, the best of three, for other work on the machine only
//! ever adds; beside them the time that the processor spent, on both threads together. The folder is
//! `$TASHIKA_BENCH_DIR`, else the system's for temporary files.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::time::{Duration, Instant};

use tashika::ledger::sqlite::SqliteLedger;
use tashika::ledger::{Batch, Ledger, Limits, NewStatus, Progress, Stage, Witnesses, verify};
use tashika::model::{
    Actor, AppletId, Batch as ChipBatch, Body, Certificate, CertificateKey, CertificateNo, Change, Channel, Delivery,
    Event, HoldId, HoldKind, HolderId, IssuerNo, KeyOrigin, LedgerId, Links, Medium, MediumId, MediumKind,
    Municipality, PersonId, Position, Proofing, Role, ScopeNo, Serial, Sim, SimId, Status, Time, Usage,
};

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|arg| arg.parse::<u64>().ok());
    let (changes, certificates) = (numbers.next().unwrap_or(4) * MILLION, numbers.next().unwrap_or(1) * MILLION);
    let folder = std::env::var_os("TASHIKA_BENCH_DIR").map_or_else(std::env::temp_dir, Into::into);
    let folder = tempfile::tempdir_in(folder).expect("a folder");
    let path = folder.path().join("ledger.db");
    let ledger = SqliteLedger::create(&path, &Batch::genesis(LedgerId([7; 16]), ACTOR, now())).expect("a ledger");
    furnish(&ledger, certificates.max(CHUNK), changes);
    for (what, limits) in [
        ("one pass", Limits::default()),
        ("in passes of a million changes", Limits { changes_max: MILLION as usize, ..Limits::default() }),
    ] {
        let rounds = (0..3).map(|_| timed(&ledger, limits));
        let best = rounds.min_by_key(|times| times.all).expect("three rounds");
        println!("{what}: {best}");
    }
}

/// How long the stages took.
struct Times {
    events: u64,
    certificates: u64,
    first: Duration,
    all: Duration,
    /// The processor's, for the first stage and for all.
    busy: [f64; 2],
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rate = |count: u64, time: Duration| count as f64 / time.as_secs_f64();
        write!(
            f,
            "{} events and {} rows in {:.2?} ({:.0} events/s, {:.2} s of processor), with statuses {:.2?} ({:.0} events/s, \
             {:.2} s of processor)",
            self.events,
            self.certificates,
            self.first,
            rate(self.events, self.first),
            self.busy[0],
            self.all,
            rate(self.events, self.all),
            self.busy[1]
        )
    }
}

fn timed(ledger: &dyn Ledger, limits: Limits) -> Times {
    let (start, busy) = (Instant::now(), processor());
    let (mut first, mut first_busy) = (Duration::ZERO, 0.0);
    let mut progress = |progress: Progress| {
        if progress.stage == Stage::Events && progress.done == progress.total {
            (first, first_busy) = (start.elapsed(), processor() - busy);
        }
    };
    let report = verify(ledger, Witnesses::default(), limits, &mut progress).expect("a ledger that can be read");
    assert!(report.is_sound(), "{report}");
    Times {
        events: report.events,
        certificates: report.rows,
        first,
        all: start.elapsed(),
        busy: [first_busy, processor() - busy],
    }
}

/// Seconds that the processor has spent on this process so far.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux tells");
    let after_name = stat.rsplit(')').next().expect("a name in parentheses");
    let ticks: u64 =
        after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("ticks")).sum();
    // 100 a second, whatever the kernel's own clock does (proc(5), sysconf(_SC_CLK_TCK)).
    ticks as f64 / 100.0
}

/// As many certificates and changes as wanted: each held, then released, then held again.
fn furnish(ledger: &SqliteLedger, certificates: u64, changes: u64) {
    for first in (1..=certificates).step_by(CHUNK as usize) {
        let mut batch = Batch::on(ledger.head().expect("a head"));
        batch.register(ACTOR, now(), (first..first + CHUNK).map(certificate).collect());
        ledger.append(&batch).expect("an append");
    }
    let mut open = vec![Position(0); certificates as usize];
    let mut at = 0;
    while at < changes {
        let mut batch = Batch::on(ledger.head().expect("a head"));
        for number in (at..at + CHUNK).map(|at| at * STRIDE % certificates) {
            let (no, key) = (CertificateNo(number + 1), certificate(number + 1).key);
            let hold = &mut open[number as usize];
            let change = match *hold {
                Position(0) => Change::Held { kind: HoldKind::CallCentre, lost_at: None, becomes: None },
                held => Change::Released { holds: vec![HoldId(held)] },
            };
            let mut status = Status::at_registration(&certificate(number + 1), Position(0));
            if *hold != Position(0) {
                let held = Change::Held { kind: HoldKind::CallCentre, lost_at: None, becomes: None };
                status.apply(&held, *hold, now(), *hold);
            }
            let body = Body::Changed { no, key, change: change.clone() };
            let (position, time) = batch.record(Event { time: now(), actor: ACTOR, cause: None, body });
            status.apply(&change, position, time, position);
            batch.statuses.push(NewStatus { no, status });
            *hold = if *hold == Position(0) { position } else { Position(0) };
        }
        ledger.append(&batch).expect("an append");
        at += CHUNK;
    }
}

fn certificate(number: u64) -> Certificate {
    let id = |kind: u8| {
        let mut id = [kind; 16];
        id[8..].copy_from_slice(&number.to_be_bytes());
        id
    };
    Certificate {
        key: CertificateKey {
            issuer: IssuerNo(1),
            serial: Serial::from_unsigned(&(number * 7919).to_be_bytes()).expect("not zero"),
        },
        usage: Usage::Auth,
        medium: Medium { kind: MediumKind::Sim, id: MediumId(id(1)) },
        holder: HolderId(id(2)),
        sim: Some(Sim { operator: "mno-1".parse().expect("a name"), sim: SimId(id(3)), applet: AppletId(id(4)) }),
        batch: ChipBatch(0),
        not_before: now(),
        not_after: Time::from_unix(now().unix() + 5 * 365 * 86_400).expect("within the calendar"),
        scope: ScopeNo(1),
        municipality: Municipality(13_101),
        key_origin: KeyOrigin::Service,
        proofing: Proofing::CardSignature,
        delivery: Delivery::Delivered,
        links: Links::default(),
    }
}

fn now() -> Time {
    Time::from_unix(1_800_000_000).expect("within the calendar")
}

const ACTOR: Actor = Actor { role: Role::CallCentre, person: PersonId([6; 16]), channel: Channel::Api };
const MILLION: u64 = 1_000_000;
const CHUNK: u64 = 5_000;
/// Prime to a million, so that neighbours in the history are far apart in the tables.
const STRIDE: u64 = 7_919;
