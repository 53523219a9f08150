//! What CRLs cost: `cargo bench --bench crl` prints the table of `docs/PERFORMANCE.md`.
//!
//! A million entries with serials of 16 octets and a reason each, beside `openssl ca -gencrl` on the same entries and
//! with the same key, in one run: both by the clock. The delta is measured by the time that its thread runs, for it does nothing
//! but reckon. Of several rounds the quickest counts. Memory is the peak of this process above what it was
//! with the lists loaded (`VmHWM`, reset before). `-- --quick` takes a tenth of the entries, to see that it runs; a row
//! can be asked for by name (`full`, `delta`, `scopes`), and so can what a nation's day takes (`nation`: 50 million entries, 10
//! GB of memory, half an hour).

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

#[path = "crl/openssl.rs"]
mod openssl;
#[path = "crl/population.rs"]
mod population;
#[path = "crl/rounds.rs"]
mod rounds;
#[path = "ledger/table.rs"]
#[allow(dead_code, reason = "shared with the ledger's benchmark, which uses other parts")]
mod table;

use std::fs;
use std::time::Instant;

use tashika::asn1::crl::Crl;
use tashika::keys::Signer;
use tashika::model::{CrlLimits, CrlNumber, Cutoff, Seconds};
use tashika::publisher::{
    Base, Content, Exposed, Issuing, Kind, Lists, Planned, Previous, Relist, Slot, Why, build, preflight,
};
use tashika::status::{Revoked, ScopeList};

use population::{Population, SCOPE, rules};
use rounds::Rounds;
use table::{Table, Verdict, thousands};

fn main() {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let quick = given.iter().any(|argument| argument == "--quick");
    let named: Vec<&str> = given.iter().map(String::as_str).filter(|name| !name.starts_with('-')).collect();
    let asked = |name: &str| named.is_empty() && name != "nation" || named.contains(&name);
    let entries = if quick { 100_000 } else { 1_000_000 };
    let mut table = Table::new(quick);
    let population = Population::new(entries);
    if asked("full") || asked("delta") {
        let mut bench = Bench::new(&population);
        if asked("full") {
            bench.full(openssl::gencrl(&population), &mut table);
        }
        if asked("delta") {
            bench.delta(&mut table);
        }
    }
    if asked("scopes") {
        let (scopes, entries) = if quick { (800, 500_000) } else { (8_000, 5_000_000) };
        daily(&population, scopes, entries, &mut table);
    }
    if asked("nation") {
        let (scopes, entries) = if quick { (760, 5_000_000) } else { (7_600, 50_000_000) };
        nation(&population, scopes, entries);
    }
    table.print();
}

/// A daily round over many scopes, after a day with changes; the second of two, for it has a base to follow from.
fn daily(population: &Population, scopes: u32, entries: u64, table: &mut Table) {
    let mut rounds = Rounds::new(population, scopes, entries);
    let (_, first) = rounds.publish(Issuing::Full, Why::First, 0);
    rounds.hold(entries / 100, 86_000);
    let (published, took) = rounds.publish(Issuing::Full, Why::Scheduled, 86_400);
    table.row(
        format!(
            "{} scopes, {} entries in all, one daily round with preflight and durable writes, 2 threads",
            thousands(scopes.into()),
            thousands(entries as f64)
        ),
        format!(
            "{took:.1} s ({} CRLs, full and delta, {} MB; the very first round {first:.1} s)",
            thousands(published.crls as f64),
            published.octets / 1_000_000
        ),
        "≤ 30 s",
        "≤ 10 s",
        Verdict::at_most(took, 30.0, 10.0),
    );
}

/// A nation's daily round, and the deltas of its peak day: for the record, not for the table.
fn nation(population: &Population, scopes: u32, entries: u64) {
    let before = memory("VmRSS");
    let mut rounds = Rounds::new(population, scopes, entries);
    println!("lists of {} entries: {} MB", thousands(entries as f64), (memory("VmRSS") - before) / 1_000_000);
    let (published, took) = rounds.publish(Issuing::Full, Why::First, 0);
    println!("first full round: {took:.1} s, {} CRLs, {} MB", published.crls, published.octets / 1_000_000);
    let (changes, mut times, mut octets) = (entries / 37, Vec::new(), 0);
    for quarter in 1..=96_u32 {
        rounds.hold(changes / 96, quarter * 900);
        let (published, took) = rounds.publish(Issuing::Delta, Why::Scheduled, quarter * 900);
        times.push(took);
        octets += published.octets;
    }
    times.sort_by(f64::total_cmp);
    println!(
        "96 delta rounds with {} changes: median {:.1} s, slowest {:.1} s, {} MB of deltas; peak memory {} MB",
        thousands(changes as f64),
        times[48],
        times[95],
        octets / 1_000_000,
        memory("VmHWM") / 1_000_000
    );
}

struct Bench<'a> {
    population: &'a Population,
    revoked: Revoked,
    slot: Slot,
    key: Box<dyn Signer>,
}

impl<'a> Bench<'a> {
    fn new(population: &'a Population) -> Self {
        let before = memory("VmRSS");
        let revoked = population.fed();
        let list = revoked.list(SCOPE).expect("nothing waits");
        let (each, resident) = (list.octets() as f64, (memory("VmRSS") - before) as f64);
        let count = list.count() as f64;
        eprintln!("lists: {:.1} octets for each entry, resident {:.1}", each / count, resident / count);
        Self { population, revoked, slot: population.slot(), key: population.key() }
    }

    fn list(&self) -> &ScopeList {
        self.revoked.list(SCOPE).expect("nothing waits")
    }

