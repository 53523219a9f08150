//! The threads of `serve` beside its listeners: started together, ended in an order in which none waits for what is gone.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::thread::JoinHandle;
use std::time::Duration;

use super::answering::{self, Answering, Found, Planned};
use super::crls::Crls;
use super::demands::Demands;
use super::office::Office;
use super::sequence::{Opened, Sequence, Writing};
use super::stop::Stop;
use super::vitals::Vitals;
use super::{Part, ServeError};
use crate::app::config::Config;
use crate::keys::Signer;
use crate::ledger::CheckpointFile;
use crate::publisher::Shelf;

/// What the threads share.
pub(super) struct Shared {
    pub opened: Opened,
    pub writing: Writing,
    pub vitals: Arc<Vitals>,
    pub shelf: Arc<Shelf>,
    pub demands: Arc<Demands>,
}

/// The running threads, each kind with the word that ends it.
pub(super) struct Staff {
    answering: (Arc<Stop>, Threads),
    publishing: (Arc<Stop>, Threads),
    notarising: (Arc<Stop>, Threads),
    sequencing: (Arc<Stop>, Threads),
}

type Threads = Vec<(&'static str, JoinHandle<()>)>;

impl Staff {
    /// Starts them.
    pub fn start(
        config: &Config,
        part: Part,
        key: Box<dyn Signer>,
        shared: &Shared,
        (found, planned): (Found, Planned),
    ) -> Result<Self, ServeError> {
        let Shared { opened, writing, vitals, shelf, demands } = shared;
        let stop = || Arc::new(Stop::default());
        let [sequence_stop, notary_stop, answer_stop, crl_stop] = [stop(), stop(), stop(), stop()];
        let both = (opened.clone(), writing.clone());
        let sequence = Sequence::new(config, part, both, vitals.clone(), sequence_stop.clone());
        let office = Office {
            key: Some(key),
            name: config.checkpoint_name.clone(),
            trusted: config.checkpoints_trusted.clone(),
            file: CheckpointFile::at(&config.checkpoint_file),
            every: Duration::from_secs(config.checkpoint_every.0.into()),
            opened: opened.clone(),
            vitals: vitals.clone(),
            shelf: shelf.clone(),
            stop: notary_stop.clone(),
        };
        let responder = (found, planned);
        let told = (vitals.clone(), shelf.clone());
        let answering = Answering::new(config.clone(), opened.clone(), responder, told, answer_stop.clone());
        let crls = Crls {
            config: Arc::new(config.clone()),
            part,
            opened: opened.clone(),
            writing: writing.clone(),
            shelf: shelf.clone(),
            vitals: vitals.clone(),
            stop: crl_stop.clone(),
            demands: demands.clone(),
            looked: AtomicI64::default(),
        };
        Ok(Self {
            sequencing: (sequence_stop, vec![thread("sequencer", move || sequence.run())?]),
            notarising: (notary_stop, vec![thread("notary", move || office.run())?]),
            answering: (answer_stop, start_answering(config, answering)?),
            publishing: (crl_stop, vec![thread("publisher", move || crls.run())?]),
        })
    }

    /// Ends them, and waits until they have.
    pub fn end(self) -> Result<(), ServeError> {
        // Nothing waits for a signature any more.
        let answered = end(self.answering);
        // A round that is under way is published or burnt, while there is still a writer.
        let published = end(self.publishing);
        // The last checkpoint, while this process still leads; then the lease goes back.
        let notarised = end(self.notarising);
        let sequenced = end(self.sequencing);
        answered.and(published).and(notarised).and(sequenced)
    }
}

fn end((stop, threads): (Arc<Stop>, Threads)) -> Result<(), ServeError> {
    stop.tell();
    join_all(threads)
}

/// The threads behind the public listener.
fn start_answering(config: &Config, answering: Answering) -> Result<Threads, ServeError> {
    let answering = Arc::new(answering);
    let run = |name, turns: fn(&Answering)| {
        let answering = answering.clone();
        thread(name, move || turns(&answering))
    };
    let mut threads = vec![run("follower", Answering::follow)?, run("fence", Answering::fence)?];
    for _ in 0..answering::signing_threads(&config.ocsp) {
        threads.push(run("signer", Answering::sign)?);
    }
    Ok(threads)
}

fn join_all(threads: Threads) -> Result<(), ServeError> {
    let mut joined = Ok(());
    for (name, thread) in threads {
        joined = joined.and(thread.join().map_err(|_| ServeError::Thread(name)));
    }
    joined
}

fn thread(
    name: &'static str,
    run: impl FnOnce() + Send + 'static,
) -> Result<(&'static str, JoinHandle<()>), ServeError> {
    Ok((name, std::thread::Builder::new().name(name.into()).spawn(run)?))
}
