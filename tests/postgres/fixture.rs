//! A ledger in a database of its own, and how the tests write to it.

use tashika::ledger::postgres::PostgresLedger;
use tashika::ledger::{Batch, Found, Ledger, LedgerError, NewStatus, Sealed, Settled, Severity, Wanted, settle};
use tashika::model::{
    Body, Certificate, CertificateNo, Change, Decided, Event, HoldKind, IssuerNo, Operator, Position, Report,
    ReportKind, Role, Status, Subject, Time, Usage, Wish,
};

use crate::nation;
use crate::postgres_server::Cluster;

/// A ledger with its database.
pub struct Fixture<'a> {
    pub cluster: &'a Cluster,
    pub database: String,
    /// A login in the role `tashika_server`.
    pub server: String,
    pub ledger: PostgresLedger,
}

impl Fixture<'static> {
    /// In the shared cluster, empty but for its first event.
    pub fn empty() -> Self {
        Self::within(Cluster::shared())
    }

    /// With issuers 1 and 2, and cards 1 to 4 of issuer 1; card 5 is issuer 2's, and card 6 awaits its delivery.
    pub fn furnished() -> Self {
        let fixture = Self::empty();
        furnish(&fixture.ledger);
        fixture
    }
}

impl<'a> Fixture<'a> {
    pub fn within(cluster: &'a Cluster) -> Self {
        let (owner, database) = cluster.new_database();
        drop(PostgresLedger::create(&owner, &nation::genesis(1)).unwrap());
        let server = format!("server_of_{database}");
        cluster.must("postgres", &database, &format!("CREATE ROLE {server} LOGIN IN ROLE tashika_server"));
        let ledger = PostgresLedger::open(&cluster.url(&server, &database)).unwrap();
        Self { cluster, database, server, ledger }
    }

    /// What the owner is told.
    pub fn owner(&self, sql: &str) -> String {
        self.cluster.must("postgres", &self.database, sql)
    }

    /// A login of its own for `what`, made by the owner.
    pub fn login(&self, what: &str, options: &str) -> String {
        let role = format!("{what}_of_{}", self.database);
        self.owner(&format!("CREATE ROLE {role} LOGIN {options}"));
        role
    }

    /// A login that stands for an issuer.
    pub fn ca(&self, issuer: u16) -> String {
        let role = self.login(&format!("ca{issuer}"), "");
        self.owner(&format!("SELECT tashika.grant_ca('{role}', {issuer})"));
        role
    }

    /// As a role: what came of it, with what the server said.
    pub fn as_role(&self, role: &str, sql: &str) -> Result<String, String> {
        let output = self.cluster.psql(role, &self.database, sql);
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }
}

/// See [`Fixture::furnished`].
pub fn furnish(ledger: &dyn Ledger) {
    let card = |issuer, number| nation::on_card(nation::key(issuer, number), number, Usage::Sign);
    let awaited = Certificate { delivery: tashika::model::Delivery::Awaited, ..card(1, 6) };
    commit(ledger, &[], |_, batch| nation::add_issuers(batch, 2));
    for (issuer, cards) in [(1, (1..=4).map(|n| card(1, n)).collect()), (2, vec![card(2, 5)]), (1, vec![awaited])] {
        let actor = nation::actor(Role::Ca(IssuerNo(issuer)));
        commit(ledger, &[], |_, batch| _ = batch.register(actor, nation::at(1), Vec::clone(&cards)));
    }
}

