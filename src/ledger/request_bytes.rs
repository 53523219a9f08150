//! The bytes of commands, reports and actors: parts of events, and what an idempotency key is compared with.

use crate::model::{
    Actor, Batch, CertificateKey, Channel, Command, Epoch, HoldId, HolderId, IdempotencyKey, IssuerNo, ListNo,
    MediumId, Municipality, PersonId, Report, ReportKind, Request, Role, SetChange, SetTarget, SimId, Subject,
    UndoScope, Verdict,
};

use super::bytes::{Malformed, Reader, Writer};
use super::certificate_bytes::read_operator;
use super::status_bytes::read_reason;

/// The canonical bytes of a request.
pub fn encode_request(request: &Request) -> Vec<u8> {
    let mut w = Writer::with_capacity(128);
    write_request(&mut w, request);
    w.finish()
}

pub(super) fn write_request(w: &mut Writer, request: &Request) {
    write_actor(w, &request.actor);
    w.option(request.idempotency, |w, key| w.raw(&key.0));
    match &request.command {
        Command::Activate(key) => {
            w.u8(1);
            write_key(w, key);
        }
        Command::AdoptEpoch { epoch, note } => {
            w.u8(2);
            w.u32(epoch.0);
            w.text(note);
        }
        Command::DecideQueued { queued, verdict } => {
            w.u8(3);
            w.position(*queued);
            write_verdict(w, *verdict);
        }
        Command::Hold { key, lost_at } => {
            w.u8(4);
            write_key(w, key);
            w.option(*lost_at, Writer::time);
        }
        Command::Release { key, holds } => {
            w.u8(5);
            write_key(w, key);
            w.positions(holds.iter().map(|hold| hold.0));
        }
        Command::Report(report) => {
            w.u8(6);
            write_report(w, report);
        }
        Command::Revoke { key, reason, lost_at } => {
            w.u8(7);
            write_key(w, key);
            w.u8(reason.code());
            w.option(*lost_at, Writer::time);
        }
        Command::Set { target, change } => {
            w.u8(8);
            write_set(w, target, *change);
        }
        Command::Undo(scope) => {
            w.u8(9);
            write_undo(w, scope);
        }
    }
}

pub(super) fn read_request(r: &mut Reader<'_>) -> Result<Request, Malformed> {
    let actor = read_actor(r)?;
    let idempotency = r.option(|r| r.array().map(IdempotencyKey))?;
    let command = match r.u8()? {
        1 => Command::Activate(read_key(r)?),
        2 => Command::AdoptEpoch { epoch: Epoch(r.u32()?), note: r.text()? },
        3 => Command::DecideQueued { queued: r.position()?, verdict: read_verdict(r)? },
        4 => Command::Hold { key: read_key(r)?, lost_at: r.option(Reader::time)? },
        5 => Command::Release { key: read_key(r)?, holds: r.positions()?.into_iter().map(HoldId).collect() },
        6 => Command::Report(read_report(r)?),
        7 => Command::Revoke { key: read_key(r)?, reason: read_reason(r)?, lost_at: r.option(Reader::time)? },
        8 => {
            let (target, change) = read_set(r)?;
            Command::Set { target, change }
        }
        9 => Command::Undo(read_undo(r)?),
        tag => return Err(Malformed::Tag { what: "command", tag: tag.into() }),
    };
    Ok(Request { actor, command, idempotency })
}

pub(super) fn write_actor(w: &mut Writer, actor: &Actor) {
    match actor.role {
        Role::Auditor => w.u8(1),
        Role::Ca(issuer) => {
            w.u8(2);
            w.u16(issuer.0);
        }
        Role::CallCentre => w.u8(3),
        Role::Carrier(operator) => {
            w.u8(4);
            w.text(operator.as_str());
        }
        Role::Holder { presented } => {
            w.u8(5);
            w.option(presented, |w, medium| w.raw(&medium.0));
        }
        Role::Ops => w.u8(6),
        Role::Registry => w.u8(7),
        Role::SpTsm => w.u8(8),
        Role::System => w.u8(9),
        Role::Window(municipality) => {
            w.u8(10);
            w.option(municipality, |w, town| w.u32(town.0));
        }
    }
    w.raw(&actor.person.0);
    w.u8(match actor.channel {
        Channel::Api => 1,
        Channel::Cli => 2,
        Channel::Import => 3,
        Channel::Sql => 4,
        Channel::Timer => 5,
    });
}

pub(super) fn read_actor(r: &mut Reader<'_>) -> Result<Actor, Malformed> {
    let role = match r.u8()? {
        1 => Role::Auditor,
        2 => Role::Ca(IssuerNo(r.u16()?)),
        3 => Role::CallCentre,
        4 => Role::Carrier(read_operator(r)?),
        5 => Role::Holder { presented: r.option(|r| r.array().map(MediumId))? },
        6 => Role::Ops,
        7 => Role::Registry,
        8 => Role::SpTsm,
        9 => Role::System,
        10 => Role::Window(r.option(|r| r.u32().map(Municipality))?),
        tag => return Err(Malformed::Tag { what: "role", tag: tag.into() }),
    };
    let person = PersonId(r.array()?);
    let channel = match r.u8()? {
        1 => Channel::Api,
        2 => Channel::Cli,
        3 => Channel::Import,
        4 => Channel::Sql,
        5 => Channel::Timer,
        tag => return Err(Malformed::Tag { what: "channel", tag: tag.into() }),
    };
    Ok(Actor { role, person, channel })
}

