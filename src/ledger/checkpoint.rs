//! Checkpoints: where a ledger stood, in five lines that fit anywhere outside the database, signed by its writer and
//! counter-signed by every follower that found the same in its own copy.
//!
//! The form is the public one of transparency logs (C2SP tlog-checkpoint, signed-note, tlog-cosignature), so that
//! their tools can keep and witness them. Used by the writer, by followers and by `verify`. Described in
//! `docs/EVENTS.md`.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::model::{Epoch, LedgerId, Position, Time};

use super::note::{NoteError, NoteSignature, VerifierKey, Vouched, check};
use super::seal::Head;
use super::tree::Hash;

/// What a checkpoint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which ledger.
    pub ledger: LedgerId,
    /// Which history of it.
    pub epoch: Epoch,
    /// How many events.
    pub position: Position,
    /// The root of the hash tree over them.
    pub root: Hash,
    /// The link of the last.
    pub link: Hash,
}

/// A checkpoint with its signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What is signed.
    pub checkpoint: Checkpoint,
    /// By whom.
    pub signatures: Vec<NoteSignature>,
}

/// How a checkpoint stands to the one signed before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Succession {
    /// It is further on, or the same: whoever signed the one may sign the other once the history between was followed.
    Follows,
    /// It is of another ledger, lies further back, or says something else of the same position: signing both would be
    /// signing two histories.
    Contradicts,
}

impl Checkpoint {
    /// Of where a ledger stands.
    pub fn of(head: &Head) -> Self {
        Self {
            ledger: head.ledger,
            epoch: head.epoch,
            position: head.position,
            root: head.tree.root(),
            link: head.link,
        }
    }

    /// The name of a ledger, as its checkpoints say it and its writer's key is called.
    pub fn origin(ledger: LedgerId) -> String {
        format!("{ORIGIN}{ledger}")
    }

    /// How it stands to one signed before it.
    pub fn after(&self, before: &Self) -> Succession {
        // A new epoch may begin on a shorter history, that of a backup; within one no event is ever lost.
        let further = (self.epoch, self.position) > (before.epoch, before.position);
        if self == before || (self.ledger == before.ledger && further) {
            Succession::Follows
        } else {
            Succession::Contradicts
        }
    }
}

impl fmt::Display for Checkpoint {
    /// The text that is signed, each line with its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", Self::origin(self.ledger))?;
        writeln!(f, "{}", self.position)?;
        writeln!(f, "{}", STANDARD.encode(self.root))?;
        writeln!(f, "epoch {}", self.epoch)?;
        writeln!(f, "link {}", STANDARD.encode(self.link))
    }
}

impl FromStr for Checkpoint {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let wrong = NoteError::NotCheckpoint;
        let mut lines = text.split_terminator('\n');
        let mut line = || lines.next().ok_or(wrong("lines are missing"));
        let ledger = line()?.strip_prefix(ORIGIN).and_then(|id| id.parse().ok()).ok_or(wrong("its origin"))?;
        let position = Position(line()?.parse().map_err(|_| wrong("its size"))?);
        let root = hash(line()?).ok_or(wrong("its root"))?;
        let epoch = line()?.strip_prefix("epoch ").and_then(|epoch| epoch.parse().ok()).ok_or(wrong("its epoch"))?;
        let link = line()?.strip_prefix("link ").and_then(hash).ok_or(wrong("its link"))?;
        let checkpoint = Self { ledger, epoch: Epoch(epoch), position, root, link };
        // One form only: leading zeros, signs, capitals in the name, further lines are somebody else's.
        if checkpoint.to_string() == text { Ok(checkpoint) } else { Err(wrong("it is not in its one form")) }
    }
}

impl Note {
    /// Without signatures yet.
    pub fn unsigned(checkpoint: Checkpoint) -> Self {
        Self { checkpoint, signatures: Vec::new() }
    }

    /// Adds the writer's signature. `sign` is given the octets and gives back an Ed25519 signature.
    pub fn sign<E>(&mut self, key: &VerifierKey, sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>) -> Result<(), E> {
        self.signatures.push(key.sign(&self.checkpoint.to_string(), sign)?);
        Ok(())
    }

    /// Adds a follower's signature, of one who found the same root and link in its own copy at `time`.
    pub fn cosign<E>(
        &mut self,
        key: &VerifierKey,
        time: Time,
        sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>,
    ) -> Result<(), E> {
        self.signatures.push(key.cosign(&self.checkpoint.to_string(), time, sign)?);
        Ok(())
    }

    /// Who of the known keys vouches for it. An error if one of them is misquoted, or if there is none.
    pub fn check(&self, keys: &[VerifierKey]) -> Result<Vec<Vouched>, NoteError> {
        check(&self.checkpoint.to_string(), &self.signatures, keys)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.checkpoint)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

impl FromStr for Note {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        if text.len() > NOTE_OCTETS_MAX {
            return Err(NoteError::Form("it is too long"));
        }
        let (body, lines) = text.split_once("\n\n").ok_or(NoteError::Form("no empty line before the signatures"))?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Form("the last line has no end"))?;
        let signatures = lines.split('\n').map(NoteSignature::parse).collect::<Result<Vec<_>, _>>()?;
        if signatures.len() > SIGNATURES_MAX {
            return Err(NoteError::Form("too many signatures"));
        }
        Ok(Self { checkpoint: format!("{body}\n").parse()?, signatures })
    }
}

fn hash(text: &str) -> Option<Hash> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

