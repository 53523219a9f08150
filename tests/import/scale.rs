//! A long file in little memory: a child process reads one and says what it needed at most.

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::ops::ControlFlow;
use std::process::Command;
use std::time::{Duration, Instant};

use tashika::desk::bulk::{OnBad, Source};
use tashika::ledger::import::{Context, Format, Records};
use tashika::ledger::{
    Batch, Found, Head, Heard, Heartbeat, InboxItem, Lease, Ledger, LedgerError, Sealed, Stray, Upkeep, Wanted,
};
use tashika::model::{Book, CertificateKey, CertificateNo, Entry, IssuerNo, ListNo, Millis, NodeId, Position, Time};

use crate::town::{Town, pseudonym};

/// Lines that are made while they are read, so that the file itself takes no memory.
struct Generated {
    lines: u64,
}

struct GeneratedLines {
    lines: u64,
    next: u64,
    line: Vec<u8>,
    at: usize,
}

impl Source for Generated {
    fn open(&self) -> io::Result<Box<dyn BufRead + Send + '_>> {
        let lines = GeneratedLines { lines: self.lines, next: 1, line: Vec::new(), at: 0 };
        Ok(Box::new(BufReader::with_capacity(64 * 1024, lines)))
    }
}

impl Read for GeneratedLines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.line.len() {
            if self.next > self.lines {
                return Ok(0);
            }
            self.line.clear();
            write_line(&mut self.line, self.next);
            self.at = 0;
            self.next += 1;
        }
        let read = (&self.line[self.at..]).read(buffer)?;
        self.at += read;
        Ok(read)
    }
}

fn write_line(out: &mut Vec<u8>, number: u64) {
    // Every tenth succeeds the one before, so that links are kept track of, too.
    let succeeds =
        if number.is_multiple_of(10) { format!(",\"succeeds\":\"{:08X}\"", number - 1) } else { String::new() };
    writeln!(
        out,
        "{{\"serial\":\"{number:08X}\",\"not_before\":\"2026-01-01T00:00:00Z\",\"not_after\":\"2031-01-01T00:00:00Z\",\
         \"type\":\"AUTH\",\"medium\":{{\"kind\":\"SIM\",\"id\":\"{number:032x}\"}},\"holder\":\"{number:032x}\",\
         \"operator\":\"mno-1\",\"sim\":\"{number:032x}\",\"applet\":\"{number:032x}\",\"scope\":\"scope-1.crl\",\
         \"municipality\":13101,\"batch\":7,\"key_origin\":\"service\",\"proofing\":\"card-signature\"{succeeds}}}"
    )
    .unwrap();
}

/// A ledger that keeps nothing but its head: what remains is what the import itself needs.
struct Forgetful {
    inner: Box<dyn Ledger>,
    state: std::sync::Mutex<(Head, Vec<u64>)>,
}

impl Forgetful {
    fn serial(key: &CertificateKey) -> u64 {
        key.serial.as_octets().iter().fold(0, |sum, octet| sum << 8 | u64::from(*octet))
    }
}

impl Ledger for Forgetful {
    fn head(&self) -> Result<Head, LedgerError> {
        Ok(self.state.lock().unwrap().0.clone())
    }

    fn book(&self) -> Result<(Position, Book), LedgerError> {
        self.inner.book()
    }

    fn find(&self, _: &Wanted) -> Result<Found, LedgerError> {
        unreachable!("nothing is registered before it is written")
    }

    /// Serials are written in ascending order from 1, so that the count tells which are there.
    fn registered(&self, keys: &[CertificateKey]) -> Result<Vec<Option<CertificateNo>>, LedgerError> {
        let count = self.state.lock().unwrap().0.certificates;
        Ok(keys.iter().map(|key| Some(Self::serial(key)).filter(|no| *no <= count).map(CertificateNo)).collect())
    }

    fn append(&self, _: &Batch) -> Result<(), LedgerError> {
        unreachable!("bulk work takes its turn")
    }

    fn append_in_turn(&self, build: &mut dyn FnMut(&Head) -> Result<Batch, LedgerError>) -> Result<Batch, LedgerError> {
        let head = self.head()?;
        let batch = build(&head)?;
        let mut state = self.state.lock().unwrap();
        assert_eq!(batch.rows.len() as u64, batch.next.certificates - head.certificates);
        state.1.push(batch.rows.len() as u64);
        state.0 = batch.next.clone();
        Ok(batch)
    }

    fn events_after(&self, _: Position, _: usize) -> Result<Vec<Sealed>, LedgerError> {
        unreachable!("nobody else writes")
    }

    fn rows_from(&self, _: CertificateNo, _: usize) -> Result<Vec<(CertificateNo, Vec<u8>)>, LedgerError> {
        unreachable!("not read by an import")
    }

