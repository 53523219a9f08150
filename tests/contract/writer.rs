//! How the cases write: decide on what was found, append, and if it didn't go through find out why and do it again.

use std::sync::atomic::{AtomicBool, Ordering};

use tashika::ledger::{Batch, Found, Ledger, LedgerError, NewStatus, Settled, Severity, Wanted, settle};
use tashika::model::{
    Body, Certificate, CertificateKey, CertificateNo, Change, Decided, Event, HoldKind, Position, Report, ReportKind,
    Role, Subject, Time, Usage, Wish,
};

use crate::nation;

/// Fills a batch on what is found and appends it until it is written. `None` if there was nothing to write.
pub fn commit(ledger: &dyn Ledger, wanted: &Wanted, mut fill: impl FnMut(&Found, &mut Batch)) -> Option<Batch> {
    for _ in 0..ATTEMPTS_MAX {
        let found = ledger.find(wanted).expect("a search that is answered");
        let mut batch = Batch::on(found.head.clone());
        fill(&found, &mut batch);
        if batch.is_empty() {
            return None;
        }
        if append(ledger, &batch) {
            return Some(batch);
        }
    }
    panic!("not written in {ATTEMPTS_MAX} attempts");
}

/// Appends a batch until it is written or can't be any more, because the ledger moved on.
pub fn append(ledger: &dyn Ledger, batch: &Batch) -> bool {
    for _ in 0..ATTEMPTS_MAX {
        match ledger.append(batch) {
            Ok(()) => return true,
            Err(LedgerError::Moved { .. }) => return false,
            Err(LedgerError::Uncertain(_)) => {
                if settle(ledger, batch).expect("a ledger that can be read") == Settled::Written {
                    return true;
                }
            }
            Err(error) if error.severity() == Severity::Retry => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("not written in {ATTEMPTS_MAX} attempts");
}

/// A ledger with issuers 1 and 2, and `certificates` handed to it in one registration.
pub fn furnish(ledger: &dyn Ledger, certificates: &[Certificate]) {
    commit(ledger, &Wanted::default(), |_, batch| nation::add_issuers(batch, 2));
    register(ledger, certificates);
}

/// One registration for each run of certificates of one issuer: a CA registers its own only.
pub fn register(ledger: &dyn Ledger, certificates: &[Certificate]) {
    let runs = certificates.chunk_by(|a, b| a.key.issuer == b.key.issuer);
    commit(ledger, &Wanted::default(), |_, batch| {
        for run in runs.clone() {
            batch.register(nation::actor(Role::Ca(run[0].key.issuer)), nation::at(1), run.to_vec());
        }
    });
}

/// `count` certificates on as many holders' cards, numbered from 1.
pub fn cards(count: u64) -> Vec<Certificate> {
    (1..=count).map(|number| nation::on_card(nation::key(1, number), number, Usage::Sign)).collect()
}

/// Records an event that changes nothing but can be recognised.
pub fn mark(ledger: &dyn Ledger, tag: &str) -> Position {
    let batch = commit(ledger, &Wanted::default(), |found, batch| _ = batch.record(marker(tag, found.head.time)));
    batch.expect("an event").next.position
}

pub fn marker(tag: &str, time: Time) -> Event {
    let report = Report {
        kind: ReportKind::CardLost,
        subject: Subject::Holder(nation::holder(1_000_000)),
        lost_at: None,
        reported_at: time,
        moved_to: None,
        evidence: Some(tag.to_owned()),
    };
    Event { time, actor: nation::actor(Role::CallCentre), cause: None, body: Body::Reported(report) }
}

/// The tag of such an event.
pub fn tag_of(event: &Event) -> Option<&str> {
    match &event.body {
        Body::Reported(report) => report.evidence.as_deref(),
        _ => None,
    }
}

/// Fulfils a wish about each of the certificates, in one batch. `None` if it was so already.
pub fn change(ledger: &dyn Ledger, numbers: &[CertificateNo], now: Time, wish: &Wish) -> Option<Batch> {
    let wanted = Wanted { numbers: numbers.to_vec(), ..Wanted::default() };
    commit(ledger, &wanted, |found, batch| {
        for entry in &found.entries {
            let Ok(Decided::Do(change)) = entry.status.decide(wish, now.max(batch.next.time)) else { continue };
            record_change(batch, entry.no, entry.certificate.key, entry.status.clone(), now, &change);
        }
    })
}

/// Records one change and the status that follows from it.
pub fn record_change(
    batch: &mut Batch,
    no: CertificateNo,
    key: CertificateKey,
    mut status: tashika::model::Status,
    now: Time,
    change: &Change,
) -> Position {
    let body = Body::Changed { no, key, change: change.clone() };
    let (position, time) = batch.record(Event { time: now, actor: nation::actor(whose(change)), cause: None, body });
    status.apply(change, position, time, position);
    batch.statuses.push(NewStatus { no, status });
    position
}

/// A role that may make such a change: ledgers may know the table of authority.
fn whose(change: &Change) -> Role {
    match change {
        Change::Held { kind: HoldKind::CallCentre, .. } => Role::CallCentre,
        Change::Held { kind: HoldKind::Carrier(operator), .. } => Role::Carrier(*operator),
        Change::Held { kind: HoldKind::Holder, .. } => Role::Holder { presented: None },
        Change::Held { kind: HoldKind::Registry, .. } => Role::Registry,
        Change::Held { kind: HoldKind::Review, .. } => Role::Ops,
        _ => Role::Window(None),
    }
}

/// Tells others to stop when it goes, also when a case fails: else those who wait for them would wait for ever.
pub struct StopsOthers<'a>(pub &'a AtomicBool);

impl Drop for StopsOthers<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Far more than lies or other writers can cause.
const ATTEMPTS_MAX: usize = 10_000;
