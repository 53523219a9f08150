//! What the desk asks before it decides, in one statement of one snapshot, so that all of it is of the head it shows.
//!
//! A plain statement, not a function: for one change it takes half as long. Only names that lead to several certificates
//! go by way of one.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::ledger::{Answer, Families, Found, Head, LedgerError, Wanted};
use crate::model::{BUDGET_DAYS, Book, BudgetKey, BudgetUse, Entry, IdempotencyKey, ListNo};

use super::append::outcome;
use super::errors::other;
use super::read::{array, damaged, entry, head_of, keys, list, position, stored, value};
use super::session::Session;

/// What was read, before set events are overlaid.
pub(super) struct RawFound {
    pub(super) head: Head,
    entries: Vec<(Entry, Vec<ListNo>)>,
    answers: Vec<(IdempotencyKey, Answer)>,
    budgets: Vec<(BudgetKey, BudgetUse)>,
}

/// The most that was used of budgets in the same hour of the days before. These hours are past and change no more, so
/// they are asked for once an hour.
#[derive(Default)]
pub(super) struct Peaks(Mutex<HashMap<BudgetKey, Peak>>);

#[derive(Clone, Copy)]
struct Peak {
    hour: i64,
    used: u32,
}

impl RawFound {
    /// As every reader must see it: `book` is the book as of the head.
    pub(super) fn overlaid(self, book: &Book) -> Found {
        let overlay = |(mut entry, lists): (Entry, Vec<ListNo>)| {
            book.overlay(&entry.certificate, &mut entry.status, &lists);
            entry
        };
        Found {
            head: self.head,
            entries: self.entries.into_iter().map(overlay).collect(),
            answers: self.answers,
            budgets: self.budgets,
        }
    }
}

impl Peaks {
    fn known(&self, key: &BudgetKey, hour: i64) -> Option<u32> {
        self.lock().get(key).filter(|peak| peak.hour == hour).map(|peak| peak.used)
    }

    /// Keeps a peak, unless the ledger is so far behind that somebody may still write into the day before.
    fn keep(&self, key: &BudgetKey, hour: i64, used: u32, head: &Head) {
        if head.time.japan_hour() + HOURS_BEHIND_MAX < hour {
            return;
        }
        let mut peaks = self.lock();
        if peaks.len() >= PEAKS_MAX {
            peaks.retain(|_, peak| peak.hour >= hour);
        }
        if peaks.len() < PEAKS_MAX {
            peaks.insert(key.clone(), Peak { hour, used });
        }
    }

