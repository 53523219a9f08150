//! The book, read from the events that make it up, and kept as long as the head says that it hasn't changed.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

use crate::ledger::{BrokenLink, Head, LedgerError, decode_event};
use crate::model::{Body, Book, Position, SetEvent};

/// The last book read, with the position of the event that changed it last.
#[derive(Debug, Default)]
pub(super) struct BookCache(Mutex<Option<(Position, Arc<Book>)>>);

impl BookCache {
    /// The book at the transaction's head.
    pub fn at(&self, connection: &Connection, head: &Head) -> Result<Arc<Book>, LedgerError> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (after, mut book) = match known {
            Some((position, book)) if position == head.book => return Ok(book),
            // Only ever added to, so an older book is a beginning.
            Some((position, book)) if position < head.book => (position, Book::clone(&book)),
            _ => (Position(0), Book::default()),
        };
        read_on(connection, &mut book, after)?;
        let book = Arc::new(book);
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.as_ref().is_none_or(|(position, _)| *position < head.book) {
            *slot = Some((head.book, Arc::clone(&book)));
        }
        Ok(book)
    }
}

fn read_on(connection: &Connection, book: &mut Book, after: Position) -> Result<(), LedgerError> {
    let mut select = connection.prepare_cached(
        "SELECT position, bytes FROM book JOIN event USING (position) WHERE position > ?1 ORDER BY position",
    )?;
    let mut rows = select.query([after.0])?;
    while let Some(row) = rows.next()? {
        let position = Position(row.get(0)?);
        let bytes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        let event = decode_event(bytes).map_err(|source| BrokenLink::Unreadable { position, source })?;
        match event.body {
            Body::IssuerAdded(issuer) => book.issuers.push(issuer),
            Body::ScopeAdded(scope) => book.scopes.push(scope),
            Body::SetChanged { target, change } => {
                let cause = event.cause.unwrap_or(position);
                book.sets.push(SetEvent { position, time: event.time, cause, target, change });
            }
            _ => return Err(LedgerError::Damaged(format!("event {position} is no part of the book"))),
        }
    }
    Ok(())
}
