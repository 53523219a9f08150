//! CRLs that somebody asks for at the admin listener, and the thread that publishes them: asked here, answered there.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::app::crls::Demand;
use crate::model::Actor;

/// Who waits for CRLs.
#[derive(Default)]
pub(super) struct Demands {
    line: Mutex<Vec<Asked>>,
    bell: Condvar,
}

/// One who waits.
pub(super) struct Asked {
    pub demand: Demand,
    pub actor: Actor,
    answer: SyncSender<Answer>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// Another process publishes, or none can at the moment: why.
    Away(String),
    /// Nobody publishes there.
    NoPlace(String),
    /// The round that has it.
    Published(Summary),
}

/// A round in short.
#[derive(Clone, Debug)]
pub(super) struct Summary {
    pub number: String,
    pub crls: usize,
    pub entries: u64,
    pub octets: u64,
    /// What was refused, by path.
    pub refused: Vec<(String, String)>,
}

impl Demands {
    /// Asks, and waits until it is answered, at most so long.
    pub fn ask(&self, demand: Demand, actor: Actor, at_most: Duration) -> Answer {
        let (answer, answered): (_, Receiver<Answer>) = sync_channel(1);
        {
            let mut line = self.line();
            if line.len() >= WAITING_MAX {
                return Answer::Away("too many CRLs are asked for at once".into());
            }
            line.push(Asked { demand, actor, answer });
        }
        self.bell.notify_all();
        let late = "it takes longer than usual: see /readyz and 'tashika crl list' for what came of it";
        answered.recv_timeout(at_most).unwrap_or_else(|_| Answer::Away(late.into()))
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.line().is_empty()
    }

    /// Whoever waits now.
    pub fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.line())
    }

    /// Waits until somebody asks, at most so long.
    pub fn wait(&self, at_most: Duration) {
        let waited = self.bell.wait_timeout_while(self.line(), at_most, |line| line.is_empty());
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn line(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asked {
    /// Says what came of it. Whoever has gone away meanwhile misses nothing that isn't in the store.
    pub fn answer(self, answer: Answer) {
        let _ = self.answer.send(answer);
    }
}

/// More than the admin listener has at once.
const WAITING_MAX: usize = 64;
