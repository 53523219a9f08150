//! The second pass: chunk by chunk, decided on the head it is written to, short enough to stand in nobody's way.

use super::chunk::{Deed, Draft, Known, Target, key_of};
use super::closed::Closed;
use super::pace::Pace;
use super::plan::Tally;
use super::{Bulk, BulkError, Counts, Job, Notice, Phase, Plan, Progress, Watch};
use crate::ledger::import::{Fault, Record};
use crate::ledger::{Batch, Head, LedgerError, Settled, decode_event, settle};
use crate::model::{Body, Book, Position};

impl Bulk<'_> {
    /// Carries a plan out; says what was done. After an error, what was committed stays: plan and run again.
    pub fn run(&self, job: &Job<'_>, plan: &Plan, watch: Watch<'_>) -> Result<Counts, BulkError> {
        let began = self.clock.ticks();
        let book = self.book_for(job)?;
        let (read_at, newest) = self.ledger.book()?;
        let (closed, pace, counts) = (Closed::default(), Pace::new(), Counts::default());
        let mut committing = Committing { bulk: self, job, book: newest, read_at, closed, pace, counts };
        let mut waiting: Vec<(u64, Record)> = Vec::new();
        let mut done = 0;
        let mut tell = |done| {
            let taken = self.clock.ticks().saturating_sub(began);
            watch(Notice::Progress(Progress { phase: Phase::Commit, done, total: Some(plan.entries), taken }));
        };
        job.blocks(&book, &mut |block| {
            for (place, entry) in block {
                if u32::try_from(place).is_ok_and(|place| plan.skipped.contains(&place)) {
                    done += 1;
                    continue;
                }
                waiting.push((place, entry.map_err(|fault| committing.changed(place, fault))?));
            }
            while waiting.len() >= committing.pace.entries() {
                let committed = committing.some(&waiting)?;
                waiting.drain(..committed);
                done += committed as u64;
                tell(done);
            }
            Ok(())
        })?;
        while !waiting.is_empty() {
            let committed = committing.some(&waiting)?;
            waiting.drain(..committed);
            done += committed as u64;
            tell(done);
        }
        Ok(committing.counts)
    }

    /// A draft moved onto the present head, if nothing that happened since it was made bears on it.
    fn caught_up<'r>(&self, mut draft: Draft<'r>, now: &Head) -> Result<Option<Draft<'r>>, LedgerError> {
        let mut at = draft.known.head.position;
        if now.position.0.saturating_sub(at.0) > CATCH_UP_EVENTS {
            return Ok(None);
        }
        while at < now.position {
            let events = self.ledger.events_after(at, CATCH_UP_EVENTS as usize)?;
            let Some(last) = events.last() else { return Ok(None) };
            at = last.position;
            for sealed in events {
                if bears_on(&draft, &decode_event(&sealed.bytes)?.body) {
                    return Ok(None);
                }
            }
        }
        draft.known.head = now.clone();
        Ok(Some(draft))
    }
}

struct Committing<'a> {
    bulk: &'a Bulk<'a>,
    job: &'a Job<'a>,
    book: Book,
    read_at: Position,
    closed: Closed,
    pace: Pace,
    counts: Counts,
}

