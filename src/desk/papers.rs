//! What lies on the desk during a round: everything that was read for it, kept up to date as decisions are made.
//!
//! Filled by `round.rs` from the ledger, read and changed by `decide.rs`. A command later in the round sees what an
//! earlier one did.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::ledger::{Answer, Found, Ledger, LedgerError};
use crate::model::{
    Book, BudgetKey, BudgetUse, CertificateKey, CertificateNo, Change, Entry, HolderId, IdempotencyKey, Position,
    Subject, Time,
};

/// The working set of a round.
#[derive(Debug, Default)]
pub(super) struct Papers {
    pub book: Arc<Book>,
    entries: BTreeMap<CertificateNo, Entry>,
    by_key: HashMap<CertificateKey, CertificateNo>,
    by_holder: HashMap<HolderId, BTreeSet<CertificateNo>>,
    answers: HashMap<IdempotencyKey, Answer>,
    budgets: HashMap<BudgetKey, BudgetUse>,
    touched: BTreeSet<CertificateNo>,
    /// What waited for a second person when the ledger was first asked.
    waiting: Option<BTreeSet<Position>>,
}

impl Papers {
    /// Nothing but the registers yet.
    pub(super) fn on(book: Arc<Book>) -> Self {
        Self { book, ..Self::default() }
    }

    /// Adds what a search found.
    pub(super) fn add(&mut self, found: Found) {
        for entry in found.entries {
            self.by_key.insert(entry.certificate.key, entry.no);
            self.by_holder.entry(entry.certificate.holder).or_default().insert(entry.no);
            self.entries.insert(entry.no, entry);
        }
        self.answers.extend(found.answers);
        self.budgets.extend(found.budgets);
    }

    pub(super) fn entry(&self, no: CertificateNo) -> Option<&Entry> {
        self.entries.get(&no)
    }

    pub(super) fn by_key(&self, key: &CertificateKey) -> Option<&Entry> {
        self.entry(*self.by_key.get(key)?)
    }

    /// All that was read of one holder's certificates.
    pub(super) fn family(&self, holder: HolderId) -> Vec<Entry> {
        self.by_holder.get(&holder).into_iter().flatten().filter_map(|no| self.entries.get(no)).cloned().collect()
    }

    /// All certificates of every holder whom the subject touches.
    pub(super) fn families(&self, subject: &Subject) -> Vec<Entry> {
        let holders: BTreeSet<HolderId> = match subject {
            Subject::Holder(holder) => BTreeSet::from([*holder]),
            Subject::Medium(_) | Subject::Sim { .. } => {
                let named = self.entries.values().filter(|entry| subject.names(&entry.certificate));
                named.map(|entry| entry.certificate.holder).collect()
            }
        };
        holders.into_iter().flat_map(|holder| self.family(holder)).collect()
    }

    pub(super) fn answer(&self, key: &IdempotencyKey) -> Option<&Answer> {
        self.answers.get(key)
    }

    pub(super) fn remember(&mut self, key: IdempotencyKey, answer: Answer) {
        self.answers.insert(key, answer);
    }

    pub(super) fn budget(&self, key: &BudgetKey) -> BudgetUse {
        self.budgets.get(key).copied().unwrap_or_default()
    }

    pub(super) fn spend(&mut self, key: BudgetKey) {
        self.budgets.entry(key).or_default().this_hour += 1;
    }

    /// Whether a command waited when the round began. The ledger is asked once a round, and only by rounds that need it.
    pub(super) fn waited(&mut self, ledger: &dyn Ledger, queued: Position) -> Result<bool, LedgerError> {
        let waiting = match self.waiting.take() {
            Some(known) => known,
            None => ledger.queue()?.into_iter().collect(),
        };
        Ok(self.waiting.insert(waiting).contains(&queued))
    }

    /// Takes in a change that was recorded.
    pub(super) fn apply(
        &mut self,
        no: CertificateNo,
        change: &Change,
        position: Position,
        time: Time,
        cause: Position,
    ) -> Option<&Entry> {
        let entry = self.entries.get_mut(&no)?;
        entry.status.apply(change, position, time, cause);
        self.touched.insert(no);
        Some(entry)
    }

    /// Every certificate that a decision of this round changed.
    pub(super) fn touched(&self) -> impl Iterator<Item = &Entry> {
        self.touched.iter().filter_map(|no| self.entries.get(no))
    }
}
