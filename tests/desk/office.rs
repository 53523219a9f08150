//! A desk in a small nation, for the cases beside it: three holders, each with a card and a phone.

use std::sync::Arc;

use tashika::desk::{Desk, Done, Task};
use tashika::ledger::{Ledger, Wanted, decode_event};
use tashika::model::{
    Actor, CertificateKey, CertificateNo, Command, Event, HoldId, Issuer, IssuerNo, Outcome, Policy, Position, Report,
    ReportKind, Request, Role, Scope, ScopeNo, Status, Subject, Time, Usage,
};

use crate::memory_ledger::MemoryLedger;
use crate::nation::{actor, at, card, genesis, holder, in_sim, issuer, key, on_card, operator, phone, scope};

/// A desk and what it writes to. Dropping it asks the police.
pub struct Office {
    pub desk: Desk,
    pub ledger: MemoryLedger,
    pub now: Time,
}

impl Office {
    /// With three holders: certificate numbers 1 and 2 are holder 1's card SIGN and AUTH, 3 the phone's AUTH, 4 … holder 2's.
    pub fn open() -> Self {
        Self::with(Policy::default())
    }

    pub fn with(policy: Policy) -> Self {
        let ledger = MemoryLedger::create(&genesis(1));
        let mut desk = Desk::new(Arc::new(ledger.clone()), policy);
        let ops = actor(Role::Ops);
        for no in 1..=2 {
            let issuer = Issuer { no: IssuerNo(0), ..issuer(no) };
            desk.one(&Task::AddIssuer { actor: ops, issuer, scopes: Vec::new() }, at(0)).unwrap();
            let scope = Scope { no: ScopeNo(0), ..scope(no) };
            desk.one(&Task::AddScope { actor: ops, scope }, at(0)).unwrap();
        }
        for number in 1..=3 {
            let first = (number - 1) * 3 + 1;
            let cards =
                vec![on_card(key(1, first), number, Usage::Sign), on_card(key(1, first + 1), number, Usage::Auth)];
            desk.one(&Task::Register { actor: actor(Role::Ca(IssuerNo(1))), certificates: cards }, at(0)).unwrap();
            let under = CertificateNo(first);
            let phones = vec![in_sim(key(2, first + 2), number, operator("mno-1"), under)];
            desk.one(&Task::Register { actor: actor(Role::Ca(IssuerNo(2))), certificates: phones }, at(0)).unwrap();
        }
        Self { desk, ledger, now: at(60) }
    }

    pub fn command(&mut self, actor: Actor, command: Command) -> Done {
        self.request(Request { actor, command, idempotency: None })
    }

    pub fn request(&mut self, request: Request) -> Done {
        self.desk.one(&Task::Request(request), self.now)
    }

    pub fn report(&mut self, actor: Actor, kind: ReportKind, subject: Subject) -> Done {
        let report = self.report_of(kind, subject);
        self.command(actor, Command::Report(report))
    }

    pub fn report_of(&self, kind: ReportKind, subject: Subject) -> Report {
        Report { kind, subject, lost_at: None, reported_at: self.now, moved_to: None, evidence: None }
    }

    pub fn hold(&mut self, actor: Actor, key: CertificateKey) -> HoldId {
        let done = self.command(actor, Command::Hold { key, lost_at: None });
        let Ok(Outcome::Done { first, .. }) = done else { panic!("{done:?}") };
        HoldId(first)
    }

    /// The status of certificate `no`.
    pub fn status(&self, no: u64) -> Status {
        let wanted = Wanted { numbers: vec![CertificateNo(no)], ..Wanted::default() };
        self.ledger.find(&wanted).unwrap().entries.pop().unwrap().status
    }

    pub fn event(&self, position: Position) -> Event {
        let stored = Ledger::events_after(&self.ledger, Position(position.0 - 1), 1).unwrap();
        decode_event(&stored[0].bytes).unwrap()
    }

    pub fn position(&self) -> Position {
        Ledger::head(&self.ledger).unwrap().position
    }

    pub fn wait(&mut self, seconds: u32) {
        self.now = self.now + tashika::model::Seconds(seconds);
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.ledger.state().complaints, Vec::<String>::new());
        }
    }
}

/// A certificate key of the small nation, by certificate number.
pub fn key_of(no: u64) -> CertificateKey {
    key(if no.is_multiple_of(3) { 2 } else { 1 }, no)
}

pub fn card_of(number: u64) -> Subject {
    Subject::Medium(card(number))
}

pub fn phone_of(number: u64) -> Subject {
    Subject::Medium(phone(number))
}

pub fn all_of(number: u64) -> Subject {
    Subject::Holder(holder(number))
}

/// What was refused, as text; anything else fails the case.
pub fn refusal(done: Done) -> String {
    match done {
        Err(tashika::desk::DeskError::Refused(refusal)) => refusal.to_string(),
        other => panic!("expected a refusal, got {other:?}"),
    }
}
