//! The beginning: a table filled from one scan of the ledger, at one position.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::ledger::{Head, Ledger, LedgerError, MemberDigest};
use crate::model::{CertificateNo, ListNo, SetEvent, SetTarget};
use crate::status::{Belongs, HashKey, Members, ReadTo, Registers, Row, StatusError, Table};

use super::follower::{FollowError, Frozen};

/// A table with every certificate, and the registers, as the ledger has them at the head that is returned.
pub(super) fn fill(ledger: &dyn Ledger, key: &HashKey) -> Result<(Table, Head, Registers), FollowError> {
    loop {
        let certificates = ledger.head()?.certificates;
        let (read_at, book) = ledger.book()?;
        let belongs = book.sets.iter().map(|set| belongs(ledger, set)).collect::<Result<_, _>>()?;
        let table = Table::over(key.clone(), &book, belongs, certificates)?;
        let mut refused: Option<StatusError> = None;
        let head = ledger.scan(&mut |entry| match table.restore(&Row::from(entry)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                refused = Some(error);
                ControlFlow::Break(())
            }
        })?;
        if let Some(error) = refused {
            return Err(error.into());
        }
        // The book changed between it and the scan: what the scan shows may stand under a set that the table doesn't know.
        if head.book > read_at {
            continue;
        }
        table.publish(ReadTo { epoch: head.epoch, position: head.position })?;
        return Ok((table, head, Registers { issuers: book.issuers, scopes: book.scopes }));
    }
}

/// Who belongs to a set: for a list, its members, which are complete before an event names them and must be the very ones.
pub(super) fn belongs(ledger: &dyn Ledger, set: &SetEvent) -> Result<Belongs, FollowError> {
    Ok(match &set.target {
        SetTarget::Batch(_) | SetTarget::Issuer(_) => Belongs::AsTargeted,
        SetTarget::Listed { list, count, digest } => {
            let (members, found) = members(ledger, *list)?;
            if found.finish() != (*count, *digest) {
                return Err(Frozen::MembersDiffer(set.position).into());
            }
            Belongs::Listed(Arc::new(members))
        }
    })
}

fn members(ledger: &dyn Ledger, list: ListNo) -> Result<(Members, MemberDigest), FollowError> {
    let (mut members, mut found, mut after) = (Members::default(), MemberDigest::default(), CertificateNo(0));
    loop {
        let page = ledger.list_members(list, after, PAGE)?;
        let Some(last) = page.last() else { return Ok((members, found)) };
        after = *last;
        found.add(&page);
        for no in page {
            members.push(no).map_err(|error| LedgerError::Damaged(format!("list {list}: {error}")))?;
        }
    }
}

const PAGE: usize = 10_000;
