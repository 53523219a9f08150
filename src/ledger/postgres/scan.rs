//! The consistent scan: one snapshot, copied out in binary, decoded row by row in bounded memory.

use std::future::poll_fn;
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::task::Poll;

use futures_core::Stream;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, Error, NoTls};

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
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| LedgerError::Unreachable(error.to_string()))?;
    let client = runtime.block_on(connect(address))?;
    copied(&runtime, &client, visit)
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

fn copied(
    runtime: &Runtime,
    client: &Client,
    visit: &mut dyn FnMut(Entry) -> ControlFlow<()>,
) -> Result<Head, LedgerError> {
    runtime.block_on(client.batch_execute(BEGIN)).map_err(other)?;
    let head = read::head_of_row(&runtime.block_on(client.query_one(read::HEAD, &[])).map_err(other)?)?;
    let (_, book) = read::book_of_rows(&runtime.block_on(client.query(read::BOOK, &[])).map_err(other)?)?;
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
        each(runtime, client, WITH_LISTS, &mut |[no, row, state, lists]: Tuple<'_, 4>| {
            show(overlaid(no, row, state, &list_numbers(lists)?, &book)?)
        })?
    } else {
        each(runtime, client, PLAIN, &mut |[no, row, state]: Tuple<'_, 3>| show(overlaid(no, row, state, &[], &book)?))?
    };
    match done {
        Visit::More if last.0 != head.certificates => {
            Err(LedgerError::Damaged(format!("certificate {} is missing", last.plus(1))))
        }
        Visit::More | Visit::Enough => Ok(head),
    }
}

/// Shows every tuple of a copy. What visits is called outside of the runtime: it may ask the ledger itself.
fn each<const N: usize>(
    runtime: &Runtime,
    client: &Client,
    copy: &str,
    visit: &mut dyn FnMut(Tuple<'_, N>) -> Result<Visit, LedgerError>,
) -> Result<Visit, LedgerError> {
    let mut stream = pin!(runtime.block_on(client.copy_out(copy)).map_err(other)?);
    let (mut tuples, mut arrived, mut more) = (Tuples::<N>::default(), Vec::new(), true);
    while more {
        more = runtime.block_on(gather(stream.as_mut(), &mut arrived)).map_err(other)?;
        for bytes in arrived.drain(..) {
            if let Visit::Enough = tuples.take(bytes.as_ref(), visit)? {
                return Ok(Visit::Enough);
            }
        }
    }
    if tuples.is_whole() { Ok(Visit::More) } else { Err(damaged("the end of a copy")) }
}

/// Takes what is there, at least one piece: every row comes as one, and waking the runtime for each costs more than
/// decoding it. Says whether there may be more.
async fn gather<B>(
    mut stream: Pin<&mut impl Stream<Item = Result<B, Error>>>,
    arrived: &mut Vec<B>,
) -> Result<bool, Error> {
    poll_fn(|context| {
        while arrived.len() < PIECES_MAX {
            match stream.as_mut().poll_next(context) {
                Poll::Ready(Some(Ok(piece))) => arrived.push(piece),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                Poll::Ready(None) => return Poll::Ready(Ok(false)),
                Poll::Pending if arrived.is_empty() => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        Poll::Ready(Ok(true))
    })
    .await
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

/// Rows decoded for one turn of the runtime: some 200 KB.
const PIECES_MAX: usize = 1_024;
