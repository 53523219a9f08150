//! Outside CAs that write commands into the inbox, as CAs do: their transactions stay open, or are rolled back, or commit
//! late; they send twice, name what is not theirs, and write rubbish. And what must be true of every row.

use std::collections::{BTreeMap, BTreeSet};

use tashika::ledger::{InboxResult, decode_certificate};
use tashika::model::{Body, CertificateKey, Change, Channel, Event, IssuerNo, Position, Reason, Role, Serial, Time};

use crate::memory_ledger::{MemoryLedger, State};
use crate::naive::{Naive, check};
use crate::nation;
use crate::rng::Rng;
use crate::workload::HOLDERS;

/// The CAs' side.
pub struct Outside {
    rng: Rng,
    next_serial: u64,
    /// Transactions that were begun and have not ended.
    open: Vec<(u64, Submission)>,
    /// What was committed under each number.
    committed: BTreeMap<u64, Submission>,
    answered: BTreeMap<u64, InboxResult>,
    /// Events that are the answer to a row.
    claimed: BTreeSet<Position>,
    /// Up to here every event of the inbox was found to be a row's.
    checked: usize,
}

/// A command on its way.
#[derive(Clone, Debug)]
struct Submission {
    issuer: IssuerNo,
    wanted: Wanted,
    text: String,
}

#[derive(Clone, Copy, Debug)]
enum Wanted {
    Acknowledged(Serial),
    Nothing,
    Registered(Serial),
    Revoked(Serial),
}

impl Outside {
    pub fn new(rng: Rng) -> Self {
        let (open, committed, answered) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        Self { rng, next_serial: 1_000_000, open, committed, answered, claimed: BTreeSet::new(), checked: 0 }
    }

    /// One CA does something.
    pub fn act(&mut self, naive: &Naive, ledger: &MemoryLedger, now: Time) {
        if naive.certificates.is_empty() {
            return;
        }
        match self.rng.below(10) {
            // A transaction ends, late and in another order than it began; or never, and leaves nothing but a gap.
            0..3 if !self.open.is_empty() => {
                let (no, submission) = self.open.swap_remove(self.rng.below(self.open.len() as u64) as usize);
                if self.rng.per_mille(700) {
                    self.commit(ledger, no, submission);
                }
            }
            _ => {
                let submission = self.submission(naive, now);
                let no = ledger.begin_submission();
                if self.rng.per_mille(300) {
                    self.open.push((no, submission.clone()));
                } else {
                    self.commit(ledger, no, submission.clone());
                }
                // Whoever saw no answer, or reads its own books twice, sends again.
                if self.rng.per_mille(250) {
                    let no = ledger.begin_submission();
                    self.commit(ledger, no, submission);
                }
            }
        }
    }

    fn commit(&mut self, ledger: &MemoryLedger, no: u64, submission: Submission) {
        ledger.commit_submission(no, submission.issuer, &submission.text);
        self.committed.insert(no, submission);
    }

