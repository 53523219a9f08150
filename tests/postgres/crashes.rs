//! The server is killed with SIGKILL in the middle of commits, again and again. Nothing that was acknowledged is lost,
//! nothing appears twice, and what a writer found out about an uncertain commit is what the history says.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tashika::ledger::Ledger;
use tashika::ledger::postgres::PostgresLedger;

use crate::fixture::{Fixture, history, mark_surely, occurrences};
use crate::postgres_server::Cluster;

#[test]
fn nothing_acknowledged_is_lost_and_nothing_appears_twice() {
    let cluster = Cluster::start(&[]);
    let fixture = Fixture::within(&cluster);
    let url = cluster.url(&fixture.server, &fixture.database);
    let (stop, acknowledged) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (url, stop, acknowledged) = (&url, &stop, &acknowledged);
            scope.spawn(move || {
                let ledger = PostgresLedger::open(url).unwrap();
                for number in 0.. {
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                    let tag = format!("{writer}/{number}");
                    assert!(mark_surely(&ledger, &tag), "the server never came back");
                    acknowledged.lock().unwrap().push(tag);
                }
            });
        }
        for kill in 0..KILLS {
            let before = acknowledged.lock().unwrap().len();
            for _ in 0..POLLS_MAX {
                if acknowledged.lock().unwrap().len() > before + 20 {
                    break;
                }
                thread::sleep(Duration::from_millis(10));
            }
            // At another moment of a commit each time.
            thread::sleep(Duration::from_micros(700 * kill));
            cluster.kill();
            cluster.restart();
        }
        stop.store(true, Ordering::SeqCst);
    });
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!(acknowledged.len() > 20 * KILLS as usize, "nobody wrote: {}", acknowledged.len());
    let events = history(&fixture.ledger);
    for tag in &acknowledged {
        assert_eq!(occurrences(&events, tag), 1, "{tag}");
    }
    assert_eq!(events.len(), acknowledged.len() + 1, "something is there that nobody acknowledged");
    assert_eq!(fixture.ledger.head().unwrap().position.0, events.len() as u64);
}

const WRITERS: u32 = 4;
const KILLS: u64 = 5;
const POLLS_MAX: u32 = 3_000;
