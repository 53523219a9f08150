//! What the follower's thread notes of each issuer beside its answers: what was promised, what has changed, what is planned.

use std::collections::BTreeSet;

use super::{Answering, Mark};
use crate::app::clock;
use crate::app::planning::{self, Census};
use crate::app::promises::Promises;
use crate::app::serve::issuer_sign::IssuerSign;
use crate::follow::{Follower, Stepped};
use crate::ledger::{Ledger, LedgerError, decode_event};
use crate::model::{Book, IssuerNo, Position, Time};
use crate::responder::Plan;
use crate::status::{Day, Signature, Standing, Table};

/// What this node has written down of what it signed.
pub(super) struct Kept {
    pub mark: Mark,
    /// None: not read yet.
    pub promises: Option<Promises>,
}

impl Answering {
    /// What is about to be run.
    pub(super) fn plans(&self, table: &Table, book: &Book) -> Vec<Plan> {
        let census = Census::of(table, book, Day::of(clock::now()));
        let signs = self.vitals.signs().answers.issuers;
        let plan = |(sign, certificates): (&IssuerSign, u64)| {
            Some(planning::running(&self.config, &sign.name, sign.kind?, certificates))
        };
        signs.iter().zip(census.0).filter_map(plan).collect()
    }

    /// Notes which issuers' certificates have stopped being good, and when at the latest.
    pub(super) fn note_changes(&self, follower: &Follower, stepped: &Stepped) {
        let at = follower.head().time;
        let mut signature = Signature::default();
        let no_longer_good = stepped.changed.iter().filter_map(|no| follower.table().at(*no, &mut signature));
        let no_longer_good = no_longer_good.filter(|(_, view)| view.standing != Standing::Good);
        let touched: BTreeSet<_> = no_longer_good.map(|(key, _)| key.issuer).collect();
        if stepped.sets > 0 || !touched.is_empty() {
            self.see_changes(Some(at), |no| stepped.sets > 0 || touched.contains(&no));
        }
    }

    pub(super) fn see_changes(&self, at: Option<Time>, of: impl Fn(IssuerNo) -> bool) {
        self.vitals.note(|signs| {
            let touched = signs.answers.issuers.iter_mut().filter(|issuer| of(issuer.no));
            touched.for_each(|issuer| issuer.changed = issuer.changed.max(at));
        });
    }

    /// Has it written down for how long answers will be valid.
    pub(super) fn promise(&self, book: &Book, kept: &mut Kept) -> Result<(), String> {
        let answered = kept.mark.stands().map_err(|error| error.to_string())?;
        let promises = match &mut kept.promises {
            Some(promises) => promises,
            none @ None => none.insert(Promises::read(&self.config.state).map_err(|error| error.to_string())?),
        };
        let names = book.issuers.iter().map(|issuer| issuer.name.as_str());
        let validities = names.map(|name| (name, self.config.ocsp.policy_of(name).validity));
        promises.keep(validities, answered).map_err(|error| error.to_string())
    }
}

/// The ledger time of the event there.
pub(super) fn last_event(ledger: &dyn Ledger, at: Position) -> Result<Option<Time>, LedgerError> {
    let stored = ledger.events_after(Position(at.0.saturating_sub(1)), 1)?;
    let last = stored.first().map(|sealed| decode_event(&sealed.bytes)).transpose()?;
    Ok(last.map(|event| event.time))
}