    fn scan(&self, _: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> Result<Head, LedgerError> {
        unreachable!("not read by an import")
    }

    fn due(&self, _: Time, _: usize) -> Result<Vec<(Time, CertificateNo)>, LedgerError> {
        unreachable!("not read by an import")
    }

    fn queue(&self) -> Result<Vec<Position>, LedgerError> {
        unreachable!("not read by an import")
    }

    fn new_list(&self) -> Result<ListNo, LedgerError> {
        unreachable!("not written by an import")
    }

    fn add_to_list(&self, _: ListNo, _: &[CertificateNo]) -> Result<(), LedgerError> {
        unreachable!("not written by an import")
    }

    fn list_members(&self, _: ListNo, _: CertificateNo, _: usize) -> Result<Vec<CertificateNo>, LedgerError> {
        unreachable!("not read by an import")
    }

    fn inbox(&self, _: usize) -> Result<Vec<InboxItem>, LedgerError> {
        unreachable!("not read by an import")
    }

    fn beat(&self, _: Time) -> Result<Heartbeat, LedgerError> {
        unreachable!("not written by an import")
    }

    fn heartbeat(&self) -> Result<Option<Heartbeat>, LedgerError> {
        unreachable!("not read by an import")
    }

    fn lease(&self, _: &str, _: NodeId, _: Millis, _: u32) -> Result<Lease, LedgerError> {
        unreachable!("not taken by an import")
    }

    fn release_lease(&self, _: &str, _: NodeId) -> Result<(), LedgerError> {
        unreachable!("not taken by an import")
    }

    fn wait(&self, _: Position, _: Duration) -> Result<(), LedgerError> {
        unreachable!("an import waits for nothing")
    }

    fn wait_inbox(&self, _: Duration) -> Result<Heard, LedgerError> {
        unreachable!("an import decides no inbox")
    }

    fn strays(&self) -> Result<Vec<Stray>, LedgerError> {
        unreachable!("nobody proves it")
    }

    fn upkeep(&self) -> Result<Upkeep, LedgerError> {
        Ok(Upkeep::Idle)
    }
}

fn import_generated(lines: u64) {
    let honest = Town::new();
    let head = honest.ledger.head().unwrap();
    let town = Town::on(Box::new(Forgetful { inner: honest.ledger, state: std::sync::Mutex::new((head, vec![])) }));
    let source = Generated { lines };
    let job = tashika::desk::bulk::Job { on_bad: OnBad::Refuse, ..town.job(&source, Format::Ndjson) };
    let imported = town.import_job(&job).unwrap();
    assert_eq!(imported.counts.registered, lines);
    assert_eq!(town.ledger.head().unwrap().certificates, lines);
}

/// The child's part; on its own it imports little.
#[test]
fn a_generated_file_is_imported_whole() {
    let lines = env::var(LINES).map_or(5_000, |lines| lines.parse().unwrap());
    import_generated(lines);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("peak:{peak}");
}

/// The peak of a process that imports so many lines, in KiB.
fn peak_of(lines: u64) -> u64 {
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "scale::a_generated_file_is_imported_whole", "--nocapture", "--test-threads=1"])
        .env(LINES, lines.to_string())
        .output()
        .unwrap();
    let text = String::from_utf8(child.stdout).unwrap();
    assert!(child.status.success(), "{text}{}", String::from_utf8_lossy(&child.stderr));
    let peak = text.lines().find_map(|line| line.split("peak:").nth(1)).unwrap_or_else(|| panic!("no peak: {text}"));
    peak.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

/// Sixteen octets a line, for a moment twice, are what is kept to find repeated serials; all else is chunks.
#[test]
fn memory_does_not_grow_with_the_file_but_for_the_fingerprints() {
    let lines = env::var("TASHIKA_LONG").map_or(100_000, |_| 1_000_000);
    let (small, large) = (peak_of(20_000), peak_of(lines));
    let grown = large.saturating_sub(small);
    println!("20,000 lines: {small} KiB; {lines} lines: {large} KiB");
    assert!(grown < 8 * 1024 + lines * 48 / 1024, "{lines} lines took {grown} KiB more than 20,000");
}

/// Reading alone, as a figure for whoever asks with `--nocapture`; as a test it sees to it that every line is read.
#[test]
fn reading_keeps_up() {
    let town = Town::new();
    let (_, book) = town.ledger.book().unwrap();
    let context = Context { issuer: IssuerNo(1), book: &book, defaults: town.defaults(), pseudonym: &pseudonym };
    let mut text = Vec::new();
    let lines = 50_000;
    (1..=lines).for_each(|number| write_line(&mut text, number));
    let began = Instant::now();
    let records = Records::open(&text[..], Format::Ndjson, context).unwrap();
    let read = records.filter(|entry| matches!(entry, Ok((_, Ok(_))))).count() as u64;
    println!(
        "{} lines/s, {} octets a line",
        (read as f64 / began.elapsed().as_secs_f64()) as u64,
        text.len() as u64 / lines
    );
    assert_eq!(read, lines);
}

const LINES: &str = "TASHIKA_IMPORT_LINES";
