//! What the status table must come to, told in the slowest way: every certificate with its whole status as the ledger
//! stores it, the set events laid over at each look, and every event that touched an answer written down.

use std::collections::BTreeMap;

use tashika::model::{
    Book, Certificate, CertificateNo, Change, Delivery, Entry, Life, ListNo, Position, SetEvent, SetTarget, Status,
    Time,
};
use tashika::status::{SignedFor, Standing};

#[derive(Default)]
pub struct Naive {
    pub book: Book,
    pub lists: BTreeMap<ListNo, Vec<CertificateNo>>,
    pub rows: BTreeMap<CertificateNo, Row>,
}

pub struct Row {
    pub certificate: Certificate,
    /// As stored: without the sets since.
    stored: Status,
    /// The last event that changed what is answered.
    touched: Position,
    reply: Option<(SignedFor, Vec<u8>)>,
}

impl Naive {
    pub fn register(&mut self, no: CertificateNo, certificate: Certificate, position: Position) {
        let stored = Status::at_registration(&certificate, position);
        let touched = if certificate.delivery == Delivery::Awaited { position } else { Position(0) };
        self.rows.insert(no, Row { certificate, stored, touched, reply: None });
    }

    /// The status with the sets in it, as the ledger's readers see it.
    pub fn status(&self, no: CertificateNo) -> Status {
        let row = &self.rows[&no];
        let mut status = row.stored.clone();
        self.book.overlay(&row.certificate, &mut status, &self.lists_of(no));
        status
    }

    pub fn change(&mut self, no: CertificateNo, change: &Change, position: Position, time: Time) {
        let mut status = self.status(no);
        status.apply(change, position, time, position);
        let row = self.rows.get_mut(&no).expect("registered");
        row.stored = status;
        if !matches!(change, Change::HandedOver { .. }) {
            row.touched = position;
        }
    }

    pub fn set(&mut self, event: SetEvent) {
        let members: Vec<_> = self.rows.keys().filter(|no| self.is_member(&event.target, **no)).copied().collect();
        for no in members {
            self.rows.get_mut(&no).expect("registered").touched = event.position;
        }
        self.book.sets.push(event);
    }

    pub fn touched(&self, no: CertificateNo) -> Position {
        self.rows[&no].touched
    }

    /// Keeps a reply unless the certificate was touched since what it reflects, or a later one is there.
    pub fn keep(&mut self, no: CertificateNo, signed: SignedFor, signature: Vec<u8>) -> bool {
        let later =
            |kept: &(SignedFor, _)| (kept.0.reflects, kept.0.this_update) > (signed.reflects, signed.this_update);
        let row = self.rows.get_mut(&no).expect("registered");
        let held = row.reply.as_ref().filter(|kept| kept.0.reflects >= row.touched);
        let keeps = signed.reflects >= row.touched && !held.is_some_and(later);
        if keeps {
            row.reply = Some((signed, signature));
        }
        keeps
    }

    /// The reply that still holds.
    pub fn reply(&self, no: CertificateNo) -> Option<&(SignedFor, Vec<u8>)> {
        let row = &self.rows[&no];
        row.reply.as_ref().filter(|(signed, _)| signed.reflects >= row.touched)
    }

    pub fn standing(&self, no: CertificateNo) -> Standing {
        let status = self.status(no);
        match (status.life, status.held_since()) {
            (Life::Revoked(ended), _) => {
                Standing::Revoked { reason: ended.reason, at: ended.at, lost_at: ended.lost_at }
            }
            (_, Some(since)) => Standing::Held { since, lost_at: status.lost_at() },
            (Life::Pending, None) => Standing::Pending { since: self.rows[&no].certificate.not_before },
            (Life::Active, None) => Standing::Good,
        }
    }

    /// What a scan of the ledger yields.
    pub fn scan(&self) -> impl Iterator<Item = Entry> {
        self.rows.iter().map(|(no, row)| Entry {
            no: *no,
            certificate: row.certificate.clone(),
            status: self.status(*no),
        })
    }

    /// Replies aren't in the ledger.
    pub fn forget_replies(&mut self) {
        self.rows.values_mut().for_each(|row| row.reply = None);
    }

    fn is_member(&self, target: &SetTarget, no: CertificateNo) -> bool {
        let certificate = &self.rows[&no].certificate;
        match target {
            SetTarget::Batch(batch) => certificate.batch == *batch,
            SetTarget::Issuer(issuer) => certificate.key.issuer == *issuer,
            SetTarget::Listed { list, .. } => self.lists[list].contains(&no),
        }
    }

    fn lists_of(&self, no: CertificateNo) -> Vec<ListNo> {
        self.lists.iter().filter(|(_, members)| members.contains(&no)).map(|(list, _)| *list).collect()
    }
}
