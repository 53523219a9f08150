//! What one append writes: events with their seals, and everything that is derived from them, all or nothing.
//!
//! The desk fills a [`Batch`] decision by decision; an adapter stores it if the ledger still stands where it began.

use crate::model::{
    Actor, Body, BudgetKey, Certificate, CertificateNo, Event, IdempotencyKey, Issuer, LedgerId, Outcome, Position,
    Scope, SetEvent, Status, Time,
};

use super::certificate_bytes::encode_certificate;
use super::event_bytes::encode_event;
use super::seal::{Head, Sealed};
use super::tree::Hash;

/// One append.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Where the ledger must stand for this to be written.
    pub at: Head,
    /// Where it stands afterwards.
    pub next: Head,
    /// The events, in order.
    pub events: Vec<Sealed>,
    /// Certificates registered by these events.
    pub rows: Vec<NewRow>,
    /// The latest status of every certificate that an event named, each once.
    pub statuses: Vec<NewStatus>,
    /// Issuers added.
    pub issuers: Vec<Issuer>,
    /// Scopes added.
    pub scopes: Vec<Scope>,
    /// Set events.
    pub sets: Vec<SetEvent>,
    /// When the clock must look at which certificate.
    pub timers: Vec<(Time, CertificateNo)>,
    /// Timers that were looked at and are done with.
    pub timers_done: Vec<(Time, CertificateNo)>,
    /// Answers to be given again when a command comes twice.
    pub answers: Vec<(IdempotencyKey, Answer)>,
    /// What was used of budgets: whose, in which Japan hour, how much.
    pub budgets: Vec<(BudgetKey, i64, u32)>,
    /// Commands that began or ceased to wait.
    pub queue: Vec<QueueChange>,
    /// What came of commands from the inbox.
    pub inbox: Vec<(u64, InboxResult)>,
}

/// A certificate to be stored.
#[derive(Clone, Debug)]
pub struct NewRow {
    /// Its number.
    pub no: CertificateNo,
    /// Its facts.
    pub certificate: Certificate,
    /// Its row's bytes.
    pub bytes: Vec<u8>,
}

/// A status to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewStatus {
    /// Whose.
    pub no: CertificateNo,
    /// What.
    pub status: Status,
}

/// What was answered to a command with an idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// SHA-256 of the command's bytes.
    pub command: Hash,
    /// What came of it.
    pub outcome: Outcome,
}

/// A change of what waits for a second person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueChange {
    /// The command queued at this position was decided.
    Decided(Position),
    /// The command queued at this position waits.
    Waits(Position),
}

/// What came of a command from the inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InboxResult {
    /// Recorded, from the first to the last position.
    Done {
        /// The first event.
        first: Position,
        /// The last event.
        last: Position,
    },
    /// Refused; the CA can read why.
    Refused {
        /// The event that records it.
        at: Position,
        /// In one line.
        why: String,
    },
}

impl Batch {
    /// The first batch of every ledger: it says which one it is.
    pub fn genesis(ledger: LedgerId, actor: Actor, now: Time) -> Self {
        let mut batch = Self::on(Head::before_first(ledger));
        batch.record(Event { time: now, actor, cause: None, body: Body::LedgerCreated { ledger } });
        batch
    }

    /// Nothing yet, on top of `head`.
    pub fn on(head: Head) -> Self {
        Self {
            next: head.clone(),
            at: head,
            events: Vec::new(),
            rows: Vec::new(),
            statuses: Vec::new(),
            issuers: Vec::new(),
            scopes: Vec::new(),
            sets: Vec::new(),
            timers: Vec::new(),
            timers_done: Vec::new(),
            answers: Vec::new(),
            budgets: Vec::new(),
            queue: Vec::new(),
            inbox: Vec::new(),
        }
    }

