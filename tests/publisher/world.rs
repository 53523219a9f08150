//! A small world in which everything happens that changes what CRLs say: certificates, their statuses event by event, and
//! the lists that are fed with each.

use std::fs;
use std::path::{Path, PathBuf};

use tashika::asn1::crl::IssuingPoint;
use tashika::asn1::{CertificateFields, DistributionPointName, certificates_in, pem_blocks};
use tashika::keys::{Signer, software};
use tashika::model::{
    Batch, Certificate, CertificateKey, Change, Cutoff, DatedByDay, Delivery, HoldKind, HolderId, IssuerNo, KeyOrigin,
    LastHold, Links, Medium, MediumId, MediumKind, Municipality, Position, Proofing, Reason, ScopeNo, Seconds, Serial,
    SetChange, SetEvent, SetTarget, Status, Time, Usage, Wish,
};
use tashika::publisher::{Expired, Rules, Slot};
use tashika::status::{Gone, LossDates, Revoked, Seen};

use crate::rng::Rng;

pub struct World {
    pub revoked: Revoked,
    pub certificates: Vec<Certificate>,
    /// What was true of whom, from which event on.
    pub history: Vec<Was>,
    pub statuses: Vec<Option<Status>>,
    pub position: Position,
    pub time: Time,
    /// Whether the lists were ever filled anew.
    pub scanned: Scanned,
    sets: Vec<SetEvent>,
}

/// Whether the lists were ever filled from a scan: what it dates later than it was may be listed once more.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scanned {
    Never,
    Once,
}

/// A status from an event on.
#[derive(Clone, Debug)]
pub struct Was {
    pub position: Position,
    pub time: Time,
    pub index: usize,
    pub status: Status,
    pub gone: Option<Gone>,
}

impl World {
    /// With so many certificates in three scopes, none registered.
    pub fn new(certificates: usize, rng: &mut Rng) -> Self {
        Self {
            revoked: Revoked::new(LossDates::Kept, WITHIN),
            certificates: (0..certificates).map(|index| certificate(index, rng)).collect(),
            history: Vec::new(),
            statuses: vec![None; certificates],
            position: Position(0),
            time: start(),
            scanned: Scanned::Never,
            sets: Vec::new(),
        }
    }

    pub fn cutoff(&self) -> Cutoff {
        Cutoff { position: self.position, time: self.time }
    }

    pub fn pass(&mut self, seconds: u32) {
        self.time = self.time + Seconds(seconds);
    }

    pub fn register(&mut self, index: usize, delivery: Delivery) {
        if self.statuses[index].is_some() {
            return;
        }
        self.certificates[index].delivery = delivery;
        self.position = self.position.next();
        let certificate = self.certificates[index].clone();
        self.revoked.register(self.position, [&certificate]).unwrap();
        let status = Status::at_registration(&certificate, self.position);
        self.note(index, status, None);
    }

    /// What a wish amounts to happens, if it may.
    pub fn wish(&mut self, index: usize, wish: &Wish) {
        let Some(status) = self.statuses[index].clone() else { return };
        let Ok(changes) = status.decide_all(wish, self.time) else { return };
        for change in changes {
            self.position = self.position.next();
            let mut status = self.statuses[index].clone().unwrap();
            status.apply(&change, self.position, self.time, self.position);
            let certificate = &self.certificates[index];
            let seen = Seen { position: self.position, time: self.time, certificate, status: &status };
            self.revoked.change(&seen).unwrap();
            let gone = match change {
                Change::Acknowledged => Some(Gone::Acknowledged),
                Change::Released { .. } => Some(Gone::Released),
                _ => None,
            };
            self.note(index, status, gone);
        }
    }

    pub fn hold(&mut self, index: usize) {
        self.wish(index, &Wish::Hold { kind: HoldKind::CallCentre, lost_at: None, becomes: None });
    }

    /// Lifts all holds.
    pub fn release(&mut self, index: usize) {
        let holds = self.statuses[index].iter().flat_map(|status| &status.holds).map(|hold| hold.id).collect();
        self.wish(index, &Wish::Release { holds, last: LastHold::MayBeLifted });
    }

    pub fn revoke(&mut self, index: usize, reason: Reason) {
        self.wish(index, &Wish::Revoke { reason, lost_at: None });
    }

    /// A set event about a batch, expanded scope by scope, each of which waits until it is its turn.
    pub fn set(&mut self, batch: Batch, change: SetChange) {
        self.position = self.position.next();
        let (position, time) = (self.position, self.time);
        let event = SetEvent { position, time, cause: position, target: SetTarget::Batch(batch), change };
        let is_member = |index: &usize| self.certificates[*index].batch == batch && self.statuses[*index].is_some();
        let members: Vec<usize> = (0..self.certificates.len()).filter(is_member).collect();
        let mut scopes: Vec<ScopeNo> = members.iter().map(|index| self.certificates[*index].scope).collect();
        scopes.sort_unstable();
        scopes.dedup();
        self.revoked.expect_members(position, scopes.iter().copied()).unwrap();
        for no in scopes {
            assert_eq!(self.revoked.list(no).unwrap_err().set, position);
            for index in &members {
                if self.certificates[*index].scope != no {
                    continue;
                }
                let mut status = self.statuses[*index].clone().unwrap();
                event.apply_to(&mut status);
                let certificate = &self.certificates[*index];
                self.revoked.member(&Seen { position, time, certificate, status: &status }).unwrap();
                let gone = matches!(change, SetChange::Released { .. }).then_some(Gone::Released);
                self.note(*index, status, gone);
            }
            self.revoked.complete(no).unwrap();
        }
        self.sets.push(event);
    }

