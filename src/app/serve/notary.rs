//! The notary: signs checkpoints while this process leads, and counter-signs those of whoever else does.
//!
//! Either way it signs for nothing but the history that it has read itself, event by event, and that contains every
//! checkpoint signed before. What to do next is a pure function; [`Notary::tick`] does it. Run by a thread of `serve`.

use crate::keys::{KeyError, Signer};
use crate::ledger::{
    BrokenLink, Checkpoint, CheckpointFile, CheckpointFileError, Head, KeyKind, Ledger, LedgerError, Note, NoteError,
    Sealed, VerifierKey,
};
use crate::model::{Body, LedgerId, Position, Time};

/// What it has read, and its key.
pub(super) struct Notary {
    head: Head,
    key: Box<dyn Signer>,
    writer: VerifierKey,
    follower: VerifierKey,
    trusted: Vec<VerifierKey>,
}

/// In which capacity it signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duty {
    /// Its process leads: "this is my history".
    Lead,
    /// Another does: "I have read the same".
    Follow,
}

/// What there is to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Counter-sign the last checkpoint.
    Cosign,
    /// Say that the ledger and the checkpoints can't both be right.
    Disagree(String),
    /// Read on, as far as this.
    Read(Position),
    /// Nothing.
    Rest,
    /// Sign where the ledger stands.
    Sign,
}

