//! `serve` on PostgreSQL: the lease passes on there, too, and a database that goes away and comes back is no reason to
//! end, or to be started again.

use std::path::{Path, PathBuf};
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

#[test]
fn what_a_ca_submits_is_decided_by_whoever_serves_also_once_its_listener_was_cut_off() {
    let cluster = Cluster::start(&[]);
    let dir = tempfile::tempdir().unwrap();
    let (url, database) = cluster.new_database();
    let config = installation_on(&url, dir.path());
    let ca = Path::new(env!("CARGO_MANIFEST_DIR")).join("certs-testdata/phone-auth-p256/issuer.pem");
    let (config_file, ca) = (config.to_str().unwrap(), ca.to_str().unwrap());
    let (code, out, error) = run(&["issuer", "add", "--config", config_file, "--name", "phone", "--cert", ca]);
    assert_eq!(code, 0, "{out}{error}");
    cluster.must("postgres", &database, "CREATE ROLE ca LOGIN; SELECT tashika.grant_ca('ca', 1)");
    let mut serve = Program::serve(&config, &[]);
    serve.addresses("listening ");
    let is_done = |submits: &str| {
        let number = cluster.must("ca", &database, &format!("SELECT tashika.submit_{submits}"));
        let became = || cluster.must("ca", &database, &format!("SELECT state, why FROM tashika.submission({number})"));
        until(submits, || became() != "waiting|");
        assert_eq!(became(), "done|", "{submits}");
    };
    is_done(
        r#"registration('{"serial": "0A", "type": "AUTH", "holder": "000102030405060708090a0b0c0d0e0f",
            "not_before": "2026-01-01T00:00:00Z", "not_after": "2031-01-01T00:00:00Z",
            "medium": {"kind": "CARD", "id": "ffffffffffffffffffffffffffffffff"}}')"#,
    );
    let cut = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'";
    until("it listens", || cluster.must("postgres", &database, cut) != "0");
    is_done("revocation('0A', 'superseded')");
    until("it listens again", || cluster.must("postgres", &database, cut) != "0");
    is_done("revocation('0A', 'keyCompromise')");
    assert!(serve.end("TERM").success());
}

/// An empty installation on a database of its own; its configuration.
fn installation(cluster: &Cluster, dir: &Path) -> PathBuf {
    installation_on(&cluster.new_database().0, dir)
}

fn installation_on(url: &str, dir: &Path) -> PathBuf {
    let dir = dir.join("installation");
    let (code, out, error) = run(&["init", "--dir", dir.to_str().unwrap(), "--ledger", url]);
    assert_eq!(code, 0, "{out}{error}");
    dir.join("tashika.toml")
}

/// As on SQLite, with a server between.
const TAKEOVER_MAX: Duration = Duration::from_millis(1_500);
