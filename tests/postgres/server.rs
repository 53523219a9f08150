//! What kind of server and connection is accepted: durable ones only, and from afar only verified ones.

use std::path::Path;
use std::process::Command;

use tashika::ledger::postgres::PostgresLedger;
use tashika::ledger::{Ledger, LedgerError};

use crate::fixture::mark_surely;
use crate::nation;
use crate::postgres_server::Cluster;

#[test]
fn a_server_that_would_lose_what_it_acknowledged_is_refused() {
    let cluster = Cluster::start(&[("fsync", "off")]);
    let (url, _) = cluster.new_database();
    let error = PostgresLedger::create(&url, &nation::genesis(1)).err().unwrap();
    assert!(matches!(&error, LedgerError::Settings(why) if why.contains("fsync")), "{error}");
}

#[test]
fn commits_wait_for_the_disk_whatever_the_server_s_default() {
    let cluster = Cluster::start(&[("synchronous_commit", "off")]);
    let (url, database) = cluster.new_database();
    let ledger = PostgresLedger::create(&url, &nation::genesis(1)).unwrap();
    assert!(mark_surely(&ledger, "durable"));
    // All that was written is on the disk: nothing of it is lost.
    cluster.kill();
    cluster.restart();
    assert_eq!(ledger.head().unwrap().position.0, 2);
    assert_eq!(cluster.must("postgres", &database, "SELECT count(*) FROM tashika.event"), "2");
}

#[test]
fn a_database_of_another_encoding_is_refused() {
    let cluster = Cluster::shared();
    let sql = "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0";
    cluster.must("postgres", "postgres", sql);
    let error = PostgresLedger::create(&cluster.url("postgres", "latin"), &nation::genesis(1)).err().unwrap();
    assert!(matches!(&error, LedgerError::Settings(why) if why.contains("UTF8")), "{error}");
}

#[test]
fn a_server_that_is_away_is_unreachable_and_comes_back() {
    let cluster = Cluster::start(&[]);
    let (url, _) = cluster.new_database();
    let ledger = PostgresLedger::create(&url, &nation::genesis(1)).unwrap();
    cluster.kill();
    for _ in 0..2 {
        let error = ledger.head().unwrap_err();
        assert!(matches!(error, LedgerError::Unreachable(_)), "{error}");
    }
    assert!(matches!(PostgresLedger::open(&url), Err(LedgerError::Unreachable(_))));
    cluster.restart();
    assert_eq!(ledger.head().unwrap(), nation::genesis(1).next);
}

/// The database is on this machine, and called by a name that isn't this machine's.
#[test]
fn from_afar_the_certificate_must_lead_to_the_root_and_name_the_host() {
    let cluster = Cluster::start(&[]);
    certificates(cluster.folder());
    for (name, value) in [("ssl_cert_file", "server.pem"), ("ssl_key_file", "server.key"), ("ssl", "on")] {
        let value = if name == "ssl" { value.to_owned() } else { cluster.folder().join(value).display().to_string() };
        cluster.must("postgres", "postgres", &format!("ALTER SYSTEM SET {name} = '{value}'"));
    }
    cluster.must("postgres", "postgres", "SELECT pg_reload_conf()");
    let (_, database) = cluster.new_database();
    // Whatever reaches it without TLS is turned away.
    let rules = "hostssl all all 127.0.0.1/32 trust\nlocal all all trust\n";
    std::fs::write(cluster.folder().join("data/pg_hba.conf"), rules).unwrap();
    cluster.must("postgres", "postgres", "SELECT pg_reload_conf()");
    let root = cluster.folder().join("root.pem").display().to_string();
    let url = |host: &str, options: &str| {
        format!("postgres://postgres@{host}:{}/{database}?hostaddr=127.0.0.1{options}", cluster.port())
    };
    let verified = format!("&sslrootcert={root}");
    let ledger = PostgresLedger::create(&url("db.example", &verified), &nation::genesis(1)).unwrap();
    assert!(mark_surely(&ledger, "encrypted"));
    let said = cluster.must(
        "postgres",
        &database,
        "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE application_name = 'tashika'",
    );
    assert_eq!(said, "t");
    // Another name, no root that it leads to, somebody else's root, and in the clear.
    let other = cluster.folder().join("other.pem").display().to_string();
    let refused = [
        url("elsewhere.example", &verified),
        url("db.example", ""),
        url("db.example", &format!("&sslrootcert={other}")),
        url("localhost", ""),
    ];
    for url in refused {
        let error = PostgresLedger::open(&url).err().unwrap_or_else(|| panic!("{url}"));
        assert!(matches!(error, LedgerError::Unreachable(_) | LedgerError::Settings(_)), "{url}: {error}");
    }
    let error = PostgresLedger::open(&url("db.example", "&sslmode=disable")).err().unwrap();
    assert!(matches!(error, LedgerError::Settings(_)), "{error}");
    let error = PostgresLedger::open(&url("db.example", "&sslrootcert=/nowhere.pem")).err().unwrap();
    assert!(matches!(&error, LedgerError::Settings(why) if why.contains("/nowhere.pem")), "{error}");
}

/// A root, a server certificate for `db.example` under it, and a root that has nothing to do with either.
fn certificates(folder: &Path) {
    let script = "set -e; cd \"$1\"
        new='openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -batch'
        $new -subj /CN=root -keyout root.key -out root.pem
        $new -subj /CN=other -keyout other.key -out other.pem
        $new -subj /CN=server -addext 'subjectAltName=DNS:db.example' -addext basicConstraints=critical,CA:FALSE \\
            -CA root.pem -CAkey root.key -keyout server.key -out server.pem
        chmod 600 server.key; chown --reference=data server.key server.pem";
    let output = Command::new("sh").args(["-c", script, "sh"]).arg(folder).output().unwrap();
    assert!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
}