const ORIGIN: &str = "tashika/";
/// A writer and its followers; the format asks for at least 16.
const SIGNATURES_MAX: usize = 256;
/// Five lines and that many signatures of Ed25519 fit well.
pub(super) const NOTE_OCTETS_MAX: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::note::KeyKind;
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    use proptest::prelude::*;
    use std::convert::Infallible;

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            ledger: LedgerId([0xab; 16]),
            epoch: Epoch(1),
            position: Position(20_852_163),
            root: [7; 32],
            link: [9; 32],
        }
    }

    fn pair(seed: u8, name: &str, kind: KeyKind) -> (Ed25519KeyPair, VerifierKey) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let public = pair.public_key().as_ref().try_into().unwrap();
        (pair, VerifierKey::new(name, kind, public).unwrap())
    }

    fn signed() -> (Note, [VerifierKey; 2]) {
        let (writer, writer_key) = pair(1, &Checkpoint::origin(LedgerId([0xab; 16])), KeyKind::Writer);
        let (follower, follower_key) = pair(2, "tokyo-1", KeyKind::Follower);
        let mut note = Note::unsigned(checkpoint());
        let sign = |pair: &Ed25519KeyPair, octets: &[u8]| Ok::<_, Infallible>(pair.sign(octets).as_ref().to_vec());
        note.sign(&writer_key, |octets| sign(&writer, octets)).unwrap();
        let time = Time::from_unix(1_795_132_800).unwrap();
        note.cosign(&follower_key, time, |octets| sign(&follower, octets)).unwrap();
        (note, [writer_key, follower_key])
    }

    #[test]
    fn the_text_is_pinned() {
        let (note, [writer, follower]) = signed();
        let text = note.to_string();
        insta::assert_snapshot!(format!("{text}\n{writer}\n{follower}"));
        assert_eq!(text.parse(), Ok(note));
        assert_eq!(writer.to_string().parse(), Ok(writer));
        assert_eq!(follower.to_string().parse(), Ok(follower));
    }

    #[test]
    fn signatures_hold_for_this_text_only() {
        let (note, keys) = signed();
        assert_eq!(note.check(&keys).unwrap().len(), 2);
        assert_eq!(note.check(&keys[..1]).unwrap().len(), 1, "a signature of an unknown key says nothing");
        let mut other = note.clone();
        other.checkpoint.root[0] ^= 1;
        assert!(matches!(other.check(&keys), Err(NoteError::BadSignature { .. })));
        let mut other = note.clone();
        other.checkpoint.epoch = Epoch(2);
        assert!(matches!(other.check(&keys[1..]), Err(NoteError::BadSignature { .. })), "extensions are signed too");
        let mut other = note;
        other.signatures[1].octets[7] ^= 1;
        assert!(matches!(other.check(&keys), Err(NoteError::BadSignature { .. })), "the time is signed too");
        let (_, renamed) = pair(1, "somebody-else", KeyKind::Writer);
        assert_eq!(other.check(&[renamed]), Err(NoteError::Unsigned));
    }

    #[test]
    fn what_is_not_in_its_one_form_is_refused() {
        let (note, _) = signed();
        let good = note.to_string();
        let swap = |from: &str, to: &str| {
            assert!(good.contains(from), "{from}");
            good.replacen(from, to, 1)
        };
        for (text, defect) in [
            (swap("20852163", "020852163"), "leading zero"),
            (swap("20852163", "+20852163"), "sign"),
            (swap("abab", "ABab"), "capitals"),
            (swap("epoch 1\n", ""), "a line missing"),
            (swap("epoch 1\n", "epoch 1\nmore\n"), "a line more"),
            (swap("epoch 1\n", "epoch 01\n"), "leading zero in the epoch"),
            (swap("tashika/", "tashiko/"), "another origin"),
            (swap("\n\n", "\n"), "no empty line"),
            (swap("\n\n", "\n\n\n"), "two empty lines"),
            (swap("BwcHBwcH", "BwcHBwc"), "a short root"),
            (swap("\u{2014} ", "\u{2013} "), "en dash"),
            (good[..good.len() - 1].to_owned(), "no end"),
            (format!("{good}\n"), "an empty line at the end"),
        ] {
            assert!(text.parse::<Note>().is_err(), "{defect}");
        }
    }

    #[test]
    fn nobody_signs_two_histories() {
        let now = checkpoint();
        assert_eq!(now.after(&now), Succession::Follows);
        let later = Checkpoint { position: now.position.next(), root: [8; 32], ..now.clone() };
        assert_eq!(later.after(&now), Succession::Follows);
        assert_eq!(now.after(&later), Succession::Contradicts);
        let other = Checkpoint { root: [8; 32], ..now.clone() };
        assert_eq!(other.after(&now), Succession::Contradicts);
        let foreign = Checkpoint { ledger: LedgerId([1; 16]), ..later };
        assert_eq!(foreign.after(&now), Succession::Contradicts);
        let adopted = Checkpoint { epoch: Epoch(2), position: Position(20_000_000), ..now.clone() };
        assert_eq!(adopted.after(&now), Succession::Follows);
        assert_eq!(now.after(&adopted), Succession::Contradicts);
    }

    proptest! {
        #[test]
        fn any_checkpoint_comes_back(
            ledger: [u8; 16], epoch: u32, position: u64, root: [u8; 32], link: [u8; 32],
        ) {
            let checkpoint = Checkpoint {
                ledger: LedgerId(ledger), epoch: Epoch(epoch), position: Position(position), root, link,
            };
            prop_assert_eq!(checkpoint.to_string().parse(), Ok(checkpoint));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "(?s).{0,300}") {
            let _ = text.parse::<Note>();
            let _ = text.parse::<VerifierKey>();
        }
    }
}
