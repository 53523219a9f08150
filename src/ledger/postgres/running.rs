//! What a running server writes beside events: lists, heartbeats, leases, upkeep. Each through a function of its own.

use crate::ledger::{Heartbeat, Lease, LedgerError, Upkeep};
use crate::model::{CertificateNo, ListNo, Millis, NodeId, Time};

use super::errors::other;
use super::read::{array, heartbeat_of, list, stored, value};
use super::session::Session;

/// A new list.
pub(super) fn new_list(session: &mut Session) -> Result<ListNo, LedgerError> {
    list(value(&session.query_one("SELECT tashika.new_list()", &[])?, 0)?)
}

/// Adds members.
pub(super) fn add_to_list(session: &mut Session, list: ListNo, members: &[CertificateNo]) -> Result<(), LedgerError> {
    let members: Vec<_> = members.iter().map(|no| stored(no.0)).collect();
    session.query("SELECT tashika.add_to_list($1, $2)", &[&i64::from(list.0), &members]).map_err(other)?;
    Ok(())
}

/// Overwrites the heartbeat.
pub(super) fn beat(session: &mut Session, now: Time) -> Result<Heartbeat, LedgerError> {
    heartbeat_of(&session.query_one("SELECT epoch, at, link, \"time\" FROM tashika.beat($1)", &[&now.unix()])?)
}

/// Takes or renews a lease.
pub(super) fn lease(
    session: &mut Session,
    name: &str,
    node: NodeId,
    now: Millis,
    term_ms: u32,
) -> Result<Lease, LedgerError> {
    let row = session.query_one(
        "SELECT node, until_ms FROM tashika.take_lease($1, $2, $3, $4)",
        &[&name, &&node.0[..], &now.0, &now.plus(term_ms).0],
    )?;
    let holder = NodeId(array(value(&row, 0)?)?);
    let until = Millis(value(&row, 1)?);
    Ok(if holder == node { Lease::Mine { until } } else { Lease::Others { node: holder, until } })
}

/// Gives a lease back.
pub(super) fn release_lease(session: &mut Session, name: &str, node: NodeId) -> Result<(), LedgerError> {
    session.query("SELECT tashika.release_lease($1, $2)", &[&name, &&node.0[..]]).map_err(other)?;
    Ok(())
}

/// Forgets budgets that are too old to count. Vacuuming is the server's own business.
pub(super) fn upkeep(session: &mut Session) -> Result<Upkeep, LedgerError> {
    let row = session.query_one("SELECT tashika.upkeep($1)", &[&UPKEEP_ROWS])?;
    Ok(if value::<i64>(&row, 0)? < i64::from(UPKEEP_ROWS) { Upkeep::Idle } else { Upkeep::More })
}

/// A few milliseconds' work.
const UPKEEP_ROWS: i32 = 1_000;
