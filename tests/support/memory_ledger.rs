//! A ledger in memory, naive enough to be obviously right: the yardstick of the contract suite and the storage of the
//! simulation. It refuses, and remembers, every batch that a careful reader would refuse (`police.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tashika::ledger::{
    Answer, Batch, Families, Found, Head, Heard, Heartbeat, InboxItem, InboxResult, Lease, Ledger, LedgerError,
    QueueChange, Sealed, Stray, Upkeep, Wanted, decode_certificate,
};
use tashika::model::{
    BUDGET_DAYS, Book, BudgetKey, BudgetUse, Certificate, CertificateKey, CertificateNo, Entry, IdempotencyKey,
    IssuerNo, ListNo, Millis, NodeId, Position, Status, Time,
};

use crate::police;

/// A handle; clones are other handles on the same ledger, as other processes would hold them.
#[derive(Clone)]
pub struct MemoryLedger {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    appended: Condvar,
    turn_given_back: Condvar,
}

/// Everything that is stored.
#[derive(Clone)]
pub struct State {
    pub head: Head,
    pub book: Book,
    pub events: Vec<Sealed>,
    pub rows: BTreeMap<CertificateNo, Vec<u8>>,
    pub keys: BTreeMap<CertificateKey, CertificateNo>,
    pub statuses: BTreeMap<CertificateNo, Status>,
    pub timers: BTreeSet<(Time, CertificateNo)>,
    pub queue: BTreeSet<Position>,
    pub answers: BTreeMap<IdempotencyKey, Answer>,
    pub budgets: BTreeMap<(BudgetKey, i64), u32>,
    pub lists: BTreeMap<ListNo, BTreeSet<CertificateNo>>,
    pub inbox: BTreeMap<u64, (InboxItem, Option<InboxResult>)>,
    /// How many numbers the inbox has given.
    pub submissions: u64,
    pub heartbeat: Option<Heartbeat>,
    pub leases: BTreeMap<String, (NodeId, Millis)>,
    /// Whether somebody has the writer's turn.
    pub turn: Turn,
    /// What the police found wrong with batches that were handed in.
    pub complaints: Vec<String>,
}

/// The writer's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Free,
    Taken,
}

/// Gives the turn back, also when the one who has it dies.
struct TurnTaken<'a>(&'a MemoryLedger);

impl Drop for TurnTaken<'_> {
    fn drop(&mut self) {
        self.0.state().turn = Turn::Free;
        self.0.shared.turn_given_back.notify_all();
    }
}

impl MemoryLedger {
    /// A ledger whose first batch is `genesis`.
    pub fn create(genesis: &Batch) -> Self {
        let ledger = Self::of(State::before_first(genesis.at.clone()));
        ledger.append(genesis).expect("a well-formed first batch");
        ledger
    }

    /// A ledger that begins as a copy of this one and then goes its own way: a restored backup, a promoted replica.
    pub fn fork(&self) -> Self {
        Self::of(self.state().clone())
    }

    fn of(state: State) -> Self {
        let (appended, turn_given_back) = (Condvar::new(), Condvar::new());
        Self { shared: Arc::new(Shared { state: Mutex::new(state), appended, turn_given_back }) }
    }

