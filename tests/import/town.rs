//! What the cases share: a ledger with two issuers, a clock, and imports in one line.

use std::cell::Cell;
use std::time::{Duration, Instant};

use tashika::desk::bulk::{Bulk, BulkError, Clock, Counts, Job, Notice, OnBad, Plan, Source};
use tashika::ledger::import::{Defaults, Format, Kind};
use tashika::ledger::{Batch, Ledger, Wanted, sha256};
use tashika::model::{Body, CertificateKey, Entry, Event, IssuerNo, PersonId, Policy, Role, ScopeNo, Serial, Time};

use crate::memory_ledger::MemoryLedger;
use crate::nation;

/// A time of day that the case sets, and ticks that are real.
pub struct TownClock {
    pub now: Cell<Time>,
    began: Instant,
}

impl Clock for TownClock {
    fn now(&self) -> Time {
        self.now.get()
    }

    fn ticks(&self) -> Duration {
        self.began.elapsed()
    }
}

/// A ledger with issuers 1 and 2 and a scope for each, and who imports into it.
pub struct Town {
    pub ledger: Box<dyn Ledger>,
    pub clock: TownClock,
    pub policy: Policy,
}

/// What an import told and came to.
#[derive(Debug)]
pub struct Imported {
    pub plan: Plan,
    pub counts: Counts,
    /// The bad entries: their place, and why.
    pub bad: Vec<(u64, String)>,
}

/// An import that was refused.
#[derive(Debug)]
pub struct Refused {
    pub error: BulkError,
    pub bad: Vec<(u64, String)>,
}

impl Town {
    pub fn new() -> Self {
        let ledger = MemoryLedger::create(&nation::genesis(1));
        let mut batch = Batch::on(ledger.head().unwrap());
        nation::add_issuers(&mut batch, 2);
        ledger.append(&batch).unwrap();
        Self::on(Box::new(ledger))
    }

    pub fn on(ledger: Box<dyn Ledger>) -> Self {
        let clock = TownClock { now: Cell::new(nation::at(100)), began: Instant::now() };
        Self { ledger, clock, policy: Policy::default() }
    }

    pub fn bulk(&self) -> Bulk<'_> {
        Bulk { ledger: &*self.ledger, policy: &self.policy, clock: &self.clock, person: PersonId(nation::name(6, 9)) }
    }

    pub fn defaults(&self) -> Defaults {
        Defaults {
            usage: None,
            medium: None,
            batch: None,
            municipality: None,
            scope: None,
            known_from: self.clock.now.get(),
        }
    }

    pub fn job<'a>(&self, source: &'a dyn Source, format: Format) -> Job<'a> {
        let (issuer, defaults) = (IssuerNo(1), self.defaults());
        Job { source, format, issuer, defaults, pseudonym: &pseudonym, on_bad: OnBad::Refuse }
    }

    pub fn import(&self, text: impl AsRef<[u8]>, format: Format) -> Result<Imported, Refused> {
        let text = text.as_ref().to_vec();
        self.import_job(&self.job(&text, format))
    }

    pub fn import_job(&self, job: &Job<'_>) -> Result<Imported, Refused> {
        let mut bad = Vec::new();
        let mut note = |notice: Notice<'_>| {
            if let Notice::Bad { place, fault, .. } = notice {
                bad.push((place, fault.to_string()));
            }
        };
        let before = self.ledger.head();
        let plan = match self.bulk().plan(job, &mut note) {
            Ok(plan) => plan,
            Err(error) => {
                if let (Ok(before), Ok(after)) = (before, self.ledger.head()) {
                    assert_eq!(before, after, "a plan wrote something");
                }
                return Err(Refused { error, bad });
            }
        };
        match self.bulk().run(job, &plan, &mut note) {
            Ok(counts) => Ok(Imported { plan, counts, bad }),
            Err(error) => Err(Refused { error, bad }),
        }
    }

    /// Records something beside an import.
    pub fn record(&self, role: Role, body: Body) {
        let mut batch = Batch::on(self.ledger.head().unwrap());
        batch.record(Event { time: self.clock.now.get(), actor: nation::actor(role), cause: None, body });
        self.ledger.append(&batch).unwrap();
    }

    pub fn entry(&self, serial: &str) -> Option<Entry> {
        let key = CertificateKey { issuer: IssuerNo(1), serial: serial.parse::<Serial>().unwrap() };
        let wanted = Wanted { keys: vec![key], ..Wanted::default() };
        self.ledger.find(&wanted).unwrap().entries.pop()
    }

    /// Adds a scope to issuer 1.
    pub fn add_scope(&self, distribution_point: Vec<u8>, path: &str) -> ScopeNo {
        let (_, book) = self.ledger.book().unwrap();
        let no = ScopeNo(book.scopes.len() as u32 + 1);
        let scope = tashika::model::Scope { no, issuer: IssuerNo(1), distribution_point, path: path.into() };
        self.record(Role::Ops, Body::ScopeAdded(scope));
        no
    }
}

impl Refused {
    /// The only bad entry.
    pub fn only(&self) -> (u64, &str) {
        assert!(matches!(self.error, BulkError::Bad { bad: 1, .. }), "{self:?}");
        match &self.bad[..] {
            [(place, why)] => (*place, why),
            other => panic!("not one bad entry: {other:?}"),
        }
    }
}

pub fn pseudonym(kind: Kind, text: &str) -> [u8; 16] {
    sha256(&[format!("{kind:?}\n").as_bytes(), text.as_bytes()])[..16].try_into().unwrap()
}
