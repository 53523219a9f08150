//! The events that touched one certificate, by reading the whole ledger: `cert show --history`.

use serde_json::Value;

use crate::ledger::{Ledger, LedgerError, decode_event};
use crate::model::{Body, Book, CertificateNo, Entry, ListNo, Position, SetTarget};

use super::describe::{Line, role_name};
use super::error::CliError;
use super::progress::bar;
use super::table::table;

/// Every event that touched it, in order.
pub fn of(ledger: &dyn Ledger, book: &Book, entry: &Entry) -> Result<Vec<Line>, CliError> {
    let lists = lists_with(ledger, book, entry.no)?;
    let bar = bar("reading the ledger");
    bar.set_length(ledger.head()?.position.0);
    let mut lines = Vec::new();
    let mut after = Position(0);
    loop {
        let page = ledger.events_after(after, EVENTS_PER_PAGE)?;
        let Some(last) = page.last() else { break };
        after = last.position;
        bar.set_position(after.0);
        for sealed in page {
            let event = decode_event(&sealed.bytes).map_err(LedgerError::from)?;
            let touches = match &event.body {
                Body::Changed { no, .. } => *no == entry.no,
                Body::Registered { first, count, .. } => (first.0..first.0 + u64::from(*count)).contains(&entry.no.0),
                Body::SetChanged { target, .. } => target.covers(&entry.certificate, &lists),
                _ => false,
            };
            if touches {
                lines.push(Line { position: sealed.position, event });
            }
        }
    }
    bar.finish_and_clear();
    Ok(lines)
}

/// For people.
pub fn text(book: &Book, lines: &[Line]) -> String {
    let rows: Vec<_> = lines
        .iter()
        .map(|line| {
            let cause = line.event.cause.map_or_else(|| "-".into(), |cause| cause.to_string());
            let who = role_name(book, line.event.actor.role);
            vec![line.position.to_string(), line.event.time.to_string(), who, cause, line.text(book)]
        })
        .collect();
    table(&["event", "time", "by", "cause", "what"], &rows, "no event touched it")
}

/// For machines.
pub fn json(book: &Book, lines: &[Line]) -> Value {
    lines.iter().map(|line| line.json(book)).collect()
}

/// The lists among the set events that name the certificate.
fn lists_with(ledger: &dyn Ledger, book: &Book, no: CertificateNo) -> Result<Vec<ListNo>, CliError> {
    let before = CertificateNo(no.0.saturating_sub(1));
    let mut lists = Vec::new();
    for set in &book.sets {
        if let SetTarget::Listed { list, .. } = set.target
            && ledger.list_members(list, before, 1)?.first() == Some(&no)
        {
            lists.push(list);
        }
    }
    Ok(lists)
}

const EVENTS_PER_PAGE: usize = 4_096;
