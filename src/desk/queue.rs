//! What waits for a second person: listing it, and that person's word.

use crate::ledger::{Ledger, LedgerError, decode_event};
use crate::model::{Actor, Body, Command, Outcome, Position, Refusal, Request, Role, Time, Verdict, WhyQueued};

use super::decide::Round;
use super::need::Needs;
use super::set::check_list;
use super::task::Done;

/// A command that waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Its name.
    pub queued: Position,
    /// Since when.
    pub since: Time,
    /// The command.
    pub request: Request,
    /// Why it waits.
    pub why: WhyQueued,
}

/// Everything that waits, oldest first.
pub fn waiting(ledger: &dyn Ledger) -> Result<Vec<Waiting>, LedgerError> {
    let mut positions = ledger.queue()?;
    positions.sort_unstable();
    positions.into_iter().map(|queued| read(ledger, queued)).filter_map(Result::transpose).collect()
}

/// The waiting command of that name, whether or not it still waits.
fn read(ledger: &dyn Ledger, queued: Position) -> Result<Option<Waiting>, LedgerError> {
    let before = Position(queued.0.saturating_sub(1));
    let Some(sealed) = ledger.events_after(before, 1)?.pop().filter(|sealed| sealed.position == queued) else {
        return Ok(None);
    };
    let event = decode_event(&sealed.bytes)?;
    Ok(match event.body {
        Body::Queued { request, why } => Some(Waiting { queued, since: event.time, request: *request, why }),
        _ => None,
    })
}

/// Decides what waits, as the second person.
pub(super) fn decide_queued(
    ledger: &dyn Ledger,
    round: &mut Round<'_>,
    word: &Request,
    queued: Position,
    verdict: Verdict,
) -> Result<Done, LedgerError> {
    if let Some(answered) = round.answered(word) {
        return Ok(answered.map_err(Into::into));
    }
    let still_waits = ledger.queue()?.contains(&queued);
    let Some(waiting) = read(ledger, queued)?.filter(|_| still_waits) else {
        return Ok(Err(Refusal::NotQueued(queued).into()));
    };
    if let Err(refusal) = round.authorise(word).and_then(|()| may_second(&word.actor, &waiting.request.actor)) {
        return Ok(Err(refusal.into()));
    }
    let first = round.batch.next_position();
    if verdict == Verdict::Rejected {
        round.closed(&word.actor, queued, queued, verdict);
        let outcome = Outcome::Done { first, last: first };
        round.remember(word, outcome);
        return Ok(Ok(outcome));
    }
    let mut needs = Needs::default();
    needs.add_request(&waiting.request);
    needs.far.families = crate::ledger::Families::Yes;
    round.take_in(ledger.find(&needs.near)?);
    if needs.reaches_far() {
        round.take_in(ledger.find(&needs.far)?);
    }
    if let Command::Set { target, .. } = &waiting.request.command
        && let Some(refusal) = check_list(ledger, &waiting.request.actor, target)?
    {
        return Ok(Err(refusal.into()));
    }
    let approved = round.approved(&waiting.request, &word.actor, queued);
    if let Ok(outcome) = approved {
        round.remember(word, outcome);
    }
    Ok(approved.map_err(Into::into))
}

/// Another person of the same organisation, or of operations.
fn may_second(second: &Actor, first: &Actor) -> Result<(), Refusal> {
    if second.person == first.person {
        return Err(Refusal::SamePerson);
    }
    let same = match (second.role, first.role) {
        (Role::Ops, _) | (Role::Window(None), Role::Window(_)) => true,
        (a, b) => a == b,
    };
    if same {
        Ok(())
    } else {
        let action = format!("be the second person for {}", first.role);
        Err(Refusal::NotAllowed { role: second.role, action })
    }
}
