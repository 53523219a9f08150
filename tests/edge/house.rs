//! The public listener with everything behind it, on a port of its own, at a time that stands still unless the test moves
//! it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use tashika::http::{self, EdgeLimits, Public, TimeLimits};
use tashika::model::{CertificateKey, CertificateNo, Millis, Rank};
use tashika::parties::{Counters, Outcome, Party, Register, Strangers};
use tashika::publisher::Shelf;
use tashika::responder::{Moment, Worked};
use tashika::status::Freshness;

use crate::bureau::{Bureau, Ca};
use crate::nation::NOON;
use crate::ocsp::Seen;

pub struct House {
    pub bureau: Bureau,
    pub at: SocketAddr,
    pub good: (CertificateNo, CertificateKey),
    pub counters: Counters,
    pub shelf: Arc<Shelf>,
    pub files: http::FileCounts,
    stop: Option<tokio::sync::watch::Sender<http::Ending>>,
    over: Arc<AtomicBool>,
    edges: Vec<JoinHandle<()>>,
    behind: Vec<JoinHandle<()>>,
}

/// How a house is built.
pub struct Plan {
    pub cas: Vec<Ca>,
    pub threads: usize,
    pub limits: EdgeLimits,
    pub strangers: Strangers,
    /// Whether anybody signs.
    pub signers: usize,
    pub now: fn() -> Millis,
    pub at: SocketAddr,
}

impl Default for Plan {
    fn default() -> Self {
        let long = Duration::from_secs(600);
        Self {
            cas: vec![Ca::p256()],
            threads: 1,
            limits: EdgeLimits {
                connections_max: 4_096,
                downloads_max: 16,
                times: TimeLimits { header: long, body: long, idle: long },
                drain_grace: Duration::from_millis(300),
                drain_max: Duration::from_secs(20),
            },
            strangers: Strangers::Answered,
            signers: 1,
            now: noon,
            at: "127.0.0.1:0".parse().unwrap(),
        }
    }
}

impl House {
    pub fn usual() -> Self {
        Self::of(Plan::default())
    }

    pub fn of(plan: Plan) -> Self {
        let sockets = http::listen(plan.at, plan.threads).unwrap();
        Self::on(sockets, plan)
    }

    /// On sockets that are bound already.
    pub fn on(sockets: Vec<std::net::TcpListener>, plan: Plan) -> Self {
        let mut bureau = Bureau::at(plan.cas, (plan.now)().time());
        let good = bureau.register(0);
        let at = sockets[0].local_addr().unwrap();
        let register = Register::new(vec![demo(), elsewhere()], plan.strangers).unwrap();
        let (counters, tallies) = Counters::new(&register, plan.threads);
        let found = OnceLock::new();
        assert!(found.set(bureau.responder.clone()).is_ok());
        let (shelf, files) = (Arc::new(Shelf::default()), http::FileCounts::default());
        let public = Arc::new(Public {
            responder: Arc::new(found),
            register,
            now: plan.now,
            refusals: http::Refusals::default(),
            shelf: shelf.clone(),
            files: files.clone(),
        });
        let (stop, stopped) = http::stopping();
        let edges = http::seats(sockets, tallies)
            .into_iter()
            .map(|seat| {
                let (public, stopped, limits) = (public.clone(), stopped.clone(), plan.limits);
                let serves = move || seat.serve(public, limits, stopped).unwrap();
                std::thread::Builder::new().name(EDGE.into()).spawn(serves).unwrap()
            })
            .collect();
        let over = Arc::new(AtomicBool::new(false));
        let behind = (0..plan.signers).map(|_| behind(&bureau, &over, plan.now)).collect();
        Self { bureau, at, good, counters, shelf, files, stop: Some(stop), over, edges, behind }
    }

    /// The usual request for the good certificate.
    pub fn request(&self) -> Vec<u8> {
        self.bureau.usual(0, &self.good.1)
    }

    /// What a client makes of a body.
    pub fn seen(&self, body: &[u8]) -> Seen {
        Seen::of(body, &self.bureau.cas[0].signer())
    }

    /// The ledger is heard again, at this time.
    pub fn hear(&self, wall: Millis) {
        let steady_ms = (wall.0 - NOON * 1_000) as u64;
        self.bureau.responder.hear(Freshness { known_at: Some(wall.time()) }, Moment { wall, steady_ms });
    }

    /// How often something came out, over all callers.
    pub fn counted(&self, outcome: Outcome) -> u64 {
        self.counters.sums().filter(|(_, of, _)| *of == outcome).map(|(_, _, count)| count).sum()
    }

    /// The word to stop; the threads end when they have drained.
    pub fn stop(&mut self) {
        drop(self.stop.take());
    }

    /// The same, when a successor has the sockets, too.
    pub fn succeed(&mut self) {
        let stop = self.stop.take().expect("it was not told before");
        stop.send(http::Ending::Succeeded).unwrap();
    }

    pub fn has_ended(&self) -> bool {
        self.edges.iter().all(JoinHandle::is_finished)
    }
}

impl Drop for House {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.over.store(true, Ordering::Relaxed);
        if !std::thread::panicking() {
            self.edges.drain(..).for_each(|edge| edge.join().unwrap());
            self.behind.drain(..).for_each(|signer| signer.join().unwrap());
        }
    }
}

/// Signs, and asks the ledger for those who wait at the fence.
fn behind(bureau: &Bureau, over: &Arc<AtomicBool>, now: fn() -> Millis) -> JoinHandle<()> {
    let (responder, over) = (bureau.responder.clone(), over.clone());
    std::thread::spawn(move || {
        while !over.load(Ordering::Relaxed) {
            let wall = now();
            if let Some(crowd) = responder.crowd() {
                let read_to = responder.table().read_to();
                assert!(responder.pass(crowd, read_to, wall).is_none());
            }
            let steady_ms = (wall.0 - NOON * 1_000) as u64;
            if responder.work(Moment { wall, steady_ms }) == Worked::Nothing {
                responder.wait_for_work(Duration::from_millis(1));
            }
        }
    })
}

/// On this machine.
fn demo() -> Party {
    Party {
        name: "demo".parse().unwrap(),
        services: vec!["login".parse().unwrap()],
        networks: vec!["127.0.0.0/8".parse().unwrap()],
        rank: Rank::Accredited,
    }
}

/// Nobody on this machine.
fn elsewhere() -> Party {
    Party {
        name: "bank".parse().unwrap(),
        services: vec!["login".parse().unwrap()],
        networks: vec!["192.0.2.0/24".parse().unwrap()],
        rank: Rank::Accredited,
    }
}

/// The name of the threads that serve.
pub const EDGE: &str = "edge";

pub fn noon() -> Millis {
    Millis(NOON * 1_000)
}

/// A clock that one test moves.
pub struct Clock(pub AtomicI64);

impl Clock {
    pub const fn new() -> Self {
        Self(AtomicI64::new(0))
    }

    pub fn now(&self) -> Millis {
        Millis(NOON * 1_000 + self.0.load(Ordering::Relaxed))
    }

    pub fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000, Ordering::Relaxed);
    }
}
