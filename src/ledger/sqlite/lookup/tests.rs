//! The look-ups against a map, whatever is added, moved, reopened and asked in between.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tempfile::TempDir;

use super::super::schema;
use super::super::store::Store;
use super::*;

/// What may happen to the look-ups.
#[derive(Clone, Debug)]
enum Act {
    /// So many entries as a run of their own; how much their hashes scatter.
    Bulk(u16, Scatter),
    /// So many entries among the recent ones.
    Few(u8, Scatter),
    /// The program is killed and started again.
    Reopen,
    /// Slices of upkeep.
    Steps(u8),
}

/// How hashes lie.
#[derive(Clone, Copy, Debug)]
enum Scatter {
    /// Few hashes, each borne by many.
    Alike,
    /// All in a narrow range, as nobody's hashes are.
    Close,
    /// As SHA-256 makes them.
    Wide,
}

fn act() -> impl Strategy<Value = Act> {
    let scatter = prop_oneof![1 => Just(Scatter::Alike), 1 => Just(Scatter::Close), 4 => Just(Scatter::Wide)];
    prop_oneof![
        6 => (1..2_000_u16, scatter.clone()).prop_map(|(count, scatter)| Act::Bulk(count, scatter)),
        2 => (1..=u8::MAX, scatter).prop_map(|(count, scatter)| Act::Few(count, scatter)),
        1 => Just(Act::Reopen),
        3 => (1..20_u8).prop_map(Act::Steps),
    ]
}

/// The look-ups of a database without a ledger, and what they should know.
struct Bench {
    _folder: TempDir,
    path: std::path::PathBuf,
    store: Store,
    lookup: Lookup,
    model: BTreeSet<Entry>,
    next: u64,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lookups.db");
        let connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        schema::make(&connection).unwrap();
        let (store, lookup) = (Store::open(&path).unwrap(), Lookup::default());
        Self { _folder: folder, path, store, lookup, model: BTreeSet::new(), next: 1 }
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Bulk(count, scatter) => {
                let entries = self.entries((*count).into(), *scatter);
                self.add(&Addition::bulk(entries));
            }
            Act::Few(count, scatter) => {
                let entries = self.entries((*count).into(), *scatter);
                self.add(&Addition::Few(entries));
            }
            Act::Reopen => {
                self.store = Store::open(&self.path).unwrap();
                self.lookup = Lookup::default();
            }
            Act::Steps(count) => (0..*count).for_each(|_| _ = step(&self.store).unwrap()),
        }
    }

    fn entries(&mut self, count: u64, scatter: Scatter) -> Vec<Entry> {
        let numbers = self.next..self.next + count;
        self.next += count;
        let entries: Vec<_> = numbers.map(|no| (scatter.hash(no), no)).collect();
        self.model.extend(&entries);
        entries
    }

    fn add(&self, addition: &Addition) {
        self.store.write(|connection| addition.store(connection)).unwrap();
    }

    /// Asks for some known hashes and some others, in one go and one by one.
    fn check(&self, salt: u64) {
        let known = self.model.iter().map(|entry| entry.0).skip(salt as usize % 97).step_by(61);
        let hashes: Vec<u64> = known.chain((0..50).map(|n| Scatter::Wide.hash(salt << 32 | n))).collect();
        let mut found = self.ask(hashes.clone());
        found.sort_unstable();
        let wanted: BTreeSet<_> = hashes.iter().copied().collect();
        let expected: Vec<_> = self.model.iter().copied().filter(|entry| wanted.contains(&entry.0)).collect();
        assert_eq!(found, expected);
        for hash in hashes.into_iter().step_by(17) {
            let expected: Vec<_> = self.model.range((hash, 0)..=(hash, u64::MAX)).copied().collect();
            let mut found = self.ask(vec![hash]);
            found.sort_unstable();
            assert_eq!(found, expected);
        }
    }

    fn ask(&self, hashes: Vec<u64>) -> Vec<Entry> {
        self.store.read(|connection| self.lookup.search(connection, hashes)).unwrap()
    }

    fn rows(&self) -> Vec<runs::RunRow> {
        self.store.read(runs::all).unwrap()
    }

    fn count(&self, table: &str) -> u64 {
        let sql = format!("SELECT count(*) FROM {table}");
        self.store.read(|connection| Ok(connection.query_row(&sql, [], |row| row.get(0))?)).unwrap()
    }
}

