//! `serve` on PostgreSQL: the lease passes on there, too, and a database that goes away and comes back is no reason to
//! end, or to be started again.

use std::path::PathBuf;
use std::time::Duration;

use crate::postgres::Cluster;
use crate::program::{Program, ask, readiness, run, until};

#[test]
fn the_lease_passes_on_after_kill_9() {
    let cluster = Cluster::start(&[]);
    let dir = tempfile::tempdir().unwrap();
    let config = installation(&cluster, dir.path());
    let mut first = Program::serve(&config, &[]);
    first.ready();
    let mut second = Program::serve(&config, &[]);
    let admin = second.ready().admin;
    assert_eq!(readiness(&admin).1["leads"], false, "one leads");
    first.kill();
    let took = until("the other leads", || readiness(&admin).1["leads"] == true);
    assert!(took < TAKEOVER_MAX, "{took:?}");
    assert!(second.end("TERM").success());
}

#[test]
fn a_database_that_goes_away_is_told_and_waited_for() {
    let cluster = Cluster::start(&[]);
    let dir = tempfile::tempdir().unwrap();
    let config = installation(&cluster, dir.path());
    let mut serve = Program::serve(&config, &[]);
    let at = serve.ready();
    cluster.kill();
    until("it is told", || {
        let (status, body) = readiness(&at.admin);
        assert_eq!(status, 200, "what it knows is young enough to answer: {body}");
        body["obstacles"][0]["kind"] == "ledger-unreachable" && body["degraded_seconds"].is_u64()
    });
    assert_eq!(ask(&at.admin, "GET", "/healthz").0, 200, "the process lives");
    // One that is started meanwhile waits, too.
    let mut late = Program::serve(&config, &[]);
    let late_at = late.addresses("listening ");
    until("it is told", || readiness(&late_at.admin).1["obstacles"][0]["kind"] == "ledger-unreachable");
    cluster.restart();
    assert_eq!(late.ready(), late_at);
    let all_is_well = |admin| readiness(admin).1["obstacles"].as_array().is_some_and(Vec::is_empty);
    until("it is back", || all_is_well(&at.admin) && all_is_well(&late_at.admin));
    let leading = [&at, &late_at].into_iter().filter(|at| readiness(&at.admin).1["leads"] == true).count();
    assert_eq!(leading, 1);
    // And it ends in order while the database is away.
    cluster.kill();
    assert!(serve.end("TERM").success());
    assert!(late.end("TERM").success());
}

/// An empty installation on a database of its own; its configuration.
fn installation(cluster: &Cluster, dir: &std::path::Path) -> PathBuf {
    let (url, _) = cluster.new_database();
    let dir = dir.join("installation");
    let (code, out, error) = run(&["init", "--dir", dir.to_str().unwrap(), "--ledger", &url]);
    assert_eq!(code, 0, "{out}{error}");
    dir.join("tashika.toml")
}

/// As on SQLite, with a server between.
const TAKEOVER_MAX: Duration = Duration::from_millis(1_500);
