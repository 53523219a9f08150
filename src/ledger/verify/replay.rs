//! What the events lead to for each certificate: changes are collected while the events pass, and played back when the
//! certificate's own facts are at hand, because set events depend on them.

use crate::model::{
    Book, Certificate, CertificateKey, CertificateNo, Change, Event, Life, ListNo, Position, Status, Time,
};

use super::report::{Finding, Findings};

/// The changes of a range of certificates: as many as memory allows.
pub(super) struct Changes {
    from: CertificateNo,
    /// The first number that is not collected any more.
    until: CertificateNo,
    max: usize,
    kept: Vec<Kept>,
}

/// One change, as its event said it. About 130 octets.
pub(super) struct Kept {
    no: CertificateNo,
    key: CertificateKey,
    position: Position,
    time: Time,
    cause: Position,
    change: Change,
}

impl Changes {
    /// From that number on, at most `max` changes at once.
    pub(super) fn new(from: CertificateNo, max: usize) -> Self {
        Self { from, until: CertificateNo(u64::MAX), max: max.max(2), kept: Vec::new() }
    }

    /// Takes in an event. When memory is full the upper half of the range is left to a later pass.
    pub(super) fn take(&mut self, position: Position, event: &Event) {
        let crate::model::Body::Changed { no, key, change } = &event.body else { return };
        if *no < self.from || *no >= self.until {
            return;
        }
        if self.kept.len() >= self.max {
            self.narrow();
            if *no >= self.until {
                return;
            }
        }
        self.kept.push(Kept {
            no: *no,
            key: *key,
            position,
            time: event.time,
            cause: event.cause.unwrap_or(position),
            change: change.clone(),
        });
    }

    /// Where the range ends now.
    pub(super) fn until(&self) -> CertificateNo {
        self.until
    }

    /// Ends the range earlier.
    pub(super) fn end_at(&mut self, until: CertificateNo) {
        self.until = self.until.min(until);
        self.kept.retain(|kept| kept.no < until);
    }

    /// Brings the changes into the order of certificates, each certificate's in the order of events.
    pub(super) fn sort(&mut self) {
        self.kept.sort_by_key(|kept| (kept.no, kept.position));
    }

    /// The changes of one certificate, once sorted.
    pub(super) fn of(&self, no: CertificateNo) -> &[Kept] {
        let first = self.kept.partition_point(|kept| kept.no < no);
        self.run_from(first, no)
    }

    /// The changes of one certificate if they begin at `cursor`, which is moved behind them: for a walk by number.
    pub(super) fn next_of(&self, cursor: &mut usize, no: CertificateNo) -> &[Kept] {
        while self.kept.get(*cursor).is_some_and(|kept| kept.no < no) {
            *cursor += 1;
        }
        let run = self.run_from(*cursor, no);
        *cursor += run.len();
        run
    }

    fn run_from(&self, first: usize, no: CertificateNo) -> &[Kept] {
        let length = self.kept[first..].iter().take_while(|kept| kept.no == no).count();
        &self.kept[first..first + length]
    }

    fn narrow(&mut self) {
        let middle = self.kept.len() / 2;
        let (_, median, _) = self.kept.select_nth_unstable_by_key(middle, |kept| kept.no);
        // At least one certificate stays, however many changes it has.
        let lowest = self.from.plus(1);
        let until = median.no.max(lowest);
        self.end_at(until);
        if self.kept.len() >= self.max {
            // All of it is one number's, or just below the median: keep the first number alone.
            let first = self.kept.iter().map(|kept| kept.no).min().unwrap_or(self.from);
            self.end_at(first.plus(1));
            self.max = self.max.max(self.kept.len() * 2);
        }
    }
}

/// The status that events lead to.
///
/// A change that the rules forbid is reported and then applied: what matters is what was stored of it.
pub(super) fn replay(
    certificate: &Certificate,
    changes: &[Kept],
    book: &Book,
    lists: &[ListNo],
    findings: &mut Findings,
) -> Status {
    let mut status = Status::at_registration(certificate, Position(0));
    for kept in changes {
        overlay(book, certificate, &mut status, lists, kept.position);
        if kept.key != certificate.key {
            findings.add(Finding::KeyDiffers { position: kept.position, no: kept.no });
        }
        if !is_lawful(&status, kept) {
            findings.add(Finding::Unlawful { position: kept.position, what: kept.change.name() });
        }
        status.apply(&kept.change, kept.position, kept.time, kept.cause);
    }
    overlay(book, certificate, &mut status, lists, Position(u64::MAX));
    status
}

/// Set events since the status was last touched, up to before a position.
fn overlay(book: &Book, certificate: &Certificate, status: &mut Status, lists: &[ListNo], before: Position) {
    let first = book.sets.partition_point(|set| set.position <= status.as_of);
    for set in book.sets[first..].iter().take_while(|set| set.position < before) {
        if set.target.covers(certificate, lists) {
            set.apply_to(status);
        }
    }
}

/// Whether the desk could have decided so: REVOKED is final, a reason is never weakened, a release names open holds.
fn is_lawful(status: &Status, kept: &Kept) -> bool {
    match (&kept.change, &status.life) {
        (Change::Acknowledged, life) => *life == Life::Pending,
        (Change::HandedOver { .. } | Change::LossDated { .. }, _) => true,
        (Change::ReasonChanged { reason }, Life::Revoked(known)) => reason.outweighs(known.reason),
        (Change::Held { .. }, Life::Active | Life::Pending) => true,
        (Change::Released { holds }, Life::Active | Life::Pending) => {
            !holds.is_empty() && holds.iter().all(|hold| status.hold(*hold).is_some())
        }
        (Change::Revoked { at, .. }, Life::Active | Life::Pending) => *at <= kept.time,
        (Change::ReasonChanged { .. }, Life::Active | Life::Pending)
        | (Change::Held { .. } | Change::Released { .. } | Change::Revoked { .. }, Life::Revoked(_)) => false,
    }
}
