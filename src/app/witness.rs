//! One look at what was signed for: whether the ledger that was just opened is the one that the last checkpoint speaks of.
//!
//! Called before `serve` and `up` are ready, and by the command line before it changes anything. It reads the file's end
//! and two events, so it costs nothing worth sparing; the whole proof is `ledger verify`, and the notary's.

use std::path::PathBuf;

use crate::ledger::{BrokenLink, Checkpoint, CheckpointFile, CheckpointFileError, Head, Ledger, LedgerError};
use crate::model::{LedgerId, Position};

/// Why a ledger can't be used beside its checkpoints.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// Ledger and checkpoints can't both be right.
    #[error("{} and the ledger can't both be right: {what}: {}", file.display(), what.advice())]
    Disagree {
        /// The file of checkpoints.
        file: PathBuf,
        /// In what.
        what: Disagreement,
    },
    /// The checkpoints can't be read.
    #[error(transparent)]
    File(#[from] CheckpointFileError),
    /// The ledger can't be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// In what they disagree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disagreement {
    /// Another ledger.
    #[error("the checkpoints are of ledger {signed}, and this is ledger {found}")]
    Ledger {
        /// What the checkpoint says.
        signed: LedgerId,
        /// What there is.
        found: LedgerId,
    },
    /// The ledger lost something.
    #[error("a checkpoint speaks of event {signed} of epoch {epoch}, and the ledger ends at event {found}")]
    Shorter {
        /// What the checkpoint says.
        signed: Position,
        /// And in which epoch.
        epoch: u32,
        /// Where the ledger ends.
        found: Position,
    },
    /// Something else was written there.
    #[error("event {0} is not the one that was signed for")]
    Altered(Position),
}

impl Disagreement {
    /// Whether a person may settle it by naming a new epoch.
    pub fn is_adoptable(&self) -> bool {
        match self {
            Self::Ledger { .. } => false,
            Self::Altered(_) | Self::Shorter { .. } => true,
        }
    }

    /// What to do.
    fn advice(&self) -> &'static str {
        match self {
            Self::Ledger { .. } => {
                "bring back the ledger or the checkpoints that belong together, and run 'tashika ledger verify'"
            }
            Self::Shorter { .. } => {
                "run 'tashika ledger verify'; if a backup was restored on purpose, 'tashika ledger adopt'"
            }
            Self::Altered(_) => {
                "run 'tashika ledger verify'; restore a backup, or take this history with 'tashika ledger adopt'"
            }
        }
    }
}

/// How much of the ledger whoever compares may expect to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copy {
    /// All of it: the database that is written to.
    Whole,
    /// Perhaps not the latest: a follower's.
    Behind,
}

/// Compares the ledger with the last checkpoint in the file; without one there is nothing to compare.
pub fn compare(ledger: &dyn Ledger, file: &CheckpointFile, copy: Copy) -> Result<(), WitnessError> {
    // First the file: what is signed meanwhile is beyond it, and the ledger is further on than that.
    let Some(note) = file.latest()? else { return Ok(()) };
    match disagreement(ledger, &note.checkpoint, copy)? {
        Some(what) => Err(WitnessError::Disagree { file: file.path().to_owned(), what }),
        None => Ok(()),
    }
}

fn disagreement(ledger: &dyn Ledger, said: &Checkpoint, copy: Copy) -> Result<Option<Disagreement>, LedgerError> {
    let head = ledger.head()?;
    if said.ledger != head.ledger {
        return Ok(Some(Disagreement::Ledger { signed: said.ledger, found: head.ledger }));
    }
    if said.epoch < head.epoch {
        // A person has adopted this history since; it may well be another one.
        return Ok(None);
    }
    if said.epoch > head.epoch || said.position > head.position {
        let shorter = Disagreement::Shorter { signed: said.position, epoch: said.epoch.0, found: head.position };
        return Ok((copy == Copy::Whole).then_some(shorter));
    }
    let as_signed = stands_as_signed(ledger, &head, said)?;
    Ok((!as_signed).then_some(Disagreement::Altered(said.position)))
}

/// Whether the event is there, with the link that was signed, and its bytes come to that link.
fn stands_as_signed(ledger: &dyn Ledger, head: &Head, said: &Checkpoint) -> Result<bool, LedgerError> {
    let Some(place) = said.position.0.checked_sub(1).map(Position) else { return Ok(false) };
    let events = ledger.events_after(Position(place.0.saturating_sub(1)), 2)?;
    let mut at = Head::before_first(head.ledger);
    for event in &events {
        if event.position == place {
            (at.position, at.link) = (event.position, event.link);
        } else if event.position == said.position {
            let follows = match at.follow(event) {
                Ok(_) => event.link == said.link,
                Err(BrokenLink::Gap { .. } | BrokenLink::Forked(_) | BrokenLink::TimeWentBack(_)) => false,
                Err(broken @ BrokenLink::Unreadable { .. }) => return Err(broken.into()),
            };
            let root = said.position < head.position || said.root == head.tree.root();
            return Ok(follows && root);
        }
    }
    Ok(false)
}
