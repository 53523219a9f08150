//! The contract of `tashika::ledger::Ledger`, case by case, against every ledger there is: the one in memory, the lying
//! one, SQLite and PostgreSQL. A case that can't apply to a ledger is named in [`world::CANNOT_APPLY`] with its reason.

#![allow(clippy::unwrap_used, reason = "a case that can't go on should stop where it is, whatever helper it is in")]
#![allow(clippy::disallowed_methods, reason = "a wait is judged by the time it takes; nothing here is simulated")]

#[path = "../support/lying_ledger.rs"]
#[allow(dead_code, reason = "shared with the simulation, which uses other parts")]
mod lying_ledger;
#[path = "../support/memory_ledger.rs"]
#[allow(dead_code, reason = "shared with the simulation, which uses other parts")]
mod memory_ledger;
#[path = "../support/nation.rs"]
#[allow(dead_code, reason = "shared with the simulation, which uses other parts")]
mod nation;
#[path = "../support/police.rs"]
mod police;
#[path = "../support/postgres_proxy.rs"]
#[allow(dead_code, reason = "shared with PostgreSQL's own tests, which use other parts")]
mod postgres_proxy;
#[path = "../support/postgres.rs"]
#[allow(dead_code, reason = "shared with PostgreSQL's own tests, which use other parts")]
mod postgres_server;
#[path = "../support/rng.rs"]
#[allow(dead_code, reason = "shared with the simulation, which uses other parts")]
mod rng;

mod clockwork;
mod finding;
mod losses;
mod memory;
mod order;
mod policing;
mod postgres;
mod processes;
mod reader;
mod scanning;
mod sets;
mod sqlite;
mod world;
mod writer;

/// Every case, once, as one test per ledger.
macro_rules! contract {
    ($world:ident, $make:expr) => {
        mod $world {
            contract! { @cases $world, $make;
                clockwork::{
                    a_heartbeat_never_goes_back,
                    no_event_is_dated_before_a_heartbeat,
                    a_lease_has_one_holder_under_concurrent_nodes,
                    a_lease_is_taken_over_after_its_end_and_not_before,
                    an_answer_is_kept_and_not_overwritten,
                    budgets_count_the_hour_and_the_peak_of_four_weeks,
                    one_answer_without_an_event_wins,
                    the_inbox_is_decided_once,
                    the_queue_says_what_waits,
                    timers_come_due_in_order_and_are_done_once,
                    upkeep_comes_to_an_end,
                },
                finding::{
                    a_certificate_is_found_by_each_of_its_names_and_once,
                    a_family_is_found_whole_and_no_other,
                    a_search_says_where_the_ledger_stands,
                    registered_answers_in_the_order_asked,
                    rows_are_paged_as_they_were_written,
                    the_book_says_what_was_added,
                    what_is_not_there_is_not_found,
                },
                losses::{
                    a_connection_lost_after_the_commit_is_found_out,
                    a_corrupted_event_is_noticed,
                    a_corrupted_row_is_damage,
                    a_corrupted_status_is_damage,
                    a_forked_copy_is_noticed_by_a_reader,
                    a_full_disk_refuses_and_loses_nothing,
                    a_killed_server_loses_nothing_acknowledged,
                    a_killed_writer_loses_nothing_acknowledged,
                    a_ledger_is_not_made_twice,
                    a_newer_schema_is_left_alone,
                    a_twin_of_a_lost_batch_is_not_taken_for_it,
                    what_is_no_ledger_is_said_to_be_none,
                    what_is_not_there_is_missing,
                },
                order::{
                    a_batch_is_written_whole_or_not_at_all,
                    a_batch_on_an_old_head_is_refused,
                    a_batch_on_another_history_is_refused,
                    a_turn_is_given_back_whatever_happens,
                    a_turn_keeps_others_from_writing,
                    a_wait_ends_with_anothers_commit_or_at_its_bound,
                    a_wait_for_the_inbox_ends_with_a_submission_or_at_its_bound,
                    events_are_paged_in_order,
                    one_change_of_one_status_wins,
                    positions_are_contiguous_under_concurrent_processes,
                    positions_are_contiguous_under_concurrent_threads,
                    rounds_of_crls_get_rising_numbers_under_concurrent_publishers,
                    the_head_is_where_the_last_batch_led,
                },
                scanning::{
                    a_scan_is_consistent_while_writers_go_on,
                    a_scan_stops_when_told_to,
                    a_scan_tells_what_a_search_tells,
                },
                sets::{
                    a_list_is_paged_and_closed_by_its_event,
                    a_released_set_lifts_its_own_hold_only,
                    a_set_of_a_batch_covers_its_members,
                    a_set_of_a_list_covers_its_members,
                    a_set_of_an_issuer_covers_its_members,
                    a_set_that_revokes_is_final_and_begins_with_the_hold,
                    changes_after_a_set_build_on_it,
                },
            }
        }
    };
    (@cases $world:ident, $make:expr; $($room:ident::{$($case:ident),+ $(,)?}),+ $(,)?) => {
        $($(
            #[test]
            fn $case() {
                crate::world::run(stringify!($world), stringify!($case), &$make, crate::$room::$case);
            }
        )+)+

        /// Every case by name, so that the list of exceptions can't name one that isn't there.
        pub const CASES: &[&str] = &[$($(stringify!($case)),+),+];
    };
}

contract!(memory_ledger_world, crate::memory::Honest::new());
contract!(lying_ledger_world, crate::memory::Lying::new());
contract!(sqlite_ledger_world, crate::sqlite::Embedded::new());
contract!(postgres_world, crate::postgres::Postgres::new());

#[test]
fn every_exception_names_a_case_and_a_ledger() {
    let known = [
        ("lying_ledger_world", lying_ledger_world::CASES),
        ("memory_ledger_world", memory_ledger_world::CASES),
        ("sqlite_ledger_world", sqlite_ledger_world::CASES),
        ("postgres_world", postgres_world::CASES),
    ];
    for exception in world::CANNOT_APPLY {
        for name in exception.worlds {
            let cases = known.iter().find(|(world, _)| world == name).map(|(_, cases)| *cases);
            let cases = cases.unwrap_or_else(|| panic!("no ledger is called {name}"));
            assert!(cases.contains(&exception.case), "no case is called {}", exception.case);
        }
    }
}
