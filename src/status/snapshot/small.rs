//! Set events and open holds as they stand in a snapshot, one after the other. `write` puts them in, `read` takes
//! them out.

use std::sync::Arc;

use super::super::members::Members;
use super::super::sets::{Belongs, Sets};
use super::error::SnapshotError;
use super::octets::{Put, Take};
use crate::model::{
    Batch, CertificateNo, Final, Hold, HoldId, HoldKind, IssuerNo, ListNo, Reason, SetChange, SetEvent, SetTarget,
};

/// All set events with their members.
pub fn put_sets(put: &mut Put, sets: &Sets) {
    for (event, belongs, newest) in sets.rows() {
        put.u64(event.position.0);
        put.time(event.time);
        put.u64(event.cause.0);
        match event.target {
            SetTarget::Batch(batch) => {
                put.u8(1);
                put.u32(batch.0);
            }
            SetTarget::Issuer(issuer) => {
                put.u8(2);
                put.u16(issuer.0);
            }
            SetTarget::Listed { list, count, digest } => {
                put.u8(3);
                put.u32(list.0);
                put.u64(count);
                put.0.extend(digest);
            }
        }
        match event.change {
            SetChange::Held => put.u8(1),
            SetChange::Released { hold } => {
                put.u8(2);
                put.u64(hold.0.0);
            }
            SetChange::Revoked { reason } => {
                put.u8(3);
                put.u8(reason.code());
            }
        }
        put.u64(newest.0);
        if let Belongs::Listed(members) = belongs {
            members.numbers().for_each(|no| put.u32(no));
        }
    }
}

/// What [`put_sets`] wrote.
pub fn take_sets(octets: &[u8]) -> Result<Sets, SnapshotError> {
    let (mut take, mut sets) = (Take(octets), Sets::default());
    while !take.is_empty() {
        let (position, time, cause) = (take.position()?, take.time()?, take.position()?);
        let target = match take.u8()? {
            1 => SetTarget::Batch(Batch(take.u32()?)),
            2 => SetTarget::Issuer(IssuerNo(take.u16()?)),
            3 => SetTarget::Listed { list: ListNo(take.u32()?), count: take.u64()?, digest: take.array()? },
            _ => return Err(SnapshotError::Malformed("a set event's target")),
        };
        let change = match take.u8()? {
            1 => SetChange::Held,
            2 => SetChange::Released { hold: HoldId(take.position()?) },
            3 => SetChange::Revoked { reason: reason(&mut take)? },
            _ => return Err(SnapshotError::Malformed("a set event's change")),
        };
        let newest = CertificateNo(take.u64()?);
        let belongs = match target {
            SetTarget::Batch(_) | SetTarget::Issuer(_) => Belongs::AsTargeted,
            SetTarget::Listed { count, .. } => Belongs::Listed(Arc::new(members(&mut take, count)?)),
        };
        sets = sets.with(SetEvent { position, time, cause, target, change }, belongs, newest);
    }
    Ok(sets)
}

/// A certificate's open holds.
pub fn put_holds(put: &mut Put, number: u32, holds: &[Hold]) {
    put.u32(number);
    put.u16(u16::try_from(holds.len()).expect("limits keep open holds under 65,536"));
    for hold in holds {
        put.u64(hold.id.0.0);
        let (code, operator) = kind_code(hold.kind);
        put.u8(code);
        if let Some(operator) = operator {
            put.u8(operator.as_str().len() as u8);
            put.0.extend(operator.as_str().as_bytes());
        }
        put.time(hold.since);
        put.u64(hold.cause.0);
        put.option(hold.lost_at, Put::time);
        put.option(hold.becomes, |put, becomes| {
            put.time(becomes.due);
            put.u8(becomes.reason.code());
        });
    }
}

