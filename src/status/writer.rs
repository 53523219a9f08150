//! The writing side of the table: registrations, changes, set events, replies. One at a time, behind the table's lock.
//!
//! Called through `table` by the follower (everything but replies) and by the responder's signers (replies). Each
//! method first finds out whether it can be done, then writes records that nobody sees yet, then sets one word.

use std::collections::HashMap;

use crate::model::{
    Batch, Certificate, CertificateKey, CertificateNo, Change, Entry, Hold, Life, Position, SetChange, SetEvent,
    SetTarget, Status, Time,
};

use super::entries::{Group, Kept, State};
use super::error::{Kind, StatusError};
use super::index::{Counts, Index};
use super::own::{Own, POSITION_BITS};
use super::reply::{self, ReplyRef, WIDTHS};
use super::sets::{Belongs, Facts};
use super::slots::{Free, Slots};
use super::snapshot::Recording;
use super::table::{Keeping, Table};
use super::view::{Day, Signature, SignedFor};

/// What only the writer needs to know.
pub struct Writer {
    pub(super) counts: Counts,
    pub(super) groups: HashMap<Group, u32>,
    pub(super) details: Free,
    pub(super) replies: [Free; WIDTHS.len()],
    /// The open holds of each certificate that has any, sets aside unless they were open when it was last changed.
    pub(super) held: HashMap<u32, Vec<Hold>>,
    pub(super) count: u64,
    pub(super) newest: CertificateNo,
    /// The last event that was taken in or published.
    pub(super) at: Position,
    /// What a snapshot that is being written must not miss.
    pub(super) recording: Option<Recording>,
}

/// A change of one certificate, as the ledger recorded it.
#[derive(Clone, Copy, Debug)]
pub struct Changed<'a> {
    /// Where.
    pub position: Position,
    /// Ledger time.
    pub time: Time,
    /// The event that it follows from; itself, if from none.
    pub cause: Position,
    /// Whose, by number.
    pub no: CertificateNo,
    /// Whose, by name.
    pub key: CertificateKey,
    /// What.
    pub change: &'a Change,
}

/// One certificate as a table is filled with it: from a scan of the ledger, or from another table's [`Table::row`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number.
    pub no: CertificateNo,
    /// Issuer and serial.
    pub key: CertificateKey,
    /// The chip batch.
    pub batch: Batch,
    /// The day on which its validity ends.
    pub expires: Day,
    /// The start of its validity; only of what waits for its acknowledgement is it ever said.
    pub not_before: Time,
    /// Its status, set events included.
    pub status: Status,
}

impl Row {
    fn new(no: CertificateNo, certificate: &Certificate, status: Status) -> Self {
        let Certificate { key, batch, not_before, not_after, .. } = *certificate;
        Self { no, key, batch, expires: Day::of(not_after), not_before, status }
    }
}

impl From<Entry> for Row {
    fn from(entry: Entry) -> Self {
        Self::new(entry.no, &entry.certificate, entry.status)
    }
}

impl Table {
    /// Takes in one certificate with the status that it has under the sets that the table was made over.
    pub fn restore(&self, row: &Row) -> Result<(), StatusError> {
        self.turn().add(self, row)
    }

    /// One certificate as another table can be filled with it: what is known of it now, at or after `read_to`.
    pub fn row(&self, no: CertificateNo) -> Option<Row> {
        let number = u32::try_from(no.0).ok()?;
        let turn = self.turn();
        let key = self.entries.key(number)?;
        let (kept, status) = turn.whole(self, number)?;
        let (batch, expires, not_before) = (kept.group.batch, kept.group.expires, kept.own.pending_since);
        Some(Row { no, key, batch, expires, not_before, status })
    }

    /// Takes in the certificates that one event registered, numbered from `first`.
    pub fn register<'a>(
        &self,
        position: Position,
        first: CertificateNo,
        certificates: impl IntoIterator<Item = &'a Certificate>,
    ) -> Result<(), StatusError> {
        for (certificate, index) in certificates.into_iter().zip(0..) {
            let mut turn = self.turn();
            if index == 0 {
                turn.next(position)?;
            }
            let status = Status::at_registration(certificate, position);
            turn.add(self, &Row::new(first.plus(index), certificate, status))?;
        }
        Ok(())
    }

    /// Takes in a change of one certificate.
    pub fn change(&self, changed: &Changed<'_>) -> Result<(), StatusError> {
        self.turn().change(self, changed)
    }

    /// Takes in a set event, with its members if it names a list.
    pub fn change_set(&self, event: &SetEvent, belongs: Belongs) -> Result<(), StatusError> {
        let mut turn = self.turn();
        turn.next(event.position)?;
        let newest = turn.newest;
        turn.take_set(self, event, belongs, newest)
    }
}

