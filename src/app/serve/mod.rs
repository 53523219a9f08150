//! `serve`: the ledger's writer and sequencer, checkpoints, OCSP answers and the probes, until a signal comes.
//!
//! Threads: this one runs the admin listener and waits for signals; one opens the ledger and runs the sequencer (and through
//! it the writer's); one is the notary; one follows the ledger, one asks it at the fence, some sign, and one for each core
//! answers. Called by the command line for `serve` and `up`. What a thread does in one turn is a step of `desk`, `follow`,
//! `responder` or of the notary; here are the turns.

mod answering;
mod clerk;
mod faces;
mod issuer_sign;
mod listening;
mod log;
mod manager;
mod mark;
mod metrics;
mod notary;
mod office;
mod rest;
mod sequence;
mod snapshots;
mod stop;
mod vitals;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use super::config::Config;
use super::demo::Sockets;
use super::token::{self, TokenError};
use super::witness::{self, Copy as Known, WitnessError};
use super::{clock, compose};
use crate::http::{FileCounts, Refusals};
use crate::keys::{KeyError, Signer};
use crate::ledger::{CheckpointFile, Ledger, LedgerError, Severity};
use crate::parties::Counters;
use crate::publisher::Shelf;
use crate::responder::Plan;

use answering::{Answering, Found, Planned};
use clerk::Counter;
use office::Office;
use sequence::{Opened, Sequence, Writing};
use stop::Stop;
use vitals::{Bounds, Vitals};

pub use listening::{Entrance, enter};
pub use manager::{Manager, ManagerError};

/// Which part a process plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Leads when it can, follows when another does.
    All,
    /// Follows: never takes the lease.
    Follower,
}

impl Part {
    /// How much of the ledger it may expect to see.
    fn known(self) -> Known {
        match self {
            Self::All => Known::Whole,
            Self::Follower => Known::Behind,
        }
    }
}

/// What is told while it runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// What is run for an issuer, and what that takes.
    Plan(Box<Plan>),
    /// The listeners are open; the probes answer.
    Listening {
        /// The public listener.
        public: SocketAddr,
        /// The admin listener.
        admin: SocketAddr,
    },
    /// `/readyz` says so for the first time.
    Ready {
        /// The public listener.
        public: SocketAddr,
        /// The admin listener.
        admin: SocketAddr,
    },
    /// A signal came; the threads are ending.
    Stopping,
    /// They have ended, and the lease is given back.
    Stopped,
}

