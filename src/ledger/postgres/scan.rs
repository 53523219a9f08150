//! The consistent scan: one snapshot, copied out in binary, decoded row by row in bounded memory.

use std::future::poll_fn;
use std::ops::ControlFlow;
use std::pin::pin;

use futures_core::Stream;
use tokio_postgres::{Client, NoTls};

use crate::ledger::{Head, LedgerError};
use crate::model::{Book, CertificateNo, Entry, ListNo, SetTarget};

use super::copy::{Tuple, Tuples, Visit};
use super::errors::{connecting, other};
use super::read::{self, array, damaged, entry};
use super::tls;
use super::url::{Address, Wire};

/// Shows every certificate with its status to `visit`, by number; says at which head.
///
/// On a connection of its own, which is dropped afterwards: what is left of a copy that was stopped half-way must not be
/// taken for the answer to another question, and a server that can't send any more stops by itself.
pub(super) fn scan(address: &Address, visit: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> Result<Head, LedgerError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| LedgerError::Unreachable(error.to_string()))?;
    runtime.block_on(async { copied(&connect(address).await?, visit).await })
}

/// The task that talks to the server ends with the runtime.
async fn connect(address: &Address) -> Result<Client, LedgerError> {
    let failed = |error| connecting(&error, &address.name);
    match &address.wire {
        Wire::Plain => {
            let (client, connection) = address.config.connect(NoTls).await.map_err(failed)?;
            drop(tokio::spawn(connection));
            Ok(client)
        }
        Wire::Verified { roots } => {
            let tls = tls::connector(roots.as_deref())?;
            let (client, connection) = address.config.connect(tls).await.map_err(failed)?;
            drop(tokio::spawn(connection));
            Ok(client)
        }
    }
}

async fn copied(client: &Client, visit: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> Result<Head, LedgerError> {
    client.batch_execute(BEGIN).await.map_err(other)?;
    let head = read::head_of_row(&client.query_one(read::HEAD, &[]).await.map_err(other)?)?;
    let (_, book) = read::book_of_rows(&client.query(read::BOOK, &[]).await.map_err(other)?)?;
    let mut last = CertificateNo(0);
    let mut show = |entry: Entry| {
        // Numbers have no gaps; a row that is missing in the middle would otherwise be missed for ever.
        if entry.no != last.plus(1) {
            return Err(LedgerError::Damaged(format!("certificate {} is missing", last.plus(1))));
        }
        last = entry.no;
        Ok(if visit(entry).is_continue() { Visit::More } else { Visit::Enough })
    };
    let listed = book.sets.iter().any(|set| matches!(set.target, SetTarget::Listed { .. }));
    let done = if listed {
        each(client, WITH_LISTS, &mut |[no, row, state, lists]: Tuple<'_, 4>| {
            show(overlaid(no, row, state, &list_numbers(lists)?, &book)?)
        })
        .await?
    } else {
        each(client, PLAIN, &mut |[no, row, state]: Tuple<'_, 3>| show(overlaid(no, row, state, &[], &book)?)).await?
    };
    match done {
        Visit::More if last.0 != head.certificates => {
            Err(LedgerError::Damaged(format!("certificate {} is missing", last.plus(1))))
        }
        Visit::More | Visit::Enough => Ok(head),
    }
}

async fn each<const N: usize>(
    client: &Client,
    copy: &str,
    visit: &mut dyn FnMut(Tuple<'_, N>) -> Result<Visit, LedgerError>,
) -> Result<Visit, LedgerError> {
    let mut stream = pin!(client.copy_out(copy).await.map_err(other)?);
    let mut tuples = Tuples::<N>::default();
    while let Some(arrived) = poll_fn(|context| stream.as_mut().poll_next(context)).await {
        if let Visit::Enough = tuples.take(&arrived.map_err(other)?, visit)? {
            return Ok(Visit::Enough);
        }
    }
    if tuples.is_whole() { Ok(Visit::More) } else { Err(damaged("the end of a copy")) }
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
