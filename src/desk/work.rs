//! What each kind of task does within a round. One arm for each, most of them a call.

use crate::ledger::{Ledger, LedgerError, decode_event};
use crate::model::{
    Action, Actor, Body, Book, CertificateNo, Command, Event, Issuer, IssuerNo, Outcome, Position, Refusal, Request,
    Scope, ScopeNo, SetChange, may,
};

use super::campaign::{is_open, nothing_to_undo};
use super::decide::{Round, Ruled};
use super::queue::{decide_queued, still_waits, wait};
use super::register::{check_certificates, check_enrolment, check_issuer, check_scope, record_certificates};
use super::set::check_list;
use super::task::{DeskError, Done, Task};

/// Does one task. The inner result is the task's own; the outer one stops the round.
pub(super) fn do_task(ledger: &dyn Ledger, round: &mut Round<'_>, task: &Task) -> Result<Done, LedgerError> {
    let first = round.batch.next_position();
    Ok(match task {
        Task::AddIssuer { actor, issuer, scopes } => {
            add_issuer(round, actor, issuer, scopes).map(|()| since(first, round)).map_err(DeskError::from)
        }
        Task::AddScope { actor, scope } => add_scope(round, actor, scope).map_err(DeskError::from),
        Task::Clock(due) => {
            due.iter().for_each(|(due, no)| round.clock(*due, *no));
            Ok(since(first, round))
        }
        Task::Close { actor, order, queued, verdict } => {
            // Somebody may have decided it since the undo looked, or in this very round.
            for queued in queued {
                if still_waits(ledger, round, *queued)? {
                    round.closed(actor, *order, *queued, *verdict);
                }
            }
            Ok(since(first, round))
        }
        Task::Inbox(item) => super::inbox::decide(ledger, round, item)?,
        Task::Lift { actor, order, holds } => {
            holds.iter().for_each(|(no, holds)| round.lift(actor, *order, *no, holds));
            Ok(since(first, round))
        }
        Task::LiftSet { actor, order, target, hold } => {
            let change = SetChange::Released { hold: *hold };
            if !is_open(&round.papers.book, *hold) {
                return Ok(Ok(Outcome::AlreadySo));
            }
            Ok(record(round, actor, Some(*order), Body::SetChanged { target: target.clone(), change }))
        }
        Task::NumberCrls { actor, above, read_to } => {
            let since = number_given_since(ledger, *read_to, round.batch.at.position)?;
            number_crls(round, actor, since.max(*above)).map_err(DeskError::from)
        }
        Task::Register { actor, certificates } => {
            let next = CertificateNo(round.batch.next.certificates + 1);
            match check_certificates(&round.papers.book, actor, certificates, next) {
                Err(refusal) => Err(refusal.into()),
                Ok(()) => {
                    if let Err(refusal) = check_enrolment(ledger, certificates)? {
                        return Ok(Err(refusal.into()));
                    }
                    let certificates = certificates.clone();
                    record_certificates(ledger, &mut round.batch, actor, certificates, round.policy, round.now)?
                        .map(|at| Outcome::Done { first: at, last: at })
                        .map_err(DeskError::from)
                }
            }
        }
        Task::Request(request) => match &request.command {
            Command::DecideQueued { queued, verdict } => decide_queued(ledger, round, request, *queued, *verdict)?,
            Command::Set { target, .. } => match check_list(ledger, &request.actor, target)? {
                Some(refusal) => Err(refusal.into()),
                None => ask(ledger, round, request)?.map_err(DeskError::from),
            },
            _ => ask(ledger, round, request)?.map_err(DeskError::from),
        },
    })
}

/// Decides a command that came from outside, or lets it wait.
pub(super) fn ask(
    ledger: &dyn Ledger,
    round: &mut Round<'_>,
    request: &Request,
) -> Result<Result<Outcome, Refusal>, LedgerError> {
    match round.request(request) {
        Err(refusal) => Ok(Err(refusal)),
        Ok(Ruled::Settled(outcome)) => Ok(Ok(outcome)),
        Ok(Ruled::MustWait(why)) => {
            if let Command::Undo(scope) = &request.command
                && let Some(refusal) = nothing_to_undo(ledger, scope)?
            {
                return Ok(Err(refusal));
            }
            wait(ledger, round, request, why).map(Ok)
        }
    }
}

