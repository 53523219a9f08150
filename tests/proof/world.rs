//! Ledgers that an intruder with full write access has before them.

use std::sync::Arc;

use tashika::ledger::{Head, Heartbeat, Ledger, Sealed};
use tashika::model::{CertificateNo, ListNo, Position, Status};

/// A word of the finding, and how to come by it.
pub type Alteration<'a> = (&'static str, Box<dyn Fn() + 'a>);

/// A ledger as its followers see it, and as somebody sees it who may write anything anywhere in the database.
pub trait World {
    fn ledger(&self) -> Arc<dyn Ledger>;
    fn alter_event(&self, position: Position, alter: &mut dyn FnMut(&mut Vec<u8>));
    fn remove_event(&self, position: Position);
    /// Adds an event and moves the head row along.
    fn push_event(&self, sealed: Sealed, head: Head);
    /// Puts the whole contents of another ledger in the place of this one's.
    fn restore(&self, backup: &dyn World);
    fn alter_row(&self, no: CertificateNo, alter: &mut dyn FnMut(&mut Vec<u8>));
    fn remove_row(&self, no: CertificateNo);
    fn add_row(&self, no: CertificateNo, copy_of: CertificateNo);
    /// Empties the index by which certificates are searched for.
    fn hide(&self);
    fn set_status(&self, no: CertificateNo, status: Option<Status>);
    fn move_list_member(&self, list: ListNo, from: CertificateNo, to: CertificateNo);
    fn drop_from_queue(&self, position: Position);
    /// Makes the clock forget everything that it was to see to.
    fn drop_timers(&self);
    /// Alters what stands beside the proved bytes, each of them by itself; what each should be told by. None in memory.
    fn alter_beside(&self) -> Vec<Alteration<'_>>;
    fn set_heartbeat(&self, heartbeat: Heartbeat);
    /// Another ledger of the same identity, empty but for its first event.
    fn another(&self) -> Box<dyn World>;
    fn as_any(&self) -> &dyn std::any::Any;
}
