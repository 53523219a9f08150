//! A ledger that goes away between any two questions: what was taken in is told, what wasn't is taken in later, and nothing
//! falls between.

use std::sync::Arc;

use tashika::follow::{FollowError, Follower, Stepped};
use tashika::ledger::Ledger;
use tashika::model::CertificateNo;

use crate::history::{self, CERTIFICATES, Version};
use crate::in_step::{agrees, key};
use crate::lying_ledger::{Lies, LyingLedger};
use crate::memory_ledger::MemoryLedger;
use crate::nation;
use crate::rng::Rng;

/// What whoever steps was told, all in all.
#[derive(Debug, Default, PartialEq, Eq)]
struct Heard {
    events: usize,
    changed: Vec<CertificateNo>,
    sets: usize,
    issuers: usize,
}

impl Heard {
    fn add(&mut self, stepped: Stepped) -> bool {
        self.events += stepped.events;
        self.changed.extend(stepped.changed);
        self.sets += stepped.sets;
        self.issuers += stepped.issuers;
        stepped.more
    }
}

#[test]
fn nothing_is_lost_while_the_ledger_comes_and_goes() {
    let truth = MemoryLedger::create(&nation::genesis(1));
    let begun = || Follower::bootstrap(&truth, &key()).unwrap();
    let (mut undisturbed, mut followers) = (begun(), std::iter::repeat_with(begun).take(50).collect::<Vec<_>>());
    let writer: Arc<dyn Ledger> = Arc::new(truth.clone());
    history::write(&writer, Version::True, &mut || {});
    let mut expected = Heard::default();
    while expected.add(undisturbed.step(&truth).unwrap()) {}
    assert!(expected.sets > 0 && expected.issuers > 0);
    let mut lost = 0;
    for (follower, seed) in followers.iter_mut().zip(0..) {
        let lies = Lies { unreachable: 250, ..Lies::default() };
        let ledger = LyingLedger::new(truth.clone(), Rng::new(seed), lies);
        let mut heard = Heard::default();
        loop {
            match follower.step(&ledger) {
                Ok(stepped) => {
                    if !heard.add(stepped) {
                        break;
                    }
                }
                Err(FollowError::Ledger(_)) => lost += 1,
                Err(FollowError::Frozen(why)) => panic!("seed {seed}: {why}"),
            }
        }
        assert_eq!(heard, expected, "seed {seed}");
        assert_eq!(follower.table().read_to().position, truth.head().unwrap().position, "seed {seed}");
        assert_eq!(agrees(follower, &truth), CERTIFICATES, "seed {seed}");
    }
    assert!(lost > 100, "{lost}");
}
