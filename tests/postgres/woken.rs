//! What a CA submits wakes whoever decides it: here by nothing but the wake-up, or else, where none can come, by looking now
//! and then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use tashika::desk::{Desk, Sequencer};
use tashika::ledger::postgres::PostgresLedger;
use tashika::ledger::{Heard, Ledger, LedgerError};
use tashika::model::{Millis, NodeId, Policy, Position};

use crate::fixture::Fixture;
use crate::nation::at;

/// When a sequencer takes its next step.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Steps {
    /// When something was heard, or couldn't be; never because time has passed.
    Hearing,
    /// After so long.
    Looking(Duration),
}

/// A sequencer that steps, and then waits for the inbox.
struct Driven<'a> {
    fixture: &'a Fixture<'a>,
    ca: String,
    ended: AtomicBool,
    /// How often it couldn't listen.
    deaf: AtomicU32,
}

impl<'a> Driven<'a> {
    /// Runs `test` while it is driven.
    fn run(fixture: &'a Fixture<'a>, steps: Steps, test: impl FnOnce(&Self)) {
        let driven = Self { fixture, ca: fixture.ca(1), ended: AtomicBool::new(false), deaf: AtomicU32::new(0) };
        thread::scope(|scope| {
            scope.spawn(|| driven.drive(steps));
            let _ends = Ends(&driven);
            test(&driven);
        });
    }

    fn drive(&self, steps: Steps) {
        let ledger = Arc::new(self.open());
        let mut desk = Desk::new(ledger.clone(), Policy::default());
        let mut sequencer = Sequencer::new(NodeId([1; 16]));
        while !self.ended.load(Ordering::SeqCst) {
            let now = at(200);
            let stepped = sequencer.step(&*ledger, &mut |task| desk.one(&task, now), Millis(now.unix() * 1_000));
            let stepped = stepped.unwrap();
            assert!(stepped.leads && stepped.failures.is_empty(), "{stepped:?}");
            if !stepped.more {
                self.rest(&ledger, steps);
            }
        }
    }

    fn rest(&self, ledger: &PostgresLedger, steps: Steps) {
        if let Steps::Looking(pause) = steps {
            return thread::sleep(pause);
        }
        while !self.ended.load(Ordering::SeqCst) {
            match ledger.wait_inbox(SLICE) {
                Ok(Heard::Nothing) => {}
                Ok(Heard::Something) => return,
                Err(_) => {
                    self.deaf.fetch_add(1, Ordering::SeqCst);
                    return thread::sleep(SLICE);
                }
            }
        }
    }

    fn open(&self) -> PostgresLedger {
        PostgresLedger::open(&self.fixture.cluster.url(&self.fixture.server, &self.fixture.database)).unwrap()
    }

    fn submit(&self) -> String {
        // What comes of it doesn't matter here; the second time it is so already, which is an answer, too.
        self.fixture.as_role(&self.ca, "SELECT tashika.submit_acknowledgement('06')").unwrap()
    }

    fn is_decided(&self, number: &str) {
        let state = || self.fixture.owner(&format!("SELECT state FROM tashika.inbox WHERE no = {number}"));
        until(&format!("submission {number} is decided"), || state() != "0");
    }
}

/// Ends the sequencer's thread, also where a test fails.
struct Ends<'a>(&'a Driven<'a>);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.ended.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_submission_is_decided_without_waiting_for_the_next_look() {
    let fixture = Fixture::furnished();
    Driven::run(&fixture, Steps::Hearing, |driven| {
        for _ in 0..5 {
            driven.is_decided(&driven.submit());
        }
        // Several in one transaction are told once.
        let three = "SELECT string_agg(tashika.submit_acknowledgement('06')::text, ' ') FROM generate_series(1, 3)";
        let numbers = fixture.as_role(&driven.ca, three).unwrap();
        numbers.split(' ').for_each(|number| driven.is_decided(number));
        assert_eq!(driven.deaf.load(Ordering::SeqCst), 0);
    });
}

#[test]
fn a_connection_lost_while_it_listens_is_made_anew() {
    let fixture = Fixture::furnished();
    Driven::run(&fixture, Steps::Hearing, |driven| {
        for _ in 0..3 {
            driven.is_decided(&driven.submit());
            let cut = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
                       WHERE datname = current_database() AND query LIKE 'LISTEN%'";
            until("it listens", || fixture.owner(cut) != "0");
            driven.is_decided(&driven.submit());
        }
        assert!(driven.deaf.load(Ordering::SeqCst) > 0, "nothing was cut");
    });
}

#[test]
fn without_a_notification_it_is_decided_at_the_next_look() {
    let fixture = Fixture::furnished();
    Driven::run(&fixture, Steps::Looking(SLICE), |driven| {
        for _ in 0..3 {
            let told_nobody = r#"INSERT INTO tashika.inbox (issuer, command)
                VALUES (1, '{"acknowledge": {"serial": "06"}}') RETURNING no"#;
            driven.is_decided(&fixture.owner(told_nobody));
        }
    });
}

#[test]
fn where_nobody_can_listen_it_is_decided_at_the_next_look() {
    let fixture = Fixture::furnished();
    let limit = |sessions: i32| fixture.owner(&format!("ALTER ROLE {} CONNECTION LIMIT {sessions}", fixture.server));
    // The fixture's own and the one that steps; none is left to listen with.
    drop(fixture.ledger.head().unwrap());
    limit(2);
    Driven::run(&fixture, Steps::Hearing, |driven| {
        driven.is_decided(&driven.submit());
        until("it can't listen", || driven.deaf.load(Ordering::SeqCst) > 2);
        driven.is_decided(&driven.submit());
        let error = fixture.ledger.wait(Position(0), SLICE).unwrap_err();
        assert!(matches!(error, LedgerError::Unreachable(_)), "{error}");
        limit(-1);
        for _ in 0..3 {
            driven.is_decided(&driven.submit());
        }
    });
}

/// One that listens and never reads would hold back the notifications of all, and at last their appends.
#[test]
fn a_listener_that_nobody_waits_with_is_let_go() {
    let fixture = Fixture::furnished();
    let sessions =
        || fixture.owner(&format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{}'", fixture.server));
    fixture.ledger.heartbeat().unwrap();
    let without = sessions();
    fixture.ledger.wait(Position(0), SLICE).unwrap();
    assert_eq!(fixture.ledger.wait_inbox(SLICE).unwrap(), Heard::Something, "nobody listened before");
    assert_ne!(sessions(), without);
    (0..6_000).for_each(|_| _ = fixture.ledger.heartbeat().unwrap());
    until("they are closed", || sessions() == without);
    assert_eq!(fixture.ledger.wait_inbox(SLICE).unwrap(), Heard::Something, "nobody has listened since");
}

const SLICE: Duration = Duration::from_millis(20);

fn until(what: &str, mut so: impl FnMut() -> bool) {
    for _ in 0..1_200 {
        if so() {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("{what}: never");
}
