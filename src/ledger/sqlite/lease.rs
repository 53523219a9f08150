//! Leases: who of several processes should do the work that one is enough for.

use rusqlite::{Connection, OptionalExtension};

use crate::ledger::{Lease, LedgerError};
use crate::model::{NodeId, Seconds, Time};

use super::head::time_of;

/// Takes or renews a lease, unless another holds it still.
pub(super) fn take(
    connection: &Connection,
    name: &str,
    node: NodeId,
    now: Time,
    term: Seconds,
) -> Result<Lease, LedgerError> {
    let mut select = connection.prepare_cached("SELECT node, until FROM lease WHERE name = ?1")?;
    let held = select.query_row([name], |row| Ok((NodeId(row.get(0)?), row.get(1)?))).optional()?;
    if let Some((holder, until)) = held {
        let until = time_of(until)?;
        if holder != node && until > now {
            return Ok(Lease::Others { node: holder, until });
        }
    }
    let until = now + term;
    let mut upsert = connection.prepare_cached(
        "INSERT INTO lease VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET node = excluded.node, until = excluded.until",
    )?;
    upsert.execute((name, &node.0[..], until.unix()))?;
    Ok(Lease::Mine { until })
}

/// Gives a lease back.
pub(super) fn release(connection: &Connection, name: &str, node: NodeId) -> Result<(), LedgerError> {
    connection.prepare_cached("DELETE FROM lease WHERE name = ?1 AND node = ?2")?.execute((name, &node.0[..]))?;
    Ok(())
}
