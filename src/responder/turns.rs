//! Whose turn it is to have something signed: accredited callers, replies in advance, everybody else.
//!
//! Each cause that has work gets its share of the signing, measured in what was signed; what one doesn't use, the others
//! have. Asked by the threads that sign, under the lane's lock.

/// Why something is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// An accredited caller waits.
    Accredited,
    /// A kept reply is about to end.
    Advance,
    /// Somebody waits.
    Anonymous,
}

/// What each cause has had, in signatures of P-256 divided by its weight.
#[derive(Debug, Default)]
pub(super) struct Shares {
    spent: [u64; 3],
    /// The least that a cause with work has had.
    level: u64,
}

impl Shares {
    /// The cause whose turn it is, of those that have work (in the order of [`CAUSES`]).
    pub fn next(&mut self, has_work: [bool; 3]) -> Option<Cause> {
        for (spent, has_work) in self.spent.iter_mut().zip(has_work) {
            if !has_work {
                // What it doesn't use isn't saved up.
                *spent = (*spent).max(self.level);
            }
        }
        let with_work = (0..3).filter(|at| has_work[*at]);
        let at = with_work.min_by_key(|at| self.spent[*at].max(self.level))?;
        self.spent[at] = self.spent[at].max(self.level);
        self.level = self.spent[at];
        Some(CAUSES[at])
    }

    /// So much was signed for it.
    pub fn spend(&mut self, cause: Cause, cost: u64) {
        let at = CAUSES.iter().position(|one| *one == cause).unwrap_or(0);
        self.spent[at] += cost.max(1) * (WEIGHTS[0] / WEIGHTS[at]);
    }
}

const CAUSES: [Cause; 3] = [Cause::Accredited, Cause::Advance, Cause::Anonymous];
/// Of thirteen signatures, when everybody wants more than there is: eight, four, one. Accredited callers come first; what
/// is kept must not run out, or everybody's next question waits for a signature; strangers are slowed, not silenced.
const WEIGHTS: [u64; 3] = [8, 4, 1];

#[cfg(test)]
mod tests {
    use super::*;

    fn had(has_work: [bool; 3], rounds: usize) -> [usize; 3] {
        let mut shares = Shares::default();
        let mut had = [0; 3];
        for _ in 0..rounds {
            let cause = shares.next(has_work).unwrap();
            had[CAUSES.iter().position(|one| *one == cause).unwrap()] += 1;
            shares.spend(cause, 1);
        }
        had
    }

    #[test]
    fn shares_are_as_weighed_and_nothing_lies_idle() {
        assert_eq!(had([true; 3], 1_300), [800, 400, 100]);
        assert_eq!(had([false, false, true], 10), [0, 0, 10]);
        assert_eq!(had([false, true, true], 500), [0, 400, 100]);
        assert_eq!(Shares::default().next([false; 3]), None);
    }

    #[test]
    fn who_comes_late_has_saved_nothing_up() {
        let mut shares = Shares::default();
        for _ in 0..10_000 {
            let cause = shares.next([false, false, true]).unwrap();
            shares.spend(cause, 1);
        }
        let mut anonymous = 0;
        for _ in 0..130 {
            let cause = shares.next([true; 3]).unwrap();
            shares.spend(cause, 1);
            anonymous += usize::from(cause == Cause::Anonymous);
        }
        assert!((9..=11).contains(&anonymous), "{anonymous}");
    }
}