    /// All that is stored, for checkers and for breaking it on purpose.
    pub fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked while it looked has not half-written anything.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, once nobody has the writer's turn.
    fn in_nobodys_turn(&self) -> MutexGuard<'_, State> {
        let taken = |state: &mut State| state.turn == Turn::Taken;
        self.shared.turn_given_back.wait_while(self.state(), taken).unwrap_or_else(PoisonError::into_inner)
    }

    /// Compares, inspects, stores.
    fn write(&self, mut state: MutexGuard<'_, State>, batch: &Batch) -> Result<(), LedgerError> {
        let here = &state.head;
        let at = &batch.at;
        if (here.epoch, here.position, here.link, here.time) != (at.epoch, at.position, at.link, at.time) {
            return Err(LedgerError::Moved { now: here.position });
        }
        // Another writer gave the same answer, and no event: who decides again will find it.
        if batch.events.is_empty() && batch.answers.iter().any(|(key, _)| state.answers.contains_key(key)) {
            return Err(LedgerError::Moved { now: here.position });
        }
        if let Err(complaint) = police::inspect(&state, batch) {
            state.complaints.push(complaint.clone());
            return Err(LedgerError::Refused(complaint));
        }
        state.store(batch);
        drop(state);
        self.shared.appended.notify_all();
        Ok(())
    }

    /// Writes a command into the inbox, as an outside CA does in its own transaction.
    pub fn put_in_inbox(&self, issuer: IssuerNo, command: &str) -> u64 {
        let no = self.begin_submission();
        self.commit_submission(no, issuer, command);
        no
    }

    /// A CA's transaction takes a number, which is not given again whatever becomes of it.
    pub fn begin_submission(&self) -> u64 {
        let mut state = self.state();
        state.submissions += 1;
        state.submissions
    }

    /// A CA's transaction commits; only now can the command be seen.
    pub fn commit_submission(&self, no: u64, issuer: IssuerNo, command: &str) {
        let item = InboxItem { no, issuer, command: command.to_owned() };
        self.state().inbox.insert(no, (item, None));
        self.shared.appended.notify_all();
    }
}

impl State {
    fn before_first(head: Head) -> Self {
        Self {
            head,
            book: Book::default(),
            events: Vec::new(),
            rows: BTreeMap::new(),
            keys: BTreeMap::new(),
            statuses: BTreeMap::new(),
            timers: BTreeSet::new(),
            queue: BTreeSet::new(),
            answers: BTreeMap::new(),
            budgets: BTreeMap::new(),
            lists: BTreeMap::new(),
            inbox: BTreeMap::new(),
            submissions: 0,
            heartbeat: None,
            leases: BTreeMap::new(),
            turn: Turn::Free,
            complaints: Vec::new(),
        }
    }

    /// The certificate with that number.
    pub fn certificate(&self, no: CertificateNo) -> Result<Certificate, LedgerError> {
        let row = self.rows.get(&no).ok_or_else(|| LedgerError::Damaged(format!("no row for certificate {no}")))?;
        Ok(decode_certificate(row)?)
    }

    /// The lists that name a certificate.
    pub fn lists_of(&self, no: CertificateNo) -> Vec<ListNo> {
        self.lists.iter().filter(|(_, members)| members.contains(&no)).map(|(list, _)| *list).collect()
    }

    /// A certificate with its status, set events included.
    pub fn entry(&self, no: CertificateNo) -> Result<Entry, LedgerError> {
        let certificate = self.certificate(no)?;
        let stored = self.statuses.get(&no).cloned();
        let mut status = stored.unwrap_or_else(|| Status::at_registration(&certificate, Position(0)));
        self.book.overlay(&certificate, &mut status, &self.lists_of(no));
        Ok(Entry { no, certificate, status })
    }

    /// What [`Ledger::find`] answers.
    pub fn find(&self, wanted: &Wanted) -> Result<Found, LedgerError> {
        let entries = self.rows.keys().map(|no| self.entry(*no)).collect::<Result<Vec<_>, _>>()?;
        let named = |entry: &Entry| {
            let certificate = &entry.certificate;
            wanted.keys.contains(&certificate.key)
                || wanted.numbers.contains(&entry.no)
                || wanted.media.contains(&certificate.medium.id)
                || certificate.sim.is_some_and(|sim| wanted.sims.contains(&(sim.operator, sim.sim)))
                || wanted.holders.contains(&certificate.holder)
        };
        let holders: BTreeSet<_> = entries.iter().filter(|e| named(e)).map(|e| e.certificate.holder).collect();
        let belongs = |entry: &Entry| match wanted.families {
            Families::No => named(entry),
            Families::Yes => holders.contains(&entry.certificate.holder),
        };
        Ok(Found {
            head: self.head.clone(),
            entries: entries.iter().filter(|entry| belongs(entry)).cloned().collect(),
            answers: self
                .answers
                .iter()
                .filter(|(key, _)| wanted.answers.contains(key))
                .map(|(k, a)| (*k, *a))
                .collect(),
            budgets: wanted.budgets.iter().map(|key| (key.clone(), self.budget(key, wanted.hour))).collect(),
        })
    }

