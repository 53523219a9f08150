//! The thread that publishes CRLs while no other process does, or follows what another publishes. Run by `serve`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use super::Part;
use super::demands::{Answer, Asked, Demands, Summary};
use super::faces;
use super::log;
use super::sequence::{Opened, Writing};
use super::stop::{Pause, Stop};
use super::vitals::{LedgerSign, Vitals};
use crate::app::config::{Config, CrlRole};
use crate::app::crls::{PublishError, Publisher, alarm_text, brought, seal};
use crate::app::words::counted_crls;
use crate::app::{clock, compose, give_way};
use crate::ledger::{Lease, Ledger};
use crate::model::{Actor, Channel, NodeId, PersonId, Role};
use crate::publisher::{Brought, Press, PressError, Published, Shelf, StoreError};

/// What the thread works with.
pub(super) struct Crls {
    pub config: Arc<Config>,
    pub part: Part,
    pub opened: Opened,
    pub writing: Writing,
    pub shelf: Arc<Shelf>,
    pub vitals: Arc<Vitals>,
    pub stop: Arc<Stop>,
    pub demands: Arc<Demands>,
    /// In which second the store was looked at last.
    pub looked: AtomicI64,
}

/// Who does the work.
enum Worker {
    /// Nobody yet, or no more: what is published is followed.
    Follows(Box<Press>),
    /// This process could.
    Publishes(Box<Publisher>),
}

impl Crls {
    /// The thread's whole life.
    pub fn run(&self) {
        if self.config.crl.role == CrlRole::Off {
            return;
        }
        faces::lay_crl_signers(&self.shelf, &self.config.crl);
        let Some(press) = self.open() else { return };
        give_way();
        let node = clock::new_node_id();
        let mut worker = Worker::Follows(Box::new(press));
        let mut pause = Duration::ZERO;
        while self.rest(pause) == Pause::Over {
            (worker, pause) = match self.turn(worker, node) {
                Ok((worker, pause)) => (worker, pause),
                Err((worker, error)) => {
                    self.lose(&error.to_string());
                    self.turn_away(&error.to_string());
                    (worker, RETRY_PAUSE)
                }
            };
        }
        self.turn_away("this process was told to stop");
        if let Some(ledger) = self.opened.get() {
            // Whoever takes over need not wait for its end.
            let _ = ledger.release_lease(LEASE, node);
        }
    }

    /// Until there is something to do: what somebody asks for doesn't wait.
    fn rest(&self, at_most: Duration) -> Pause {
        let mut left = at_most;
        while !left.is_zero() && self.demands.is_empty() {
            let slice = left.min(TURN_PAUSE);
            self.demands.wait(slice);
            left -= slice;
            if self.stop.pause(Duration::ZERO) == Pause::Stop {
                return Pause::Stop;
            }
        }
        self.stop.pause(Duration::ZERO)
    }

    /// Tells all who wait that nothing is published here now.
    fn turn_away(&self, why: &str) {
        self.demands.take().into_iter().for_each(|asked| asked.answer(Answer::Away(why.to_owned())));
    }

    /// Opens the store, and puts on the shelf what counts there.
    fn open(&self) -> Option<Press> {
        loop {
            let opened = compose::open_store(&self.config.crl.store).map_err(|error| error.to_string());
            let opened = opened.and_then(|store| {
                let press = Press::open_sealed(store, self.shelf.clone(), seal(&self.config)?);
                press.map_err(|error| error.to_string())
            });
            match opened {
                Ok(press) => {
                    self.see(&press, false);
                    return Some(press);
                }
                Err(why) => self.lose(&why),
            }
            if self.stop.pause(RETRY_PAUSE) == Pause::Stop {
                return None;
            }
        }
    }

    /// One turn; how long to pause after it. On an error the worker stays what it was.
    fn turn(&self, worker: Worker, node: NodeId) -> Result<(Worker, Duration), (Worker, PublishError)> {
        match worker {
            Worker::Follows(mut press) => {
                if let Err(error) = press.refresh() {
                    return Err((Worker::Follows(press), error.into()));
                }
                self.see(&press, false);
                let may = self.config.crl.role == CrlRole::Publish && self.part == Part::All;
                match self.opened.get() {
                    Some(ledger) if may && self.writing.get().is_some() => self.begin(ledger, *press),
                    _ => Ok((Worker::Follows(press), FOLLOW_PAUSE)),
                }
            }
            Worker::Publishes(mut publisher) => match self.publish(&mut publisher, node) {
                Ok(pause) => Ok((Worker::Publishes(publisher), pause)),
                Err(error) => Err((Worker::Publishes(publisher), error)),
            },
        }
    }

    fn begin(&self, ledger: &Arc<dyn Ledger>, press: Press) -> Result<(Worker, Duration), (Worker, PublishError)> {
        match Publisher::begin(self.config.clone(), ledger.clone(), press) {
            Ok(publisher) => Ok((Worker::Publishes(Box::new(publisher)), Duration::ZERO)),
            Err(failed) => {
                let (press, error) = *failed;
                Err((Worker::Follows(Box::new(press)), error))
            }
        }
    }