/// Why it can't be served, or was served no longer.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The key that signs checkpoints can't be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The ledger can't be opened, and waiting won't help.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// An address can't be listened on.
    #[error("can't listen on {address} ({source}): name another with --listen or --admin")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The process that has the listeners doesn't give them.
    #[error("the listeners can't be taken over ({0}): stop the process that has them, and start without --take-over")]
    Handover(std::io::Error),
    /// What the service manager gives can't be used.
    #[error(transparent)]
    Manager(#[from] ManagerError),
    /// The ledger isn't the one that was signed for.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// The admin listener's token can't be read.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The system refused a thread, a signal handler or a socket.
    #[error("the system refuses a thread, a signal handler or a socket ({0}): see to this user's limits")]
    System(#[from] std::io::Error),
    /// A thread died.
    #[error("the {0} thread ended unexpectedly: its last words stand above")]
    Thread(&'static str),
}

/// Serves until SIGTERM or SIGINT.
pub fn serve(config: &Config, sockets: Sockets, part: Part, tell: &mut dyn FnMut(Told)) -> Result<(), ServeError> {
    let key = compose::open_checkpoint_key(&config.checkpoint_key)?;
    let token = token::read(&config.admin_token)?;
    if token.is_none() {
        let file = config.admin_token.display();
        log::line(&format!("the admin listener answers only its probes: there is no token in {file}"));
    }
    let (opened, writing) = (Opened::default(), Writing::default());
    // A ledger that can't be reached yet is waited for; anything else is told to whoever starts this.
    match compose::open_ledger(&config.ledger) {
        Ok(ledger) => {
            compare_first(&*ledger, config, part)?;
            drop(opened.set(ledger));
        }
        Err(error) if error.severity() == Severity::Retry => {}
        Err(error) => return Err(error.into()),
    }
    let vitals = Arc::new(Vitals::new(Bounds { heartbeat_max: config.heartbeat_max }, clock::now_millis));
    let sequence_stop = Arc::new(Stop::default());
    let sequence =
        Sequence::new(config, part, (opened.clone(), writing.clone()), vitals.clone(), sequence_stop.clone());
    let sequencing = thread("sequencer", move || sequence.run())?;
    let shelf = Arc::new(Shelf::default());
    let notary = Started::notary(config, key, (opened.clone(), vitals.clone(), shelf.clone()))?;
    let (found, planned) = (Found::default(), Planned::default());
    let answer_stop = Arc::new(Stop::default());
    let answering = Answering::new(
        config.clone(),
        opened.clone(),
        (found.clone(), planned.clone()),
        vitals.clone(),
        shelf.clone(),
        answer_stop.clone(),
    );
    let answering = start_answering(config, answering)?;

    let (counters, tallies) = Counters::new(&config.parties, sockets.public.len());
    let counter = Counter {
        config: config.clone(),
        opened,
        writing,
        vitals: vitals.clone(),
        found,
        counters,
        refusals: Refusals::default(),
        shelf,
        files: FileCounts::default(),
        connections: None,
        names: OnceLock::new(),
    };
    let served = listening::listen(sockets, (counter, tallies), token, &planned, tell);
    // The listeners have answered their last; nothing waits for a signature any more.
    answer_stop.tell();
    let answered = join_all(answering);
    // The last checkpoint first, while this process still leads; then the lease goes back.
    let notarised = notary.end();
    sequence_stop.tell();
    let sequenced = sequencing.join();
    served?;
    answered?;
    notarised.map_err(|_| ServeError::Thread("notary"))?;
    sequenced.map_err(|_| ServeError::Thread("sequencer"))?;
    tell(Told::Stopped);
    Ok(())
}

/// A thread, and how it is told to end.
struct Started {
    thread: JoinHandle<()>,
    stop: Arc<Stop>,
}

impl Started {
    /// The notary's.
    fn notary(
        config: &Config,
        key: Box<dyn Signer>,
        (opened, vitals, shelf): (Opened, Arc<Vitals>, Arc<Shelf>),
    ) -> Result<Self, ServeError> {
        let stop = Arc::new(Stop::default());
        let office = Office {
            key: Some(key),
            name: config.checkpoint_name.clone(),
            trusted: config.checkpoints_trusted.clone(),
            file: CheckpointFile::at(&config.checkpoint_file),
            every: Duration::from_secs(config.checkpoint_every.0.into()),
            opened,
            vitals,
            shelf,
            stop: stop.clone(),
        };
        Ok(Self { thread: thread("notary", move || office.run())?, stop })
    }

    fn end(self) -> std::thread::Result<()> {
        self.stop.tell();
        self.thread.join()
    }
}

/// The threads behind the public listener.
fn start_answering(config: &Config, answering: Answering) -> Result<Threads, ServeError> {
    let answering = Arc::new(answering);
    let run = |name, turns: fn(&Answering)| {
        let answering = answering.clone();
        Ok::<_, ServeError>((name, thread(name, move || turns(&answering))?))
    };
    let mut threads = vec![run("follower", Answering::follow)?, run("fence", Answering::fence)?];
    for _ in 0..answering::signing_threads(&config.ocsp) {
        threads.push(run("signer", Answering::sign)?);
    }
    Ok(threads)
}

type Threads = Vec<(&'static str, JoinHandle<()>)>;

fn join_all(threads: Threads) -> Result<(), ServeError> {
    let mut joined = Ok(());
    for (name, thread) in threads {
        joined = joined.and(thread.join().map_err(|_| ServeError::Thread(name)));
    }
    joined
}

/// Refuses a ledger that isn't the one signed for. One that can't be asked now is asked before anything is written to it.
fn compare_first(ledger: &dyn Ledger, config: &Config, part: Part) -> Result<(), ServeError> {
    match witness::compare(ledger, &CheckpointFile::at(&config.checkpoint_file), part.known()) {
        Err(WitnessError::Ledger(error)) if error.severity() == Severity::Retry => Ok(()),
        compared => Ok(compared?),
    }
}

fn thread(name: &'static str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, ServeError> {
    Ok(std::thread::Builder::new().name(name.into()).spawn(run)?)
}