impl Scatter {
    fn hash(self, n: u64) -> u64 {
        let wide = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (n << 17);
        match self {
            Self::Alike => (n % 5) << 61,
            Self::Close => (1 << 63) + (wide >> 44),
            Self::Wide => wide,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn look_ups_find_what_was_added_and_nothing_else(acts in prop::collection::vec(act(), 1..40)) {
        let mut bench = Bench::new();
        for (act, salt) in acts.iter().zip(1..) {
            bench.act(act);
            bench.check(salt);
        }
        while step(&bench.store).unwrap() != Step::Idle {}
        bench.check(0);
    }
}

#[test]
fn runs_are_merged_by_eights_and_leave_nothing_behind() {
    let mut bench = Bench::new();
    for _ in 0..70 {
        bench.act(&Act::Bulk(4_000, Scatter::Wide));
    }
    assert_eq!(bench.rows().len(), 70);
    while step(&bench.store).unwrap() != Step::Idle {}
    let rows = bench.rows();
    assert!(rows.iter().all(|row| row.state == RunState::Live && row.target.is_none()), "{rows:?}");
    // 70 = 1 × 64 + 6.
    assert_eq!(rows.len(), 7);
    assert_eq!(rows.iter().map(|row| row.entries).sum::<u64>(), 280_000);
    assert_eq!(bench.count("page"), rows.iter().map(|row| u64::from(row.layout.pages)).sum::<u64>());
    assert_eq!(bench.count("filter"), rows.iter().map(|row| u64::from(row.layout.pages.div_ceil(512))).sum::<u64>());
    bench.check(1);
}

#[test]
fn what_is_recent_becomes_a_run_when_it_is_worth_one() {
    let mut bench = Bench::new();
    for _ in 0..RECENT_MAX / 256 {
        bench.act(&Act::Few(255, Scatter::Wide));
    }
    while step(&bench.store).unwrap() != Step::Idle {}
    assert_eq!((bench.rows().len(), bench.count("recent")), (0, RECENT_MAX / 256 * 255), "not yet");
    bench.act(&Act::Few(255, Scatter::Wide));
    while step(&bench.store).unwrap() != Step::Idle {}
    assert_eq!((bench.rows().len(), bench.count("recent")), (1, 0));
    bench.check(1);
}

#[test]
fn a_reader_keeps_its_runs_while_they_are_merged_away() {
    let mut bench = Bench::new();
    for _ in 0..8 {
        bench.act(&Act::Bulk(1_000, Scatter::Wide));
    }
    let hashes: Vec<u64> = bench.model.iter().map(|entry| entry.0).collect();
    let found = bench.store.read(|connection| {
        // The snapshot begins with the first read.
        recent(connection)?;
        while step(&bench.store)? != Step::Idle {}
        // Another reader learns of the new runs first.
        assert_eq!(bench.ask(hashes.clone()).len(), hashes.len());
        bench.lookup.search(connection, hashes.clone())
    });
    assert_eq!(found.unwrap().len(), hashes.len());
    assert_eq!(bench.rows().len(), 1);
}

#[test]
fn a_missing_or_cut_off_page_is_damage() {
    let mut bench = Bench::new();
    bench.act(&Act::Bulk(1_000, Scatter::Wide));
    let hashes: Vec<u64> = bench.model.iter().map(|entry| entry.0).collect();
    for sql in ["UPDATE page SET entries = substr(entries, 2) WHERE id = 3", "DELETE FROM page WHERE id = 3"] {
        bench.store.write(|connection| Ok(connection.execute(sql, [])?)).unwrap();
        let result = bench.store.read(|connection| bench.lookup.search(connection, hashes.clone()));
        assert!(matches!(result, Err(LedgerError::Damaged(_))), "{result:?}");
    }
}
