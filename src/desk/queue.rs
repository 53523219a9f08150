//! What waits for a second person: listing it, and that person's word.

use crate::ledger::{Answer, Hash, Ledger, LedgerError, QueueChange, Wanted, decode_event, encode_request, sha256};
use crate::model::{
    Actor, Body, Channel, Command, IdempotencyKey, Outcome, PersonId, Position, Refusal, ReportKind, Request, Role,
    Time, Verdict, WhyQueued,
};

use super::decide::Round;
use super::foresight::gather;
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

/// Lets a command wait for a second person. Said again while it waits, it is answered with the place that it has.
///
/// Where a command waits is kept as an answer under a key made of the command itself, so that finding it takes one
/// look-up however long the queue is. Once decided, the next place is kept under a key made of the command and the place
/// before: a chain with one link for each time that a person decided this very command.
pub(super) fn wait(
    ledger: &dyn Ledger,
    round: &mut Round<'_>,
    request: &Request,
    why: WhyQueued,
) -> Result<Outcome, LedgerError> {
    let digest = same_again(request);
    let mut key = place_key(&digest, Position(0));
    let outcome = loop {
        if round.papers.answer(&key).is_none() {
            let wanted = Wanted { answers: vec![key], ..Wanted::default() };
            round.take_in(ledger.find(&wanted)?);
        }
        match round.papers.answer(&key) {
            Some(Answer { command, outcome: Outcome::Queued { queued } }) if *command == digest => {
                let queued = *queued;
                if still_waits(ledger, round, queued)? {
                    break Outcome::Queued { queued };
                }
                key = place_key(&digest, queued);
            }
            // Somebody's own key that happens to be the same: then this one is not told from its repetition.
            Some(_) => break round.queue(request, why),
            None => {
                let outcome = round.queue(request, why);
                round.answer(key, Answer { command: digest, outcome });
                break outcome;
            }
        }
    };
    round.remember(request, outcome);
    Ok(outcome)
}

/// Whether a command waits, as far as the round has come.
pub(super) fn still_waits(ledger: &dyn Ledger, round: &mut Round<'_>, queued: Position) -> Result<bool, LedgerError> {
    if round.batch.queue.contains(&QueueChange::Decided(queued)) {
        return Ok(false);
    }
    Ok(round.batch.queue.contains(&QueueChange::Waits(queued)) || round.papers.waited(ledger, queued)?)
}

/// What a command and its repetition have in common.
fn same_again(request: &Request) -> Hash {
    let mut request = Request { idempotency: None, ..request.clone() };
    request.actor.channel = Channel::Api;
    match &mut request.command {
        // It decides which holds a "found" means. Otherwise it is when the desk was told, which differs between tries.
        Command::Report(report) if !matches!(report.kind, ReportKind::CardFound | ReportKind::PhoneFound) => {
            report.reported_at = Time::default();
        }
        // Whoever orders it, it is the same undo; and who orders what another ordered may approve it.
        Command::Undo(_) => request.actor.person = PersonId::default(),
        _ => {}
    }
    sha256(&[PLACE, &encode_request(&request)])
}

/// The key under which a command's place in the queue is kept, after the place that it had before.
fn place_key(digest: &Hash, before: Position) -> IdempotencyKey {
    let hash = sha256(&[PLACE, digest, &before.0.to_be_bytes()]);
    IdempotencyKey(*hash.first_chunk().expect("SHA-256 has more than 16 octets"))
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
    let Some(waiting) = read(ledger, queued)? else { return Ok(Err(Refusal::NotQueued(queued).into())) };
    let asked = &waiting.request.actor;
    if let Err(refusal) = round.authorise(word).and_then(|()| may_decide(&word.actor, asked, verdict)) {
        return Ok(Err(refusal.into()));
    }
    if !still_waits(ledger, round, queued)? {
        return Ok(match decided_before(ledger, queued)? {
            Some(before) if before == verdict => Ok(Outcome::AlreadySo),
            Some(verdict) => Err(Refusal::Decided { queued, verdict }.into()),
            None => Err(Refusal::NotQueued(queued).into()),
        });
    }
    let first = round.batch.next_position();
    if verdict == Verdict::Rejected {
        round.closed(&word.actor, queued, queued, verdict);
        let outcome = Outcome::Done { first, last: first };
        round.remember(word, outcome);
        return Ok(Ok(outcome));
    }
    if let Some(refusal) = gather(ledger, round, &waiting.request)? {
        return Ok(Err(refusal.into()));
    }
    let approved = round.approved(&waiting.request, &word.actor, queued);
    if let Ok(outcome) = approved {
        round.remember(word, outcome);
    }
    Ok(approved.map_err(Into::into))
}

/// Keeps how a waiting command was decided, for whoever says it again: an answer under a key made of its place.
pub(super) fn keep_verdict(round: &mut Round<'_>, queued: Position, verdict: Verdict, at: Position) {
    let outcome = Outcome::Done { first: at, last: at };
    round.answer(verdict_key(queued), Answer { command: verdict_digest(queued, verdict), outcome });
}

/// How a command was decided that waits no longer.
fn decided_before(ledger: &dyn Ledger, queued: Position) -> Result<Option<Verdict>, LedgerError> {
    let key = verdict_key(queued);
    let found = ledger.find(&Wanted { answers: vec![key], ..Wanted::default() })?;
    let kept = found.answers.into_iter().find(|(known, _)| *known == key).map(|(_, answer)| answer.command);
    Ok([Verdict::Approved, Verdict::Rejected]
        .into_iter()
        .find(|verdict| kept == Some(verdict_digest(queued, *verdict))))
}

fn verdict_key(queued: Position) -> IdempotencyKey {
    let hash = sha256(&[VERDICT, &queued.0.to_be_bytes()]);
    IdempotencyKey(*hash.first_chunk().expect("SHA-256 has more than 16 octets"))
}

fn verdict_digest(queued: Position, verdict: Verdict) -> Hash {
    let word: &[u8] = match verdict {
        Verdict::Approved => b"approved",
        Verdict::Rejected => b"rejected",
    };
    sha256(&[VERDICT, &queued.0.to_be_bytes(), word])
}

/// Who asked may take it back; whatever else is decided is a second person's.
fn may_decide(by: &Actor, asked: &Actor, verdict: Verdict) -> Result<(), Refusal> {
    let withdraws = verdict == Verdict::Rejected && (by.person, by.role) == (asked.person, asked.role);
    if withdraws { Ok(()) } else { may_second(by, asked) }
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

/// Sets these hashes apart from all others.
const PLACE: &[u8] = b"tashika place in the queue\n";
const VERDICT: &[u8] = b"tashika verdict on the queue\n";
