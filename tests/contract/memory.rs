//! The surroundings of the ledgers in memory: the honest one, and the one that lies within the contract.

use std::time::Duration;

use tashika::ledger::Ledger;
use tashika::model::{CertificateNo, IssuerNo};

use crate::lying_ledger::{Lies, LyingLedger};
use crate::memory_ledger::MemoryLedger;
use crate::nation;
use crate::rng::Rng;
use crate::world::{Corruption, World};

/// The ledger in memory, as it is.
pub struct Honest {
    ledger: MemoryLedger,
}

/// The ledger in memory behind lies: appends break before and after they are written, others write in between, pages
/// are short, wake-ups false. Searches tell the truth: the cases read what they have just written.
pub struct Lying {
    honest: Honest,
    handle: LyingLedger,
}

impl Honest {
    pub fn new() -> Self {
        Self { ledger: MemoryLedger::create(&nation::genesis(1)) }
    }
}

impl Lying {
    pub fn new() -> Self {
        let honest = Honest::new();
        let handle = LyingLedger::new(honest.ledger.clone(), Rng::new(SEED), LIES);
        Self { honest, handle }
    }
}

impl World for Honest {
    fn open(&self) -> Box<dyn Ledger> {
        Box::new(self.ledger.clone())
    }

    fn put_in_inbox(&self, command: &str) -> Option<u64> {
        Some(self.ledger.put_in_inbox(IssuerNo(1), command))
    }

    fn corrupt(&self, what: Corruption) -> Option<()> {
        let mut state = self.ledger.state();
        let no = CertificateNo(1);
        match what {
            Corruption::Event => *state.events[1].bytes.last_mut()? ^= 1,
            Corruption::Row => _ = state.rows.get_mut(&no)?.pop(),
            Corruption::Status => return None,
        }
        Some(())
    }

    fn fork(&self) -> Option<Box<dyn Ledger>> {
        Some(Box::new(self.ledger.fork()))
    }
}

impl World for Lying {
    fn patience(&self) -> Duration {
        Duration::from_millis(50)
    }

    fn open(&self) -> Box<dyn Ledger> {
        Box::new(self.handle.clone())
    }

    fn put_in_inbox(&self, command: &str) -> Option<u64> {
        self.honest.put_in_inbox(command)
    }

    fn breaking_after_commit(&self) -> Option<Box<dyn Ledger>> {
        let lies = Lies { uncertain_written: 1000, ..Lies::default() };
        Some(Box::new(LyingLedger::new(self.honest.ledger.clone(), Rng::new(SEED), lies)))
    }

    fn filling_up(&self) -> Option<Box<dyn Ledger>> {
        self.handle.set_lies(Lies { full: 700, ..Lies::default() });
        Some(self.open())
    }

    fn make_room(&self) {
        self.handle.set_lies(LIES);
    }

    fn corrupt(&self, what: Corruption) -> Option<()> {
        self.honest.corrupt(what)
    }

    fn fork(&self) -> Option<Box<dyn Ledger>> {
        self.honest.fork()
    }
}

const SEED: u64 = 20_261_120;

const LIES: Lies = Lies {
    unreachable: 0,
    full: 50,
    uncertain_written: 150,
    uncertain_lost: 150,
    second_writer: 100,
    stale: 0,
    torn: 0,
    short_page: 300,
    false_wake: 300,
    crash: 0,
};
