//! What a waiting command would do if it were approved now: the same reading and the same decision, and nothing recorded.
//!
//! Called by the command line, for the person who is asked to approve it.

use std::sync::Arc;

use crate::ledger::{Batch, Ledger, LedgerError};
use crate::model::{Change, Entry, Policy, Refusal, Request, Time};

use super::decide::Round;
use super::need::Needs;
use super::papers::Papers;
use super::set::check_list;

/// What would come of an approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Foreseen {
    /// These certificates, as they stand, would be changed so; none if everything is so already.
    Certificates(Vec<(Entry, Vec<Change>)>),
    /// One event that names no single certificate: a set's, an undo's.
    Event,
    /// It would be refused.
    Refused(Refusal),
}

/// Decides a waiting command as if a second person had just approved it.
pub fn foresee(ledger: &dyn Ledger, policy: &Policy, request: &Request, now: Time) -> Result<Foreseen, LedgerError> {
    let head = ledger.head()?;
    let now = now.max(head.time);
    let mut papers = Papers::default();
    papers.book = Arc::new(ledger.book()?.1);
    let mut round = Round { policy, now, papers, batch: Batch::on(head) };
    if let Some(refusal) = gather(ledger, &mut round, request)? {
        return Ok(Foreseen::Refused(refusal));
    }
    Ok(round.foresee(request))
}

/// Reads what a command that waited needs; says if what it names is not what it says any more.
pub(super) fn gather(
    ledger: &dyn Ledger,
    round: &mut Round<'_>,
    request: &Request,
) -> Result<Option<Refusal>, LedgerError> {
    let mut needs = Needs::default();
    needs.add_request(request);
    needs.far.families = crate::ledger::Families::Yes;
    round.take_in(ledger.find(&needs.near)?);
    if needs.reaches_far() {
        round.take_in(ledger.find(&needs.far)?);
    }
    match &request.command {
        crate::model::Command::Set { target, .. } => check_list(ledger, &request.actor, target),
        _ => Ok(None),
    }
}
