//! Leases: who of several processes should do the work that one is enough for.

use rusqlite::{Connection, OptionalExtension};

use crate::ledger::{Lease, LedgerError};
use crate::model::{Millis, NodeId};

/// Takes or renews a lease, unless another holds it still.
pub(super) fn take(
    connection: &Connection,
    name: &str,
    node: NodeId,
    now: Millis,
    term_ms: u32,
) -> Result<Lease, LedgerError> {
    let mut select = connection.prepare_cached("SELECT node, until FROM lease WHERE name = ?1")?;
    let held = select.query_row([name], |row| Ok((NodeId(row.get(0)?), Millis(row.get(1)?)))).optional()?;
    if let Some((holder, until)) = held
        && holder != node
        && until > now
    {
        return Ok(Lease::Others { node: holder, until });
    }
    let until = now.plus(term_ms);
    let mut upsert = connection.prepare_cached(
        "INSERT INTO lease VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET node = excluded.node, until = excluded.until",
    )?;
    upsert.execute((name, &node.0[..], until.0))?;
    Ok(Lease::Mine { until })
}

/// Gives a lease back.
pub(super) fn release(connection: &Connection, name: &str, node: NodeId) -> Result<(), LedgerError> {
    connection.prepare_cached("DELETE FROM lease WHERE name = ?1 AND node = ?2")?.execute((name, &node.0[..]))?;
    Ok(())
}
