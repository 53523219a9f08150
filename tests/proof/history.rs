//! A history with something of everything, written by the desk: registrations, losses, releases, revocations, sets, a
//! list, a queue. And the writer's checkpoints over it.

use std::convert::Infallible;
use std::sync::Arc;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use tashika::desk::{Desk, Task};
use tashika::ledger::{Checkpoint, KeyKind, Ledger, Note, VerifierKey, sha256};
use tashika::model::{
    Batch as ChipBatch, CertificateKey, CertificateNo, Command, Delivery, IssuerNo, Municipality, Policy, Reason,
    Report, ReportKind, Request, Role, SetChange, SetRule, SetTarget, Subject, Time, Usage,
};

use crate::nation;

/// Which history is written. Both have as many events; they differ in whose card was lost.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// What happened.
    True,
    /// What somebody would rather have had happen.
    Forged,
}

/// Certificates registered.
pub const CERTIFICATES: u64 = 200;
/// Whose card the true history says was lost, and never found.
pub const VICTIM: u64 = 7;

/// The writer's key.
pub struct Writer {
    pair: Ed25519KeyPair,
    pub key: VerifierKey,
}

impl Writer {
    pub fn new(ledger: &dyn Ledger) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[0x77; 32]).unwrap();
        let public = pair.public_key().as_ref().try_into().unwrap();
        let name = Checkpoint::origin(ledger.head().unwrap().ledger);
        Self { pair, key: VerifierKey::new(&name, KeyKind::Writer, public).unwrap() }
    }

    /// Signs where the ledger stands.
    pub fn checkpoint(&self, ledger: &dyn Ledger) -> Note {
        self.sign(Checkpoint::of(&ledger.head().unwrap()))
    }

    /// Signs whatever it is given: what a thief of the key would do.
    pub fn sign(&self, checkpoint: Checkpoint) -> Note {
        let mut note = Note::unsigned(checkpoint);
        let Ok(()) = note.sign(&self.key, |octets| Ok::<_, Infallible>(self.pair.sign(octets).as_ref().to_vec()));
        note
    }
}

/// Writes the history step by step, calling `between` after each: there the writer signs.
pub fn write(ledger: &Arc<dyn Ledger>, version: Version, between: &mut dyn FnMut()) {
    let policy = Policy { sets: SetRule::TwoPeople, ..Policy::default() };
    let mut desk = Desk::new(Arc::clone(ledger), policy);
    let mut clock = 0;
    let mut round = |tasks: &[Task]| {
        clock += 60;
        for done in desk.round(tasks, nation::at(clock)) {
            done.unwrap_or_else(|error| panic!("{error}"));
        }
        between();
    };
    let ops = nation::actor(Role::Ops);
    for no in 1..=2 {
        round(&[Task::AddIssuer { actor: ops, issuer: nation::issuer(no), scopes: Vec::new() }]);
        round(&[Task::AddScope { actor: ops, scope: nation::scope(no) }]);
    }
    for chunk in 0..4 {
        round(&[register(1 + chunk * CERTIFICATES / 4, CERTIFICATES / 4)]);
    }
    // Twenty cards lost, half of them found; one of the lost ones is the victim's.
    let lost: Vec<u64> = (1..=20).map(|number| if number == VICTIM { victim(version) } else { number }).collect();
    let reports: Vec<_> = lost.iter().map(|number| report(ReportKind::CardLost, *number)).collect();
    round(&reports[..10]);
    round(&reports[10..]);
    let gone: Vec<_> = lost[..10].iter().map(|number| report(ReportKind::CardNotFound, *number)).collect();
    round(&gone);
    round(&[
        revoke(41, Reason::AffiliationChanged),
        revoke(42, Reason::Unspecified),
        revoke(41, Reason::KeyCompromise),
    ]);
    round(&(61..=70).map(|number| report(ReportKind::Delivered, number)).collect::<Vec<_>>());
    // Ordered by a CA, a listed set needs no second person; ordered by operations it waits for one.
    let target = list(&**ledger, &[100, 101, 150, 199]);
    let ca = nation::actor(Role::Ca(IssuerNo(1)));
    round(&[request(ca, Command::Set { target: target.clone(), change: SetChange::Held })]);
    round(&[revoke(150, Reason::Superseded)]);
    let batch = SetTarget::Batch(ChipBatch(2));
    round(&[request(ops, Command::Set { target: batch, change: SetChange::Revoked { reason: Reason::Superseded } })]);
    round(&[report(ReportKind::CardLost, 180)]);
}