    fn full(&self, theirs: f64, table: &mut Table) {
        let entries = self.population.entries as f64;
        let lists = Lists::of_scope(self.list());
        let content = Content { lists: &lists, cutoff: self.cutoff(), rules: rules(), regular: &[] };
        let planned = self.planned(1, Kind::Full);
        let mut parts = [f64::INFINITY; 2];
        let mut size = 0;
        let before = reset_peak();
        for _ in 0..ROUNDS {
            let began = Instant::now();
            let octets = build(&self.slot, &planned, &content, self.key.as_ref()).expect("it signs");
            let built = began.elapsed().as_secs_f64();
            let passed = preflight(&octets, &self.slot, &planned, &content, &Exposed::default(), Base::None);
            assert_eq!(passed.expect("it passes").entries, entries as u64);
            let all = began.elapsed().as_secs_f64();
            if all < parts[0] + parts[1] {
                parts = [built, all - built];
            }
            size = octets.len();
        }
        let peak = (memory("VmHWM") - before) as f64 / size as f64;
        let all = parts[0] + parts[1];
        table.row(
            format!("full CRL of {} entries, signed and preflighted, P-256, against openssl", thousands(entries)),
            format!(
                "{:.0} × ({:.0} ms: build {:.0}, preflight {:.0}; openssl {theirs:.2} s; {} octets)",
                theirs / all,
                all * 1e3,
                parts[0] * 1e3,
                parts[1] * 1e3,
                thousands(size as f64)
            ),
            "≥ 30 ×",
            "≥ 50 ×",
            Verdict::at_least(theirs / all, 30.0, 50.0),
        );
        let memory = format!("{peak:.2} × the file");
        table.row(
            "peak memory for it, above the loaded state",
            memory,
            "≤ 1.5 ×",
            "≤ 1.1 ×",
            Verdict::at_most(peak, 1.5, 1.1),
        );
    }

    /// Ten thousand changes after a full CRL; then the next full CRL, which must follow from the one before.
    fn delta(&mut self, table: &mut Table) {
        let base_cutoff = self.cutoff();
        let base_octets = {
            let lists = Lists::of_scope(self.list());
            let content = Content { lists: &lists, cutoff: base_cutoff, rules: rules(), regular: &[] };
            build(&self.slot, &self.planned(1, Kind::Full), &content, self.key.as_ref()).expect("it signs")
        };
        let base = Crl::read(&base_octets, CrlLimits::WIDEST).expect("our own");
        let changes = self.population.change(&mut self.revoked);
        let lists = Lists::of_scope(self.list());
        let regular = [base_cutoff];
        let content = Content { lists: &lists, cutoff: self.cutoff(), rules: rules(), regular: &regular };
        let kind = Kind::Delta { base: CrlNumber::from(1), since: base_cutoff, relist: Relist::Changed };
        let planned = self.planned(2, kind);
        let exposed =
            Exposed { number: Some(CrlNumber::from(1)), this_update: Some(base_cutoff.time), next_update: None };
        let delta = quickest(|| {
            let octets = build(&self.slot, &planned, &content, self.key.as_ref()).expect("it signs");
            let passed = preflight(&octets, &self.slot, &planned, &content, &exposed, Base::OfDelta(&base));
            assert_eq!(passed.expect("it passes").entries, changes);
        });
        table.row(
            format!("delta with {} changes on that base, replay proof included", thousands(changes as f64)),
            format!("{:.1} ms", delta * 1e3),
            "≤ 60 ms",
            "≤ 20 ms",
            Verdict::at_most(delta * 1e3, 60.0, 20.0),
        );
        let planned = self.planned(2, Kind::Full);
        let full = quickest(|| {
            let octets = build(&self.slot, &planned, &content, self.key.as_ref()).expect("it signs");
            let before = Previous { crl: &base, cutoff: base_cutoff, relist: Relist::Changed };
            preflight(&octets, &self.slot, &planned, &content, &exposed, Base::Full(before)).expect("it passes");
        });
        eprintln!("the next full CRL, proved to follow from the one before: {:.0} ms", full * 1e3);
    }

    fn cutoff(&self) -> Cutoff {
        Cutoff { position: self.revoked.at(), time: population::now() }
    }

    fn planned(&self, number: u64, kind: Kind) -> Planned {
        let next_update = population::now() + Seconds::hours(30);
        Planned { number: CrlNumber::from(number), kind, next_update, reflects: None }
    }
}

/// Seconds that this thread ran, of the quickest round: what others take of the processor doesn't count.
fn quickest(mut round: impl FnMut()) -> f64 {
    let one = |_| {
        let began = busy();
        round();
        busy() - began
    };
    (0..ROUNDS).map(one).fold(f64::INFINITY, f64::min)
}

fn busy() -> f64 {
    let times = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts a thread's time");
    let nanoseconds = times.split(' ').next().and_then(|time| time.parse::<f64>().ok());
    nanoseconds.expect("a number of nanoseconds") / 1e9
}

/// What is resident now; from now on the peak is counted anew.
fn reset_peak() -> usize {
    fs::write("/proc/self/clear_refs", "5").expect("the peak can be reset");
    memory("VmRSS")
}

/// In octets.
fn memory(what: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("this process has a status");
    let line = status.lines().find(|line| line.starts_with(what)).expect("it tells its memory");
    let kilobytes = line.split_whitespace().nth(1).and_then(|text| text.parse::<usize>().ok());
    kilobytes.expect("a number of kilobytes") * 1024
}

const ROUNDS: usize = 7;