/// Why a tick didn't come to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotaryError {
    /// Ledger and checkpoints can't both be right. A person must look.
    #[error("{0}: run 'tashika ledger verify'")]
    Disagree(String),
    /// The file of checkpoints can't be used.
    #[error(transparent)]
    File(#[from] CheckpointFileError),
    /// The key doesn't sign.
    #[error("the checkpoint key: {0}")]
    Key(#[from] KeyError),
    /// The ledger can't be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The key's name or signature is not what it should be.
    #[error("the checkpoint key: {0}")]
    Note(#[from] NoteError),
}

impl Notary {
    /// A notary that has read nothing of this ledger yet. `name` is the one under which it counter-signs; `trusted` are
    /// the keys of the others, whose signatures must hold where they stand.
    pub fn new(
        ledger: LedgerId,
        key: Box<dyn Signer>,
        name: &str,
        trusted: Vec<VerifierKey>,
    ) -> Result<Self, NotaryError> {
        let public = key.public_key().try_into().map_err(|_| NoteError::Form("checkpoints need an Ed25519 key"))?;
        let writer = VerifierKey::new(&Checkpoint::origin(ledger), KeyKind::Writer, public)?;
        let follower = VerifierKey::new(name, KeyKind::Follower, public)?;
        Ok(Self { head: Head::before_first(ledger), key, writer, follower, trusted })
    }

    /// Takes in the next events.
    pub fn follow(&mut self, events: &[Sealed]) -> Result<(), BrokenLink> {
        events.iter().try_for_each(|sealed| {
            let event = self.head.follow(sealed)?;
            if let Body::EpochAdopted { epoch, .. } = event.body {
                self.head.epoch = epoch;
            }
            Ok(())
        })
    }

    /// What to do, given the last checkpoint and where the ledger says that it stands.
    pub fn next(&self, last: Option<&Note>, stands: &Head, duty: Duty) -> Next {
        if stands.position < self.head.position || stands.ledger != self.head.ledger {
            return Next::Disagree(format!("the ledger ends at event {}, and had more", stands.position));
        }
        if let Some(next) = last.and_then(|last| self.compare(last, stands, duty)) {
            return next;
        }
        let mine = |key: &VerifierKey, note: &Note| {
            note.signatures.iter().any(|line| line.name == key.name() && line.key_id == key.key_id())
        };
        match (duty, last) {
            (Duty::Follow, Some(last)) if last.checkpoint != Checkpoint::of(&self.head) => Next::Rest,
            (Duty::Follow, Some(last)) if !mine(&self.follower, last) => Next::Cosign,
            (Duty::Follow, _) => Next::Rest,
            (Duty::Lead, _) if self.head.position < stands.position => Next::Read(stands.position),
            (Duty::Lead, _) if Checkpoint::of(&self.head) != Checkpoint::of(stands) => {
                Next::Disagree(format!("the ledger's head is not what its {} events come to", stands.position))
            }
            (Duty::Lead, Some(last)) if last.checkpoint == Checkpoint::of(stands) && mine(&self.writer, last) => {
                Next::Rest
            }
            (Duty::Lead, _) => Next::Sign,
        }
    }

    /// What the last checkpoint calls for, before anything new is signed.
    fn compare(&self, last: &Note, stands: &Head, duty: Duty) -> Option<Next> {
        let said = &last.checkpoint;
        let own = [self.writer.clone(), self.follower.clone()];
        let known = [&own, &self.trusted[..]].concat();
        if let Err(error @ NoteError::BadSignature { .. }) = last.check(&known) {
            return Some(Next::Disagree(format!("the last checkpoint: {error}")));
        }
        if said.ledger != stands.ledger {
            return Some(Next::Disagree(format!("the checkpoints are of ledger {}", said.ledger)));
        }
        if said.epoch < stands.epoch {
            // A person has adopted this history since; it may well be another one.
            return None;
        }
        if said.epoch > stands.epoch || said.position > stands.position {
            // A follower's copy may be behind. A leader's can't be: it has lost something.
            if duty == Duty::Follow {
                return Some(Next::Rest);
            }
            let (position, end) = (said.position, stands.position);
            return Some(Next::Disagree(format!(
                "a checkpoint speaks of event {position}, and the ledger ends at {end}"
            )));
        }
        if self.head.position < said.position {
            return Some(Next::Read(said.position));
        }
        let differs = self.head.position == said.position && *said != Checkpoint::of(&self.head);
        differs.then(|| Next::Disagree(format!("the events up to {} are not those of its checkpoint", said.position)))
    }

    /// Does what there is to do, until there is nothing, or `go_on` says no.
    pub fn tick(
        &mut self,
        ledger: &dyn Ledger,
        file: &CheckpointFile,
        duty: Duty,
        now: Time,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<(), NotaryError> {
        while go_on() {
            let last = file.latest()?;
            let stands = ledger.head()?;
            match self.next(last.as_ref(), &stands, duty) {
                Next::Rest => return Ok(()),
                Next::Disagree(why) => return Err(NotaryError::Disagree(why)),
                Next::Read(up_to) => self.read(ledger, up_to)?,
                Next::Cosign => {
                    let mut note = last.expect("there is something to counter-sign");
                    note.cosign(&self.follower, now, |octets| self.key.sign(octets))?;
                    self.keep(file, &note)?;
                }
                Next::Sign => {
                    let checkpoint = Checkpoint::of(&self.head);
                    let same = last.filter(|last| last.checkpoint == checkpoint);
                    let mut note = same.unwrap_or_else(|| Note::unsigned(checkpoint));
                    note.sign(&self.writer, |octets| self.key.sign(octets))?;
                    self.keep(file, &note)?;
                }
            }
        }
        Ok(())
    }

    fn read(&mut self, ledger: &dyn Ledger, up_to: Position) -> Result<(), NotaryError> {
        let limit = usize::try_from(up_to.0 - self.head.position.0).unwrap_or(PAGE).min(PAGE);
        let events = ledger.events_after(self.head.position, limit)?;
        if events.is_empty() {
            return Err(NotaryError::Disagree(format!("the ledger has no event {}", self.head.position.next())));
        }
        self.follow(&events).map_err(|error| NotaryError::Disagree(error.to_string()))
    }

    /// Checks what was signed before anybody sees it, and keeps it.
    fn keep(&self, file: &CheckpointFile, note: &Note) -> Result<(), NotaryError> {
        note.check(&[self.writer.clone(), self.follower.clone()])?;
        match file.append(note) {
            // Another process was faster with a later one: the next look at the file says whether they agree.
            Err(CheckpointFileError::Contradicts { .. }) => Ok(()),
            kept => Ok(kept?),
        }
    }
}

/// Events read at once.
const PAGE: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Algorithm;
    use crate::ledger::Batch;
    use crate::model::{Actor, Channel, Event, PersonId, Role};
    use aws_lc_rs::digest::Digest;
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};

    const LEDGER: LedgerId = LedgerId([7; 16]);
    const ACTOR: Actor = Actor { role: Role::Ops, person: PersonId([0; 16]), channel: Channel::Cli };

    struct Key(Ed25519KeyPair);

    impl Signer for Key {
        fn algorithm(&self) -> Algorithm {
            Algorithm::Ed25519
        }

        fn public_key(&self) -> &[u8] {
            self.0.public_key().as_ref()
        }

        fn sign(&self, octets: &[u8]) -> Result<Vec<u8>, KeyError> {
            Ok(self.0.sign(octets).as_ref().to_vec())
        }

        fn sign_digest(&self, _: &Digest) -> Result<Vec<u8>, KeyError> {
            Err(KeyError::Digest(Algorithm::Ed25519))
        }
    }

    fn notary(seed: u8) -> Notary {
        let key = Key(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap());
        Notary::new(LEDGER, Box::new(key), "osaka-1", vec![]).unwrap()
    }

    /// A history of that many events; `branch` makes it another one.
    fn history(events: u64, branch: u8) -> Batch {
        let mut batch = Batch::genesis(LEDGER, ACTOR, Time::default());
        while batch.next.position.0 < events {
            let body = Body::InboxRefused { inbox: batch.next.position.0, why: format!("{branch}") };
            batch.record(Event { time: Time::default(), actor: ACTOR, cause: None, body });
        }
        batch
    }

    fn signed(notary: &Notary, head: &Head) -> Note {
        let mut note = Note::unsigned(Checkpoint::of(head));
        note.sign(&notary.writer, |octets| notary.key.sign(octets)).unwrap();
        note
    }

    #[test]
    fn a_leader_reads_before_it_signs_and_rests_when_it_has() {
        let (mut notary, past) = (notary(1), history(5, 0));
        assert_eq!(notary.next(None, &past.next, Duty::Lead), Next::Read(Position(5)));
        notary.follow(&past.events).unwrap();
        assert_eq!(notary.next(None, &past.next, Duty::Lead), Next::Sign);
        let note = signed(&notary, &past.next);
        assert_eq!(notary.next(Some(&note), &past.next, Duty::Lead), Next::Rest);
        let later = history(6, 0);
        assert_eq!(notary.next(Some(&note), &later.next, Duty::Lead), Next::Read(Position(6)));
    }

    #[test]
    fn who_has_just_started_reads_up_to_the_last_checkpoint_first() {
        let (other, mut notary, past) = (notary(1), notary(2), history(9, 0));
        let note = signed(&other, &history(4, 0).next);
        for duty in [Duty::Lead, Duty::Follow] {
            assert_eq!(notary.next(Some(&note), &past.next, duty), Next::Read(Position(4)));
        }
        notary.follow(&past.events[..4]).unwrap();
        assert_eq!(notary.next(Some(&note), &past.next, Duty::Follow), Next::Cosign);
        assert_eq!(notary.next(Some(&note), &past.next, Duty::Lead), Next::Read(Position(9)));
        let mut both = note;
        both.cosign(&notary.follower, Time::default(), |octets| notary.key.sign(octets)).unwrap();
        assert_eq!(notary.next(Some(&both), &past.next, Duty::Follow), Next::Rest);
    }

    #[test]
    fn nobody_signs_beside_a_checkpoint_that_says_something_else() {
        let (other, mut notary, past) = (notary(1), notary(2), history(9, 0));
        let note = signed(&other, &history(4, 1).next);
        notary.follow(&past.events[..4]).unwrap();
        for duty in [Duty::Lead, Duty::Follow] {
            assert!(matches!(notary.next(Some(&note), &past.next, duty), Next::Disagree(_)));
        }
        let mut forged = signed(&notary, &past.next);
        forged.checkpoint.position = Position(4);
        assert!(matches!(notary.next(Some(&forged), &past.next, Duty::Lead), Next::Disagree(_)), "a broken signature");
    }

    #[test]
    fn a_leader_without_what_was_proved_is_told_and_a_follower_waits_for_it() {
        let (other, notary, past) = (notary(1), notary(2), history(3, 0));
        let note = signed(&other, &history(4, 0).next);
        assert!(matches!(notary.next(Some(&note), &past.next, Duty::Lead), Next::Disagree(_)));
        assert_eq!(notary.next(Some(&note), &past.next, Duty::Follow), Next::Rest);
    }

    #[test]
    fn events_that_were_replaced_and_a_head_that_was_set_are_noticed() {
        let (mut notary, past, other) = (notary(1), history(5, 0), history(6, 1));
        notary.follow(&past.events).unwrap();
        assert_eq!(notary.follow(&other.events[5..]), Err(BrokenLink::Forked(Position(6))));
        assert!(matches!(notary.next(None, &history(5, 1).next, Duty::Lead), Next::Disagree(_)));
        assert!(matches!(notary.next(None, &history(4, 0).next, Duty::Lead), Next::Disagree(_)));
    }
}
