//! What lies in the store and nobody needs any more: objects of earlier rounds, and what broken rounds left behind. Part of
//! the press; whoever publishes has it sweep now and then.
//!
//! An object goes only a while after it was last needed, for somebody may be reading, and only while the round that the
//! press holds is the one that counts: what another publisher's round needs is not known here.

use std::collections::BTreeMap;

use crate::model::Time;

use super::press::{Press, PressError};
use super::store::{ObjectKind, ObjectName};

/// Objects that go, and whether there may be others that nobody noted.
pub(super) struct Retired {
    since: BTreeMap<ObjectName, Time>,
    others: Others,
}

/// Objects that nobody noted when they were needed no more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Others {
    /// This press has seen to all of them.
    None,
    /// A round broke, here or in a process that is no more: the store must be asked.
    Possible,
}

impl Retired {
    /// At a start, when nobody knows what came before.
    pub fn unknown() -> Self {
        Self { since: BTreeMap::new(), others: Others::Possible }
    }

    /// Notes that objects are needed no more.
    pub fn add(&mut self, since: Time, names: impl IntoIterator<Item = ObjectName>) {
        names.into_iter().for_each(|name| _ = self.since.entry(name).or_insert(since));
    }

    /// Notes that there may be objects that nobody noted.
    pub fn suspect(&mut self) {
        self.others = Others::Possible;
    }

    fn due(&self, now: Time) -> Vec<ObjectName> {
        let due = self.since.iter().filter(|(_, since)| now.since(**since) >= READERS_LAG_SECONDS);
        due.map(|(name, _)| name.clone()).collect()
    }
}

impl Press {
    /// Removes objects that nobody has needed for a while; how many. What fails is tried again next time.
    pub fn sweep(&mut self, now: Time) -> Result<usize, PressError> {
        if self.retired.others == Others::Possible && self.counts()? {
            let all = self.store.names()?;
            let gone: Vec<_> = all.into_iter().filter(|name| !self.needs(name)).collect();
            self.retired.add(now, gone);
            self.retired.others = Others::None;
        }
        let mut due = self.retired.due(now);
        if due.is_empty() || !self.counts()? {
            return Ok(0);
        }
        // What was noted and is needed again: an object of a broken round, staged anew.
        due.retain(|name| {
            let needed = self.needs(name);
            if needed {
                self.retired.since.remove(name);
            }
            !needed
        });
        self.store.remove(&due)?;
        due.iter().for_each(|name| _ = self.retired.since.remove(name));
        Ok(due.len())
    }

    /// Whether what this press holds is what counts in the store.
    fn counts(&self) -> Result<bool, PressError> {
        Ok(self.tip.is_some() && self.store.tip()? == self.tip)
    }

    /// Whether the round that this press holds, or the next one, needs an object.
    fn needs(&self, name: &ObjectName) -> bool {
        match name.kind() {
            ObjectKind::Delta | ObjectKind::Full => self.crls.contains_key(name),
            ObjectKind::Index | ObjectKind::IndexSignature | ObjectKind::State => {
                self.tip.as_ref().is_some_and(|tip| tip.number == name.number())
            }
        }
    }
}

/// Whoever follows the store has fetched a round by then, or begins anew.
const READERS_LAG_SECONDS: u64 = 600;
