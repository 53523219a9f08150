//! The issuance ledger: every certificate and every change of its status, in order, for ever. The truth.
//!
//! [`Ledger`] is the contract; `sqlite` and `postgres` keep it. Events have canonical bytes (`event_bytes`), are linked
//! and form a hash tree (`seal`, `tree`); what one append writes is a [`Batch`]. Called by the desk, by followers and by
//! the command line. Never decides what may happen (that is `model/` and `desk/`), never signs, never reads a clock.

mod batch;
mod bytes;
mod certificate_bytes;
mod checkpoint;
mod checkpoint_file;
mod error;
mod event_bytes;
mod find;
pub mod import;
mod inbox_command;
mod json_object;
mod note;
pub mod postgres;
mod request_bytes;
mod seal;
pub mod sqlite;
mod status_bytes;
mod tree;
mod verify;

use std::ops::ControlFlow;
use std::time::Duration;

pub use batch::{Answer, Batch, InboxResult, MemberDigest, NewRow, NewStatus, QueueChange, RowDigest};
pub use bytes::Malformed;
pub use certificate_bytes::{decode_certificate, encode_certificate};
pub use checkpoint::{Checkpoint, Note, Succession};
pub use checkpoint_file::{CheckpointFile, CheckpointFileError, Kept, Tail};
pub use error::{LedgerError, Severity};
pub use event_bytes::{decode_event, encode_event};
pub use find::{Families, Found, Wanted};
pub use inbox_command::{InboxCommand, InboxFault};
pub use note::{KeyKind, NoteError, NoteSignature, VerifierKey, Vouched};
pub use request_bytes::encode_request;
pub use seal::{BrokenLink, Head, Sealed};
pub use status_bytes::{decode_status, encode_status};
pub use tree::{Frontier, Hash, leaf, sha256};
pub use verify::{Evidenced, Finding, InWords, Limits, Progress, Report, Stage, Witnesses, verify};

use crate::model::{
    Book, CertificateKey, CertificateNo, Entry, Epoch, IssuerNo, ListNo, Millis, NodeId, Position, Time,
};

/// The contract that every ledger keeps, and that `tests/contract` holds each adapter to.
///
/// - **Order.** Positions are contiguous from 1 and rise in the order of commits: whoever sees event *n* sees all
///   before it, in every process.
/// - **All or nothing.** A [`Batch`] is written whole or not at all, and only onto the head it was decided on
///   ([`LedgerError::Moved`] otherwise). So no lock is held while deciding, and two writers can't both act on one status.
/// - **Durable.** `Ok` from [`append`](Ledger::append) survives kill -9 of any process and of the database, and power
///   loss as far as the disk honours a flush.
/// - **Certain.** When a connection breaks around a commit, the answer is [`LedgerError::Uncertain`], never a guess;
///   [`settle`] finds out. Cancelling (dropping the caller's thread) leaves either outcome, as for a broken connection.
/// - **Retry.** The caller retries, by [`LedgerError::severity`]; an adapter reconnects by itself on the next call.
/// - **Threads.** Any number of threads and processes may call at once; calls block.
/// - **Consistent.** `find`, `scan` and `book` each read at one position, which they say.
/// - **Hints.** a wait may return early, late (at its bound) or for nothing; only `events_after` and `inbox` are the truth.
pub trait Ledger: Send + Sync {
    /// Where the ledger stands: the fence. Cheap: one row.
    fn head(&self) -> Result<Head, LedgerError>;

    /// The small registers, with the position they were read at.
    fn book(&self) -> Result<(Position, Book), LedgerError>;

    /// What a round of decisions needs. `Found::head` is read first, so that anything that changes later makes the
    /// append fail rather than be overlooked.
    fn find(&self, wanted: &Wanted) -> Result<Found, LedgerError>;

    /// The numbers of those keys that are registered, in the order asked: for bulk work, thousands at once.
    fn registered(&self, keys: &[CertificateKey]) -> Result<Vec<Option<CertificateNo>>, LedgerError>;

    /// Writes a batch, if the ledger still stands at `batch.at`. One without events (answers, timers) leaves the head as it is.
    fn append(&self, batch: &Batch) -> Result<(), LedgerError>;

    /// Takes the writer's turn first, then lets `build` read and decide on the head it is given, then writes.
    ///
    /// For work that takes so long to decide that a busy ledger would have moved on every time. Other writers wait
    /// meanwhile, so `build` must be done within 50 ms. It may call the reading methods of the same ledger. An error from
    /// `build` gives the turn back and is handed on; an empty batch writes nothing.
    fn append_in_turn(&self, build: &mut dyn FnMut(&Head) -> Result<Batch, LedgerError>) -> Result<Batch, LedgerError>;

    /// Up to `limit` events after a position, in order.
    fn events_after(&self, after: Position, limit: usize) -> Result<Vec<Sealed>, LedgerError>;

    /// Up to `limit` rows from a certificate number on, as stored, in order.
    fn rows_from(&self, first: CertificateNo, limit: usize) -> Result<Vec<(CertificateNo, Vec<u8>)>, LedgerError>;

