//! The bytes of a status and of a change of status. Changes stand inside events; statuses in the adapters' tables,
//! from which `verify` compares them with what the events say.

use crate::model::{Change, Final, Hold, HoldId, HoldKind, Life, Municipality, Reason, Revocation, Status};

use super::bytes::{Malformed, Reader, Writer};
use super::certificate_bytes::read_operator;

/// A status as it is stored.
pub fn encode_status(status: &Status) -> Vec<u8> {
    let mut w = Writer::with_capacity(64);
    w.u8(STATUS_VERSION);
    w.position(status.as_of);
    match &status.life {
        Life::Pending => w.u8(0),
        Life::Active => w.u8(1),
        Life::Revoked(revocation) => {
            w.u8(2);
            w.u8(revocation.reason.code());
            w.time(revocation.at);
            w.option(revocation.lost_at, Writer::time);
            w.position(revocation.by);
        }
    }
    w.option(status.handed_to, |w, to| w.u32(to.0));
    w.u16(u16::try_from(status.holds.len()).expect("limits keep open holds under 65,536"));
    for hold in &status.holds {
        w.position(hold.id.0);
        write_hold_kind(&mut w, hold.kind);
        w.time(hold.since);
        w.position(hold.cause);
        w.option(hold.lost_at, Writer::time);
        write_final(&mut w, hold.becomes);
    }
    w.finish()
}

/// The status that was stored.
pub fn decode_status(bytes: &[u8]) -> Result<Status, Malformed> {
    let mut r = Reader::new(bytes);
    match r.u8()? {
        STATUS_VERSION => {}
        version => return Err(Malformed::Tag { what: "status version", tag: version.into() }),
    }
    let as_of = r.position()?;
    let life = match r.u8()? {
        0 => Life::Pending,
        1 => Life::Active,
        2 => Life::Revoked(Revocation {
            reason: read_reason(&mut r)?,
            at: r.time()?,
            lost_at: r.option(Reader::time)?,
            by: r.position()?,
        }),
        tag => return Err(Malformed::Tag { what: "life", tag: tag.into() }),
    };
    let handed_to = r.option(|r| r.u32().map(Municipality))?;
    let count = r.u16()?;
    let mut holds: Vec<Hold> = Vec::new();
    for _ in 0..count {
        holds.push(Hold {
            id: HoldId(r.position()?),
            kind: read_hold_kind(&mut r)?,
            since: r.time()?,
            cause: r.position()?,
            lost_at: r.option(Reader::time)?,
            becomes: read_final(&mut r)?,
        });
    }
    r.end()?;
    // Holds are opened at rising positions, and revocation closes them all: other bytes were written by nobody.
    if !holds.is_sorted_by(|a, b| a.id < b.id) {
        return Err(Malformed::Value("order of holds"));
    }
    if matches!(life, Life::Revoked(_)) && !holds.is_empty() {
        return Err(Malformed::Value("holds of a revoked certificate"));
    }
    Ok(Status { life, holds, handed_to, as_of })
}

pub(super) fn write_change(w: &mut Writer, change: &Change) {
    match change {
        Change::Acknowledged => w.u8(1),
        Change::Held { kind, lost_at, becomes } => {
            w.u8(2);
            write_hold_kind(w, *kind);
            w.option(*lost_at, Writer::time);
            write_final(w, *becomes);
        }
        Change::Released { holds } => {
            w.u8(3);
            w.positions(holds.iter().map(|hold| hold.0));
        }
        Change::Revoked { reason, at, lost_at } => {
            w.u8(4);
            w.u8(reason.code());
            w.time(*at);
            w.option(*lost_at, Writer::time);
        }
        Change::ReasonChanged { reason } => {
            w.u8(5);
            w.u8(reason.code());
        }
        Change::LossDated { lost_at } => {
            w.u8(6);
            w.time(*lost_at);
        }
        Change::HandedOver { to } => {
            w.u8(7);
            w.u32(to.0);
        }
    }
}

pub(super) fn read_change(r: &mut Reader<'_>) -> Result<Change, Malformed> {
    Ok(match r.u8()? {
        1 => Change::Acknowledged,
        2 => Change::Held { kind: read_hold_kind(r)?, lost_at: r.option(Reader::time)?, becomes: read_final(r)? },
        3 => {
            let holds: Vec<_> = r.positions()?.into_iter().map(HoldId).collect();
            if !holds.is_sorted_by(|a, b| a < b) {
                return Err(Malformed::Value("order of holds"));
            }
            Change::Released { holds }
        }
        4 => Change::Revoked { reason: read_reason(r)?, at: r.time()?, lost_at: r.option(Reader::time)? },
        5 => Change::ReasonChanged { reason: read_reason(r)? },
        6 => Change::LossDated { lost_at: r.time()? },
        7 => Change::HandedOver { to: Municipality(r.u32()?) },
        tag => return Err(Malformed::Tag { what: "change", tag: tag.into() }),
    })
}

pub(super) fn read_reason(r: &mut Reader<'_>) -> Result<Reason, Malformed> {
    let code = r.u8()?;
    Reason::from_code(code.into()).map_err(|_| Malformed::Tag { what: "reason", tag: code.into() })
}

fn write_final(w: &mut Writer, end: Option<Final>) {
    w.option(end, |w, end| {
        w.time(end.due);
        w.u8(end.reason.code());
    });
}

fn read_final(r: &mut Reader<'_>) -> Result<Option<Final>, Malformed> {
    r.option(|r| Ok(Final { due: r.time()?, reason: read_reason(r)? }))
}

fn write_hold_kind(w: &mut Writer, kind: HoldKind) {
    match kind {
        HoldKind::CallCentre => w.u8(1),
        HoldKind::Carrier(operator) => {
            w.u8(2);
            w.text(operator.as_str());
        }
        HoldKind::Holder => w.u8(3),
        HoldKind::Imported => w.u8(4),
        HoldKind::Registry => w.u8(5),
        HoldKind::Review => w.u8(6),
        HoldKind::RuleX => w.u8(7),
        HoldKind::Set => w.u8(8),
        HoldKind::Window => w.u8(9),
    }
}

fn read_hold_kind(r: &mut Reader<'_>) -> Result<HoldKind, Malformed> {
    Ok(match r.u8()? {
        1 => HoldKind::CallCentre,
        2 => HoldKind::Carrier(read_operator(r)?),
        3 => HoldKind::Holder,
        4 => HoldKind::Imported,
        5 => HoldKind::Registry,
        6 => HoldKind::Review,
        7 => HoldKind::RuleX,
        8 => HoldKind::Set,
        9 => HoldKind::Window,
        tag => return Err(Malformed::Tag { what: "hold kind", tag: tag.into() }),
    })
}

const STATUS_VERSION: u8 = 1;