impl Committing<'_> {
    /// Commits as many of the next entries as fit one append; says how many.
    ///
    /// Look-ups are made before the writer's turn is taken; within it, what happened since is only glanced at. Where that
    /// bears on the chunk twice, a small one is looked up and written in one turn, which nobody can overtake.
    fn some(&mut self, entries: &[(u64, Record)]) -> Result<usize, BulkError> {
        let mut chunk = &entries[..self.pace.entries().min(entries.len())];
        for attempt in 1..=ATTEMPTS_MAX {
            let early = if attempt <= EARLY_ATTEMPTS {
                let began = self.bulk.clock.ticks();
                let draft = self.draft(chunk)?;
                if draft.deeds.iter().all(|(_, deed)| matches!(deed, Deed::Nothing)) {
                    // Done before, as after a kill: no reason to keep others waiting.
                    self.counts.unchanged += chunk.len() as u64;
                    self.pace.took(chunk.len(), self.bulk.clock.ticks().saturating_sub(began));
                    return Ok(chunk.len());
                }
                Some(draft)
            } else {
                self.pace.overtaken();
                chunk = &chunk[..self.pace.entries().min(chunk.len())];
                None
            };
            if let Some(counts) = self.in_turn(chunk, early)? {
                self.counts = counts;
                self.bulk.ledger.upkeep()?;
                return Ok(chunk.len());
            }
        }
        Err(BulkError::Overtaken(ATTEMPTS_MAX))
    }

    /// Writes a chunk in the writer's turn; the new counts if that succeeded.
    fn in_turn(&mut self, chunk: &[(u64, Record)], mut early: Option<Draft<'_>>) -> Result<Option<Counts>, BulkError> {
        let (bulk, mut counts) = (self.bulk, self.counts);
        let mut turn_began = bulk.clock.ticks();
        let mut last_event = None;
        let mut stopped = None;
        let outcome = bulk.ledger.append_in_turn(&mut |head| {
            turn_began = bulk.clock.ticks();
            let nothing = || Ok(Batch::on(head.clone()));
            let draft = match early.take() {
                None => self.draft(chunk),
                Some(draft) => match bulk.caught_up(draft, head)? {
                    Some(draft) => Ok(draft),
                    None => return nothing(),
                },
            };
            let draft = match draft {
                Ok(draft) => draft,
                Err(error) => {
                    stopped = Some(error);
                    return nothing();
                }
            };
            counts = self.counts;
            draft.deeds.iter().for_each(|(_, deed)| counts.add(Tally::of(deed)));
            let batch = draft.batch(bulk.policy);
            // All that `settle` looks at, should the connection break: a copy of the whole batch would be megabytes.
            let events = batch.events.last().cloned().into_iter().collect();
            last_event = Some(Batch { events, ..Batch::on(head.clone()) });
            Ok(batch)
        });
        if let Some(error) = stopped {
            return Err(error);
        }
        let Some(last_event) = last_event else { return outcome.map(|_| None).map_err(BulkError::from) };
        match outcome {
            Ok(_) => {
                self.pace.took(chunk.len(), bulk.clock.ticks().saturating_sub(turn_began));
                Ok(Some(counts))
            }
            Err(LedgerError::Moved { .. }) => Ok(None),
            Err(LedgerError::Uncertain(_)) => match settle(bulk.ledger, &last_event)? {
                Settled::Written => Ok(Some(counts)),
                Settled::NotWritten => Ok(None),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// What the chunk amounts to now.
    fn draft<'r>(&mut self, chunk: &'r [(u64, Record)]) -> Result<Draft<'r>, BulkError> {
        let records: Vec<_> = chunk.iter().map(|(_, record)| record).collect();
        let known = Known::ask(self.bulk.ledger, &records)?;
        if known.head.book > self.read_at {
            (self.read_at, self.book) = self.bulk.ledger.book()?;
            self.closed.forget();
        }
        let now = self.bulk.clock.now().max(known.head.time);
        let mut here = std::collections::HashSet::new();
        let mut deeds = Vec::with_capacity(chunk.len());
        for (place, record) in chunk {
            let deed = known.weigh(record, &self.job.defaults, &self.book, &mut self.closed, now);
            let deed = deed.map_err(|fault| self.changed(*place, fault))?;
            if matches!(deed, Deed::Register(_)) {
                let dangling = |key| known.target(key) == Target::Unregistered && !here.contains(&key_of(key));
                if record.links.iter().any(dangling) {
                    return Err(self.changed(*place, Fault::LinkUnknown));
                }
                if !here.insert(record.certificate.key) {
                    return Err(self.changed(*place, Fault::Duplicate { unit: self.job.format.unit(), first: *place }));
                }
            }
            deeds.push((record, deed));
        }
        Ok(Draft { known, deeds, actor: self.bulk.actor(self.job.issuer), now })
    }

    fn changed(&self, place: u64, fault: Fault) -> BulkError {
        BulkError::Changed { unit: self.job.format.unit(), place, fault }
    }
}

/// Whether what a chunk was decided on may be otherwise after this.
fn bears_on(draft: &Draft<'_>, body: &Body) -> bool {
    match body {
        Body::Changed { no, .. } => draft.touches(*no),
        Body::EpochAdopted { .. }
        | Body::IssuerAdded(_)
        | Body::LedgerCreated { .. }
        | Body::Registered { .. }
        | Body::ScopeAdded(_)
        | Body::SetChanged { .. } => true,
        Body::CrlsNumbered { .. }
        | Body::InboxRefused { .. }
        | Body::QueueDecided { .. }
        | Body::Queued { .. }
        | Body::Reported(_)
        | Body::UndoOrdered(_) => false,
    }
}

/// Chunks that are looked up before the turn is taken.
const EARLY_ATTEMPTS: u32 = 2;
/// Within a turn nobody is faster; what fails this often is a connection that breaks every time.
const ATTEMPTS_MAX: u32 = 20;
/// Reading more than these within a turn would make it long.
const CATCH_UP_EVENTS: u64 = 2_000;
