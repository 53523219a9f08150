//! A streaming replica: everything can be read from it, nothing written, and a wait ends when news arrives.

use std::thread;
use std::time::Duration;

use tashika::follow::Follower;
use tashika::ledger::postgres::PostgresLedger;
use tashika::ledger::{Ledger, LedgerError, Wanted};
use tashika::model::CertificateNo;
use tashika::status::{HashKey, Tier, Tiers};

use crate::fixture::{Fixture, furnish, history, mark_surely, marked};
use crate::nation::at;
use crate::postgres_server::Cluster;

#[test]
fn a_replica_is_read_like_the_primary_and_follows_it() {
    let primary = Cluster::start(&[]);
    let (fixture, _replica, ledger) = replicated(&primary);
    assert_eq!(history(&ledger), history(&fixture.ledger));
    assert_eq!(ledger.book().unwrap(), fixture.ledger.book().unwrap());
    assert_eq!(ledger.heartbeat().unwrap().unwrap().time, at(200));
    let wanted = Wanted { numbers: (1..=6).map(CertificateNo).collect(), ..Wanted::default() };
    assert_eq!(ledger.find(&wanted).unwrap().entries, fixture.ledger.find(&wanted).unwrap().entries);
    let mut rows = 0;
    ledger
        .scan(&mut |_| {
            rows += 1;
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(rows, 6);

    // Nobody can LISTEN there, and a wait ends all the same.
    let here = ledger.head().unwrap().position;
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            for _ in 0..600 {
                if ledger.head().unwrap().position > here {
                    return true;
                }
                ledger.wait(here, Duration::from_millis(500)).unwrap();
            }
            false
        });
        thread::sleep(Duration::from_millis(100));
        assert!(mark_surely(&fixture.ledger, "news"));
        assert!(waiter.join().unwrap(), "the news never came");
    });

    // Writing is the primary's, and the error says so.
    for error in [ledger.append(&marked(&ledger, "here")).unwrap_err(), ledger.beat(at(300)).unwrap_err()] {
        assert!(matches!(&error, LedgerError::Settings(why) if why.contains("replica")), "{error}");
    }
}

/// Whoever follows a replica that stands still must know that it is behind, though nothing else is wrong.
#[test]
fn a_replica_that_stands_still_is_not_fresh_within_three_seconds() {
    let primary = Cluster::start(&[]);
    let (fixture, replica, ledger) = replicated(&primary);
    let mut follower = Follower::bootstrap(&ledger, &HashKey::new([9; 16])).unwrap();
    follower.step(&ledger).unwrap();
    let tier = |follower: &Follower, seconds| follower.freshness().tier(at(seconds), Tiers::default());
    assert_eq!(tier(&follower, 203), Tier::Fresh);

    replica.must("postgres", "postgres", "SELECT pg_wal_replay_pause()");
    fixture.ledger.beat(at(204)).unwrap();
    assert!(mark_surely(&fixture.ledger, "news"));
    follower.step(&ledger).unwrap();
    assert_eq!(tier(&follower, 203), Tier::Fresh);
    assert_eq!(tier(&follower, 204), Tier::Degraded, "a second after its bound, whatever the replica says");
    assert_eq!(tier(&follower, 501), Tier::Past);

    replica.must("postgres", "postgres", "SELECT pg_wal_replay_resume()");
    reaches(&ledger, &fixture);
    follower.step(&ledger).unwrap();
    assert_eq!(tier(&follower, 204), Tier::Fresh);
}

/// A ledger with something in it, its replica, and the ledger as the replica shows it.
fn replicated(primary: &Cluster) -> (Fixture<'_>, Cluster, PostgresLedger) {
    let fixture = Fixture::within(primary);
    furnish(&fixture.ledger);
    fixture.ledger.beat(at(200)).unwrap();
    let replica = Cluster::replica_of(primary);
    let ledger = PostgresLedger::open(&replica.url(&fixture.server, &fixture.database)).unwrap();
    reaches(&ledger, &fixture);
    (fixture, replica, ledger)
}

fn reaches(ledger: &PostgresLedger, fixture: &Fixture<'_>) {
    let goal = fixture.ledger.head().unwrap();
    for _ in 0..600 {
        if ledger.head().unwrap() == goal {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("the replica never came so far");
}
