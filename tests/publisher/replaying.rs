//! The replay proof against maps: it holds exactly when the base, with the news applied, is the full list, and all are in order.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tashika::asn1::crl::{CrlEntry, CrlError};
use tashika::model::{Listed, Reason, Serial, Time};
use tashika::publisher::{Mismatch, Replayed, replay, sum};

type Entry = CrlEntry<'static>;
type Place = (Option<&'static [u8]>, Serial);

fn entry(place: u8, listed: Listed, date: i64) -> Entry {
    let issuer = [None, Some(&b"a"[..]), Some(&b"b"[..])][usize::from(place / 8)];
    // One octet or two, for numbers of different length stand in another order than their octets.
    let serial = Serial::from_unsigned(&(u16::from(place % 8) * 50 + 1).to_be_bytes()).unwrap();
    CrlEntry { serial, date: Time::from_unix(date).unwrap(), listed, invalidity_date: None, issuer }
}

fn entries(removals: &[Listed], date: i64) -> impl Strategy<Value = Vec<Entry>> + use<> {
    let sorts = prop::sample::select([&[Listed::Held, Listed::Revoked(Reason::Superseded)], removals].concat());
    let sorted = prop::collection::btree_map(0_u8..24, sorts, 0..12);
    sorted.prop_map(move |all| all.into_iter().map(|(place, listed)| entry(place, listed, date)).collect())
}

fn by_place(entries: &[Entry]) -> BTreeMap<Place, Entry> {
    entries.iter().map(|entry| ((entry.issuer, entry.serial), *entry)).collect()
}

/// The base with the news applied, as a map.
fn applied(base: &[Entry], news: &[Entry]) -> Vec<Entry> {
    let mut all = by_place(base);
    for new in news {
        match new.listed {
            Listed::Removed => all.remove(&(new.issuer, new.serial)),
            Listed::Held | Listed::Revoked(_) => all.insert((new.issuer, new.serial), *new),
        };
    }
    all.into_values().collect()
}

fn proof(base: &[Entry], news: &[Entry], full: &[Entry]) -> Result<Replayed, Mismatch> {
    fn read(entries: &[Entry]) -> impl Iterator<Item = Result<Entry, CrlError>> {
        entries.iter().copied().map(Ok)
    }
    replay(read(base), read(news), read(full))
}

fn is_sorted(entries: &[Entry]) -> bool {
    entries.is_sorted_by(|one, next| (one.issuer, one.serial) < (next.issuer, next.serial))
}

/// What may go wrong with a list.
fn spoil(list: &mut Vec<Entry>, at: usize, how: u8) {
    if list.is_empty() {
        return list.push(entry(3, Listed::Held, 77));
    }
    let at = at % list.len();
    match how {
        0 => drop(list.remove(at)),
        1 => list.insert(at, list[at]),
        2 => list[at].date = Time::from_unix(78).unwrap(),
        3 => list[at].listed = Listed::Revoked(Reason::CaCompromise),
        _ => list.swap(0, at),
    }
}

proptest! {
    #[test]
    fn base_and_news_amount_to_the_full_list(base in entries(&[], 1), news in entries(&[Listed::Removed], 2)) {
        let full = applied(&base, &news);
        let removals = news.iter().filter(|new| new.listed == Listed::Removed).count() as u64;
        let (all, new, sums) = (base.len() as u64, news.len() as u64, full.len() as u64);
        let expected = Replayed { base: all, news: new, removals, full: sums };
        prop_assert_eq!(proof(&base, &news, &full), Ok(expected));
        prop_assert_eq!(sum(base.iter().copied().map(Ok), news.iter().copied().map(Ok)), Ok(expected));
    }

    #[test]
    fn nothing_else_passes(
        (base, news) in (entries(&[], 1), entries(&[Listed::Removed], 2)),
        (which, at, how) in (0_usize..3, any::<usize>(), 0_u8..5),
    ) {
        let mut lists = [base.clone(), news.clone(), applied(&base, &news)];
        spoil(&mut lists[which], at, how);
        let [base, news, full] = lists;
        let holds = [&base, &news, &full].into_iter().all(|list| is_sorted(list)) && applied(&base, &news) == full;
        prop_assert_eq!(proof(&base, &news, &full).is_ok(), holds);
    }

    #[test]
    fn what_cannot_be_read_ends_it(base in entries(&[], 1), news in entries(&[Listed::Removed], 2), at in any::<usize>()) {
        let full = applied(&base, &news);
        let error = CrlError::UnknownCritical { at: 7 };
        let broken = |list: &[Entry]| {
            let mut list: Vec<_> = list.iter().copied().map(Ok).collect();
            list.insert(at % (list.len() + 1), Err(error.clone()));
            list.into_iter()
        };
        let fine = |list: &[Entry]| list.iter().copied().map(Ok).collect::<Vec<_>>().into_iter();
        let unreadable = Err(Mismatch::Unreadable(error.clone()));
        prop_assert_eq!(replay(broken(&base), fine(&news), fine(&full)), unreadable.clone());
        prop_assert_eq!(replay(fine(&base), broken(&news), fine(&full)), unreadable.clone());
        prop_assert_eq!(replay(fine(&base), fine(&news), broken(&full)), unreadable);
    }
}
