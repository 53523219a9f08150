//! `serve`: the ledger's writer and sequencer, checkpoints, OCSP answers and the probes, until a signal comes.
//!
//! Threads: this one runs the admin listener and waits for signals; one opens the ledger and runs the sequencer (and through
//! it the writer's); one is the notary; one follows the ledger, one asks it at the fence, some sign, and one for each core
//! answers. Called by the command line for `serve` and `up`. What a thread does in one turn is a step of `desk`, `follow`,
//! `responder` or of the notary; here are the turns.

mod answering;
mod clerk;
mod crl_sign;
mod crls;
mod demands;
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
mod staff;
mod stop;
mod vitals;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use super::config::Config;
use super::demo::Sockets;
use super::token::{self, TokenError};
use super::witness::{self, Copy as Known, WitnessError};
use super::{clock, compose};
use crate::http::{FileCounts, Refusals};
use crate::keys::KeyError;
use crate::ledger::{CheckpointFile, Ledger, LedgerError, Severity};
use crate::parties::Counters;
use crate::publisher::Shelf;
use crate::responder::Plan;

use answering::{Found, Planned};
use clerk::Counter;
use sequence::{Opened, Writing};
use staff::{Shared, Staff};
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
    /// It has a predecessor's listeners, and opens them when it is ready.
    Waiting {
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
    let shelf = Arc::new(Shelf::default());
    let shared = Shared {
        opened: opened.clone(),
        writing: writing.clone(),
        vitals: vitals.clone(),
        shelf: shelf.clone(),
        demands: Arc::default(),
    };
    let (found, planned) = (Found::default(), Planned::default());
    let staff = Staff::start(config, part, key, &shared, (found.clone(), planned.clone()))?;
    let (counters, tallies) = Counters::new(&config.parties, sockets.public.len());
    let counter = Counter {
        config: config.clone(),
        opened,
        writing,
        vitals,
        found,
        counters,
        demands: shared.demands.clone(),
        refusals: Refusals::default(),
        shelf,
        files: FileCounts::default(),
        connections: None,
        names: OnceLock::new(),
    };
    let served = listening::listen(sockets, (counter, tallies), token, &planned, tell);
    // The listeners have answered their last.
    let ended = staff.end();
    served?;
    ended?;
    tell(Told::Stopped);
    Ok(())
}

/// Refuses a ledger that isn't the one signed for. One that can't be asked now is asked before anything is written to it.
fn compare_first(ledger: &dyn Ledger, config: &Config, part: Part) -> Result<(), ServeError> {
    match witness::compare(ledger, &CheckpointFile::at(&config.checkpoint_file), part.known()) {
        Err(WitnessError::Ledger(error)) if error.severity() == Severity::Retry => Ok(()),
        compared => Ok(compared?),
    }
}
