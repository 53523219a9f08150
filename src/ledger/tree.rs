//! The hash tree over all events (RFC 9162 §2.1), kept as its right edge only.
//!
//! A writer or follower that holds a [`Frontier`] can take in events one by one and say the root at any moment, in
//! memory that grows with the logarithm of the ledger. Used by sealing, checkpoints and `verify`.

use aws_lc_rs::digest::{Context, SHA256, digest};

/// A SHA-256 value.
pub type Hash = [u8; 32];

/// The right edge of a hash tree: the roots of its complete subtrees, largest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// A frontier as it was stored; `None` if the number of peaks doesn't fit the size.
    pub fn from_parts(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (size.count_ones() as usize == peaks.len()).then_some(Self { size, peaks })
    }

    /// How many leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the complete subtrees, largest first: one for each bit set in the size.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Takes in the next leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        // Every trailing one of the size is a complete subtree that the new leaf completes further.
        for _ in 0..self.size.trailing_ones() {
            let left = self.peaks.pop().expect("one peak for each bit set in the size");
            node = inner(&left, &node);
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// The root over all leaves so far.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        match peaks.next() {
            None => sha256(&[]),
            Some(last) => peaks.fold(*last, |right, left| inner(left, &right)),
        }
    }
}

/// The hash of a leaf.
pub fn leaf(bytes: &[u8]) -> Hash {
    sha256(&[&[0], bytes])
}

/// SHA-256 over the parts, one after the other.
pub fn sha256(parts: &[&[u8]]) -> Hash {
    let mut buffer = [0; SHORT];
    let digest = match gather(parts, &mut buffer) {
        Some(together) => digest(&SHA256, together),
        None => {
            let mut context = Context::new(&SHA256);
            parts.iter().for_each(|part| context.update(part));
            context.finish()
        }
    };
    digest.as_ref().try_into().expect("SHA-256 has 32 octets")
}

/// The parts side by side, if they are short: one call for all of them needs no context on the heap, which costs as
/// much as the hash of an event.
fn gather<'b>(parts: &[&[u8]], buffer: &'b mut [u8; SHORT]) -> Option<&'b [u8]> {
    let mut end = 0;
    for part in parts {
        buffer.get_mut(end..end + part.len())?.copy_from_slice(part);
        end += part.len();
    }
    Some(&buffer[..end])
}

fn inner(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

/// Events are shorter than this but for those that add an issuer, with its certificate.
const SHORT: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition of RFC 9162 §2.1.1, word for word.
    fn by_definition(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => sha256(&[]),
            [one] => leaf(one),
            _ => {
                let half = leaves.len().next_power_of_two() / 2;
                inner(&by_definition(&leaves[..half]), &by_definition(&leaves[half..]))
            }
        }
    }

    proptest! {
        #[test]
        fn short_or_long_the_hash_is_that_of_the_whole(a in prop::collection::vec(any::<u8>(), 0..600), cut in any::<prop::sample::Index>()) {
            let (left, right) = a.split_at(cut.index(a.len() + 1));
            let mut context = Context::new(&SHA256);
            context.update(&a);
            let whole = context.finish();
            prop_assert_eq!(&sha256(&[left, right])[..], whole.as_ref());
        }

        #[test]
        fn the_frontier_says_the_root_of_the_definition(leaves in prop::collection::vec(any::<Vec<u8>>(), 0..70)) {
            let mut frontier = Frontier::default();
            for bytes in &leaves {
                frontier.push(leaf(bytes));
            }
            prop_assert_eq!(frontier.root(), by_definition(&leaves));
            let again = Frontier::from_parts(frontier.size(), frontier.peaks().to_vec());
            prop_assert_eq!(again, Some(frontier));
        }
    }
}
