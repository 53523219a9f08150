//! The contract, case by case, for a folder, a bucket and the fake in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Barrier};

use tashika::model::CrlNumber;
use tashika::publisher::directory::DirectoryStore;
use tashika::publisher::{IsDelta, Object, ObjectKind, ObjectName, Store, StoreError, Tip};

use crate::bucket_server::Bucket;
use crate::rng::Rng;
use crate::shelf_store::MemoryStore;

/// Opens one and the same place anew, as another process would.
type Open<'a> = &'a dyn Fn() -> Arc<dyn Store>;

fn in_a_folder(case: fn(Open)) {
    let folder = tempfile::tempdir().unwrap();
    case(&|| Arc::new(DirectoryStore::open(folder.path()).unwrap()));
}

fn in_a_bucket(case: fn(Open)) {
    let bucket = Bucket::new();
    case(&|| Arc::new(bucket.open()));
}

fn in_memory(case: fn(Open)) {
    let store = MemoryStore::default();
    case(&|| Arc::new(store.clone()));
}

/// One test for each case and store.
macro_rules! cases {
    ($($case:ident),* $(,)?) => {
        mod folder { $(#[test] fn $case() { super::in_a_folder(super::$case); })* }
        mod bucket { $(#[test] fn $case() { super::in_a_bucket(super::$case); })* }
        mod memory { $(#[test] fn $case() { super::in_memory(super::$case); })* }
    };
}

cases! {
    what_is_empty_says_so,
    what_is_put_is_there_for_others,
    an_object_never_changes,
    of_two_that_put_the_same_name_one_wins,
    the_pointer_moves_from_where_it_was_seen,
    the_pointer_never_goes_back,
    of_publishers_that_race_one_wins,
    a_pointer_without_its_index_is_noticed,
    what_is_removed_is_gone,
    any_sequence_does_what_the_model_does,
}

pub fn crl(path: &str, number: u64) -> ObjectName {
    ObjectName::crl(path, IsDelta::No, number.into())
}

pub fn index(number: u64) -> ObjectName {
    ObjectName::of_round(ObjectKind::Index, number.into())
}

pub fn put(store: &dyn Store, name: &ObjectName, octets: &[u8]) -> Result<(), StoreError> {
    store.put(&[Object { name, octets }])
}

fn names(store: &dyn Store) -> BTreeSet<String> {
    store.names().unwrap().iter().map(ObjectName::to_string).collect()
}

fn what_is_empty_says_so(open: Open) {
    let store = open();
    assert_eq!(store.tip().unwrap(), None);
    assert_eq!(store.names().unwrap(), []);
    assert_eq!(store.get(&index(1)).unwrap(), None);
    store.put(&[]).unwrap();
    store.remove(&[]).unwrap();
}

fn what_is_put_is_there_for_others(open: Open) {
    let large: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8).collect();
    let all = [
        (crl("card-sign-13101", 7), &large[..]),
        (ObjectName::crl("card-sign-13101", IsDelta::Yes, 7.into()), b"delta"),
        (crl("towns/hanamizu/v1.2", 7), b"nested"),
        (crl("empty", 7), b""),
        (index(7), b"{}"),
        (ObjectName::of_round(ObjectKind::IndexSignature, 7.into()), b"signature"),
        (ObjectName::of_round(ObjectKind::State, 7.into()), b"state"),
        (ObjectName::of_round(ObjectKind::Index, "0x0100000000000000000000000000000000".parse().unwrap()), b"far"),
    ];
    let objects: Vec<Object> = all.iter().map(|(name, octets)| Object { name, octets }).collect();
    open().put(&objects).unwrap();
    let other = open();
    for (name, octets) in &all {
        assert_eq!(other.get(name).unwrap().as_deref(), Some(*octets), "{name}");
    }
    assert_eq!(names(&*other), all.iter().map(|(name, _)| name.to_string()).collect());
    assert_eq!(other.tip().unwrap(), None, "nothing counts before the pointer says so");
}

fn an_object_never_changes(open: Open) {
    let store = open();
    put(&*store, &crl("a", 1), b"one").unwrap();
    put(&*open(), &crl("a", 1), b"one").unwrap();
    let objects = [Object { name: &crl("b", 1), octets: b"b" }, Object { name: &crl("a", 1), octets: b"two" }];
    let error = store.put(&objects).unwrap_err();
    assert!(matches!(&error, StoreError::Taken(name) if *name == crl("a", 1)) && !error.may_pass(), "{error}");
    assert_eq!(open().get(&crl("a", 1)).unwrap().as_deref(), Some(&b"one"[..]));
}

fn of_two_that_put_the_same_name_one_wins(open: Open) {
    for round in 0..8 {
        let name = crl("race", round);
        let start = Barrier::new(4);
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let each = |who: u8| {
                let (store, name, start) = (open(), &name, &start);
                scope.spawn(move || {
                    start.wait();
                    (who, put(&*store, name, &vec![who; 5_000]))
                })
            };
            let all: Vec<_> = (0..4).map(each).collect();
            all.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let winners: Vec<u8> = outcomes.iter().filter(|(_, outcome)| outcome.is_ok()).map(|(who, _)| *who).collect();
        assert_eq!(winners.len(), 1, "{outcomes:?}");
        assert!(
            outcomes.iter().all(|(_, outcome)| matches!(outcome, Ok(()) | Err(StoreError::Taken(_)))),
            "{outcomes:?}"
        );
        assert_eq!(open().get(&name).unwrap(), Some(vec![winners[0]; 5_000]));
    }
}

fn the_pointer_moves_from_where_it_was_seen(open: Open) {
    let store = open();
    assert!(matches!(store.advance(None, 1.into()), Err(StoreError::Strange { .. })), "there is no such round");
    assert_eq!(store.tip().unwrap(), None);
    for number in [1, 2, 3] {
        put(&*store, &index(number), b"{}").unwrap();
    }
    let first = store.advance(None, 1.into()).unwrap();
    assert_eq!(open().tip().unwrap().as_ref(), Some(&first));
    assert!(matches!(store.advance(None, 2.into()), Err(StoreError::Moved)));
    let second = open().advance(Some(&first), 2.into()).unwrap();
    assert_eq!((second.number, store.tip().unwrap().as_ref()), (2.into(), Some(&second)));
    let error = store.advance(Some(&first), 3.into()).unwrap_err();
    assert!(matches!(error, StoreError::Moved) && error.may_pass());
    assert_eq!(store.advance(Some(&second), 3.into()).unwrap().number, 3.into());
}

fn the_pointer_never_goes_back(open: Open) {
    let store = open();
    for number in [4, 5] {
        put(&*store, &index(number), b"{}").unwrap();
    }
    let tip = store.advance(None, 5.into()).unwrap();
    for to in [4, 5] {
        let error = store.advance(Some(&tip), to.into()).unwrap_err();
        assert!(matches!(error, StoreError::NotLater { .. }) && !error.may_pass(), "{error}");
    }
    assert_eq!(store.tip().unwrap(), Some(tip));
}

fn of_publishers_that_race_one_wins(open: Open) {
    let mut tip = None;
    for round in 0..12 {
        let numbers: Vec<u64> = (1..=4).map(|who| round * 10 + who).collect();
        for number in &numbers {
            put(&*open(), &index(*number), b"{}").unwrap();
        }
        let start = Barrier::new(numbers.len());
        let moved: Vec<Tip> = std::thread::scope(|scope| {
            let each = |number: &u64| {
                let (store, start, from, to) = (open(), &start, tip.as_ref(), CrlNumber::from(*number));
                scope.spawn(move || {
                    start.wait();
                    match store.advance(from, to) {
                        Ok(tip) => Some(tip),
                        Err(error) => {
                            assert!(error.may_pass(), "{error}");
                            None
                        }
                    }
                })
            };
            let all: Vec<_> = numbers.iter().map(each).collect();
            all.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(moved.len(), 1, "{moved:?}");
        tip = open().tip().unwrap();
        assert_eq!(tip.as_ref(), moved.first());
    }
}

fn a_pointer_without_its_index_is_noticed(open: Open) {
    let store = open();
    put(&*store, &index(1), b"{}").unwrap();
    store.advance(None, 1.into()).unwrap();
    store.remove(&[index(1)]).unwrap();
    let error = store.tip().unwrap_err();
    assert!(matches!(&error, StoreError::Strange { .. }) && !error.may_pass(), "{error}");
    assert!(error.to_string().contains("round/1.index.json is missing"), "{error}");
}

fn what_is_removed_is_gone(open: Open) {
    let store = open();
    for number in 1..=3 {
        put(&*store, &crl("towns/a", number), b"crl").unwrap();
    }
    open().remove(&[crl("towns/a", 1), crl("towns/a", 9), crl("elsewhere/x", 3), crl("towns/a", 3)]).unwrap();
    assert_eq!(names(&*store), BTreeSet::from([crl("towns/a", 2).to_string()]));
    assert_eq!(store.get(&crl("towns/a", 1)).unwrap(), None);
    // What is gone may come again, with other contents.
    put(&*store, &crl("towns/a", 1), b"other").unwrap();
    assert_eq!(store.get(&crl("towns/a", 1)).unwrap().as_deref(), Some(&b"other"[..]));
}

/// Puts, gets, removals and moves in any order, from two handles, against a map and a number.
fn any_sequence_does_what_the_model_does(open: Open) {
    let handles = [open(), open()];
    let mut rng = Rng::new(4);
    let (mut objects, mut tip) = (BTreeMap::<ObjectName, Vec<u8>>::new(), None::<Tip>);
    for _ in 0..150 {
        let store = &handles[rng.below(2) as usize];
        let name = if rng.per_mille(500) { index(rng.below(9)) } else { crl("a", rng.below(5)) };
        match rng.below(4) {
            0 => {
                let octets = vec![rng.below(2) as u8; 3];
                let there = objects.get(&name);
                match put(&**store, &name, &octets) {
                    Ok(()) => assert!(there.is_none_or(|there| *there == octets)),
                    Err(StoreError::Taken(_)) => assert!(there.is_some_and(|there| *there != octets)),
                    Err(error) => panic!("{error}"),
                }
                objects.entry(name).or_insert(octets);
            }
            1 if tip.as_ref().is_none_or(|tip| index_of(tip) != name) => {
                store.remove(std::slice::from_ref(&name)).unwrap();
                objects.remove(&name);
            }
            2 => {
                let from = if rng.per_mille(800) { tip.clone() } else { None };
                let to = CrlNumber::from(rng.below(9));
                match store.advance(from.as_ref(), to) {
                    Ok(moved) => {
                        assert!(from == tip && tip.is_none_or(|tip| tip.number < to) && moved.number == to);
                        assert!(objects.contains_key(&ObjectName::of_round(ObjectKind::Index, to)));
                        tip = Some(moved);
                    }
                    Err(StoreError::Moved) => assert_ne!(from, tip),
                    Err(StoreError::NotLater { .. }) => assert!(tip.as_ref().is_some_and(|tip| to <= tip.number)),
                    Err(StoreError::Strange { .. }) => {
                        assert!(!objects.contains_key(&ObjectName::of_round(ObjectKind::Index, to)));
                    }
                    Err(error) => panic!("{error}"),
                }
            }
            _ => assert_eq!(store.get(&name).unwrap(), objects.get(&name).cloned()),
        }
        assert_eq!(store.tip().unwrap(), tip);
    }
    assert_eq!(names(&*open()), objects.keys().map(ObjectName::to_string).collect());
    assert!(tip.is_some() && objects.len() > 3, "the sequence did something");
}

fn index_of(tip: &Tip) -> ObjectName {
    ObjectName::of_round(ObjectKind::Index, tip.number)
}