pub(super) fn write_report(w: &mut Writer, report: &Report) {
    w.u8(report_tag(report.kind));
    match &report.subject {
        Subject::Holder(holder) => {
            w.u8(1);
            w.raw(&holder.0);
        }
        Subject::Medium(medium) => {
            w.u8(2);
            w.raw(&medium.0);
        }
        Subject::Sim { sim, operator } => {
            w.u8(3);
            w.raw(&sim.0);
            w.text(operator.as_str());
        }
    }
    w.option(report.lost_at, Writer::time);
    w.time(report.reported_at);
    w.option(report.moved_to, |w, town| w.u32(town.0));
    w.option(report.evidence.as_deref(), Writer::text);
}

pub(super) fn read_report(r: &mut Reader<'_>) -> Result<Report, Malformed> {
    let tag = r.u8()?;
    let kind = ReportKind::ALL
        .into_iter()
        .find(|kind| report_tag(*kind) == tag)
        .ok_or(Malformed::Tag { what: "report kind", tag: tag.into() })?;
    let subject = match r.u8()? {
        1 => Subject::Holder(HolderId(r.array()?)),
        2 => Subject::Medium(MediumId(r.array()?)),
        3 => Subject::Sim { sim: SimId(r.array()?), operator: read_operator(r)? },
        tag => return Err(Malformed::Tag { what: "subject", tag: tag.into() }),
    };
    Ok(Report {
        kind,
        subject,
        lost_at: r.option(Reader::time)?,
        reported_at: r.time()?,
        moved_to: r.option(|r| r.u32().map(Municipality))?,
        evidence: r.option(Reader::text)?,
    })
}

pub(super) fn write_set(w: &mut Writer, target: &SetTarget, change: SetChange) {
    match target {
        SetTarget::Issuer(issuer) => {
            w.u8(1);
            w.u16(issuer.0);
        }
        SetTarget::Batch(batch) => {
            w.u8(2);
            w.u32(batch.0);
        }
        SetTarget::Listed { list, count, digest } => {
            w.u8(3);
            w.u32(list.0);
            w.u64(*count);
            w.raw(digest);
        }
    }
    match change {
        SetChange::Held => w.u8(1),
        SetChange::Released { hold } => {
            w.u8(2);
            w.position(hold.0);
        }
        SetChange::Revoked { reason } => {
            w.u8(3);
            w.u8(reason.code());
        }
    }
}

pub(super) fn read_set(r: &mut Reader<'_>) -> Result<(SetTarget, SetChange), Malformed> {
    let target = match r.u8()? {
        1 => SetTarget::Issuer(IssuerNo(r.u16()?)),
        2 => SetTarget::Batch(Batch(r.u32()?)),
        3 => SetTarget::Listed { list: ListNo(r.u32()?), count: r.u64()?, digest: r.array()? },
        tag => return Err(Malformed::Tag { what: "set target", tag: tag.into() }),
    };
    let change = match r.u8()? {
        1 => SetChange::Held,
        2 => SetChange::Released { hold: HoldId(r.position()?) },
        3 => SetChange::Revoked { reason: read_reason(r)? },
        tag => return Err(Malformed::Tag { what: "set change", tag: tag.into() }),
    };
    Ok((target, change))
}

pub(super) fn write_undo(w: &mut Writer, scope: &UndoScope) {
    match scope {
        UndoScope::Cause(position) => {
            w.u8(1);
            w.position(*position);
        }
        UndoScope::ByActor { actor, since, until } => {
            w.u8(2);
            write_actor(w, actor);
            w.time(*since);
            w.time(*until);
        }
    }
}

pub(super) fn read_undo(r: &mut Reader<'_>) -> Result<UndoScope, Malformed> {
    match r.u8()? {
        1 => Ok(UndoScope::Cause(r.position()?)),
        2 => Ok(UndoScope::ByActor { actor: read_actor(r)?, since: r.time()?, until: r.time()? }),
        tag => Err(Malformed::Tag { what: "undo scope", tag: tag.into() }),
    }
}

pub(super) fn write_key(w: &mut Writer, key: &CertificateKey) {
    w.u16(key.issuer.0);
    w.serial(&key.serial);
}

pub(super) fn read_key(r: &mut Reader<'_>) -> Result<CertificateKey, Malformed> {
    Ok(CertificateKey { issuer: IssuerNo(r.u16()?), serial: r.serial()? })
}

pub(super) fn write_verdict(w: &mut Writer, verdict: Verdict) {
    w.u8(match verdict {
        Verdict::Approved => 1,
        Verdict::Rejected => 2,
    });
}

pub(super) fn read_verdict(r: &mut Reader<'_>) -> Result<Verdict, Malformed> {
    match r.u8()? {
        1 => Ok(Verdict::Approved),
        2 => Ok(Verdict::Rejected),
        tag => Err(Malformed::Tag { what: "verdict", tag: tag.into() }),
    }
}

/// Numbers are given in the order in which kinds were invented and never change.
fn report_tag(kind: ReportKind) -> u8 {
    match kind {
        ReportKind::CardLost => 1,
        ReportKind::CardFound => 2,
        ReportKind::CardNotFound => 3,
        ReportKind::PhoneLost => 4,
        ReportKind::PhoneFound => 5,
        ReportKind::PhoneNotFound => 6,
        ReportKind::SimSwapped => 7,
        ReportKind::SimDisposed => 8,
        ReportKind::ContractEnded => 9,
        ReportKind::Moved => 10,
        ReportKind::Renamed => 11,
        ReportKind::Died => 12,
        ReportKind::Renewed => 13,
        ReportKind::Returned => 14,
        ReportKind::HolderApplies => 15,
        ReportKind::Delivered => 16,
        ReportKind::NotDelivered => 17,
    }
}