    fn budget(&self, key: &BudgetKey, hour: i64) -> BudgetUse {
        let used = |hour: i64| self.budgets.get(&(key.clone(), hour)).copied().unwrap_or(0);
        let peak = (1..=BUDGET_DAYS).map(|day| used(hour - 24 * day)).max().unwrap_or(0);
        BudgetUse { this_hour: used(hour), peak }
    }

    /// Stores a batch that the police let pass.
    fn store(&mut self, batch: &Batch) {
        self.head = batch.next.clone();
        self.events.extend(batch.events.iter().cloned());
        self.book.issuers.extend(batch.issuers.iter().cloned());
        self.book.scopes.extend(batch.scopes.iter().cloned());
        self.book.sets.extend(batch.sets.iter().cloned());
        self.rows.extend(batch.rows.iter().map(|row| (row.no, row.bytes.clone())));
        self.keys.extend(batch.rows.iter().map(|row| (row.certificate.key, row.no)));
        self.statuses.extend(batch.statuses.iter().map(|new| (new.no, new.status.clone())));
        batch.timers_done.iter().for_each(|done| _ = self.timers.remove(done));
        self.timers.extend(batch.timers.iter().copied());
        self.answers.extend(batch.answers.iter().copied());
        for (key, hour, used) in &batch.budgets {
            *self.budgets.entry((key.clone(), *hour)).or_default() += used;
        }
        for change in &batch.queue {
            match change {
                QueueChange::Decided(position) => _ = self.queue.remove(position),
                QueueChange::Waits(position) => _ = self.queue.insert(*position),
            }
        }
        for (no, result) in &batch.inbox {
            let (_, decided) = self.inbox.get_mut(no).expect("the police saw to it that the item exists");
            *decided = Some(result.clone());
        }
    }
}

impl Ledger for MemoryLedger {
    fn head(&self) -> Result<Head, LedgerError> {
        Ok(self.state().head.clone())
    }

    fn book(&self) -> Result<(Position, Book), LedgerError> {
        let state = self.state();
        Ok((state.head.position, state.book.clone()))
    }

    fn find(&self, wanted: &Wanted) -> Result<Found, LedgerError> {
        self.state().find(wanted)
    }

    fn registered(&self, keys: &[CertificateKey]) -> Result<Vec<Option<CertificateNo>>, LedgerError> {
        let state = self.state();
        Ok(keys.iter().map(|key| state.keys.get(key).copied()).collect())
    }

    fn append(&self, batch: &Batch) -> Result<(), LedgerError> {
        self.write(self.in_nobodys_turn(), batch)
    }

    fn append_in_turn(&self, build: &mut dyn FnMut(&Head) -> Result<Batch, LedgerError>) -> Result<Batch, LedgerError> {
        let mut state = self.in_nobodys_turn();
        state.turn = Turn::Taken;
        let head = state.head.clone();
        drop(state);
        let _turn = TurnTaken(self);
        let batch = build(&head)?;
        if !batch.is_empty() {
            self.write(self.state(), &batch)?;
        }
        Ok(batch)
    }

    fn events_after(&self, after: Position, limit: usize) -> Result<Vec<Sealed>, LedgerError> {
        Ok(self.state().events.iter().filter(|event| event.position > after).take(limit).cloned().collect())
    }

    fn rows_from(&self, first: CertificateNo, limit: usize) -> Result<Vec<(CertificateNo, Vec<u8>)>, LedgerError> {
        Ok(self.state().rows.range(first..).take(limit).map(|(no, row)| (*no, row.clone())).collect())
    }

