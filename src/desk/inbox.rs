//! What an outside CA wrote by SQL: decided by whoever holds the sequencer's lease, appended or refused with a reason.
//!
//! The CA's own transaction has long ended; what comes of its command is written beside it, for the CA to read.

use std::collections::HashMap;

use crate::ledger::import::{NamedLink, Record};
use crate::ledger::{InboxCommand, InboxItem, InboxResult, Ledger, LedgerError};
use crate::model::{
    Actor, Body, Certificate, CertificateKey, CertificateNo, Channel, Command, Event, Links, Outcome, PersonId,
    Position, Request, Role, Serial,
};

use super::decide::Round;
use super::need::Needs;
use super::register::{check_certificates, check_enrolment, record_certificates};
use super::task::Done;

/// Decides one item, unless another sequencer did so since it was listed. Whatever comes of it is written back for the CA
/// to read, so the task itself is always done.
pub(super) fn decide(ledger: &dyn Ledger, round: &mut Round<'_>, item: &InboxItem) -> Result<Done, LedgerError> {
    if !is_undecided(ledger, item)? {
        return Ok(Ok(Outcome::AlreadySo));
    }
    let first = round.batch.next_position();
    let actor = Actor { role: Role::Ca(item.issuer), person: PersonId::default(), channel: Channel::Sql };
    let key = |serial: Serial| CertificateKey { issuer: item.issuer, serial };
    let command = match InboxCommand::parse(&item.command, item.issuer, &round.papers.book, round.now) {
        Ok(command) => command,
        Err(fault) => return Ok(Ok(refuse(round, item, fault.to_string()))),
    };
    let decided = match command {
        InboxCommand::Register(records) => register(ledger, round, &actor, records)?,
        InboxCommand::Acknowledge(serial) => request(ledger, round, actor, Command::Activate(key(serial)))?,
        InboxCommand::Revoke { serial, reason, lost_at } => {
            request(ledger, round, actor, Command::Revoke { key: key(serial), reason, lost_at })?
        }
    };
    Ok(Ok(match decided {
        Err(why) => refuse(round, item, why),
        Ok(outcome) => {
            let last = round.batch.next.position;
            round.batch.inbox.push((item.no, InboxResult::Done { first, last }));
            outcome
        }
    }))
}

/// The oldest that waits is nearly always the one that is being decided; only beside one that failed it is not.
fn is_undecided(ledger: &dyn Ledger, item: &InboxItem) -> Result<bool, LedgerError> {
    let is = |waits: &InboxItem| waits.no == item.no;
    match ledger.inbox(1)?.first() {
        None => Ok(false),
        Some(oldest) if oldest.no >= item.no => Ok(is(oldest)),
        Some(_) => Ok(ledger.inbox(super::INBOX_PER_STEP)?.iter().any(is)),
    }
}

fn refuse(round: &mut Round<'_>, item: &InboxItem, why: String) -> Outcome {
    let body = Body::InboxRefused { inbox: item.no, why: why.clone() };
    let actor = super::clock_actor();
    let (at, _) = round.batch.record(Event { time: round.now, actor, cause: None, body });
    round.batch.inbox.push((item.no, InboxResult::Refused { at, why }));
    Outcome::Done { first: at, last: at }
}

fn request(
    ledger: &dyn Ledger,
    round: &mut Round<'_>,
    actor: Actor,
    command: Command,
) -> Result<Result<Outcome, String>, LedgerError> {
    let key = match &command {
        Command::Activate(key) | Command::Revoke { key, .. } => Some(*key),
        _ => None,
    };
    let request = Request { actor, command, idempotency: None };
    let mut needs = Needs::default();
    needs.near.hour = round.now.japan_hour();
    needs.add_request(&request);
    round.take_in(ledger.find(&needs.near)?);
    Ok(match super::work::ask(ledger, round, &request)? {
        Err(refusal) => Err(refusal.to_string()),
        Ok(Outcome::Queued { queued }) => {
            // The CA asks for what came of it, and this is what came of it so far.
            Err(format!("not done yet: over the rate budget, it waits for a second person under {queued}"))
        }
        // Answered by an event of its own as well: a second sequencer that decides it too must find the ledger moved.
        Ok(Outcome::AlreadySo) => {
            let by = key.and_then(|key| round.papers.by_key(&key)).map(|entry| match entry.status.revocation() {
                Some(revocation) => revocation.by,
                None => entry.status.as_of,
            });
            Err(match by.filter(|by| *by != Position(0)) {
                Some(by) => format!("it is so already, by event {by}: nothing more was recorded"),
                None => "it is so already, from its registration on: nothing more was recorded".to_owned(),
            })
        }
        Ok(outcome) => Ok(outcome),
    })
}

fn register(
    ledger: &dyn Ledger,
    round: &mut Round<'_>,
    actor: &Actor,
    records: Vec<Record>,
) -> Result<Result<Outcome, String>, LedgerError> {
    let next = CertificateNo(round.batch.next.certificates + 1);
    let certificates = match link(ledger, records, next)? {
        Ok(certificates) => certificates,
        Err(why) => return Ok(Err(why)),
    };
    if let Err(refusal) = check_certificates(&round.papers.book, actor, &certificates, next) {
        return Ok(Err(refusal.to_string()));
    }
    if let Err(refusal) = check_enrolment(ledger, &certificates)? {
        return Ok(Err(refusal.to_string()));
    }
    let recorded = record_certificates(ledger, &mut round.batch, actor, certificates, round.policy, round.now)?;
    Ok(recorded.map(|at| Outcome::Done { first: at, last: at }).map_err(|refusal| refusal.to_string()))
}

/// Turns named links into numbers: of what is registered, or of what stands earlier in the same command.
fn link(
    ledger: &dyn Ledger,
    records: Vec<Record>,
    next: CertificateNo,
) -> Result<Result<Vec<Certificate>, String>, LedgerError> {
    let named: Vec<CertificateKey> = records
        .iter()
        .flat_map(|record| record.links.iter())
        .map(|NamedLink { issuer, serial }| CertificateKey { issuer, serial })
        .collect();
    let numbers = if named.is_empty() { Vec::new() } else { ledger.registered(&named)? };
    let mut known: HashMap<CertificateKey, CertificateNo> =
        named.into_iter().zip(numbers).filter_map(|(key, no)| Some((key, no?))).collect();
    let mut certificates = Vec::with_capacity(records.len());
    for (record, index) in records.into_iter().zip(0..) {
        let mut missing = None;
        let mut number = |link: Option<NamedLink>| {
            let NamedLink { issuer, serial } = link?;
            let no = known.get(&CertificateKey { issuer, serial }).copied();
            missing = missing.or(no.is_none().then_some(serial));
            no
        };
        let links = Links {
            issued_under: number(record.links.issued_under),
            parallel_of: number(record.links.parallel_of),
            succeeds: number(record.links.succeeds),
        };
        if let Some(serial) = missing {
            return Ok(Err(format!("the linked certificate {serial} is not registered: register it first")));
        }
        known.insert(record.certificate.key, next.plus(index));
        certificates.push(Certificate { links, ..record.certificate });
    }
    Ok(Ok(certificates))
}