    /// Follows the ledger, and publishes what is due if nobody else does.
    fn publish(&self, publisher: &mut Publisher, node: NodeId) -> Result<Duration, PublishError> {
        let Some(ledger) = self.opened.get() else { return Ok(FOLLOW_PAUSE) };
        let there = publisher.follow(PAGES)?;
        // A lease that a wrong clock takes would last until that clock's time has come.
        let leads = self.may_lead()
            && matches!(ledger.lease(LEASE, node, clock::now_millis(), LEASE_TERM_MS)?, Lease::Mine { .. });
        if !leads {
            publisher.press_mut().refresh()?;
            self.see(publisher.press(), false);
            self.turn_away("another process publishes: ask that one");
            return Ok(FOLLOW_PAUSE);
        }
        if !there {
            return Ok(Duration::ZERO);
        }
        let now = clock::now();
        // Somebody may have published by hand; once a second is often enough to ask a store that may be far away.
        if self.looked.swap(now.unix(), Ordering::Relaxed) != now.unix() {
            publisher.press_mut().refresh()?;
        }
        let Some(cutoff) = publisher.cutoff() else { return Ok(TURN_PAUSE) };
        let asked = self.demands.take();
        let (new, wrong) = brought(&self.config, publisher.press().index(), cutoff.time);
        let mut refused = wrong;
        // What was refused stays so until it is tried again.
        let mut stays: Vec<_> = self.vitals.signs().crls.refused;
        stays.retain(|(path, _)| publisher.places().all.contains_key(path));
        // Whoever was faster has published by hand, or took over: their round is the one to go on from.
        let mut tried = self.round(publisher, &asked, &new);
        if matches!(tried, Err(PublishError::Press(PressError::Store(StoreError::Moved)))) {
            publisher.press_mut().refresh()?;
            tried = self.round(publisher, &asked, &new);
        }
        match tried {
            Ok(Some((summary, tried))) => {
                log::line(&in_words(&summary));
                stays.retain(|(path, _)| !tried.contains(path));
                refused.extend(summary.refused.iter().cloned());
                asked.into_iter().for_each(|asked| asked.answer(Answer::Published(summary.clone())));
            }
            Ok(None) => {
                let nobody = "this process may not write at the moment";
                asked.into_iter().for_each(|asked| asked.answer(Answer::Away(nobody.into())));
            }
            Err(PublishError::NoPlace(path)) => {
                asked.into_iter().for_each(|asked| asked.answer(Answer::NoPlace(path.clone())));
            }
            Err(error) => {
                asked.into_iter().for_each(|asked| asked.answer(Answer::Away(error.to_string())));
                return Err(error);
            }
        }
        refused.append(&mut stays);
        publisher.press_mut().sweep(now)?;
        self.see(publisher.press(), true);
        self.vitals.note(|signs| {
            signs.crls.refused = refused;
            signs.crls.without = publisher.places().without.clone();
            signs.crls.large = publisher.large();
        });
        Ok(TURN_PAUSE)
    }

    /// The round that is due, or asked for, if one is; and the paths at which it tried.
    fn round(
        &self,
        publisher: &mut Publisher,
        asked: &[Asked],
        new: &[Brought],
    ) -> Result<Option<(Summary, BTreeSet<String>)>, PublishError> {
        let demands: Vec<_> = asked.iter().map(|asked| asked.demand.clone()).collect();
        let due = publisher.plan(&demands)?;
        let Some(writer) = self.writing.get().filter(|_| !due.is_empty() || !new.is_empty()) else { return Ok(None) };
        let actor = asked.first().map_or_else(by_the_clock, |asked| asked.actor);
        let watch = clock::Stopwatch::start();
        let published = publisher.publish((&due, new), actor, &mut |task| writer.submit(task))?;
        self.vitals.note(|signs| signs.crls.made.count(&published, watch.elapsed()));
        let Published { number, crls, entries, octets, refused } = published;
        let refused = refused.iter().map(|alarm| (alarm.path.clone(), alarm_text(alarm))).collect();
        let summary = Summary { number: number.to_string(), crls, entries, octets, refused };
        Ok(Some((summary, due.into_iter().map(|due| due.path).collect())))
    }

    /// Nothing is written or signed against checkpoints, to a ledger that isn't the one that was read, or by a wrong clock.
    fn may_lead(&self) -> bool {
        let signs = self.vitals.signs();
        !signs.disagree() && signs.leap.is_none() && !matches!(signs.ledger, LedgerSign::Frozen(_))
    }

    fn see(&self, press: &Press, leads: bool) {
        self.vitals.note(|signs| {
            let crls = &mut signs.crls;
            (crls.leads, crls.trouble) = (leads, None);
            if !leads {
                // Whoever publishes tells.
                (crls.refused, crls.without, crls.large) = Default::default();
            }
            if let Some(index) = press.index() {
                crls.see(index, &self.config.crl);
            }
        });
    }

    fn lose(&self, why: &str) {
        self.vitals.note(|signs| signs.crls.trouble = Some(why.to_owned()));
    }
}

fn by_the_clock() -> Actor {
    Actor { role: Role::System, person: PersonId::default(), channel: Channel::Timer }
}

/// A round, for the log.
fn in_words(summary: &Summary) -> String {
    let Summary { number, crls, entries, octets, refused } = summary;
    let made = counted_crls(*crls, *entries, *octets);
    let refused = if refused.is_empty() { String::new() } else { format!(", {} refused", refused.len()) };
    format!("published round {number}: {made}{refused}")
}

/// Who publishes.
const LEASE: &str = "publisher";
/// Another takes over at most so long after a publisher died. A round may take longer; then two make one, and the store takes
/// the first.
const LEASE_TERM_MS: u32 = 30_000;
/// Pages of the ledger between two looks at what is due.
const PAGES: usize = 64;
const TURN_PAUSE: Duration = Duration::from_millis(250);
/// A store may be far away.
const FOLLOW_PAUSE: Duration = Duration::from_secs(1);
const RETRY_PAUSE: Duration = Duration::from_secs(5);