/// The next certificate's holds that [`put_holds`] wrote.
pub fn take_holds(take: &mut Take<'_>) -> Result<(u32, Vec<Hold>), SnapshotError> {
    let (number, count) = (take.u32()?, take.u16()?);
    let mut holds = Vec::with_capacity(count.into());
    for _ in 0..count {
        holds.push(Hold {
            id: HoldId(take.position()?),
            kind: take_kind(take)?,
            since: take.time()?,
            cause: take.position()?,
            lost_at: take.option(Take::time)?,
            becomes: take.option(|take| Ok(Final { due: take.time()?, reason: reason(take)? }))?,
        });
    }
    Ok((number, holds))
}

fn members(take: &mut Take<'_>, count: u64) -> Result<Members, SnapshotError> {
    let mut members = Members::default();
    for _ in 0..count {
        let no = CertificateNo(take.u32()?.into());
        members.push(no).map_err(|_| SnapshotError::Malformed("a list that isn't ascending"))?;
    }
    Ok(members)
}

fn reason(take: &mut Take<'_>) -> Result<Reason, SnapshotError> {
    Reason::from_code(take.u8()?.into()).map_err(|_| SnapshotError::Malformed("a reason"))
}

fn kind_code(kind: HoldKind) -> (u8, Option<crate::model::Operator>) {
    match kind {
        HoldKind::CallCentre => (1, None),
        HoldKind::Carrier(operator) => (CARRIER, Some(operator)),
        HoldKind::Holder => (3, None),
        HoldKind::Imported => (4, None),
        HoldKind::Registry => (5, None),
        HoldKind::Review => (6, None),
        HoldKind::RuleX => (7, None),
        HoldKind::Set => (8, None),
        HoldKind::Window => (9, None),
    }
}

fn take_kind(take: &mut Take<'_>) -> Result<HoldKind, SnapshotError> {
    Ok(match take.u8()? {
        1 => HoldKind::CallCentre,
        CARRIER => {
            let len = take.u8()?;
            let name = std::str::from_utf8(take.octets(len.into())?).ok().and_then(|name| name.parse().ok());
            HoldKind::Carrier(name.ok_or(SnapshotError::Malformed("an operator's name"))?)
        }
        3 => HoldKind::Holder,
        4 => HoldKind::Imported,
        5 => HoldKind::Registry,
        6 => HoldKind::Review,
        7 => HoldKind::RuleX,
        8 => HoldKind::Set,
        9 => HoldKind::Window,
        _ => return Err(SnapshotError::Malformed("a kind of hold")),
    })
}

const CARRIER: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Position, Time};

    #[test]
    fn every_kind_of_hold_and_every_option_comes_back() {
        let kinds = [
            HoldKind::CallCentre,
            HoldKind::Carrier("mno-1".parse().unwrap()),
            HoldKind::Holder,
            HoldKind::Imported,
            HoldKind::Registry,
            HoldKind::Review,
            HoldKind::RuleX,
            HoldKind::Set,
            HoldKind::Window,
        ];
        let time = |seconds| Time::from_unix(seconds).unwrap();
        let holds: Vec<Hold> = (0..)
            .zip(kinds)
            .map(|(at, kind)| Hold {
                id: HoldId(Position(at + 5)),
                kind,
                since: time(-7 - at as i64),
                cause: Position(at + 4),
                lost_at: (at % 2 == 0).then(|| time(253_402_300_799)),
                becomes: (at % 3 == 0).then(|| Final { due: time(9), reason: Reason::PrivilegeWithdrawn }),
            })
            .collect();
        let mut put = Put::default();
        put_holds(&mut put, 77, &holds);
        put_holds(&mut put, u32::MAX, &holds[..1]);
        let mut take = Take(&put.0);
        assert_eq!(take_holds(&mut take).unwrap(), (77, holds.clone()));
        assert_eq!(take_holds(&mut take).unwrap(), (u32::MAX, holds[..1].to_vec()));
        assert!(take.is_empty());
        for end in 1..40 {
            assert!(take_holds(&mut Take(&put.0[..end])).is_err(), "{end}");
        }
    }
}