    fn scan(&self, visit: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> Result<Head, LedgerError> {
        // A copy, so that writers go on while it is visited.
        let state = self.state().clone();
        for no in state.rows.keys() {
            if visit(state.entry(*no)?).is_break() {
                break;
            }
        }
        Ok(state.head)
    }

    fn due(&self, now: Time, limit: usize) -> Result<Vec<(Time, CertificateNo)>, LedgerError> {
        Ok(self.state().timers.iter().filter(|(due, _)| *due <= now).take(limit).copied().collect())
    }

    fn queue(&self) -> Result<Vec<Position>, LedgerError> {
        Ok(self.state().queue.iter().copied().collect())
    }

    fn new_list(&self) -> Result<ListNo, LedgerError> {
        let mut state = self.state();
        let list = ListNo(state.lists.keys().last().map_or(1, |last| last.0 + 1));
        state.lists.insert(list, BTreeSet::new());
        Ok(list)
    }

    fn add_to_list(&self, list: ListNo, members: &[CertificateNo]) -> Result<(), LedgerError> {
        let mut state = self.state();
        if state.book.sets.iter().any(|set| police::names_list(&set.target, list)) {
            return Err(LedgerError::Refused(format!("list {list} is closed: an event names it")));
        }
        let known = state.lists.get_mut(&list).ok_or_else(|| LedgerError::Refused(format!("no list {list}")))?;
        known.extend(members);
        Ok(())
    }

    fn list_members(
        &self,
        list: ListNo,
        after: CertificateNo,
        limit: usize,
    ) -> Result<Vec<CertificateNo>, LedgerError> {
        let state = self.state();
        let members = state.lists.get(&list).into_iter().flatten();
        Ok(members.filter(|member| **member > after).take(limit).copied().collect())
    }

    fn inbox(&self, limit: usize) -> Result<Vec<InboxItem>, LedgerError> {
        let state = self.state();
        let waiting = state.inbox.values().filter(|(_, result)| result.is_none());
        Ok(waiting.take(limit).map(|(item, _)| item.clone()).collect())
    }

    fn beat(&self, now: Time) -> Result<Heartbeat, LedgerError> {
        let mut state = self.state();
        let time = now.max(state.head.time);
        state.head.time = time;
        let head = &state.head;
        let heartbeat = Heartbeat { epoch: head.epoch, position: head.position, link: head.link, time };
        state.heartbeat = Some(heartbeat.clone());
        Ok(heartbeat)
    }

    fn heartbeat(&self) -> Result<Option<Heartbeat>, LedgerError> {
        Ok(self.state().heartbeat.clone())
    }

    fn lease(&self, name: &str, node: NodeId, now: Millis, term_ms: u32) -> Result<Lease, LedgerError> {
        let mut state = self.state();
        match state.leases.get(name) {
            Some((holder, until)) if *holder != node && *until > now => {
                Ok(Lease::Others { node: *holder, until: *until })
            }
            _ => {
                let until = now.plus(term_ms);
                state.leases.insert(name.to_owned(), (node, until));
                Ok(Lease::Mine { until })
            }
        }
    }

    fn release_lease(&self, name: &str, node: NodeId) -> Result<(), LedgerError> {
        self.state().leases.retain(|held, (holder, _)| held != name || *holder != node);
        Ok(())
    }

    fn wait(&self, after: Position, at_most: Duration) -> Result<(), LedgerError> {
        let state = self.state();
        let nothing_yet = |state: &mut State| state.head.position <= after;
        drop(self.shared.appended.wait_timeout_while(state, at_most, nothing_yet));
        Ok(())
    }

    fn wait_inbox(&self, at_most: Duration) -> Result<Heard, LedgerError> {
        let nothing_yet = |state: &mut State| state.inbox.values().all(|(_, result)| result.is_some());
        let waited = self.shared.appended.wait_timeout_while(self.state(), at_most, nothing_yet);
        let waited = waited.unwrap_or_else(PoisonError::into_inner).1;
        Ok(if waited.timed_out() { Heard::Nothing } else { Heard::Something })
    }

    /// What is kept once can't disagree with itself.
    fn strays(&self) -> Result<Vec<Stray>, LedgerError> {
        Ok(Vec::new())
    }

    fn upkeep(&self) -> Result<Upkeep, LedgerError> {
        Ok(Upkeep::Idle)
    }
}
