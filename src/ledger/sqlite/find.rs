//! What the desk asks before it decides: certificates by any of their names, with status, and what goes with them.

use std::collections::{BTreeMap, HashSet};

use rusqlite::{Connection, OptionalExtension};

use crate::ledger::{Answer, Families, Found, Head, LedgerError, Wanted, decode_certificate, decode_status};
use crate::model::{
    BUDGET_DAYS, Book, BudgetKey, BudgetUse, Certificate, CertificateKey, CertificateNo, Entry, HolderId,
    IdempotencyKey, ListNo, MediumId, Operator, Outcome, Position, SetTarget, SimId, Status,
};

use super::append::{ALREADY_SO, DONE, QUEUED};
use super::lookup::{self, Lookup};

/// Finds what is wanted, as of the transaction, which stands at `head` with this book.
pub(super) fn find(
    connection: &Connection,
    lookup: &Lookup,
    head: Head,
    book: &Book,
    wanted: &Wanted,
) -> Result<Found, LedgerError> {
    let mut certificates = BTreeMap::new();
    Names::of(wanted).collect(connection, lookup, &mut certificates)?;
    for no in &wanted.numbers {
        if let Some(certificate) = read_certificate(connection, *no)? {
            certificates.insert(*no, certificate);
        }
    }
    if wanted.families == Families::Yes {
        let holders = certificates.values().map(|certificate| certificate.holder).collect();
        Names { holders, ..Names::default() }.collect(connection, lookup, &mut certificates)?;
    }
    let lists = listed(book);
    let entries = certificates.into_iter().map(|(no, certificate)| {
        let status = status_of(connection, book, &lists, no, &certificate)?;
        Ok(Entry { no, certificate, status })
    });
    Ok(Found {
        head,
        entries: entries.collect::<Result<_, LedgerError>>()?,
        answers: answers(connection, &wanted.answers)?,
        budgets: budgets(connection, &wanted.budgets, wanted.hour)?,
    })
}

/// The numbers of those keys that are registered, in the order asked.
pub(super) fn registered(
    connection: &Connection,
    lookup: &Lookup,
    keys: &[CertificateKey],
) -> Result<Vec<Option<CertificateNo>>, LedgerError> {
    let found = lookup.search(connection, keys.iter().map(lookup::of_key).collect())?;
    let mut known = BTreeMap::new();
    for no in lookup::numbers(&found) {
        known.insert(hit(connection, no)?.key, no);
    }
    Ok(keys.iter().map(|key| known.get(key).copied()).collect())
}

/// The lists that sets name.
pub(super) fn listed(book: &Book) -> Vec<ListNo> {
    let mut lists: Vec<_> = book
        .sets
        .iter()
        .filter_map(|set| match set.target {
            SetTarget::Listed { list, .. } => Some(list),
            SetTarget::Batch(_) | SetTarget::Issuer(_) => None,
        })
        .collect();
    lists.sort_unstable();
    lists.dedup();
    lists
}

/// The names asked for, as sets: a hit counts if the certificate really bears one of them.
#[derive(Default)]
struct Names {
    keys: HashSet<CertificateKey>,
    holders: HashSet<HolderId>,
    media: HashSet<MediumId>,
    sims: HashSet<(Operator, SimId)>,
}

impl Names {
    fn of(wanted: &Wanted) -> Self {
        Self {
            keys: wanted.keys.iter().copied().collect(),
            holders: wanted.holders.iter().copied().collect(),
            media: wanted.media.iter().copied().collect(),
            sims: wanted.sims.iter().copied().collect(),
        }
    }

    fn collect(
        &self,
        connection: &Connection,
        lookup: &Lookup,
        into: &mut BTreeMap<CertificateNo, Certificate>,
    ) -> Result<(), LedgerError> {
        let keys = self.keys.iter().map(lookup::of_key);
        let holders = self.holders.iter().map(lookup::of_holder);
        let media = self.media.iter().map(lookup::of_medium);
        let sims = self.sims.iter().map(|(operator, sim)| lookup::of_sim(operator, sim));
        let found = lookup.search(connection, keys.chain(holders).chain(media).chain(sims).collect())?;
        for no in lookup::numbers(&found) {
            if into.contains_key(&no) {
                continue;
            }
            let certificate = hit(connection, no)?;
            if self.names(&certificate) {
                into.insert(no, certificate);
            }
        }
        Ok(())
    }

