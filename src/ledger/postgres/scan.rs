//! The consistent scan: one snapshot, copied out in binary, decoded row by row in bounded memory.

use std::ops::ControlFlow;

use crate::ledger::{Head, LedgerError};
use crate::model::{Book, CertificateNo, Entry, ListNo, SetTarget};

use super::copy::{Tuple, Tuples, Visit};
use super::errors::other;
use super::read::{self, array, damaged, entry};
use super::session::{Fate, Session};

/// Shows every certificate with its status to `visit`, by number; says at which head.
pub(super) fn scan(
    session: &mut Session,
    visit: &mut dyn FnMut(Entry) -> ControlFlow<()>,
) -> Result<Head, LedgerError> {
    // Whatever happens on the way, what is left of the copy must not be taken for the answer to the next question.
    session.fate = Fate::Close;
    session.client.batch_execute(BEGIN).map_err(other)?;
    let head = read::head(session)?;
    let (_, book) = read::book(session)?;
    let listed = book.sets.iter().any(|set| matches!(set.target, SetTarget::Listed { .. }));
    let mut last = CertificateNo(0);
    let mut show = |entry: Entry| {
        // Numbers have no gaps; a row that is missing in the middle would otherwise be missed for ever.
        if entry.no != last.plus(1) {
            return Err(LedgerError::Damaged(format!("certificate {} is missing", last.plus(1))));
        }
        last = entry.no;
        Ok(if visit(entry).is_continue() { Visit::More } else { Visit::Enough })
    };
    let copy = session.client.copy_out(if listed { WITH_LISTS } else { PLAIN }).map_err(other)?;
    let read = if listed {
        Tuples::<_, 4>::new(copy)
            .each(|[no, row, state, lists]: Tuple<'_, 4>| show(overlaid(no, row, state, &list_numbers(lists)?, &book)?))
    } else {
        Tuples::<_, 3>::new(copy).each(|[no, row, state]: Tuple<'_, 3>| show(overlaid(no, row, state, &[], &book)?))
    };
    match read {
        Ok(Visit::More) => {
            session.client.batch_execute("COMMIT").map_err(other)?;
            session.fate = Fate::Keep;
            if last.0 != head.certificates {
                return Err(LedgerError::Damaged(format!("certificate {} is missing", last.plus(1))));
            }
        }
        // Without this the server would go on to send a hundred million rows to nobody.
        Ok(Visit::Enough) => session.cancel(),
        Err(error) => {
            session.cancel();
            return Err(error);
        }
    }
    Ok(head)
}

fn overlaid(
    no: Option<&[u8]>,
    row: Option<&[u8]>,
    state: Option<&[u8]>,
    lists: &[ListNo],
    book: &Book,
) -> Result<Entry, LedgerError> {
    let (Some(no), Some(row)) = (no, row) else { return Err(damaged("a certificate's number or row")) };
    let mut entry = entry(i64::from_be_bytes(array(no)?), row, state)?;
    book.overlay(&entry.certificate, &mut entry.status, lists);
    Ok(entry)
}

fn list_numbers(lists: Option<&[u8]>) -> Result<Vec<ListNo>, LedgerError> {
    let lists = lists.unwrap_or_default();
    lists.chunks(8).map(|list| read::list(i64::from_be_bytes(array(list)?))).collect()
}

/// Both tables are read along their keys and merged: rows come in order and nothing is sorted or hashed.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
    SET LOCAL enable_hashjoin = off; SET LOCAL enable_nestloop = off; SET LOCAL enable_sort = off;
    SET LOCAL enable_seqscan = off; SET LOCAL max_parallel_workers_per_gather = 0";

const PLAIN: &str = "COPY (SELECT c.no, c.\"row\", s.state FROM tashika.certificate c
    LEFT JOIN tashika.status s ON s.no = c.no ORDER BY c.no) TO STDOUT (FORMAT binary)";

const WITH_LISTS: &str = "COPY (SELECT c.no, c.\"row\", s.state, m.lists FROM tashika.certificate c
    LEFT JOIN tashika.status s ON s.no = c.no
    LEFT JOIN (SELECT y.certificate, string_agg(int8send(y.list), ''::bytea) AS lists
               FROM tashika.list_member y GROUP BY y.certificate) m ON m.certificate = c.no
    ORDER BY c.no) TO STDOUT (FORMAT binary)";