/// A few more events, for those who follow.
pub fn go_on(ledger: &Arc<dyn Ledger>, numbers: std::ops::Range<u64>) {
    let mut desk = Desk::new(Arc::clone(ledger), Policy::default());
    for number in numbers {
        desk.one(&report(ReportKind::CardLost, number), nation::at(86_400)).unwrap();
    }
}

/// The registry's word that a holder died: a hold that turns final in time.
pub fn died(ledger: &Arc<dyn Ledger>, number: u64) {
    let report = Report {
        kind: ReportKind::Died,
        subject: Subject::Holder(nation::holder(number)),
        lost_at: None,
        reported_at: nation::at(86_400),
        moved_to: None,
        evidence: None,
    };
    let task = request(nation::actor(Role::Registry), Command::Report(report));
    Desk::new(Arc::clone(ledger), Policy::default()).one(&task, nation::at(86_400)).unwrap();
}

pub fn register(first: u64, count: u64) -> Task {
    let certificate = |number: u64| {
        let delivery = if (61..=80).contains(&number) { Delivery::Awaited } else { Delivery::Delivered };
        tashika::model::Certificate { delivery, ..nation::on_card(key(number), number, Usage::Sign) }
    };
    let certificates = (first..first + count).map(certificate).collect();
    Task::Register { actor: nation::actor(Role::Ca(IssuerNo(1))), certificates }
}

/// The report that a card was lost.
pub fn lost(number: u64) -> Task {
    report(ReportKind::CardLost, number)
}

fn victim(version: Version) -> u64 {
    match version {
        Version::True => VICTIM,
        Version::Forged => 27,
    }
}

fn key(number: u64) -> CertificateKey {
    nation::key(1, 1000 + number)
}

fn report(kind: ReportKind, number: u64) -> Task {
    let reported_at: Time = nation::at(0);
    let report = Report {
        kind,
        subject: Subject::Medium(nation::card(number)),
        lost_at: None,
        reported_at,
        moved_to: None,
        evidence: None,
    };
    let town = Municipality(13_101 + (number % 2) as u32);
    request(nation::actor(Role::Window(Some(town))), Command::Report(report))
}

fn revoke(number: u64, reason: Reason) -> Task {
    request(nation::actor(Role::Ca(IssuerNo(1))), Command::Revoke { key: key(number), reason, lost_at: None })
}

fn request(actor: tashika::model::Actor, command: Command) -> Task {
    Task::Request(Request { actor, command, idempotency: None })
}

/// A hold of all on a list, written as it is asked for.
pub fn hold_listed(ledger: &dyn Ledger, members: &[u64]) -> Task {
    let target = list(ledger, members);
    request(nation::actor(Role::Ca(IssuerNo(1))), Command::Set { target, change: SetChange::Held })
}

fn list(ledger: &dyn Ledger, members: &[u64]) -> SetTarget {
    let members: Vec<_> = members.iter().copied().map(CertificateNo).collect();
    let list = ledger.new_list().unwrap();
    ledger.add_to_list(list, &members).unwrap();
    let octets: Vec<u8> = members.iter().flat_map(|no| no.0.to_be_bytes()).collect();
    SetTarget::Listed { list, count: members.len() as u64, digest: sha256(&[&octets]) }
}