/// Fills a batch on what is found and appends it until it is written.
pub fn commit(ledger: &dyn Ledger, numbers: &[u64], mut fill: impl FnMut(&Found, &mut Batch)) -> Batch {
    for _ in 0..ATTEMPTS_MAX {
        let batch = prepared(ledger, numbers, &mut fill);
        match ledger.append(&batch) {
            Ok(()) => return batch,
            Err(LedgerError::Moved { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("overtaken {ATTEMPTS_MAX} times");
}

/// A batch that is filled on what is found, not appended.
pub fn prepared(ledger: &dyn Ledger, numbers: &[u64], fill: impl FnOnce(&Found, &mut Batch)) -> Batch {
    let numbers = numbers.iter().copied().map(CertificateNo).collect();
    let found = ledger.find(&Wanted { numbers, ..Wanted::default() }).unwrap();
    let mut batch = Batch::on(found.head.clone());
    fill(&found, &mut batch);
    batch
}

/// Fulfils a wish of a role about one certificate, in a batch that may hold others.
pub fn wish(batch: &mut Batch, found: &Found, no: u64, role: Role, wish: &Wish) -> Position {
    let entry = found.entries.iter().find(|entry| entry.no.0 == no).unwrap();
    let known = batch.statuses.iter().find(|status| status.no.0 == no);
    let status = known.map_or(&entry.status, |known| &known.status).clone();
    let now = nation::at(100).max(batch.next.time);
    let Ok(Decided::Do(change)) = status.decide(wish, now) else { panic!("nothing to do") };
    record(batch, no, &entry.certificate, status, role, &change)
}

/// Records a change, allowed or not, and the status that would follow from it.
pub fn record(
    batch: &mut Batch,
    no: u64,
    certificate: &Certificate,
    mut status: Status,
    role: Role,
    change: &Change,
) -> Position {
    let no = CertificateNo(no);
    let body = Body::Changed { no, key: certificate.key, change: change.clone() };
    let event = Event { time: nation::at(100), actor: nation::actor(role), cause: None, body };
    let (position, time) = batch.record(event);
    status.apply(change, position, time, position);
    batch.statuses.retain(|known| known.no != no);
    batch.statuses.push(NewStatus { no, status });
    position
}

pub fn hold_by_call_centre() -> Wish {
    Wish::Hold { kind: HoldKind::CallCentre, lost_at: None, becomes: None }
}

pub fn operator() -> Operator {
    nation::operator("mno-a")
}

/// An event that changes nothing but can be recognised.
pub fn marker(tag: &str, time: Time) -> Event {
    let report = Report {
        kind: ReportKind::CardLost,
        subject: Subject::Holder(nation::holder(1_000_000)),
        lost_at: None,
        reported_at: time,
        moved_to: None,
        evidence: Some(tag.to_owned()),
    };
    Event { time, actor: nation::actor(Role::CallCentre), cause: None, body: Body::Reported(report) }
}

/// A batch of one marker.
pub fn marked(ledger: &dyn Ledger, tag: &str) -> Batch {
    let head = ledger.head().unwrap();
    let mut batch = Batch::on(head.clone());
    batch.record(marker(tag, head.time));
    batch
}

/// Writes a marker through whatever breaks; says whether it was acknowledged. Gives up after a while.
pub fn mark_surely(ledger: &dyn Ledger, tag: &str) -> bool {
    for _ in 0..ATTEMPTS_MAX {
        let head = match ledger.head() {
            Ok(head) => head,
            Err(error) => {
                retry(&error);
                continue;
            }
        };
        let mut batch = Batch::on(head.clone());
        batch.record(marker(tag, head.time));
        match ledger.append(&batch) {
            Ok(()) => return true,
            Err(LedgerError::Uncertain(_)) => match settled(ledger, &batch) {
                Settled::Written => return true,
                Settled::NotWritten => {}
            },
            Err(LedgerError::Moved { .. }) => {}
            Err(error) => retry(&error),
        }
    }
    false
}

/// Asks until it is answered.
pub fn settled(ledger: &dyn Ledger, batch: &Batch) -> Settled {
    for _ in 0..ATTEMPTS_MAX {
        match settle(ledger, batch) {
            Ok(settled) => return settled,
            Err(error) => retry(&error),
        }
    }
    panic!("never answered");
}

fn retry(error: &LedgerError) {
    assert_eq!(error.severity(), Severity::Retry, "{error}");
    std::thread::sleep(std::time::Duration::from_millis(20));
}

/// All events, each of which must continue the one before.
pub fn history(ledger: &dyn Ledger) -> Vec<Sealed> {
    let mut head = nation::genesis(1).at;
    let mut events = Vec::new();
    loop {
        let page = ledger.events_after(head.position, 1_000).unwrap();
        if page.is_empty() {
            let stored = ledger.head().unwrap();
            assert_eq!((stored.position, stored.link, &stored.tree), (head.position, head.link, &head.tree));
            return events;
        }
        for sealed in page {
            head.follow(&sealed).unwrap();
            events.push(sealed);
        }
    }
}

/// How often a marker's tag occurs.
pub fn occurrences(events: &[Sealed], tag: &str) -> usize {
    let tagged = |sealed: &&Sealed| match tashika::ledger::decode_event(&sealed.bytes).unwrap().body {
        Body::Reported(report) => report.evidence.as_deref() == Some(tag),
        _ => false,
    };
    events.iter().filter(tagged).count()
}

const ATTEMPTS_MAX: u32 = 3_000;