    /// Whether there is anything to write.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.timers_done.is_empty() && self.inbox.is_empty() && self.answers.is_empty()
    }

    /// The position that the next event gets.
    pub fn next_position(&self) -> Position {
        self.next.position.next()
    }

    /// Adds an event, dated no earlier than the ledger; says its position and its time.
    pub fn record(&mut self, mut event: Event) -> (Position, Time) {
        event.time = event.time.max(self.next.time);
        match &event.body {
            Body::EpochAdopted { epoch, .. } => self.next.epoch = *epoch,
            Body::IssuerAdded(issuer) => self.issuers.push(issuer.clone()),
            Body::ScopeAdded(scope) => self.scopes.push(scope.clone()),
            Body::SetChanged { target, change } => self.sets.push(SetEvent {
                position: self.next_position(),
                time: event.time,
                cause: event.cause.unwrap_or(self.next_position()),
                target: target.clone(),
                change: *change,
            }),
            Body::QueueDecided { queued, .. } => self.queue.push(QueueChange::Decided(*queued)),
            Body::Queued { .. } => self.queue.push(QueueChange::Waits(self.next_position())),
            Body::Registered { count, .. } => self.next.certificates += u64::from(*count),
            Body::Changed { .. }
            | Body::CrlsNumbered { .. }
            | Body::InboxRefused { .. }
            | Body::LedgerCreated { .. }
            | Body::Reported(_)
            | Body::UndoOrdered(_) => {}
        }
        if matches!(event.body, Body::IssuerAdded(_) | Body::ScopeAdded(_) | Body::SetChanged { .. }) {
            self.next.book = self.next_position();
        }
        let time = event.time;
        let sealed = self.next.seal(encode_event(&event), time);
        let position = sealed.position;
        self.events.push(sealed);
        (position, time)
    }

    /// Adds certificates under one registration event; the digest covers their rows.
    pub fn register(&mut self, actor: Actor, now: Time, certificates: Vec<Certificate>) -> Position {
        let first = CertificateNo(self.next.certificates + 1);
        let count = u32::try_from(certificates.len()).expect("a batch is bounded far below 2³²");
        let mut digest = RowDigest::default();
        for (certificate, index) in certificates.into_iter().zip(0..) {
            let bytes = encode_certificate(&certificate);
            digest.add(&bytes);
            self.rows.push(NewRow { no: first.plus(index), certificate, bytes });
        }
        let body = Body::Registered { first, count, digest: digest.finish() };
        self.record(Event { time: now, actor, cause: None, body }).0
    }
}

/// The digest of a registered batch: SHA-256 over its rows, each behind its length in four octets.
pub struct RowDigest(aws_lc_rs::digest::Context);

impl RowDigest {
    /// Takes in the next row.
    pub fn add(&mut self, row: &[u8]) {
        let length = u32::try_from(row.len()).expect("a row is far below 4 GiB");
        self.0.update(&length.to_be_bytes());
        self.0.update(row);
    }

    /// The digest.
    pub fn finish(self) -> Hash {
        self.0.finish().as_ref().try_into().expect("SHA-256 has 32 octets")
    }
}

impl Default for RowDigest {
    fn default() -> Self {
        Self(aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256))
    }
}

/// What a set event says of its list: how many members, and SHA-256 over their numbers, ascending, in eight octets each.
pub struct MemberDigest {
    count: u64,
    context: aws_lc_rs::digest::Context,
}

impl MemberDigest {
    /// Takes in the next members.
    pub fn add(&mut self, members: &[CertificateNo]) {
        self.count += members.len() as u64;
        members.iter().for_each(|no| self.context.update(&no.0.to_be_bytes()));
    }

    /// How many, and the digest.
    pub fn finish(self) -> (u64, Hash) {
        (self.count, self.context.finish().as_ref().try_into().expect("SHA-256 has 32 octets"))
    }
}

impl Default for MemberDigest {
    fn default() -> Self {
        Self { count: 0, context: aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256) }
    }
}
