//! The seals of a snapshot: AES-256-GCM for each frame under a key of the file's own, HMAC-SHA-256 for its header.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::error::{Part, SnapshotError};

/// The secret that snapshots are sealed with. Whoever has it can read them and make others.
#[derive(Clone)]
pub struct SnapshotKey(Zeroizing<[u8; 32]>);

/// 32 octets of entropy, drawn anew for each file and never used twice: the file's own key is made of it.
pub struct Salt(pub [u8; 32]);

/// The key of one file.
pub struct FrameSeal(LessSafeKey);

impl SnapshotKey {
    /// The key made of 32 octets of entropy.
    pub fn new(octets: [u8; 32]) -> Self {
        Self(Zeroizing::new(octets))
    }

    /// The key for the frames of a file whose header begins with these octets: magic, version, salt, whose and where.
    pub fn frames(&self, preamble: &[u8]) -> FrameSeal {
        let key = Zeroizing::new(self.mac(b"tashika snapshot frames\n", preamble));
        let key = UnboundKey::new(&AES_256_GCM, &*key).expect("AES-256 takes 32 octets");
        FrameSeal(LessSafeKey::new(key))
    }

    /// The header's tag.
    pub fn tag(&self, header: &[u8]) -> [u8; TAG_OCTETS] {
        self.mac(b"tashika snapshot header\n", header)
    }

    /// Whether that is the header's tag; compared in constant time.
    pub fn check(&self, header: &[u8], tag: &[u8]) -> Result<(), SnapshotError> {
        let expected = self.tag(header);
        aws_lc_rs::constant_time::verify_slices_are_equal(&expected, tag)
            .map_err(|_| SnapshotError::Altered(Part::Header))
    }

    fn mac(&self, what: &[u8], octets: &[u8]) -> [u8; TAG_OCTETS] {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &*self.0));
        context.update(what);
        context.update(octets);
        context.sign().as_ref().try_into().expect("SHA-256 has 32 octets")
    }
}

impl FrameSeal {
    /// Seals octets where they are, and puts the tag behind them.
    pub fn seal(&self, index: u64, about: &[u8], octets: &mut Vec<u8>) {
        let tag = self.0.seal_in_place_separate_tag(nonce(index), Aad::from(about), octets);
        octets.extend(tag.expect("a frame is shorter than the 64 GB that a nonce is good for").as_ref());
    }

    /// Opens octets with their tag where they are.
    pub fn open<'o>(
        &self,
        index: u64,
        about: &[u8],
        octets: &'o mut [u8],
        part: Part,
    ) -> Result<&'o [u8], SnapshotError> {
        let opened = self.0.open_in_place(nonce(index), Aad::from(about), octets);
        opened.map(|octets| &*octets).map_err(|_| SnapshotError::Altered(part))
    }
}

/// The frame's place in the file: no two have the same under one key.
fn nonce(index: u64) -> Nonce {
    let mut octets = [0; 12];
    octets[4..].copy_from_slice(&index.to_be_bytes());
    Nonce::assume_unique_for_key(octets)
}

/// Behind the header.
pub const TAG_OCTETS: usize = 32;
/// Behind each frame.
pub const FRAME_TAG_OCTETS: usize = 16;
/// The directory's nonce: no file has so many frames.
pub const DIRECTORY: u64 = u64::MAX;
