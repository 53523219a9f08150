//! Whatever stays open in the database for hours (a CA's transaction, a backup, a report), the ledger stays fast.

use postgres::{Client, NoTls};
use tashika::ledger::{Ledger, Wanted};
use tashika::model::BudgetKey;

use crate::fixture::{Fixture, commit, marker};
use crate::nation;

/// Dead versions of the head, of budgets and of heartbeats can't be removed while an old transaction is open. Whoever
/// looks must not have to pass them.
#[test]
fn dead_versions_are_not_in_the_way_of_whoever_looks_for_the_live_one() {
    let fixture = Fixture::furnished();
    let ca = fixture.ca(1);
    let mut abandoned = Client::connect(&fixture.cluster.url(&ca, &fixture.database), NoTls).unwrap();
    abandoned.batch_execute("BEGIN; SELECT tashika.submit_acknowledgement('01')").unwrap();
    let key = BudgetKey("call-centre report card-lost".into());
    let hour = nation::at(0).japan_hour();
    for number in 0..APPENDS {
        commit(&fixture.ledger, &[], |found, batch| {
            batch.record(marker("busy", found.head.time));
            batch.budgets.push((key.clone(), hour, 1));
        });
        fixture.ledger.beat(nation::at(number)).unwrap();
    }
    let dead = fixture.owner(
        "SELECT string_agg(relname || ' ' || (pg_relation_size(oid) / 8192), ', ' ORDER BY 1) FROM pg_class
         WHERE relname IN ('head', 'budget', 'heartbeat')",
    );
    for statement in [
        "SELECT position FROM tashika.head ORDER BY position DESC, \"time\" DESC LIMIT 1".to_owned(),
        "SELECT beat FROM tashika.heartbeat ORDER BY beat DESC LIMIT 1".to_owned(),
        format!("SELECT used FROM tashika.budget WHERE key = '{}' AND hour = {hour} ORDER BY used DESC LIMIT 1", key.0),
    ] {
        let plan = fixture.owner(&format!("SET enable_seqscan = off; EXPLAIN (ANALYZE, BUFFERS) {statement}"));
        assert!(buffers(&plan) <= 8, "{statement}\n{plan}\npages: {dead}");
    }
    let wanted = Wanted { budgets: vec![key], hour, ..Wanted::default() };
    assert_eq!(fixture.ledger.find(&wanted).unwrap().budgets[0].1.this_hour, APPENDS as u32);
    abandoned.batch_execute("COMMIT").unwrap();
    assert_eq!(fixture.ledger.inbox(10).unwrap().len(), 1);
}

/// Pages looked at, of the whole statement.
fn buffers(plan: &str) -> u32 {
    let line = plan.lines().find_map(|line| line.trim().strip_prefix("Buffers: shared "));
    let line = line.unwrap_or_else(|| panic!("{plan}"));
    line.split_whitespace()
        .filter_map(|part| part.split_once('='))
        .map(|(_, pages)| pages.parse::<u32>().unwrap())
        .sum()
}

const APPENDS: i64 = 1_500;
