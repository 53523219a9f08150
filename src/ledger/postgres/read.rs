//! Reading: each a statement of one round trip, with what it returns turned into model types and checked.

use postgres::Row;

use crate::ledger::{
    Frontier, Hash, Head, Heartbeat, InboxItem, LedgerError, Sealed, decode_certificate, decode_event, decode_status,
};
use crate::model::{
    Body, Book, Certificate, CertificateKey, CertificateNo, Entry, Epoch, IssuerNo, LedgerId, ListNo, Position,
    SetEvent, Status, Time,
};

use super::errors::{other, unreadable};
use super::session::Session;

/// The head.
pub(super) fn head(session: &mut Session) -> Result<Head, LedgerError> {
    head_of_row(&session.query_one(HEAD, &[])?)
}

/// The head of a row of [`HEAD`].
pub(super) fn head_of_row(row: &Row) -> Result<Head, LedgerError> {
    head_of(value(row, 0)?, value(row, 1)?, value(row, 2)?, &value::<Vec<i64>>(row, 3)?)
}

/// The book, as of the position that comes with it.
pub(super) fn book(session: &mut Session) -> Result<(Position, Book), LedgerError> {
    book_of_rows(&session.query(BOOK, &[]).map_err(other)?)
}

/// The book of the rows of [`BOOK`].
pub(super) fn book_of_rows(rows: &[Row]) -> Result<(Position, Book), LedgerError> {
    let mut book = Book::default();
    let mut read_at = Position(0);
    for row in rows {
        read_at = position(value(row, 0)?)?;
        let (Some(at), Some(bytes)) = (value::<Option<i64>>(row, 1)?, value::<Option<&[u8]>>(row, 2)?) else {
            continue;
        };
        enter(&mut book, position(at)?, bytes)?;
    }
    Ok((read_at, book))
}

fn enter(book: &mut Book, at: Position, bytes: &[u8]) -> Result<(), LedgerError> {
    let event = decode_event(bytes)?;
    match event.body {
        Body::IssuerAdded(issuer) if usize::from(issuer.no.0) == book.issuers.len() + 1 => book.issuers.push(issuer),
        Body::ScopeAdded(scope) if scope.no.0 as usize == book.scopes.len() + 1 => book.scopes.push(scope),
        Body::SetChanged { target, change } => book.sets.push(SetEvent {
            position: at,
            time: event.time,
            cause: event.cause.unwrap_or(at),
            target,
            change,
        }),
        _ => return Err(LedgerError::Damaged(format!("event {at} is not what the book takes it for"))),
    }
    Ok(())
}

/// A certificate with its stored status, or with the one it had at registration.
pub(super) fn entry(no: i64, row: &[u8], state: Option<&[u8]>) -> Result<Entry, LedgerError> {
    let certificate: Certificate = decode_certificate(row)?;
    let status = match state {
        Some(state) => decode_status(state)?,
        None => Status::at_registration(&certificate, Position(0)),
    };
    Ok(Entry { no: number(no)?, certificate, status })
}

/// The numbers of those that are registered.
pub(super) fn registered(
    session: &mut Session,
    wanted: &[CertificateKey],
) -> Result<Vec<Option<CertificateNo>>, LedgerError> {
    let (issuers, serials) = keys(wanted);
    let rows = session.query("SELECT no FROM tashika.registered($1, $2)", &[&issuers, &serials]).map_err(other)?;
    rows.iter().map(|row| value::<Option<i64>>(row, 0)?.map(number).transpose()).collect()
}

/// Events after a position.
pub(super) fn events_after(session: &mut Session, after: Position, limit: usize) -> Result<Vec<Sealed>, LedgerError> {
    let rows = session
        .query(
            "SELECT position, bytes, link FROM tashika.event WHERE position > $1 ORDER BY position LIMIT $2",
            &[&stored(after.0), &stored(limit as u64)],
        )
        .map_err(other)?;
    let sealed = |row: &Row| {
        Ok(Sealed { position: position(value(row, 0)?)?, bytes: value(row, 1)?, link: array(value(row, 2)?)? })
    };
    rows.iter().map(sealed).collect()
}

/// Rows as stored.
pub(super) fn rows_from(
    session: &mut Session,
    first: CertificateNo,
    limit: usize,
) -> Result<Vec<(CertificateNo, Vec<u8>)>, LedgerError> {
    let rows = session
        .query(
            "SELECT no, \"row\" FROM tashika.certificate WHERE no >= $1 ORDER BY no LIMIT $2",
            &[&stored(first.0), &stored(limit as u64)],
        )
        .map_err(other)?;
    rows.iter().map(|row| Ok((number(value(row, 0)?)?, value(row, 1)?))).collect()
}

/// Timers that are due.
pub(super) fn due(session: &mut Session, now: Time, limit: usize) -> Result<Vec<(Time, CertificateNo)>, LedgerError> {
    let rows = session
        .query(
            "SELECT at, certificate FROM tashika.timer WHERE at <= $1 ORDER BY at, certificate LIMIT $2",
            &[&now.unix(), &stored(limit as u64)],
        )
        .map_err(other)?;
    rows.iter().map(|row| Ok((time(value(row, 0)?)?, number(value(row, 1)?)?))).collect()
}

/// What waits for a second person.
pub(super) fn queue(session: &mut Session) -> Result<Vec<Position>, LedgerError> {
    let rows = session.query("SELECT position FROM tashika.queue ORDER BY position", &[]).map_err(other)?;
    rows.iter().map(|row| position(value(row, 0)?)).collect()
}

