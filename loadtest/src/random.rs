//! Random numbers of the generator: arrivals, choice of certificates, nonces. Given a seed, the same run again.

/// SplitMix64: fast, and good enough for a workload; nothing here is a secret.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// In [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}

/// How the certificate of each question is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    /// Each as likely as any other.
    #[default]
    Uniform,
    /// By rank in the list, the first hottest: the k-th as ln(1 + 1/k), Zipf's law with exponent 1 but for its very head.
    Zipf,
}

impl Choice {
    /// An index below `count`, which is not zero.
    pub fn pick(self, random: &mut Random, count: usize) -> usize {
        let unit = random.unit();
        let index = match self {
            Self::Uniform => unit * count as f64,
            // The inverse of the distribution function ln(k + 1) / ln(count + 1).
            Self::Zipf => ((count as f64 + 1.0).ln() * unit).exp() - 1.0,
        };
        (index as usize).min(count - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zipf_gives_each_rank_its_share_and_uniform_gives_all_the_same() {
        let (count, rounds) = (1000, 400_000);
        for choice in [Choice::Zipf, Choice::Uniform] {
            let mut random = Random::new(7);
            let mut seen = vec![0u32; count];
            for _ in 0..rounds {
                seen[choice.pick(&mut random, count)] += 1;
            }
            for rank in [1, 2, 10, 100] {
                let share = f64::from(seen[rank - 1]) / f64::from(rounds);
                let due = match choice {
                    Choice::Zipf => (1.0 + 1.0 / rank as f64).ln() / (count as f64 + 1.0).ln(),
                    Choice::Uniform => 1.0 / count as f64,
                };
                assert!((share / due - 1.0).abs() < 0.15, "{choice:?}, rank {rank}: {share} for {due}");
            }
        }
    }

    #[test]
    fn a_seed_gives_the_same_numbers_again() {
        let numbers = |seed| {
            let mut random = Random::new(seed);
            let mut bytes = [0; 13];
            random.fill(&mut bytes);
            (random.next(), bytes)
        };
        assert_eq!(numbers(3), numbers(3));
        assert_ne!(numbers(3), numbers(4));
    }
}