    /// What is kept is whole between any two statements.
    fn lock(&self) -> MutexGuard<'_, HashMap<BudgetKey, Peak>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everything wanted.
pub(super) fn find(session: &mut Session, peaks: &Peaks, wanted: &Wanted) -> Result<RawFound, LedgerError> {
    let distinct = wanted.keys.iter().copied().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
    let (issuers, serials) = keys(&distinct);
    let numbers: Vec<_> = wanted.numbers.iter().map(|no| stored(no.0)).collect();
    let media: Vec<_> = wanted.media.iter().map(|medium| &medium.0[..]).collect();
    let operators: Vec<_> = wanted.sims.iter().map(|(operator, _)| operator.as_str()).collect();
    let sims: Vec<_> = wanted.sims.iter().map(|(_, sim)| &sim.0[..]).collect();
    let holders: Vec<_> = wanted.holders.iter().map(|holder| &holder.0[..]).collect();
    let answers: Vec<_> = wanted.answers.iter().map(|key| &key.0[..]).collect();
    let budgets: Vec<_> = wanted.budgets.iter().map(|key| &key.0[..]).collect();
    let known: Vec<_> = wanted.budgets.iter().map(|key| peaks.known(key, wanted.hour)).collect();
    // A day before the first of all is none: nothing is asked for.
    let days: Vec<_> = known.iter().map(|peak| peak.map_or(BUDGET_DAYS, |_| 0)).collect();
    let families = wanted.families == Families::Yes;
    let by_key_only = !families && numbers.is_empty() && media.is_empty() && sims.is_empty() && holders.is_empty();
    let rows = if by_key_only {
        session.query(BY_KEY, &[&answers, &budgets, &days, &wanted.hour, &issuers, &serials])
    } else {
        let names: [&(dyn postgres::types::ToSql + Sync); 12] = [
            &answers,
            &budgets,
            &days,
            &wanted.hour,
            &issuers,
            &serials,
            &numbers,
            &media,
            &operators,
            &sims,
            &holders,
            &families,
        ];
        session.query(BY_NAME, &names)
    };
    let rows = rows.map_err(other)?;
    let Some((first, rest)) = rows.split_first() else {
        return Err(LedgerError::Damaged("there is no head".to_owned()));
    };
    let head = head_of(value(first, 1)?, value(first, 2)?, value(first, 3)?, &value::<Vec<i64>>(first, 4)?)?;
    let mut found =
        RawFound { head, entries: Vec::with_capacity(rest.len()), answers: Vec::new(), budgets: Vec::new() };
    for row in rest {
        let numbers: Vec<i64> = value(row, 4)?;
        match (value::<i16>(row, 0)?, &numbers[..]) {
            (1, lists) => {
                let lists = lists.iter().map(|list| self::list(*list)).collect::<Result<_, _>>()?;
                found.entries.push((entry(value(row, 1)?, value(row, 2)?, value(row, 3)?)?, lists));
            }
            (2, [tag, first, last]) => {
                let outcome = outcome(*tag, position(*first)?, position(*last)?)?;
                let answer = Answer { command: array(value(row, 3)?)?, outcome };
                found.answers.push((IdempotencyKey(array(value(row, 2)?)?), answer));
            }
            (3, [this_hour, peak]) => {
                let index = usize::try_from(value::<i64>(row, 1)? - 1).map_err(|_| damaged("a budget's index"))?;
                let (Some(key), Some(known)) = (wanted.budgets.get(index), known.get(index)) else {
                    return Err(damaged("a budget's index"));
                };
                let peak = known.unwrap_or_else(|| {
                    peaks.keep(key, wanted.hour, used(*peak), &found.head);
                    used(*peak)
                });
                if *this_hour > 0 || peak > 0 {
                    found.budgets.push((key.clone(), BudgetUse { this_hour: used(*this_hour), peak }));
                }
            }
            _ => return Err(damaged("a row of a search")),
        }
    }
    found.entries.sort_unstable_by_key(|(entry, _)| entry.no);
    Ok(found)
}

fn used(stored: i64) -> u32 {
    u32::try_from(stored).unwrap_or(u32::MAX)
}

/// Kinds of rows: 0 the head, 1 a certificate, 2 an answer, 3 a budget (`no` is its place among those asked for). The look-ups
/// stand in LATERAL (... LIMIT 1): a plan that was made while a table was empty must do for a hundred million rows.
macro_rules! statement {
    ($certificates:literal) => {
        concat!(
            "SELECT 0::smallint AS kind, h.position AS no, h.ledger || h.link AS a, h.tree AS b,
                    ARRAY[h.epoch, h.\"time\", h.book, h.certificates] AS numbers
             FROM (SELECT * FROM tashika.head ORDER BY position DESC, \"time\" DESC LIMIT 1) h
             UNION ALL
             SELECT 1::smallint, c.no, c.\"row\", s.state,
                    ARRAY(SELECT m.list FROM tashika.list_member m WHERE m.certificate = c.no)
             FROM ",
            $certificates,
            " LEFT JOIN LATERAL (SELECT y.state FROM tashika.status y WHERE y.no = c.no LIMIT 1) s ON true
             UNION ALL
             SELECT 2::smallint, 0::bigint, x.key, x.command, ARRAY[x.outcome, x.first, x.last]
             FROM unnest($1::bytea[]) k (key),
                  LATERAL (SELECT y.* FROM tashika.answer y WHERE y.key = k.key LIMIT 1) x
             UNION ALL
             SELECT 3::smallint, k.o, NULL::bytea, NULL::bytea,
                    ARRAY[coalesce((SELECT y.used FROM tashika.budget y WHERE y.key = k.key AND y.hour = $4::bigint
                                    ORDER BY y.used DESC LIMIT 1), 0),
                          coalesce((SELECT max(x.used) FROM generate_series(1, k.days) d (day),
                                    LATERAL (SELECT y.used FROM tashika.budget y
                                             WHERE y.key = k.key AND y.hour = $4 - 24 * d.day
                                             ORDER BY y.used DESC LIMIT 1) x), 0)]
             FROM unnest($2::text[], $3::bigint[]) WITH ORDINALITY k (key, days, o)"
        )
    };
}

const BY_KEY: &str = statement!(
    "unnest($5::int[], $6::bytea[]) k (issuer, serial),
     LATERAL (SELECT y.no, y.\"row\" FROM tashika.certificate y
              WHERE y.issuer = k.issuer AND y.serial = k.serial LIMIT 1) c"
);

const BY_NAME: &str = statement!(
    "tashika.named($5, $6, $7, $8, $9, $10, $11, $12) k (no),
     LATERAL (SELECT y.no, y.\"row\" FROM tashika.certificate y WHERE y.no = k.no LIMIT 1) c"
);

/// An hour of the day before is 24 hours back; nobody writes there once the ledger has come closer than that.
const HOURS_BEHIND_MAX: i64 = 22;
/// Budgets that a country's desks draw on in an hour, several times over: a few megabytes.
const PEAKS_MAX: usize = 20_000;