fn add_scope(round: &mut Round<'_>, actor: &Actor, scope: &Scope) -> Result<Outcome, Refusal> {
    may(actor.role, Action::Configure)?;
    let book = &round.papers.book;
    if book.scopes.iter().any(|known| *known == Scope { no: known.no, ..scope.clone() }) {
        return Ok(Outcome::AlreadySo);
    }
    check_scope(book, actor, scope)?;
    let no = ScopeNo(book.scopes.len() as u32 + 1);
    Ok(record(round, actor, None, Body::ScopeAdded(Scope { no, ..scope.clone() })))
}

/// The highest number that a round of CRLs was given after one event, up to another: by a publisher that was faster.
fn number_given_since(ledger: &dyn Ledger, mut after: Position, until: Position) -> Result<Option<u64>, LedgerError> {
    let mut highest = None;
    while after < until {
        let page = ledger.events_after(after, EVENTS_PER_PAGE)?;
        let Some(last) = page.last() else { break };
        after = last.position;
        for sealed in &page {
            let event = decode_event(&sealed.bytes);
            if let Ok(Event { body: Body::CrlsNumbered { number }, .. }) = event {
                highest = highest.max(Some(number));
            }
        }
    }
    Ok(highest)
}

/// The number follows from the event's own place: positions rise, and so does the epoch that a person names after a ledger was
/// restored, so that no number comes twice though nobody remembers the last. Where one was given that is higher all the
/// same, it is the next after that.
fn number_crls(round: &mut Round<'_>, actor: &Actor, above: Option<u64>) -> Result<Outcome, Refusal> {
    may(actor.role, Action::NumberCrls)?;
    let placed = u64::from(round.batch.next.epoch.0) << POSITION_BITS | round.batch.next_position().0;
    let number = above.map_or(placed, |above| placed.max(above.saturating_add(1)));
    Ok(record(round, actor, None, Body::CrlsNumbered { number }))
}

/// Whether an issuer was added with just these facts, and has these scopes.
fn is_added(book: &Book, issuer: &Issuer, scopes: &[Scope]) -> bool {
    book.issuers.iter().find(|known| **known == Issuer { no: known.no, ..issuer.clone() }).is_some_and(|known| {
        let has = |scope: &Scope| {
            book.scopes.iter().any(|own| *own == Scope { no: own.no, issuer: known.no, ..scope.clone() })
        };
        scopes.iter().all(has)
    })
}

/// All or nothing: an issuer whose scope is refused is not added.
fn add_issuer(round: &mut Round<'_>, actor: &Actor, issuer: &Issuer, scopes: &[Scope]) -> Result<(), Refusal> {
    may(actor.role, Action::Configure)?;
    if is_added(&round.papers.book, issuer, scopes) {
        return Ok(());
    }
    check_issuer(&round.papers.book, actor, issuer)?;
    let mut book = (*round.papers.book).clone();
    let no = IssuerNo(book.issuers.len() as u16 + 1);
    book.issuers.push(Issuer { no, ..issuer.clone() });
    let known = book.scopes.len();
    for scope in scopes {
        let scope = Scope { no: ScopeNo(book.scopes.len() as u32 + 1), issuer: no, ..scope.clone() };
        check_scope(&book, actor, &scope)?;
        book.scopes.push(scope);
    }
    let added = Body::IssuerAdded(Issuer { no, ..issuer.clone() });
    let cause = round.batch.next_position();
    record(round, actor, None, added);
    for scope in book.scopes.drain(known..) {
        record(round, actor, Some(cause), Body::ScopeAdded(scope));
    }
    Ok(())
}

fn record(round: &mut Round<'_>, actor: &Actor, cause: Option<Position>, body: Body) -> Outcome {
    let (at, _) = round.batch.record(Event { time: round.now, actor: *actor, cause, body });
    Outcome::Done { first: at, last: at }
}

/// What was recorded from `first` on.
fn since(first: Position, round: &Round<'_>) -> Outcome {
    let last = round.batch.next.position;
    if last >= first { Outcome::Done { first, last } } else { Outcome::AlreadySo }
}

/// A position takes no more in memory either.
const POSITION_BITS: u32 = 40;
const EVENTS_PER_PAGE: usize = 1_000;
