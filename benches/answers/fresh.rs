//! From a commit in the ledger by another process to the first answer that shows it, while others are answered, too.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};
use tashika::app::Writer;
use tashika::desk::{Desk, Task};
use tashika::ledger::Ledger;
use tashika::ledger::postgres::PostgresLedger;
use tashika::ledger::sqlite::SqliteLedger;
use tashika::model::{Actor, CertificateKey, Channel, Command, PersonId, Policy, Request, Role};

use crate::Scale;
use crate::asker::Asker;
use crate::house::{self, House};
use crate::postgres_server::Cluster;
use crate::served::{certificate, time};
use crate::table::{Table, Verdict};

/// On the embedded ledger.
pub fn sqlite(scale: Scale, table: &mut Table) {
    let house = House::on("sqlite:ledger.db");
    let ledger = SqliteLedger::open(&house.path().join("ledger.db")).expect("the ledger that was made");
    by_holds(&house, Arc::new(ledger), scale, ("SQLite", 20.0, 5.0), table);
}

/// On PostgreSQL, and there by a CA's SQL, too.
pub fn postgres(scale: Scale, table: &mut Table) {
    let cluster = Cluster::start(&[]);
    // They are served as a fleet would serve them: by a login that owns nothing.
    cluster.must("postgres", "postgres", "CREATE ROLE node LOGIN; CREATE ROLE ca LOGIN");
    let house = || {
        let (owner, database) = cluster.new_database();
        let house = House::on(&owner);
        cluster.must("postgres", &database, "GRANT tashika_server TO node");
        let server = cluster.url("node", &database);
        house.configure(|text| text.replace(&owner, &server));
        let ledger: Arc<dyn Ledger> = Arc::new(PostgresLedger::open(&server).expect("the ledger that was made"));
        (house, ledger, database)
    };
    let (by_api, ledger, _) = house();
    by_holds(&by_api, ledger, scale, ("PostgreSQL", 50.0, 15.0), table);

    let (by_sql, ledger, database) = house();
    let (keys, _running) = furnish_and_serve(&by_sql, &ledger, scale);
    cluster.must("postgres", &database, "SELECT tashika.grant_ca('ca', 1)");
    let mut ca = Client::connect(&cluster.url("ca", &database), NoTls).expect("a session of the CA");
    let mut revoke = |key: CertificateKey| {
        let serial = key.serial.to_string();
        let sql = "SELECT tashika.submit_revocation($1, 'superseded')";
        ca.query(sql, &[&serial]).expect("a submission, committed");
    };
    row(latencies(&mut revoke, &keys), ("PostgreSQL by SQL function", 100.0, 30.0), table);
}

type Bounds = (&'static str, f64, f64);

fn by_holds(house: &House, ledger: Arc<dyn Ledger>, scale: Scale, bounds: Bounds, table: &mut Table) {
    let (keys, _running) = furnish_and_serve(house, &ledger, scale);
    let policy = Policy { budget_floor: u32::MAX, ..Policy::default() };
    let writer = Writer::new(Desk::new(ledger, policy), time);
    let mut hold = |key| {
        let actor = Actor { role: Role::CallCentre, person: PersonId([7; 16]), channel: Channel::Api };
        let command = Command::Hold { key, lost_at: None };
        writer.submit(Task::Request(Request { actor, command, idempotency: None })).expect("a hold");
    };
    row(latencies(&mut hold, &keys), bounds, table);
}

/// Registers certificates to be changed; serves, and lets others ask.
fn furnish_and_serve(
    house: &House,
    ledger: &Arc<dyn Ledger>,
    scale: Scale,
) -> (Vec<CertificateKey>, (house::Killed, house::Killed)) {
    let count = if scale.rounds > 2 { 1_000 } else { 100 };
    house::furnish(ledger, count);
    let keys = (1..=count).map(|number| certificate(number).key).collect();
    let served = house.serve();
    let others = house.others(scale.seconds * 60);
    (keys, (served, others))
}

fn row(mut latencies: Vec<f64>, (which, must, aim): Bounds, table: &mut Table) {
    latencies.sort_by(f64::total_cmp);
    let [p50, p99] = [50, 99].map(|percent| latencies[latencies.len() * percent / 100]);
    table.row(
        format!("commit by another process → first answer that shows it, at half load, {which}"),
        format!("p99 {p99:.1} ms (p50 {p50:.1} ms, {} changes)", latencies.len()),
        &format!("≤ {must} ms"),
        &format!("≤ {aim} ms"),
        Verdict::at_most(p99, must, aim),
    );
}

/// One change after another; of each, how long it took until it was shown.
fn latencies(commit: &mut dyn FnMut(CertificateKey), keys: &[CertificateKey]) -> Vec<f64> {
    let shown = |(at, key): (u64, &CertificateKey)| {
        // Not always at the same moment of anybody's round.
        std::thread::sleep(Duration::from_micros(at * 7_919 % 25_000));
        shown_after(commit, *key)
    };
    (0..).zip(keys).map(shown).collect()
}

/// Milliseconds from the moment in which `commit` has committed to the first answer that isn't good any more.
fn shown_after(commit: &mut dyn FnMut(CertificateKey), key: CertificateKey) -> f64 {
    let mut asker = Asker::connect();
    assert!(asker.is_good(&key.serial), "nothing was changed yet");
    let polls = AtomicBool::new(true);
    std::thread::scope(|scope| {
        let poll = scope.spawn(|| {
            while polls.load(Ordering::Relaxed) {
                if !asker.is_good(&key.serial) {
                    return Some(Instant::now());
                }
            }
            None
        });
        commit(key);
        let acknowledged = Instant::now();
        while !poll.is_finished() && acknowledged.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_micros(200));
        }
        polls.store(false, Ordering::Relaxed);
        let shown = poll.join().expect("a poll").expect("an answer shows it within five seconds");
        shown.saturating_duration_since(acknowledged).as_secs_f64() * 1e3
    })
}
