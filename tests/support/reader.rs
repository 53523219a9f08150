//! A follower in miniature: reads events, links them to what it holds, counter-signs checkpoints that agree with its own
//! copy, and freezes for good at the first that doesn't.
//!
//! What it remembers of each position is what a real follower keeps with its snapshots; nothing in the database can
//! change it.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use std::convert::Infallible;

use tashika::ledger::{
    BrokenLink, Checkpoint, Head, KeyKind, Ledger, LedgerError, Note, NoteError, VerifierKey, Vouched,
};
use tashika::model::{Body, LedgerId, Position, Time};

/// A follower with a key and a memory.
pub struct Reader {
    pair: Ed25519KeyPair,
    key: VerifierKey,
    writer: VerifierKey,
    head: Head,
    /// What the history was at each position, from 0.
    known: Vec<Checkpoint>,
    frozen: Option<Frozen>,
}

/// Why a follower believes nothing any more until a person has looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frozen {
    /// The events don't continue what it holds.
    Broken(BrokenLink),
    /// A checkpoint says another history than its own copy.
    Contradicted(Position),
    /// The database has fewer events than it has read, or another one where it stands.
    RolledBack { held: Position },
    /// A checkpoint is not signed by the ledger's writer.
    Untrusted(NoteError),
}

impl Reader {
    /// A follower that has read nothing.
    pub fn new(name: &str, seed: u8, ledger: LedgerId, writer: VerifierKey) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("32 octets");
        let public = pair.public_key().as_ref().try_into().expect("32 octets");
        let key = VerifierKey::new(name, KeyKind::Follower, public).expect("a name");
        let head = Head::before_first(ledger);
        let known = vec![Checkpoint::of(&head)];
        Self { pair, key, writer, head, known, frozen: None }
    }

    /// The key that checks its counter-signatures.
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Where it stands.
    pub fn position(&self) -> Position {
        self.head.position
    }

    /// Reads on to the end.
    pub fn follow(&mut self, ledger: &dyn Ledger) -> Result<(), Frozen> {
        self.awake()?;
        self.stands_where_it_stood(ledger)?;
        loop {
            let page = ledger.events_after(self.head.position, PAGE).expect("a ledger that can be read");
            if page.is_empty() {
                return Ok(());
            }
            for sealed in &page {
                match self.head.follow(sealed) {
                    Ok(event) => {
                        if let Body::EpochAdopted { epoch, .. } = event.body {
                            self.head.epoch = epoch;
                        }
                        self.known.push(Checkpoint::of(&self.head));
                    }
                    Err(broken) => return self.freeze(Frozen::Broken(broken)),
                }
            }
        }
    }

    /// Reads everything again, as a follower does in quiet hours, and compares it with what it remembers.
    pub fn read_again(&mut self, ledger: &dyn Ledger) -> Result<(), Frozen> {
        self.awake()?;
        let mut again = Self::new(self.key.name(), 0, self.head.ledger, self.writer.clone());
        if let Err(frozen) = again.follow(ledger) {
            return self.freeze(frozen);
        }
        let differs = self.known.iter().zip(&again.known).find(|(known, read)| known != read);
        match differs {
            Some((known, _)) => self.freeze(Frozen::Contradicted(known.position)),
            None if again.known.len() < self.known.len() => {
                self.freeze(Frozen::RolledBack { held: self.head.position })
            }
            None => Ok(()),
        }
    }

    /// Counter-signs a checkpoint of the writer, if its own copy has the same history up to there.
    pub fn cosign(&mut self, note: &Note, now: Time) -> Result<Note, Frozen> {
        self.awake()?;
        match note.check(std::slice::from_ref(&self.writer)) {
            Ok(vouched) if vouched.iter().any(|by| matches!(by, Vouched::Writer { .. })) => {}
            Ok(_) => return self.freeze(Frozen::Untrusted(NoteError::Unsigned)),
            Err(error) => return self.freeze(Frozen::Untrusted(error)),
        }
        let position = note.checkpoint.position;
        if self.known.get(position.0 as usize) != Some(&note.checkpoint) {
            return self.freeze(Frozen::Contradicted(position));
        }
        let mut signed = note.clone();
        let sign = |octets: &[u8]| Ok::<_, Infallible>(self.pair.sign(octets).as_ref().to_vec());
        let Ok(()) = signed.cosign(&self.key, now, sign);
        Ok(signed)
    }

    /// The event at which it stands must still be there, with the same link.
    fn stands_where_it_stood(&mut self, ledger: &dyn Ledger) -> Result<(), Frozen> {
        let held = self.head.position;
        if held == Position(0) {
            return Ok(());
        }
        let before = Position(held.0 - 1);
        let last = match ledger.events_after(before, 1) {
            Ok(page) => page.into_iter().next(),
            Err(LedgerError::Damaged(_)) => None,
            Err(error) => panic!("{error}"),
        };
        match last {
            Some(last) if last.position == held && last.link == self.head.link => Ok(()),
            _ => self.freeze(Frozen::RolledBack { held }),
        }
    }

    fn awake(&self) -> Result<(), Frozen> {
        self.frozen.clone().map_or(Ok(()), Err)
    }

    fn freeze<T>(&mut self, why: Frozen) -> Result<T, Frozen> {
        self.frozen = Some(why.clone());
        Err(why)
    }
}

const PAGE: usize = 100;
