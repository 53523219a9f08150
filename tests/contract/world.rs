//! What a ledger's surroundings offer the cases: other handles on it, and ways to harm it. And the list of what can't be.

use std::time::Duration;

use tashika::ledger::{Ledger, LedgerError};

use crate::processes::Address;

/// One ledger, freshly made (its first batch is `nation::genesis(1)`), and everything that can be done to it.
///
/// A way to harm it that makes no sense for this ledger is `None`; [`CANNOT_APPLY`] must then name the case.
pub trait World: Sync {
    /// A handle of its own on the ledger, as another process would open it.
    fn open(&self) -> Box<dyn Ledger>;

    /// Writes a command into the inbox as issuer 1's CA.
    fn put_in_inbox(&self, command: &str) -> Option<u64>;

    /// How a process of its own opens the ledger.
    fn address(&self) -> Option<Address> {
        None
    }

    /// Kills what keeps the data with SIGKILL, whatever it is doing; [`revive`](World::revive) starts it again.
    fn kill(&self) -> Option<()> {
        None
    }

    /// Starts again what was killed.
    fn revive(&self) {}

    /// How long a case lets a handle wait: far longer than a wake-up may take, unless wake-ups are lies.
    fn patience(&self) -> Duration {
        Duration::from_secs(60)
    }

    /// A handle whose connection breaks after the next append was committed, before its caller hears of it.
    fn breaking_after_commit(&self) -> Option<Box<dyn Ledger>> {
        None
    }

    /// A handle that soon finds no space. `make_room` ends that.
    fn filling_up(&self) -> Option<Box<dyn Ledger>> {
        None
    }

    /// Gives space again.
    fn make_room(&self) {}

    /// Alters what is stored, behind the ledger's back, in place.
    fn corrupt(&self, _what: Corruption) -> Option<()> {
        None
    }

    /// A ledger that begins as a copy of this one and goes its own way.
    fn fork(&self) -> Option<Box<dyn Ledger>> {
        None
    }

    /// Opens the ledger after it was marked as made by a newer program.
    fn open_from_the_future(&self) -> Option<Result<Box<dyn Ledger>, LedgerError>> {
        None
    }

    /// Opens something that is no ledger.
    fn open_rubbish(&self) -> Option<Result<Box<dyn Ledger>, LedgerError>> {
        None
    }

    /// Opens a place where nothing is.
    fn open_nothing(&self) -> Option<Result<Box<dyn Ledger>, LedgerError>> {
        None
    }

    /// Makes another ledger at the same place.
    fn create_again(&self) -> Option<Result<Box<dyn Ledger>, LedgerError>> {
        None
    }
}

/// What is altered behind the ledger's back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corruption {
    /// One octet of the bytes of event 2.
    Event,
    /// The row of certificate 1 loses its end.
    Row,
    /// The status of certificate 1 loses its end.
    Status,
}

/// A case that makes no sense for some ledgers.
pub struct Exception {
    pub case: &'static str,
    pub worlds: &'static [&'static str],
    pub why: &'static str,
}

/// Every case that isn't run against some ledger. A case listed here that could run fails as well.
pub const CANNOT_APPLY: &[Exception] = &[
    Exception {
        case: "positions_are_contiguous_under_concurrent_processes",
        worlds: &["memory_ledger_world", "lying_ledger_world"],
        why: "memory is one process's own",
    },
    Exception {
        case: "a_killed_writer_loses_nothing_acknowledged",
        worlds: &["memory_ledger_world", "lying_ledger_world"],
        why: "memory dies with its process; the simulation kills desks in the middle of a call instead",
    },
    Exception {
        case: "a_killed_server_loses_nothing_acknowledged",
        worlds: &["memory_ledger_world", "lying_ledger_world", "sqlite_ledger_world"],
        why: "there is no server",
    },
    Exception {
        case: "the_inbox_is_decided_once",
        worlds: &["sqlite_ledger_world"],
        why: "an outside CA writes by SQL functions, which only a database server has",
    },
    Exception {
        case: "a_wait_for_the_inbox_ends_with_a_submission_or_at_its_bound",
        worlds: &["sqlite_ledger_world"],
        why: "an outside CA writes by SQL functions, which only a database server has",
    },
    Exception {
        case: "a_connection_lost_after_the_commit_is_found_out",
        worlds: &["memory_ledger_world", "sqlite_ledger_world"],
        why: "there is no connection; the lying ledger plays one",
    },
    Exception {
        case: "a_full_disk_refuses_and_loses_nothing",
        worlds: &["memory_ledger_world"],
        why: "there is no disk; the lying ledger plays one",
    },
    Exception {
        case: "a_corrupted_status_is_damage",
        worlds: &["memory_ledger_world", "lying_ledger_world"],
        why: "statuses are kept as values: there are no bytes to corrupt",
    },
    Exception {
        case: "a_newer_schema_is_left_alone",
        worlds: &["memory_ledger_world", "lying_ledger_world"],
        why: "nothing is kept for a later program",
    },
    Exception {
        case: "a_ledger_is_not_made_twice",
        worlds: &["memory_ledger_world", "lying_ledger_world"],
        why: "it has no place where another could be",
    },
    Exception {
        case: "what_is_no_ledger_is_said_to_be_none",
        worlds: &["memory_ledger_world", "lying_ledger_world"],
        why: "it has no place where something else could be",
    },
    Exception {
        case: "what_is_not_there_is_missing",
        worlds: &["memory_ledger_world", "lying_ledger_world"],
        why: "it has no place where nothing could be",
    },
];

/// Runs a case; it must apply, or be listed as one that can't.
pub fn run(world_name: &str, case_name: &str, world: &dyn World, case: fn(&dyn World) -> Option<()>) {
    let listed = CANNOT_APPLY.iter().find(|e| e.case == case_name && e.worlds.contains(&world_name));
    match (case(world), listed) {
        (Some(()), None) => {}
        (None, Some(exception)) => eprintln!("{case_name} can't apply to {world_name}: {}", exception.why),
        (None, None) => panic!("{world_name} offers too little for {case_name}, and no exception says why"),
        (Some(()), Some(exception)) => {
            panic!("{case_name} does apply to {world_name}: strike the exception ({})", exception.why)
        }
    }
}
