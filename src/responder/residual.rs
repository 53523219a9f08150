//! Until when a good answer that was given before may still be believed: a bound, not a guess.
//!
//! **The bound.** Let a certificate stop being good by an event of ledger time T. Whoever signs `good` for it has not
//! applied that event, so everything it has applied (events, heartbeats) stands before it, and ledger time never decreases
//! along positions: all of it is dated T or earlier. An answer's thisUpdate is never later than the newest ledger time
//! applied, hence ≤ T; its nextUpdate is thisUpdate + validity at most, hence ≤ T + validity. Nothing here asks how far
//! behind the signer was, which clock it had, or whether it heard of the event at all.
//!
//! **When the validity was changed**, answers of the longer one are about. A [`Promise`] says for each validity that was
//! ever in force what the latest thisUpdate was that went out with it (`until`; none: it is in force). Such an answer has a
//! thisUpdate ≤ min(T, `until`), so the bound is the maximum of min(T, `until`) + validity over all promises. It is theirs
//! who keep them: `app`, durably, before anything is signed.
//!
//! Verifiers add what they grant to wrong clocks ([`SKEWS`]).

use crate::model::{Seconds, Time};

/// A validity that answers were, or are, given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// From thisUpdate to nextUpdate.
    pub validity: Seconds,
    /// The latest thisUpdate with it; none: it is in force.
    pub until: Option<Time>,
}

/// The last instant at which a good answer signed before a change of ledger time `change` is valid; none without promises.
pub fn residual_good(change: Time, promises: &[Promise]) -> Option<Time> {
    promises.iter().map(|promise| promise.until.map_or(change, |until| until.min(change)) + promise.validity).max()
}

/// What an issuer's promises are once its validity is this, answers having gone out until `answered`: what was in force is
/// closed, and what had ended by then is dropped.
pub fn promised(before: &[Promise], validity: Seconds, answered: Time) -> Vec<Promise> {
    let closed = before.iter().filter(|promise| promise.validity != validity || promise.until.is_some());
    let closed = closed.map(|promise| Promise { until: Some(promise.until.unwrap_or(answered)), ..*promise });
    let believed = closed.filter(|promise| promise.until.is_some_and(|until| until + promise.validity >= answered));
    // A shorter one that ended earlier bounds nothing.
    let longer = believed.filter(|promise| promise.validity > validity);
    let mut promises: Vec<_> = longer.collect();
    promises.push(Promise { validity, until: None });
    promises
}

/// What common verifiers add to nextUpdate for the sake of wrong clocks.
pub const SKEWS: [(&str, Seconds); 2] = [("openssl", Seconds(300)), ("JDK", Seconds(900))];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> Time {
        Time::from_unix(seconds).unwrap()
    }

    #[test]
    fn an_answer_of_before_ends_with_its_own_validity() {
        let promises = [
            Promise { validity: Seconds(1_000), until: Some(at(50)) },
            Promise { validity: Seconds(600), until: None },
        ];
        assert_eq!(residual_good(at(40), &promises), Some(at(1_040)));
        assert_eq!(residual_good(at(60), &promises), Some(at(1_050)), "the longer ones ended with those of 50");
        assert_eq!(residual_good(at(451), &promises), Some(at(1_051)));
        assert_eq!(residual_good(at(451), &[]), None);
    }

    #[test]
    fn a_shorter_validity_is_promised_beside_the_longer_until_nobody_believes_it() {
        let first = promised(&[], Seconds(1_000), at(0));
        assert_eq!(first, [Promise { validity: Seconds(1_000), until: None }]);
        assert_eq!(promised(&first, Seconds(1_000), at(70)), first, "a restart changes nothing");
        let second = promised(&first, Seconds(600), at(70));
        let closed = Promise { validity: Seconds(1_000), until: Some(at(70)) };
        assert_eq!(second, [closed, Promise { validity: Seconds(600), until: None }]);
        assert_eq!(promised(&second, Seconds(600), at(1_070)), second);
        assert_eq!(promised(&second, Seconds(600), at(1_071)), [second[1]]);
        assert_eq!(promised(&second, Seconds(1_000), at(90)), first, "lengthened, it covers all");
    }

    proptest! {
        /// Whatever was signed at any time, with whatever validity was in force then, ends before the bound.
        #[test]
        fn no_answer_outlives_the_bound(
            steps in prop::collection::vec((1u32..2_000, 0i64..500, 0i64..500), 1..8),
            change in 0i64..4_000,
        ) {
            let (mut promises, mut clock, mut signed) = (Vec::new(), 0, Vec::new());
            for (validity, span, pause) in steps {
                promises = promised(&promises, Seconds(validity), at(clock));
                // In force from here on, for a while; then nobody signs until the next start.
                for this_update in [clock, clock + span / 2, clock + span] {
                    signed.push((this_update, this_update + i64::from(validity)));
                }
                clock += span;
                let now = clock + pause;
                let bound = residual_good(at(change), &promises).unwrap();
                for (this_update, next_update) in &signed {
                    let before = *this_update <= change;
                    prop_assert!(!before || *next_update <= bound.unix() || *next_update < now);
                }
                promises = promised(&promises, Seconds(validity), at(clock));
                clock = now;
            }
        }
    }
}