    /// Every certificate with its status, set events included, by number, at the one position that is returned; in
    /// bounded memory. Stops early when told to.
    fn scan(&self, visit: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> Result<Head, LedgerError>;

    /// The first `limit` timers due at `now`, earliest first.
    fn due(&self, now: Time, limit: usize) -> Result<Vec<(Time, CertificateNo)>, LedgerError>;

    /// The positions of commands that wait for a second person.
    fn queue(&self) -> Result<Vec<Position>, LedgerError>;

    /// A new list for a listed set.
    fn new_list(&self) -> Result<ListNo, LedgerError>;

    /// Adds members to a list that no event names yet. Adding one twice changes nothing.
    fn add_to_list(&self, list: ListNo, members: &[CertificateNo]) -> Result<(), LedgerError>;

    /// Up to `limit` members of a list after a number, ascending.
    fn list_members(&self, list: ListNo, after: CertificateNo, limit: usize)
    -> Result<Vec<CertificateNo>, LedgerError>;

    /// What outside CAs wrote into the inbox and nobody has decided yet, oldest first.
    fn inbox(&self, limit: usize) -> Result<Vec<InboxItem>, LedgerError>;

    /// Overwrites the heartbeat. One that is older than the stored one, or than the last event, is raised to it. The head's
    /// time rises with it: what was decided on the head before is decided anew, and no event is dated before a heartbeat.
    fn beat(&self, now: Time) -> Result<Heartbeat, LedgerError>;

    /// The last heartbeat.
    fn heartbeat(&self) -> Result<Option<Heartbeat>, LedgerError>;

    /// Takes or renews a lease; says who holds it now. A lease is about who should work, never about correctness:
    /// that is the comparison of heads. It ends at `until` sharp.
    fn lease(&self, name: &str, node: NodeId, now: Millis, term_ms: u32) -> Result<Lease, LedgerError>;

    /// Gives a lease back, if `node` holds it.
    fn release_lease(&self, name: &str, node: NodeId) -> Result<(), LedgerError>;

    /// Blocks until something may have been appended after `after`, at most so long.
    fn wait(&self, after: Position, at_most: Duration) -> Result<(), LedgerError>;

    /// Blocks until something may have come into the inbox, at most so long. As much a hint as the other wait: only `inbox`
    /// is the truth. For one thread at a time; what comes while nobody waits is told to whoever waits next.
    fn wait_inbox(&self, at_most: Duration) -> Result<Heard, LedgerError>;

    /// What stands in the database beside the proved bytes and doesn't agree with them: columns and indexes to search by,
    /// columns that the database's own rules decide by, guards taken away, rights given. For proofs: it reads everything.
    fn strays(&self) -> Result<Vec<Stray>, LedgerError>;

    /// A slice of upkeep that keeps look-ups fast; short enough to be called between other work.
    fn upkeep(&self) -> Result<Upkeep, LedgerError>;
}

/// The writer's sign of life, in the same database, so that replication carries it in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// The epoch.
    pub epoch: Epoch,
    /// The head's position.
    pub position: Position,
    /// The head's link.
    pub link: Hash,
    /// Ledger time.
    pub time: Time,
}

/// Who holds a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// The one who asked, until then.
    Mine {
        /// When it ends unless renewed.
        until: Millis,
    },
    /// Another.
    Others {
        /// Who.
        node: NodeId,
        /// When it ends unless renewed.
        until: Millis,
    },
}

/// What waiting for a hint came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Heard {
    /// Nothing so far. The time need not be over.
    Nothing,
    /// Something may have come.
    Something,
}

/// Something an outside CA wrote by SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxItem {
    /// Its number.
    pub no: u64,
    /// The issuer that the CA's database role stands for.
    pub issuer: IssuerNo,
    /// The command, as the SQL functions wrote it (JSON, see `docs/INTEGRATING.md`).
    pub command: String,
}

/// Something beside the proved bytes that doesn't agree with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stray {
    /// In words.
    Fact(String),
    /// An index that is missing: what is asked by it takes for ever.
    Index(String),
}

/// Whether upkeep has more to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upkeep {
    /// Nothing for now.
    Idle,
    /// There is more.
    More,
}

/// Whether an append whose outcome is uncertain was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It was.
    Written,
    /// It was not, and can't be any more unless it is sent again.
    NotWritten,
}

/// Finds out what became of a batch after [`LedgerError::Uncertain`].
pub fn settle(ledger: &dyn Ledger, batch: &Batch) -> Result<Settled, LedgerError> {
    if let Some(last) = batch.events.last() {
        let stored = ledger.events_after(Position(last.position.0 - 1), 1)?;
        // The link covers the event and everything before it, so one comparison settles all events of the batch.
        if stored.first().is_none_or(|event| (event.position, event.link) != (last.position, last.link)) {
            return Ok(Settled::NotWritten);
        }
    } else if batch.answers.is_empty() {
        // Nothing but timers done with, which may be sent again.
        return Ok(Settled::NotWritten);
    }
    // Two writers may have recorded the very same, the other with another's answers: then it was the other's.
    let keys = batch.answers.iter().map(|(key, _)| *key).collect();
    let stored = ledger.find(&Wanted { answers: keys, ..Wanted::default() })?.answers;
    let own = batch.answers.iter().all(|answer| stored.contains(answer));
    Ok(if own { Settled::Written } else { Settled::NotWritten })
}