/// Members of a list.
pub(super) fn list_members(
    session: &mut Session,
    list: ListNo,
    after: CertificateNo,
    limit: usize,
) -> Result<Vec<CertificateNo>, LedgerError> {
    let row = session.query_one(LIST_MEMBERS, &[&i64::from(list.0), &stored(after.0), &stored(limit as u64)])?;
    value::<Vec<i64>>(&row, 0)?.into_iter().map(number).collect()
}

/// What nobody has decided yet.
pub(super) fn inbox(session: &mut Session, limit: usize) -> Result<Vec<InboxItem>, LedgerError> {
    let rows = session
        .query(
            "SELECT no, issuer, command FROM tashika.inbox WHERE state = 0 ORDER BY no LIMIT $1",
            &[&stored(limit as u64)],
        )
        .map_err(other)?;
    let item = |row: &Row| {
        let issuer = u16::try_from(value::<i32>(row, 1)?).map_err(|_| damaged("an issuer's number"))?;
        let no = u64::try_from(value::<i64>(row, 0)?).map_err(|_| damaged("a number in the inbox"))?;
        Ok(InboxItem { no, issuer: IssuerNo(issuer), command: value(row, 2)? })
    };
    rows.iter().map(item).collect()
}

/// The last heartbeat.
pub(super) fn heartbeat(session: &mut Session) -> Result<Option<Heartbeat>, LedgerError> {
    let rows = session
        .query("SELECT epoch, position, link, \"time\" FROM tashika.heartbeat ORDER BY beat DESC LIMIT 1", &[])
        .map_err(other)?;
    rows.first().map(heartbeat_of).transpose()
}

/// A heartbeat of the columns epoch, position, link, time.
pub(super) fn heartbeat_of(row: &Row) -> Result<Heartbeat, LedgerError> {
    Ok(Heartbeat {
        epoch: epoch(value(row, 0)?)?,
        position: position(value(row, 1)?)?,
        link: array(value(row, 2)?)?,
        time: time(value(row, 3)?)?,
    })
}

pub(super) fn head_of(at: i64, ledger_and_link: &[u8], tree: &[u8], numbers: &[i64]) -> Result<Head, LedgerError> {
    let ([at_epoch, at_time, book, certificates], Some((ledger, link))) =
        (numbers, ledger_and_link.split_first_chunk())
    else {
        return Err(damaged("the head"));
    };
    let at = position(at)?;
    let peaks: Vec<Hash> = tree.chunks(32).map(array).collect::<Result<_, _>>()?;
    Ok(Head {
        ledger: LedgerId(*ledger),
        epoch: epoch(*at_epoch)?,
        position: at,
        link: array(link)?,
        tree: Frontier::from_parts(at.0, peaks).ok_or_else(|| damaged("the head's hash tree"))?,
        time: time(*at_time)?,
        book: position(*book)?,
        certificates: number(*certificates)?.0,
    })
}

pub(super) fn keys(keys: &[CertificateKey]) -> (Vec<i32>, Vec<&[u8]>) {
    keys.iter().map(|key| (i32::from(key.issuer.0), key.serial.as_octets())).unzip()
}

/// A number as the database keeps it; one too large for it is none that a ledger has given.
pub(super) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A column's value.
pub(super) fn value<'a, T: postgres::types::FromSql<'a>>(row: &'a Row, column: usize) -> Result<T, LedgerError> {
    row.try_get(column).map_err(unreadable)
}

pub(super) fn position(stored: i64) -> Result<Position, LedgerError> {
    u64::try_from(stored).map(Position).map_err(|_| damaged("a position"))
}

pub(super) fn number(stored: i64) -> Result<CertificateNo, LedgerError> {
    u64::try_from(stored).map(CertificateNo).map_err(|_| damaged("a certificate's number"))
}

pub(super) fn list(stored: i64) -> Result<ListNo, LedgerError> {
    u32::try_from(stored).map(ListNo).map_err(|_| damaged("a list's number"))
}

pub(super) fn time(stored: i64) -> Result<Time, LedgerError> {
    Time::from_unix(stored).map_err(|_| damaged("a time"))
}

pub(super) fn array<const N: usize>(octets: &[u8]) -> Result<[u8; N], LedgerError> {
    octets.try_into().map_err(|_| damaged("the length of a column"))
}

fn epoch(stored: i64) -> Result<Epoch, LedgerError> {
    u32::try_from(stored).map(Epoch).map_err(|_| damaged("an epoch"))
}

pub(super) fn damaged(what: &str) -> LedgerError {
    LedgerError::Damaged(format!("{what} is not what was written"))
}

pub(super) const HEAD: &str = "SELECT position, ledger || link, tree, ARRAY[epoch, \"time\", book, certificates]
    FROM tashika.head ORDER BY position DESC, \"time\" DESC LIMIT 1";

/// As one value: ten million rows would be ten million messages, which cost more than finding them.
const LIST_MEMBERS: &str = "SELECT ARRAY(SELECT m.certificate FROM tashika.list_member m
    WHERE m.list = $1 AND m.certificate > $2 ORDER BY m.certificate LIMIT $3)";

/// One statement, one snapshot: the head that it shows is the head of these entries.
pub(super) const BOOK: &str = "SELECT h.position, b.position, e.bytes
    FROM (SELECT position FROM tashika.head ORDER BY position DESC, \"time\" DESC LIMIT 1) h
    LEFT JOIN (SELECT position FROM tashika.issuer UNION ALL SELECT position FROM tashika.scope
               UNION ALL SELECT position FROM tashika.set_event) b ON true
    LEFT JOIN LATERAL (SELECT y.bytes FROM tashika.event y WHERE y.position = b.position LIMIT 1) e ON true
    ORDER BY b.position";
