//! The checkpoints that a verification is held against: sorted by position, each asked for as the walk gets there.

use std::collections::BTreeSet;

use crate::ledger::{Checkpoint, Head, Note, VerifierKey, Vouched};
use crate::model::{Epoch, LedgerId, Position};

use super::report::{Evidenced, Finding, Findings};

/// The evidence still to come, and what came of the rest.
#[derive(Debug)]
pub(super) struct Evidence {
    /// By position, last first.
    ahead: Vec<Witness>,
    abandoned: Vec<Witness>,
    agreeing: u64,
    last: Option<Position>,
    last_epoch: Epoch,
    names: BTreeSet<String>,
}

/// A checkpoint that somebody known has signed.
#[derive(Debug)]
struct Witness {
    checkpoint: Checkpoint,
    names: Vec<String>,
}

impl Evidence {
    /// Sorts out what can't be relied on.
    pub(super) fn new(notes: &[Note], keys: &[VerifierKey], ledger: LedgerId, findings: &mut Findings) -> Self {
        let mut ahead = Vec::new();
        for note in notes {
            let checkpoint = note.checkpoint.clone();
            if checkpoint.ledger != ledger {
                findings.add(Finding::CheckpointForeign(checkpoint.ledger));
                continue;
            }
            match note.check(keys) {
                Ok(vouched) => ahead.push(Witness { checkpoint, names: vouched.into_iter().map(name).collect() }),
                Err(why) => findings.add(Finding::CheckpointDoubtful { position: checkpoint.position, why }),
            }
        }
        ahead.sort_by_key(|witness| std::cmp::Reverse(witness.checkpoint.position));
        let names = BTreeSet::new();
        Self { ahead, abandoned: Vec::new(), agreeing: 0, last: None, last_epoch: Epoch(0), names }
    }

    /// Compares what was signed at this very position with the history that was walked.
    pub(super) fn at(&mut self, head: &Head, findings: &mut Findings) {
        while self.ahead.last().is_some_and(|witness| witness.checkpoint.position <= head.position) {
            let Some(witness) = self.ahead.pop() else { return };
            let position = witness.checkpoint.position;
            if witness.checkpoint == Checkpoint::of(head) {
                self.agreeing += 1;
                self.last = Some(position);
                self.last_epoch = head.epoch;
                self.names.extend(witness.names);
            } else if witness.checkpoint.epoch < head.epoch {
                self.abandoned.push(witness);
            } else {
                findings.add(Finding::CheckpointContradicts { position, names: witness.names.join(", ") });
            }
        }
    }

    /// What is left when the history ends.
    pub(super) fn finish(mut self, head: &Head, findings: &mut Findings) -> Evidenced {
        while let Some(witness) = self.ahead.pop() {
            if witness.checkpoint.epoch < head.epoch {
                self.abandoned.push(witness);
            } else {
                let position = witness.checkpoint.position;
                findings.add(Finding::CheckpointBeyond { position, head: head.position });
            }
        }
        // Whoever rewrites history may write an adoption into it as well. It counts once the writer or a follower has
        // signed for the new epoch, which nobody does without a person's word.
        let (confirmed, open): (Vec<_>, Vec<_>) =
            self.abandoned.into_iter().partition(|witness| witness.checkpoint.epoch < self.last_epoch);
        for Witness { checkpoint, .. } in open {
            findings.add(Finding::Abandoned { position: checkpoint.position, epoch: checkpoint.epoch });
        }
        Evidenced {
            agreeing: self.agreeing,
            abandoned: confirmed.len() as u64,
            last: self.last,
            names: self.names.into_iter().collect(),
        }
    }
}

fn name(vouched: Vouched) -> String {
    match vouched {
        Vouched::Follower { name, .. } | Vouched::Writer { name } => name,
    }
}