    fn names(&self, certificate: &Certificate) -> bool {
        self.keys.contains(&certificate.key)
            || self.holders.contains(&certificate.holder)
            || self.media.contains(&certificate.medium.id)
            || certificate.sim.is_some_and(|sim| self.sims.contains(&(sim.operator, sim.sim)))
    }
}

fn hit(connection: &Connection, no: CertificateNo) -> Result<Certificate, LedgerError> {
    read_certificate(connection, no)?
        .ok_or_else(|| LedgerError::Damaged(format!("certificate {no} is missing, but can be looked up")))
}

fn read_certificate(connection: &Connection, no: CertificateNo) -> Result<Option<Certificate>, LedgerError> {
    let mut select = connection.prepare_cached("SELECT row FROM certificate WHERE no = ?1")?;
    let mut rows = select.query([no.0])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let bytes = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
    decode_certificate(bytes).map(Some).map_err(|error| LedgerError::Damaged(format!("certificate {no}: {error}")))
}

fn status_of(
    connection: &Connection,
    book: &Book,
    lists: &[ListNo],
    no: CertificateNo,
    certificate: &Certificate,
) -> Result<Status, LedgerError> {
    let mut select = connection.prepare_cached("SELECT state FROM status WHERE no = ?1")?;
    let mut rows = select.query([no.0])?;
    let mut status = match rows.next()? {
        Some(row) => {
            let bytes = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
            decode_status(bytes).map_err(|error| LedgerError::Damaged(format!("status of {no}: {error}")))?
        }
        // Registration into a set is refused, so every set that covers it came later.
        None => Status::at_registration(certificate, Position(0)),
    };
    let mut member = connection.prepare_cached("SELECT 1 FROM list_member WHERE list = ?1 AND no = ?2")?;
    let mut naming = Vec::new();
    for list in lists {
        if member.exists((list.0, no.0))? {
            naming.push(*list);
        }
    }
    book.overlay(certificate, &mut status, &naming);
    Ok(status)
}

fn answers(connection: &Connection, keys: &[IdempotencyKey]) -> Result<Vec<(IdempotencyKey, Answer)>, LedgerError> {
    let mut select = connection.prepare_cached("SELECT command, outcome, first, last FROM answer WHERE key = ?1")?;
    let mut answers = Vec::new();
    for key in keys {
        let row = select
            .query_row([&key.0[..]], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .optional()?;
        let Some((command, outcome, first, last)) = row else { continue };
        let (first, last) = (Position(first), Position(last));
        let outcome = match outcome {
            ALREADY_SO => Outcome::AlreadySo,
            DONE => Outcome::Done { first, last },
            QUEUED => Outcome::Queued { queued: first },
            other => return Err(LedgerError::Damaged(format!("an answer has the unknown outcome {other}"))),
        };
        answers.push((*key, Answer { command, outcome }));
    }
    Ok(answers)
}

fn budgets(connection: &Connection, keys: &[BudgetKey], hour: i64) -> Result<Vec<(BudgetKey, BudgetUse)>, LedgerError> {
    let (today, hour_of_day) = (hour.div_euclid(24), hour.rem_euclid(24));
    let mut select = connection
        .prepare_cached("SELECT day, used FROM budget WHERE key = ?1 AND hour_of_day = ?2 AND day BETWEEN ?3 AND ?4")?;
    let mut budgets = Vec::new();
    for key in keys {
        let mut sum = None::<BudgetUse>;
        let mut rows = select.query((&key.0, hour_of_day, today - BUDGET_DAYS, today))?;
        while let Some(row) = rows.next()? {
            let sum = sum.get_or_insert_default();
            let used = u32::try_from(row.get::<_, u64>(1)?).unwrap_or(u32::MAX);
            if row.get::<_, i64>(0)? == today {
                sum.this_hour = used;
            } else {
                sum.peak = sum.peak.max(used);
            }
        }
        budgets.extend(sum.map(|sum| (key.clone(), sum)));
    }
    Ok(budgets)
}