impl Writer {
    /// An event comes after everything that was taken in or published before it.
    fn next(&mut self, position: Position) -> Result<(), StatusError> {
        if position == self.at {
            return Err(StatusError::OutOfOrder { at: self.at, found: position });
        }
        self.reach(position)
    }

    /// Positions only rise.
    pub fn reach(&mut self, position: Position) -> Result<(), StatusError> {
        if position < self.at {
            return Err(StatusError::OutOfOrder { at: self.at, found: position });
        }
        if position.0 >> POSITION_BITS != 0 {
            return Err(StatusError::TooLarge { what: Kind::Position, number: position.0 });
        }
        self.at = position;
        Ok(())
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    /// Adds a certificate whose status has the present sets in it.
    fn add(&mut self, table: &Table, row: &Row) -> Result<(), StatusError> {
        let no = row.no;
        let too_large = StatusError::TooLarge { what: Kind::Certificate, number: no.0 };
        let number = u32::try_from(no.0).ok().filter(|number| *number != 0).ok_or(too_large)?;
        if table.entries.state(number).is_some() {
            return Err(StatusError::AlreadyThere(no));
        }
        if let Some(known) = table.entries.find(&row.key) {
            return Err(StatusError::KeyTaken { new: no, known: CertificateNo(known.into()) });
        }
        let (issuer, batch, expires) = (row.key.issuer, row.batch, row.expires);
        let group = self.group(table, Group { issuer, batch, expires })?;
        table.entries.place(number, &row.key.serial).ok_or(too_large)?;
        let state = if Self::follows_from_sets(table, Facts { no, issuer, batch }, &row.status) {
            State::Untouched { reply: None }
        } else {
            self.detail(table, number, &row.status, row.not_before)?
        };
        table.entries.set(number, group, state);
        table.entries.index.insert(&mut self.counts, table.entries.index.hash(&row.key), number);
        if let Some(recording) = &mut self.recording {
            recording.added(number);
        }
        self.count += 1;
        self.newest = self.newest.max(no);
        Ok(())
    }

    /// Whether a status is what the sets alone make of a certificate that nobody else ever touched.
    fn follows_from_sets(table: &Table, facts: Facts, status: &Status) -> bool {
        let mut fresh = Status { life: Life::Active, holds: Vec::new(), handed_to: None, as_of: Position(0) };
        table.sets.get().bring_up(facts, None, &mut fresh);
        (fresh.life, &fresh.holds) == (status.life, &status.holds)
    }

    fn change(&mut self, table: &Table, changed: &Changed<'_>) -> Result<(), StatusError> {
        let known = u32::try_from(changed.no.0).ok().and_then(|number| Some((number, table.entries.key(number)?)));
        let (number, key) = known.ok_or(StatusError::NotThere(changed.no))?;
        if key != changed.key {
            return Err(StatusError::WrongKey(changed.no));
        }
        self.next(changed.position)?;
        if let Change::HandedOver { .. } = changed.change {
            // Who is competent changes; what an answer says doesn't.
            return Ok(());
        }
        let (kept, mut status) = self.whole(table, number).ok_or(StatusError::NotThere(changed.no))?;
        status.apply(changed.change, changed.position, changed.time, changed.cause);
        self.put(table, number, &status, kept.own.pending_since)
    }

    /// Takes in a set event that covers what was registered up to `newest`.
    pub fn take_set(
        &mut self,
        table: &Table,
        event: &SetEvent,
        belongs: Belongs,
        newest: CertificateNo,
    ) -> Result<(), StatusError> {
        if let SetTarget::Listed { list, count, .. } = event.target {
            let named = match &belongs {
                Belongs::Listed(members) => members.count(),
                Belongs::AsTargeted => 0,
            };
            if named != count {
                return Err(StatusError::MembersMissing { position: event.position, list, count });
            }
        }
        let sets = table.sets.get().with(event.clone(), belongs, newest);
        table.sets.put(sets);
        match event.change {
            SetChange::Released { hold } => {
                // A member that was changed while the set held it has that hold among its own; it is taken from there one
                // by one. Until then it is still held, and the position of this event is not published yet.
                let own: Vec<u32> = self
                    .held
                    .iter()
                    .filter(|(_, open)| open.iter().any(|open| open.id == hold))
                    .map(|(number, _)| *number)
                    .collect();
                for number in own {
                    let Some((kept, status)) = self.whole(table, number) else { continue };
                    self.put(table, number, &status, kept.own.pending_since)?;
                }
                Ok(())
            }
            SetChange::Held | SetChange::Revoked { .. } => Ok(()),
        }
    }

    pub fn keep_reply(&mut self, table: &Table, no: CertificateNo, signed: &SignedFor, signature: &[u8]) -> Keeping {
        let Ok(number) = u32::try_from(no.0) else { return Keeping::Unknown };
        let Some(kept) = table.entries.read(number, &mut Signature::default()) else { return Keeping::Unknown };
        let whole = table.sets.get().over(table.entries.facts(number, kept.group), kept.own);
        if whole.as_of.is_some_and(|as_of| as_of > signed.reflects) {
            return Keeping::Outdated;
        }
        if kept.reply.is_some_and(|known| (known.reflects, known.this_update) > (signed.reflects, signed.this_update)) {
            return Keeping::Overtaken;
        }
        let Some(packed) = reply::pack(signed, signature) else { return Keeping::Unfit };
        let (state, group) = self.known(table, number);
        let free = &mut self.replies[packed.width];
        let Some(slot) = table.entries.replies[packed.width].write(free, packed.head, &packed.body) else {
            return Keeping::NoRoom;
        };
        let Some(reply) = ReplyRef::new(packed.width, slot) else {
            Slots::give_up(free, slot);
            return Keeping::NoRoom;
        };
        let next = match state {
            State::Untouched { .. } => State::Untouched { reply: Some(reply) },
            State::Detailed { .. } => {
                // The head names the reply, so the details are written once more, with the new one.
                let body = kept.own.pack().expect("it was packed before");
                let Some(slot) = table.entries.details.write(&mut self.details, reply.bits().into(), &body) else {
                    Slots::give_up(&mut self.replies[packed.width], reply.slot());
                    return Keeping::NoRoom;
                };
                State::Detailed { slot }
            }
        };
        table.entries.set(number, group, next);
        self.give_up(table, state);
        Keeping::Kept
    }

    /// A certificate's status with the present sets in it.
    fn whole(&self, table: &Table, number: u32) -> Option<(Kept, Status)> {
        let kept = table.entries.read(number, &mut Signature::default())?;
        let holds = self.held.get(&number).cloned().unwrap_or_default();
        let mut status =
            Status { life: kept.own.life, holds, handed_to: None, as_of: kept.own.as_of.unwrap_or_default() };
        table.sets.get().bring_up(table.entries.facts(number, kept.group), kept.own.as_of, &mut status);
        Some((kept, status))
    }

    /// Sets a certificate's status; the reply that was kept for the one before goes.
    fn put(&mut self, table: &Table, number: u32, status: &Status, not_before: Time) -> Result<(), StatusError> {
        let (before, group) = self.known(table, number);
        if let Some(recording) = &mut self.recording {
            recording.changing(&table.entries, number, before, self.held.get(&number));
        }
        let state = self.detail(table, number, status, not_before)?;
        table.entries.set(number, group, state);
        self.give_up(table, before);
        Ok(())
    }

    /// Writes a status down, not yet visible.
    fn detail(&mut self, table: &Table, number: u32, status: &Status, not_before: Time) -> Result<State, StatusError> {
        let too_large = StatusError::TooLarge { what: Kind::Position, number: status.as_of.0 };
        let body = Own::of(status, not_before).pack().ok_or(too_large)?;
        let full = StatusError::TooLarge { what: Kind::Details, number: number.into() };
        let slot = table.entries.details.write(&mut self.details, 0, &body).ok_or(full)?;
        if status.holds.is_empty() {
            self.held.remove(&number);
        } else {
            self.held.insert(number, status.holds.clone());
        }
        Ok(State::Detailed { slot })
    }

    /// Frees the records of a state that no entry has any more.
    fn give_up(&mut self, table: &Table, state: State) {
        let reply = match state {
            State::Untouched { reply } => reply,
            State::Detailed { slot } => {
                let reply = ReplyRef::from_bits(table.entries.details.head(slot) as u32);
                Slots::give_up(&mut self.details, slot);
                reply
            }
        };
        if let Some(reply) = reply {
            Slots::give_up(&mut self.replies[reply.width()], reply.slot());
        }
    }

    fn known(&self, table: &Table, number: u32) -> (State, u32) {
        let known = table.entries.state(number).zip(table.entries.group_no(number));
        known.expect("only certificates that were found are changed")
    }

    fn group(&mut self, table: &Table, group: Group) -> Result<u32, StatusError> {
        if let Some(known) = self.groups.get(&group) {
            return Ok(*known);
        }
        let number = self.groups.len() as u64;
        let too_large = StatusError::TooLarge { what: Kind::Group, number };
        let new = u32::try_from(number).map_err(|_| too_large)?;
        table.entries.put_group(new, group).ok_or(too_large)?;
        self.groups.insert(group, new);
        Ok(new)
    }
}

impl Default for Writer {
    fn default() -> Self {
        Self {
            counts: Index::counts(),
            groups: HashMap::new(),
            details: Free::default(),
            replies: Default::default(),
            held: HashMap::new(),
            count: 0,
            newest: CertificateNo(0),
            at: Position(0),
            recording: None,
        }
    }
}
