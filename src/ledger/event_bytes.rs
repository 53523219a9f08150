//! The canonical bytes of events: the leaves of the hash tree, kept for ever.
//!
//! `format (1) · kind (2) · kind version (1) · time (8) · actor · cause (8, 0 for none) · body`, numbers big-endian. A
//! change of a body's layout gets a new kind version, and the old one stays readable; golden files pin every one.
//! Described for others in `docs/EVENTS.md`.

use crate::model::{
    Body, CertificateNo, Epoch, Event, Issuer, IssuerNo, LedgerId, Position, Scope, ScopeNo, WhyQueued,
};

use super::bytes::{Malformed, Reader, Writer};
use super::request_bytes::{
    read_actor, read_key, read_report, read_request, read_set, read_undo, read_verdict, write_actor, write_key,
    write_report, write_request, write_set, write_undo, write_verdict,
};
use super::status_bytes::{read_change, write_change};

/// The bytes of an event.
pub fn encode_event(event: &Event) -> Vec<u8> {
    let mut w = Writer::with_capacity(160);
    w.u8(FORMAT);
    w.u16(kind(&event.body));
    w.u8(KIND_VERSION);
    w.time(event.time);
    write_actor(&mut w, &event.actor);
    w.position(event.cause.unwrap_or_default());
    write_body(&mut w, &event.body);
    w.finish()
}

/// The event of those bytes. An unknown format, kind or version is an error: such an event is not passed over.
pub fn decode_event(bytes: &[u8]) -> Result<Event, Malformed> {
    let mut r = Reader::new(bytes);
    let format = r.u8()?;
    if format != FORMAT {
        return Err(Malformed::Tag { what: "event format", tag: format.into() });
    }
    let kind = r.u16()?;
    let version = r.u8()?;
    if version != KIND_VERSION {
        return Err(Malformed::Tag { what: "event version", tag: version.into() });
    }
    let time = r.time()?;
    let actor = read_actor(&mut r)?;
    let cause = Some(r.position()?).filter(|cause| *cause != Position(0));
    let body = read_body(&mut r, kind)?;
    r.end()?;
    Ok(Event { time, actor, cause, body })
}

fn kind(body: &Body) -> u16 {
    match body {
        Body::LedgerCreated { .. } => 1,
        Body::IssuerAdded(_) => 2,
        Body::ScopeAdded(_) => 3,
        Body::Registered { .. } => 4,
        Body::Changed { .. } => 5,
        Body::SetChanged { .. } => 6,
        Body::Reported(_) => 7,
        Body::Queued { .. } => 8,
        Body::QueueDecided { .. } => 9,
        Body::UndoOrdered(_) => 10,
        Body::InboxRefused { .. } => 11,
        Body::EpochAdopted { .. } => 12,
        Body::CrlsNumbered { .. } => 13,
    }
}

fn write_body(w: &mut Writer, body: &Body) {
    match body {
        Body::LedgerCreated { ledger } => w.raw(&ledger.0),
        Body::IssuerAdded(issuer) => write_issuer(w, issuer),
        Body::ScopeAdded(scope) => {
            w.u32(scope.no.0);
            w.u16(scope.issuer.0);
            w.short(&scope.distribution_point);
            w.text(&scope.path);
        }
        Body::Registered { first, count, digest } => {
            w.u64(first.0);
            w.u32(*count);
            w.raw(digest);
        }
        Body::Changed { no, key, change } => {
            w.u64(no.0);
            write_key(w, key);
            write_change(w, change);
        }
        Body::SetChanged { target, change } => write_set(w, target, *change),
        Body::Reported(report) => write_report(w, report),
        Body::Queued { request, why } => {
            w.u8(match why {
                WhyQueued::OverBudget => 1,
                WhyQueued::BackdatedLoss => 2,
                WhyQueued::TwoPeople => 3,
            });
            write_request(w, request);
        }
        Body::QueueDecided { queued, verdict } => {
            w.position(*queued);
            write_verdict(w, *verdict);
        }
        Body::UndoOrdered(scope) => write_undo(w, scope),
        Body::InboxRefused { inbox, why } => {
            w.u64(*inbox);
            w.text(why);
        }
        Body::EpochAdopted { epoch, note } => {
            w.u32(epoch.0);
            w.text(note);
        }
        Body::CrlsNumbered { number } => w.u64(*number),
    }
}

fn read_body(r: &mut Reader<'_>, kind: u16) -> Result<Body, Malformed> {
    Ok(match kind {
        1 => Body::LedgerCreated { ledger: LedgerId(r.array()?) },
        2 => Body::IssuerAdded(read_issuer(r)?),
        3 => Body::ScopeAdded(Scope {
            no: ScopeNo(r.u32()?),
            issuer: IssuerNo(r.u16()?),
            distribution_point: r.short()?.to_vec(),
            path: r.text()?,
        }),
        4 => Body::Registered { first: CertificateNo(r.u64()?), count: r.u32()?, digest: r.array()? },
        5 => Body::Changed { no: CertificateNo(r.u64()?), key: read_key(r)?, change: read_change(r)? },
        6 => {
            let (target, change) = read_set(r)?;
            Body::SetChanged { target, change }
        }
        7 => Body::Reported(read_report(r)?),
        8 => {
            let why = match r.u8()? {
                1 => WhyQueued::OverBudget,
                2 => WhyQueued::BackdatedLoss,
                3 => WhyQueued::TwoPeople,
                tag => return Err(Malformed::Tag { what: "reason to wait", tag: tag.into() }),
            };
            Body::Queued { request: Box::new(read_request(r)?), why }
        }
        9 => Body::QueueDecided { queued: r.position()?, verdict: read_verdict(r)? },
        10 => Body::UndoOrdered(read_undo(r)?),
        11 => Body::InboxRefused { inbox: r.u64()?, why: r.text()? },
        12 => Body::EpochAdopted { epoch: Epoch(r.u32()?), note: r.text()? },
        13 => Body::CrlsNumbered { number: r.u64()? },
        tag => return Err(Malformed::Tag { what: "event kind", tag: tag.into() }),
    })
}

fn write_issuer(w: &mut Writer, issuer: &Issuer) {
    w.u16(issuer.no.0);
    w.text(&issuer.name);
    w.short(&issuer.certificate);
    w.raw(&issuer.name_sha1);
    w.raw(&issuer.key_sha1);
    w.raw(&issuer.name_sha256);
    w.raw(&issuer.key_sha256);
}

fn read_issuer(r: &mut Reader<'_>) -> Result<Issuer, Malformed> {
    Ok(Issuer {
        no: IssuerNo(r.u16()?),
        name: r.text()?,
        certificate: r.short()?.to_vec(),
        name_sha1: r.array()?,
        key_sha1: r.array()?,
        name_sha256: r.array()?,
        key_sha256: r.array()?,
    })
}

const FORMAT: u8 = 1;
const KIND_VERSION: u8 = 1;
