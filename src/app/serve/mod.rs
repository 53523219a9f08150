//! `serve`: the ledger's writer and sequencer, checkpoints, and the probes, until a signal comes.
//!
//! Threads: this one runs the listeners and waits for signals; one opens the ledger and runs the sequencer (and through
//! it the writer's); one is the notary. Called by the command line for `serve` and `up`. What a thread does in one turn is
//! a pure step of `desk` or of the notary; here are the turns.

mod log;
mod notary;
mod sequence;
mod stop;
mod vitals;

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use super::config::Config;
use super::demo::Sockets;
use super::witness::{self, Copy as Known, WitnessError};
use super::{clock, compose};
use crate::http::{self, Admin, Health as _, Readiness};
use crate::keys::{KeyError, Signer};
use crate::ledger::{CheckpointFile, Ledger, LedgerError, Severity, VerifierKey};

use notary::{Duty, Notary, NotaryError};
use sequence::{Opened, Sequence};
use stop::{Pause, Stop};
use vitals::{Bounds, CheckpointSign, Lead, Vitals};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
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
    /// The ledger isn't the one that was signed for.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// The system refused a thread, a signal handler or a socket.
    #[error("the system refuses a thread, a signal handler or a socket ({0}): see to this user's limits")]
    System(#[from] std::io::Error),
    /// A thread died.
    #[error("the {0} thread ended unexpectedly: its last words stand above")]
    Thread(&'static str),
}

/// Binds the listeners of a configuration.
pub fn bind(config: &Config) -> Result<Sockets, ServeError> {
    let socket =
        |address| std::net::TcpListener::bind(address).map_err(|source| ServeError::Listen { address, source });
    Ok(Sockets { public: socket(config.listen)?, admin: socket(config.admin)? })
}

/// Serves until SIGTERM or SIGINT.
pub fn serve(config: &Config, sockets: Sockets, part: Part, tell: &mut dyn FnMut(Told)) -> Result<(), ServeError> {
    let key = compose::open_checkpoint_key(&config.checkpoint_key)?;
    let opened = Opened::default();
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
    let sequence = Sequence::new(config, part, opened.clone(), vitals.clone(), sequence_stop.clone());
    let sequencing = thread("sequencer", move || sequence.run())?;
    let notary_stop = Arc::new(Stop::default());
    let office = Office {
        key: Some(key),
        name: config.checkpoint_name.clone(),
        trusted: config.checkpoints_trusted.clone(),
        file: CheckpointFile::at(&config.checkpoint_file),
        every: Duration::from_secs(config.checkpoint_every.0.into()),
        opened,
        vitals: vitals.clone(),
        stop: notary_stop.clone(),
    };
    let notarising = thread("notary", move || office.run())?;

    let served = listen(sockets, &vitals, tell);
    tell(Told::Stopping);
    // The last checkpoint first, while this process still leads; then the lease goes back.
    notary_stop.tell();
    let notarised = notarising.join();
    sequence_stop.tell();
    let sequenced = sequencing.join();
    served?;
    notarised.map_err(|_| ServeError::Thread("notary"))?;
    sequenced.map_err(|_| ServeError::Thread("sequencer"))?;
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

/// The listeners, until a signal comes.
fn listen(sockets: Sockets, vitals: &Arc<Vitals>, tell: &mut dyn FnMut(Told)) -> Result<(), ServeError> {
    use tokio::signal::unix::{SignalKind, signal};
    let (public, admin) = (sockets.public.local_addr()?, sockets.admin.local_addr()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let (stop, stopped) = tokio::sync::watch::channel(());
        let until = |mut stopped: tokio::sync::watch::Receiver<()>| async move {
            // An error means that the sender is gone, which is the signal, too.
            let _ = stopped.changed().await;
        };
        let admin_listener = Admin::new(vitals.clone());
        let mut serving = tokio::task::JoinSet::new();
        serving.spawn(http::serve(sockets.admin, admin_listener, until(stopped.clone())));
        tell(Told::Listening { public, admin });
        let announce = async {
            while !matches!(vitals.readiness(), Readiness::Ready { .. }) {
                tokio::time::sleep(READY_PAUSE).await;
            }
            tell(Told::Ready { public, admin });
            std::future::pending::<()>().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = announce => {}
        }
        drop(stop);
        while let Some(ended) = serving.join_next().await {
            ended.map_err(|_| ServeError::Thread("listener"))??;
        }
        Ok(())
    })
}

/// What the notary's thread works with.
struct Office {
    key: Option<Box<dyn Signer>>,
    name: String,
    trusted: Vec<VerifierKey>,
    file: CheckpointFile,
    every: Duration,
    opened: Opened,
    vitals: Arc<Vitals>,
    stop: Arc<Stop>,
}

impl Office {
    /// The thread's whole life.
    fn run(mut self) {
        let mut notary = None;
        let mut pause = Duration::ZERO;
        let mut signed = false;
        loop {
            let paused = self.stop.pause(pause);
            pause = FIRST_PAUSE;
            if let Some(done) = self.turn(&mut notary, paused) {
                if matches!(done, Err(NotaryError::Disagree(_))) {
                    // It doesn't pass by itself, and nothing may be signed until a person has looked. The sequencer
                    // sees it, too, and writes no more.
                    self.note(done);
                    return;
                }
                if done.is_ok() {
                    pause = self.every;
                    if !std::mem::replace(&mut signed, true) {
                        log::line("read the ledger up to its last checkpoint, and agree with it");
                    }
                }
                self.note(done);
            }
            if paused == Pause::Stop {
                return;
            }
        }
    }

    /// One turn; nothing if the ledger isn't open, or nobody leads yet.
    fn turn(&mut self, notary: &mut Option<Notary>, paused: Pause) -> Option<Result<(), NotaryError>> {
        let ledger = self.opened.get()?.clone();
        if notary.is_none() {
            let head = match ledger.head() {
                Ok(head) => head,
                Err(error) => return Some(Err(error.into())),
            };
            match Notary::new(head.ledger, self.key.take()?, &self.name, self.trusted.clone()) {
                Ok(made) => *notary = Some(made),
                Err(error) => return Some(Err(error)),
            }
        }
        let signs = self.vitals.signs();
        // Who has just started doesn't know yet whether it leads.
        signs.heartbeat.as_ref()?;
        let duty = if signs.lead == Lead::Mine { Duty::Lead } else { Duty::Follow };
        let stop = &self.stop;
        // At the end one look is enough: whoever has far to read leaves it to the next.
        let mut looks = 0;
        let mut go_on = || {
            looks += 1;
            if paused == Pause::Stop { looks <= LAST_LOOKS_MAX } else { stop.pause(Duration::ZERO) == Pause::Over }
        };
        Some(notary.as_mut()?.tick(&*ledger, &self.file, duty, clock::now(), &mut go_on))
    }

    fn note(&self, done: Result<(), NotaryError>) {
        let sign = match done {
            Ok(()) => CheckpointSign::Fine,
            // A ledger that is away is told by those who write to it.
            Err(NotaryError::Ledger(error)) if error.severity() == Severity::Retry => CheckpointSign::Fine,
            Err(error @ NotaryError::Disagree(_)) => CheckpointSign::Disagree(error.to_string()),
            Err(error) => CheckpointSign::Failing(error.to_string()),
        };
        self.vitals.note(|signs| signs.see_checkpoint(sign));
    }
}

fn thread(name: &'static str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, ServeError> {
    Ok(std::thread::Builder::new().name(name.into()).spawn(run)?)
}

/// Until the first checkpoint, and after one that failed.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Reading a page, signing, and seeing that nothing is left; a little more if others write meanwhile.
const LAST_LOOKS_MAX: u32 = 8;
const READY_PAUSE: Duration = Duration::from_millis(20);
