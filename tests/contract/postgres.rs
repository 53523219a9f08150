//! PostgreSQL as the contract's cases meet it: a database of its own for each case, with every way to harm it.

use std::sync::OnceLock;

use tashika::ledger::postgres::PostgresLedger;
use tashika::ledger::{Batch, Ledger, LedgerError};

use crate::nation;
use crate::postgres_proxy::{Proxy, Trap};
use crate::postgres_server::Cluster;
use crate::processes::{Address, Kind};
use crate::world::{Corruption, World};
use crate::writer::marker;

/// A ledger in a database of its own, on the cluster that all cases share until one asks for a server to harm.
pub struct Postgres {
    cluster: &'static Cluster,
    database: String,
    url: String,
    own: OnceLock<Own>,
}

/// A server of its own, which may be killed.
struct Own {
    cluster: Cluster,
    database: String,
}

impl Own {
    /// Asked anew each time: a server that was started again listens on another port.
    fn url(&self) -> String {
        self.cluster.url(&server_role(&self.database), &self.database)
    }
}

impl Postgres {
    pub fn new() -> Self {
        let cluster = Cluster::shared();
        let (owner, database) = cluster.new_database();
        drop(PostgresLedger::create(&owner, &nation::genesis(1)).unwrap());
        Self { cluster, url: server_login(cluster, &database), database, own: OnceLock::new() }
    }

    fn own(&self) -> &Own {
        self.own.get_or_init(|| {
            let cluster = Cluster::start(&[]);
            let (owner, database) = cluster.new_database();
            drop(PostgresLedger::create(&owner, &nation::genesis(1)).unwrap());
            server_login(&cluster, &database);
            Own { cluster, database }
        })
    }

    /// As the owner, who may do anything.
    fn owner(&self, sql: &str) -> String {
        self.cluster.must("postgres", &self.database, sql)
    }
}

/// A login that is a server's, and nothing more.
fn server_login(cluster: &Cluster, database: &str) -> String {
    let role = server_role(database);
    cluster.must("postgres", database, &format!("CREATE ROLE {role} LOGIN IN ROLE tashika_server"));
    cluster.url(&role, database)
}

fn server_role(database: &str) -> String {
    format!("server_of_{database}")
}

impl World for Postgres {
    fn open(&self) -> Box<dyn Ledger> {
        let url = self.own.get().map_or_else(|| self.url.clone(), Own::url);
        open(&url).unwrap()
    }

    fn address(&self) -> Option<Address> {
        Some(Address { kind: Kind::Postgres, place: self.own().url() })
    }

    fn kill(&self) -> Option<()> {
        self.own().cluster.kill();
        Some(())
    }

    fn revive(&self) {
        self.own().cluster.restart();
    }

    fn put_in_inbox(&self, command: &str) -> Option<u64> {
        let sql = format!(
            "INSERT INTO tashika.ca VALUES (current_user::regrole, 1) ON CONFLICT DO NOTHING;
             SELECT tashika.submit('{command}')"
        );
        Some(self.owner(&sql).parse().unwrap())
    }

    fn breaking_after_commit(&self) -> Option<Box<dyn Ledger>> {
        let proxy = Proxy::to(self.cluster.port());
        let url = self.url.replace(&self.cluster.port().to_string(), &proxy.port().to_string());
        let ledger = PostgresLedger::open(&url).unwrap();
        // Prepares the statement: a batch on a head that never was is refused before anything is looked at.
        let mut head = ledger.head().unwrap();
        head.position.0 += 1_000;
        let mut stray = Batch::on(head);
        stray.record(marker("stray", nation::at(0)));
        assert!(matches!(ledger.append(&stray), Err(LedgerError::Moved { .. })));
        proxy.arm(Trap::LoseAnswer);
        Some(Box::new(ledger))
    }

    /// The server's own error for a full disk, once a few events are in.
    fn filling_up(&self) -> Option<Box<dyn Ledger>> {
        self.owner(
            "CREATE FUNCTION public.no_space() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 IF (SELECT count(*) FROM tashika.event) > 50 THEN
                     RAISE EXCEPTION USING ERRCODE = 'disk_full', MESSAGE = 'could not extend file';
                 END IF;
                 RETURN NULL;
             END $$;
             CREATE TRIGGER no_space AFTER INSERT ON tashika.event EXECUTE FUNCTION public.no_space()",
        );
        Some(self.open())
    }

    fn make_room(&self) {
        self.owner("DROP TRIGGER no_space ON tashika.event");
    }

    fn corrupt(&self, what: Corruption) -> Option<()> {
        self.owner(match what {
            Corruption::Event => {
                "UPDATE tashika.event SET bytes = set_byte(bytes, 40, get_byte(bytes, 40) # 1) WHERE position = 2"
            }
            Corruption::Row => {
                "UPDATE tashika.certificate SET \"row\" = substr(\"row\", 1, octet_length(\"row\") - 1) WHERE no = 1"
            }
            Corruption::Status => {
                "UPDATE tashika.status SET state = substr(state, 1, octet_length(state) - 1) WHERE no = 1"
            }
        });
        Some(())
    }

    fn fork(&self) -> Option<Box<dyn Ledger>> {
        let copy = format!("{}_fork", self.database);
        // A template may have no sessions; the ledger's reconnect by themselves.
        let sql =
            format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{}'", self.database);
        self.cluster.must("postgres", "postgres", &sql);
        self.cluster.must("postgres", "postgres", &format!("CREATE DATABASE {copy} TEMPLATE {}", self.database));
        let url = self.url.replace(&format!("/{}", self.database), &format!("/{copy}"));
        Some(Box::new(PostgresLedger::open(&url).unwrap()))
    }

    fn open_from_the_future(&self) -> Option<Result<Box<dyn Ledger>, LedgerError>> {
        self.owner("INSERT INTO tashika.schema_version (version) SELECT max(version) + 1 FROM tashika.schema_version");
        Some(boxed(PostgresLedger::open(&self.url)))
    }

    fn open_rubbish(&self) -> Option<Result<Box<dyn Ledger>, LedgerError>> {
        let (url, database) = self.cluster.new_database();
        self.cluster.must("postgres", &database, "CREATE TABLE head (position text)");
        Some(boxed(PostgresLedger::open(&url)))
    }

    fn open_nothing(&self) -> Option<Result<Box<dyn Ledger>, LedgerError>> {
        Some(boxed(PostgresLedger::open(&self.cluster.url("postgres", "nothing_here"))))
    }

    fn create_again(&self) -> Option<Result<Box<dyn Ledger>, LedgerError>> {
        let owner = self.cluster.url("postgres", &self.database);
        Some(boxed(PostgresLedger::create(&owner, &nation::genesis(2))))
    }
}

pub fn open(url: &str) -> Result<Box<dyn Ledger>, LedgerError> {
    boxed(PostgresLedger::open(url))
}

fn boxed(ledger: Result<PostgresLedger, LedgerError>) -> Result<Box<dyn Ledger>, LedgerError> {
    ledger.map(|ledger| Box::new(ledger) as Box<dyn Ledger>)
}