    fn submission(&mut self, naive: &Naive, now: Time) -> Submission {
        let known: Vec<CertificateKey> = naive.certificates.values().map(|naked| naked.facts.key).collect();
        let key = *self.rng.pick(&known);
        // At times of another CA's certificate, which the number of the role's issuer makes one that doesn't exist.
        let foreign = self.rng.per_mille(150);
        let issuer = if foreign { IssuerNo(3 - key.issuer.0) } else { key.issuer };
        let (wanted, text) = match self.rng.below(10) {
            0..4 => self.registration(key.serial, now),
            4..6 => (Wanted::Acknowledged(key.serial), format!(r#"{{"acknowledge": {{"serial": "{}"}}}}"#, key.serial)),
            6..9 => {
                let reason = *self.rng.pick(&Reason::ALL);
                let text = format!(r#"{{"revoke": {{"serial": "{}", "reason": "{reason}"}}}}"#, key.serial);
                (Wanted::Revoked(key.serial), text)
            }
            _ => (Wanted::Nothing, (*self.rng.pick(&["", "{}", r#"{"revoke": {"serial": "-1"}}"#])).to_owned()),
        };
        Submission { issuer, wanted, text }
    }

    fn registration(&mut self, taken: Serial, now: Time) -> (Wanted, String) {
        self.next_serial += 1;
        let fresh = nation::key(1, self.next_serial).serial;
        let serial = if self.rng.per_mille(100) { taken } else { fresh };
        let number = 1 + self.rng.below(HOLDERS);
        let hex = |name: [u8; 16]| name.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
        let (holder, card) = (hex(nation::holder(number).0), hex(nation::card(number).0));
        let (pending, end) = (self.rng.per_mille(400), nation::at(86_400 * 365 * 5));
        let text = format!(
            r#"{{"register": [{{"serial": "{serial}", "type": "AUTH", "holder": "{holder}", "not_before": "{now}",
                "not_after": "{end}", "pending": {pending}, "medium": {{"kind": "CARD", "id": "{card}"}}}}]}}"#
        );
        (Wanted::Registered(serial), text)
    }

    /// Every row is answered once, with its own event or its own refusal, and no event of the inbox is nobody's.
    pub fn check(&mut self, state: &State, naive: &Naive) -> Result<(), String> {
        for (no, (_, result)) in &state.inbox {
            let Some(result) = result else {
                check(!self.answered.contains_key(no), || format!("the answer to row {no} is gone"))?;
                continue;
            };
            let same = self.answered.get(no).map(|before| before == result);
            check(same != Some(false), || format!("row {no} was answered {:?}, now {result:?}", self.answered[no]))?;
            if same.is_none() {
                self.answer(*no, result, state, naive).map_err(|why| format!("row {no}: {why}"))?;
                self.answered.insert(*no, result.clone());
            }
        }
        for (event, at) in naive.events.iter().zip(1..).skip(self.checked) {
            let ours = matches!(event.body, Body::InboxRefused { .. }) || is_done_by_sql(event);
            check(!ours || self.claimed.contains(&Position(at)), || format!("event {at} answers no row: {event:?}"))?;
        }
        self.checked = naive.events.len();
        Ok(())
    }

    fn answer(&mut self, no: u64, result: &InboxResult, state: &State, naive: &Naive) -> Result<(), String> {
        let submission = self.committed.get(&no).ok_or("answered, and was never committed")?;
        let (first, last) = match result {
            InboxResult::Done { first, last } => (*first, *last),
            InboxResult::Refused { at, why } => {
                let told = naive.event(*at).map(|event| &event.body);
                let same = matches!(told, Some(Body::InboxRefused { inbox, why: told }) if *inbox == no && told == why);
                check(same, || format!("refused by {told:?}"))?;
                (*at, *at)
            }
        };
        check(first <= last, || "from later to earlier".into())?;
        for at in first.0..=last.0 {
            check(self.claimed.insert(Position(at)), || format!("event {at} answers two rows"))?;
        }
        if matches!(result, InboxResult::Refused { .. }) {
            return Ok(());
        }
        let event = naive.event(first).ok_or("done by no event")?;
        check(event.actor.role == Role::Ca(submission.issuer) && is_done_by_sql(event), || {
            format!("done by {event:?}")
        })?;
        let issuer = submission.issuer;
        let is = |serial: Serial, key: &CertificateKey| *key == CertificateKey { issuer, serial };
        let fits = match (&event.body, submission.wanted) {
            (Body::Registered { first, count: 1, .. }, Wanted::Registered(serial)) => {
                let row = state.rows.get(first).and_then(|row| decode_certificate(row).ok());
                row.is_some_and(|certificate| is(serial, &certificate.key))
            }
            (Body::Changed { key, change: Change::Acknowledged, .. }, Wanted::Acknowledged(serial)) => is(serial, key),
            (
                Body::Changed { key, change: Change::Revoked { .. } | Change::ReasonChanged { .. }, .. },
                Wanted::Revoked(serial),
            ) => is(serial, key),
            _ => false,
        };
        check(fits, || format!("{submission:?} was answered with {event:?}"))
    }

    /// When all has come to rest: no row waits, and what was never committed is not there.
    pub fn all_answered(&self) -> Result<(), String> {
        let waits = self.committed.keys().find(|no| !self.answered.contains_key(no));
        check(waits.is_none(), || format!("row {waits:?} was never answered"))
    }

    /// How many rows were answered how.
    pub fn tally(&self) -> [(&'static str, u64); 3] {
        let done = self.answered.values().filter(|result| matches!(result, InboxResult::Done { .. })).count() as u64;
        let rows = self.answered.len() as u64;
        [("inbox done", done), ("inbox open", self.open.len() as u64), ("inbox refused", rows - done)]
    }
}

/// What a CA did by way of the inbox at once; what waits for a second person is answered with a refusal that says so.
fn is_done_by_sql(event: &Event) -> bool {
    event.actor.channel == Channel::Sql && event.cause.is_none() && !matches!(event.body, Body::Queued { .. })
}
