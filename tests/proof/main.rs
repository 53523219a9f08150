//! The proof of history: `verify` and the followers against somebody who can write anything into the database.

#![allow(clippy::unwrap_used, reason = "a case that can't go on should stop where it is, whatever helper it is in")]

#[path = "../support/memory_ledger.rs"]
#[allow(dead_code, reason = "shared with the contract and the simulation, which use other parts")]
mod memory_ledger;
#[path = "../support/nation.rs"]
#[allow(dead_code, reason = "shared with the contract and the simulation, which use other parts")]
mod nation;
#[path = "../support/police.rs"]
#[allow(dead_code, reason = "shared with the contract and the simulation, which use other parts")]
mod police;
#[path = "../support/postgres.rs"]
#[allow(dead_code, reason = "shared with the contract and the simulation, which use other parts")]
mod postgres_server;
#[path = "../support/reader.rs"]
mod reader;

mod attacks;
#[allow(dead_code, reason = "shared with the follower's tests, which use other parts")]
mod history;
mod live;
mod memory;
mod postgres;
mod sqlite;
mod world;

/// Every case against every ledger.
macro_rules! proof {
    ($world:ident, $make:expr, $($case:ident),+ $(,)?) => {
        mod $world {
            $(#[test]
            fn $case() {
                crate::attacks::$case(&$make);
            })+
        }
    };
}

macro_rules! against {
    ($world:ident, $make:expr) => {
        proof! {
            $world, $make,
            a_consistently_rewritten_history_is_noticed,
            a_forged_heartbeat_is_noticed,
            a_hidden_certificate_is_noticed,
            a_ledger_that_only_beats_is_proved,
            a_number_of_crls_that_does_not_rise_is_noticed,
            a_removed_end_is_noticed,
            a_removed_event_is_noticed,
            a_removed_row_is_noticed,
            a_restored_backup_is_noticed,
            a_stolen_writer_s_key_does_not_help,
            an_added_row_is_noticed,
            an_adopted_epoch_needs_somebody_s_word,
            an_altered_event_is_noticed,
            an_altered_list_is_noticed,
            an_altered_queue_is_noticed,
            an_altered_row_is_noticed,
            an_altered_status_is_noticed,
            an_event_past_the_desk_is_noticed,
            a_hold_without_its_timer_is_noticed,
            an_honest_ledger_is_proved,
            an_unreadable_event_is_noticed,
            doubtful_evidence_is_named,
            little_memory_means_more_passes_not_less_proof,
            what_stands_beside_the_bytes_is_proved_too,
        }
    };
}

against!(in_memory, crate::memory::Memory::new());
against!(in_sqlite, crate::sqlite::Sqlite::new());
against!(in_postgres, crate::postgres::Postgres::new());
