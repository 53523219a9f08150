//! The store that lies to publishers in other tests keeps the contract itself: what it says is done, is; what it says is
//! uncertain, is one or the other. And a publisher that goes by the contract alone gets through it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tashika::model::CrlNumber;
use tashika::publisher::{Object, Store, StoreError, Tip};

use crate::contract::{crl, index};
use crate::shelf_store::{Crash, Lies, LyingStore, MemoryStore};

const LIES: Lies = Lies { unreachable: 100, full: 150, uncertain: 150, second_publisher: 150, crash: 150 };

/// How often each kind of lie was met.
#[derive(Debug, Default)]
struct Met {
    errors: usize,
    crashes: usize,
    overtaken: usize,
    denied: usize,
}

/// Publishes a round by the contract, beginning again after each error and each death.
fn publish(store: &LyingStore, tip: Option<&Tip>, number: CrlNumber, met: &mut Met) -> Tip {
    let to = number.to_string().parse().unwrap();
    let (crl, index) = (crl("a", to), index(to));
    let octets = format!("crl {number}");
    let attempt = |met: &mut Met| -> Result<Tip, StoreError> {
        let here = store.tip()?;
        if let Some(here) = here.clone().filter(|here| here.number == number) {
            met.denied += 1;
            return Ok(here);
        }
        met.overtaken += usize::from(here.as_ref() != tip);
        store.put(&[Object { name: &crl, octets: octets.as_bytes() }, Object { name: &index, octets: b"mine" }])?;
        assert_eq!(store.truth.get(&crl).unwrap().as_deref(), Some(octets.as_bytes()), "what was put is there");
        let moved = store.advance(here.as_ref(), number)?;
        assert_eq!(store.truth.tip().unwrap().as_ref(), Some(&moved), "what was moved is there");
        Ok(moved)
    };
    loop {
        match catch_unwind(AssertUnwindSafe(|| attempt(met))) {
            Ok(Ok(tip)) => return tip,
            Ok(Err(error)) => {
                assert!(error.may_pass(), "{error}");
                met.errors += 1;
            }
            Err(why) => {
                assert!(why.is::<Crash>(), "only the fake kills");
                met.crashes += 1;
            }
        }
    }
}

#[test]
fn a_publisher_that_goes_by_the_contract_gets_through_every_lie() {
    let mut met = Met::default();
    for seed in 0..30 {
        let store = LyingStore::new(MemoryStore::default(), seed, LIES);
        let mut tip = None;
        for round in 1..=20 {
            tip = Some(publish(&store, tip.as_ref(), CrlNumber::from(round * 10), &mut met));
        }
        store.lie(Lies::default());
        for round in 1..=20 {
            assert_eq!(store.get(&crl("a", round * 10)).unwrap(), Some(format!("crl {}", round * 10).into_bytes()));
        }
        assert_eq!(store.tip().unwrap(), tip);
    }
    let Met { errors, crashes, overtaken, denied } = met;
    assert!(errors > 100 && crashes > 100 && overtaken > 20 && denied > 20, "every lie was told: {met:?}");
}