    /// The set event that holds a batch, if there is one.
    pub fn set_hold(&self, batch: Batch) -> Option<Position> {
        let holds = |set: &&SetEvent| set.target == SetTarget::Batch(batch) && set.change == SetChange::Held;
        self.sets.iter().rev().find(holds).map(|set| set.position)
    }

    /// The lists anew, from a scan and the events since the oldest base.
    pub fn restart(&mut self, oldest: Cutoff) {
        self.scanned = Scanned::Once;
        self.revoked = Revoked::new(LossDates::Kept, WITHIN);
        for (certificate, status) in self.certificates.iter().zip(&self.statuses) {
            if let Some(status) = status {
                self.revoked.restore(certificate, status).unwrap();
            }
        }
        self.revoked.reach(self.position).unwrap();
        for was in self.history.iter().filter(|was| was.position > oldest.position) {
            if let Some(gone) = was.gone {
                self.revoked.recall(&self.certificates[was.index], gone, was.position, was.time).unwrap();
            }
        }
    }

    fn note(&mut self, index: usize, status: Status, gone: Option<Gone>) {
        let (position, time) = (self.position, self.time);
        self.history.push(Was { position, time, index, status: status.clone(), gone });
        self.statuses[index] = Some(status);
    }

    /// The history of a certificate, for whoever must find out what went wrong.
    pub fn told(&self, serial: &Serial) -> String {
        let index = self.certificates.iter().position(|one| one.key.serial == *serial).unwrap();
        let own = self.history.iter().filter(|was| was.index == index);
        let lines = own.map(|was| {
            format!(
                "{} {}: {:?} {:?}",
                was.position,
                was.time,
                was.status.life,
                was.status.holds.iter().map(|hold| hold.since).collect::<Vec<_>>()
            )
        });
        let known = self.revoked.list(self.certificates[index].scope).unwrap().get(serial);
        format!("{serial} (ends {}), {:#?}, {known:?}", self.certificates[index].not_after, lines.collect::<Vec<_>>())
    }
}

/// Some of them with numbers of unusual length; they end within the days that a test lasts.
fn certificate(index: usize, rng: &mut Rng) -> Certificate {
    let serial = match index % 5 {
        0 => vec![0x80, index as u8],
        1 => [&[0xff; 19][..], &[index as u8]].concat(),
        _ => [&rng.next().to_be_bytes()[..], &[1, 2, 3, 4, 5, 6, 7, index as u8]].concat(),
    };
    Certificate {
        key: CertificateKey { issuer: IssuerNo(1), serial: Serial::from_unsigned(&serial).unwrap() },
        usage: Usage::Auth,
        medium: Medium { kind: MediumKind::Sim, id: MediumId([index as u8; 16]) },
        holder: HolderId([index as u8; 16]),
        sim: None,
        batch: Batch(1 + (index % 3) as u32),
        not_before: start() - Seconds(10),
        not_after: start() + Seconds(2_000 + rng.below(400_000) as u32),
        scope: ScopeNo(1 + (index % 7 % 3) as u32),
        municipality: Municipality(0),
        key_origin: KeyOrigin::Unknown,
        proofing: Proofing::Unknown,
        delivery: Delivery::Delivered,
        links: Links::default(),
    }
}

pub fn start() -> Time {
    "2026-11-20T03:00:00Z".parse().unwrap()
}

pub fn rules() -> Rules {
    Rules { dates: DatedByDay::default(), expired: Expired::Dropped, delivery_within: WITHIN }
}

pub fn ca(folder: &str) -> CertificateFields {
    CertificateFields::from_der(&certificate_der(folder, "issuer.pem")).unwrap()
}

pub fn certificate_der(folder: &str, name: &str) -> Vec<u8> {
    certificates_in(&fs::read(testdata(folder).join(name)).unwrap()).unwrap().remove(0)
}

pub fn signer(folder: &str) -> Box<dyn Signer> {
    let text = fs::read_to_string(testdata(folder).join("issuer.key")).unwrap();
    software::of_der(&pem_blocks(&text).unwrap()[0].der).unwrap()
}

pub fn testdata(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("certs-testdata").join(folder)
}

/// A slot of the P-256 CA for phones, for the shard of a scope.
pub fn slot(no: ScopeNo) -> Slot {
    let shard = format!("http://status.example/crl/phone-{no}.crl");
    let point = IssuingPoint::of(DistributionPointName::uri(&shard).unwrap());
    let deltas = DistributionPointName::uri(&format!("http://status.example/crl/phone-{no}.delta.crl")).unwrap();
    Slot::new(&ca(PHONES), Some(point)).unwrap().with_deltas_at(deltas)
}

pub const PHONES: &str = "phone-auth-p256";
/// Unacknowledged for longer, a certificate is overdue.
pub const WITHIN: Seconds = Seconds(5_000);
