//! What a waiting command would do if it were approved now: the same reading and the same decision, and nothing recorded.
//!
//! Called by the command line, for the person who is asked to approve it.

use std::sync::Arc;

use crate::ledger::{Batch, Families, Head, Ledger, LedgerError};
use crate::model::{Book, Change, Command, Entry, Policy, Refusal, Request, Time};

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

/// Looks ahead from where the ledger stood when it was opened, for any number of commands.
pub struct Foresight<'a> {
    ledger: &'a dyn Ledger,
    policy: &'a Policy,
    now: Time,
    head: Head,
    book: Arc<Book>,
}

impl<'a> Foresight<'a> {
    /// From where the ledger stands now.
    pub fn open(ledger: &'a dyn Ledger, policy: &'a Policy, now: Time) -> Result<Self, LedgerError> {
        let head = ledger.head()?;
        let book = Arc::new(ledger.book()?.1);
        Ok(Self { ledger, policy, now: now.max(head.time), head, book })
    }

    /// Decides a waiting command as if a second person had just approved it.
    pub fn of(&self, request: &Request) -> Result<Foreseen, LedgerError> {
        let papers = Papers::on(self.book.clone());
        let batch = Batch::on(self.head.clone());
        let mut round = Round { policy: self.policy, now: self.now, papers, batch };
        Ok(match gather(self.ledger, &mut round, request)? {
            Some(refusal) => Foreseen::Refused(refusal),
            None => round.foresee(request),
        })
    }
}

/// Reads what a command that waited needs; says if what it names is not what it says any more.
pub(super) fn gather(
    ledger: &dyn Ledger,
    round: &mut Round<'_>,
    request: &Request,
) -> Result<Option<Refusal>, LedgerError> {
    let mut needs = Needs::default();
    needs.add_request(request);
    needs.far.families = Families::Yes;
    round.take_in(ledger.find(&needs.near)?);
    if needs.reaches_far() {
        round.take_in(ledger.find(&needs.far)?);
    }
    match &request.command {
        Command::Set { target, .. } => check_list(ledger, &request.actor, target),
        _ => Ok(None),
    }
}
