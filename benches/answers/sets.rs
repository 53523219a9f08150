//! A listed set over ten million certificates, from its commit in the ledger by another process to the first right answer:
//! read from the ledger by the follower, laid over the table, signed, sent.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tashika::ledger::postgres::PostgresLedger;
use tashika::ledger::sqlite::SqliteLedger;
use tashika::ledger::{Batch, Ledger, sha256};
use tashika::model::{Body, CertificateNo, Event, Reason, SetChange, SetTarget};

use crate::Scale;
use crate::asker::Asker;
use crate::house::{self, House};
use crate::postgres_server::Cluster;
use crate::served::{serial, time};
use crate::table::{Table, Verdict};

/// From the embedded ledger.
pub fn sqlite(scale: Scale, table: &mut Table) {
    let house = House::on("sqlite:ledger.db");
    let ledger = SqliteLedger::open(&house.path().join("ledger.db")).expect("the ledger that was made");
    listed(&house, &(Arc::new(ledger) as Arc<dyn Ledger>), "SQLite", scale, table);
}

/// From PostgreSQL.
pub fn postgres(scale: Scale, table: &mut Table) {
    let cluster = Cluster::start(&[("shared_buffers", "2GB"), ("max_wal_size", "8GB")]);
    let (url, _) = cluster.new_database();
    let house = House::on(&url);
    let ledger = PostgresLedger::open(&url).expect("the ledger that was made");
    listed(&house, &(Arc::new(ledger) as Arc<dyn Ledger>), "PostgreSQL", scale, table);
}

fn listed(house: &House, ledger: &Arc<dyn Ledger>, which: &str, scale: Scale, table: &mut Table) {
    let count = scale.ten_million;
    house::furnish(ledger, count);
    let last = ledger.head().expect("a head").certificates;
    let target = list(&**ledger, last + 1 - count..=last);
    let _served = house.serve();
    let mut asker = Asker::connect();
    assert!(asker.is_good(&serial(1)), "nothing was revoked yet");
    let revoke = |batch: &mut Batch| {
        let body =
            Body::SetChanged { target: target.clone(), change: SetChange::Revoked { reason: Reason::Superseded } };
        batch.record(Event { time: time(), actor: house::ca(), cause: None, body });
    };
    let appended = ledger.append_in_turn(&mut |head| {
        let mut batch = Batch::on(head.clone());
        revoke(&mut batch);
        Ok(batch)
    });
    let committed = Instant::now();
    appended.expect("a set event");
    while asker.is_good(&serial(1)) {
        std::thread::sleep(Duration::from_millis(2));
    }
    let took = committed.elapsed().as_secs_f64();
    let asked = (1..=count).step_by((count / 1_000).max(1) as usize);
    asked.for_each(|number| assert!(!asker.is_good(&serial(number)), "certificate {number} is in the set"));
    let name = format!(
        "set event over {count} certificates by another process, listed set, read from {which} → in every answer"
    );
    table.row(name, format!("{took:.1} s"), "≤ 30 s", "≤ 10 s", Verdict::at_most(took, 30.0, 10.0));
}

/// Writes the list that the event will name.
fn list(ledger: &dyn Ledger, numbers: std::ops::RangeInclusive<u64>) -> SetTarget {
    let list = ledger.new_list().expect("a list");
    let numbers: Vec<u64> = numbers.collect();
    for chunk in numbers.chunks(CHUNK) {
        let members: Vec<_> = chunk.iter().copied().map(CertificateNo).collect();
        ledger.add_to_list(list, &members).expect("members");
    }
    let octets: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
    SetTarget::Listed { list, count: numbers.len() as u64, digest: sha256(&[&octets]) }
}

const CHUNK: usize = 50_000;
