//! What to fetch: what the index offers against what is held. Printed by a dry run, carried out by whoever pulls.

use std::fmt;

use crate::publisher::{Index, IsDelta, Issue};

use super::Held;

/// What is to be done, path by path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// In the order of paths.
    pub steps: Vec<Step>,
    /// Held, asked for, and no longer published.
    pub gone: Vec<String>,
}

/// What is to be done for one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The path, as in the index.
    pub path: String,
    /// The full CRL.
    pub full: Wanted,
    /// The delta.
    pub delta: Wanted,
}

/// Whether a CRL must be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// So many octets.
    Fetched(u64),
    /// It is held already.
    Held,
    /// There is none.
    None,
    /// There was one, and there is none any more.
    Withdrawn,
}

/// Which paths are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scopes {
    /// All that are published.
    All,
    /// These.
    Of(Vec<String>),
}

impl Plan {
    /// The plan, for what is held in the order of paths; a path that was asked for and isn't published is an error, by its
    /// name.
    pub fn of(index: &Index, held: &[Held], scopes: &Scopes) -> Result<Self, String> {
        if let Scopes::Of(paths) = scopes
            && let Some(missing) = paths.iter().find(|path| index.slot(path).is_none())
            && !held.iter().any(|held| held.listing.path == *missing)
        {
            return Err(missing.clone());
        }
        let wanted = |path: &str| match scopes {
            Scopes::All => true,
            Scopes::Of(paths) => paths.iter().any(|wanted| wanted == path),
        };
        let mut steps = Vec::new();
        for slot in index.slots.iter().filter(|slot| wanted(&slot.path)) {
            let before = held.binary_search_by(|held| held.listing.path.cmp(&slot.path)).ok().map(|at| &held[at]);
            let want = |issue: Option<&Issue>, is_delta| match issue {
                None if before.is_some_and(|held| held.issue(is_delta).is_some()) => Wanted::Withdrawn,
                None => Wanted::None,
                Some(issue)
                    if before.and_then(|held| held.issue(is_delta)).is_some_and(|held| held.sha256 == issue.sha256) =>
                {
                    Wanted::Held
                }
                Some(issue) => Wanted::Fetched(issue.size),
            };
            let (full, delta) = (want(Some(&slot.full), IsDelta::No), want(slot.delta.as_ref(), IsDelta::Yes));
            steps.push(Step { path: slot.path.clone(), full, delta });
        }
        let gone = held.iter().map(|held| &held.listing.path).filter(|path| wanted(path) && index.slot(path).is_none());
        Ok(Self { steps, gone: gone.cloned().collect() })
    }

    /// How many CRLs are fetched, and how many octets.
    pub fn cost(&self) -> (u64, u64) {
        let all = self.steps.iter().flat_map(|step| [step.full, step.delta]);
        all.fold((0, 0), |(count, sum), wanted| match wanted {
            Wanted::Fetched(octets) => (count + 1, sum + octets),
            Wanted::Held | Wanted::None | Wanted::Withdrawn => (count, sum),
        })
    }
}

impl Step {
    /// Whether everything is as it was.
    pub fn is_nothing(&self) -> bool {
        [self.full, self.delta].iter().all(|wanted| matches!(wanted, Wanted::Held | Wanted::None))
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in self.steps.iter().filter(|step| !step.is_nothing()) {
            let parts = [("full", step.full), ("delta", step.delta)];
            let fetched = parts.iter().filter_map(|(name, wanted)| match wanted {
                Wanted::Fetched(octets) => Some(format!("{name} {octets} octets")),
                Wanted::Withdrawn => Some(format!("{name} withdrawn")),
                Wanted::Held | Wanted::None => None,
            });
            writeln!(f, "fetch {}: {}", step.path, fetched.collect::<Vec<_>>().join(", "))?;
        }
        self.gone.iter().try_for_each(|path| writeln!(f, "keep {path}: it is no longer published"))?;
        let (count, octets) = self.cost();
        writeln!(f, "{count} to fetch, {octets} octets, of {} scopes", self.steps.len())
    }
}
