//! The ledger in memory, for intruders.

use std::sync::Arc;

use tashika::ledger::{Head, Heartbeat, Ledger, Sealed};
use tashika::model::{CertificateNo, ListNo, Position, Status};

use crate::memory_ledger::MemoryLedger;
use crate::nation;
use crate::world::{Alteration, World};

/// The ledger in memory.
pub struct Memory(MemoryLedger);

impl Memory {
    pub fn new() -> Self {
        Self(MemoryLedger::create(&nation::genesis(1)))
    }
}

impl World for Memory {
    fn ledger(&self) -> Arc<dyn Ledger> {
        Arc::new(self.0.clone())
    }

    fn alter_event(&self, position: Position, alter: &mut dyn FnMut(&mut Vec<u8>)) {
        let mut state = self.0.state();
        alter(&mut state.events.iter_mut().find(|event| event.position == position).unwrap().bytes);
    }

    fn remove_event(&self, position: Position) {
        self.0.state().events.retain(|event| event.position != position);
    }

    fn push_event(&self, sealed: Sealed, head: Head) {
        let mut state = self.0.state();
        state.events.push(sealed);
        state.head = head;
    }

    fn restore(&self, backup: &dyn World) {
        let backup = backup.as_any().downcast_ref::<Self>().unwrap().0.state().clone();
        *self.0.state() = backup;
    }

    fn alter_row(&self, no: CertificateNo, alter: &mut dyn FnMut(&mut Vec<u8>)) {
        alter(self.0.state().rows.get_mut(&no).unwrap());
    }

    fn remove_row(&self, no: CertificateNo) {
        self.0.state().rows.remove(&no).unwrap();
    }

    fn add_row(&self, no: CertificateNo, copy_of: CertificateNo) {
        let mut state = self.0.state();
        let row = state.rows[&copy_of].clone();
        state.rows.insert(no, row);
    }

    fn hide(&self) {
        self.0.state().keys.clear();
    }

    fn set_status(&self, no: CertificateNo, status: Option<Status>) {
        let mut state = self.0.state();
        match status {
            Some(status) => _ = state.statuses.insert(no, status),
            None => _ = state.statuses.remove(&no).unwrap(),
        }
    }

    fn move_list_member(&self, list: ListNo, from: CertificateNo, to: CertificateNo) {
        let mut state = self.0.state();
        let members = state.lists.get_mut(&list).unwrap();
        assert!(members.remove(&from) && members.insert(to));
    }

    fn drop_from_queue(&self, position: Position) {
        assert!(self.0.state().queue.remove(&position));
    }

    fn drop_timers(&self) {
        self.0.state().timers.clear();
    }

    fn alter_beside(&self) -> Vec<Alteration<'_>> {
        Vec::new()
    }

    fn set_heartbeat(&self, heartbeat: Heartbeat) {
        self.0.state().heartbeat = Some(heartbeat);
    }

    fn another(&self) -> Box<dyn World> {
        Box::new(Self::new())
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
