//! What a second person needs to know of a waiting command: who asked, and which certificates it names. For `queue`.

use std::ops::ControlFlow;

use serde_json::{Value, json};

use crate::app::clock;
use crate::desk::{Waiting, waiting};
use crate::ledger::Wanted;
use crate::model::{Book, CertificateNo, Command, Entry, Position, Refusal, SetTarget, Subject, Time};

use super::cert_show::status_name;
use super::describe::{command_text, issuer_name, role_name, why_queued};
use super::error::CliError;
use super::house::House;
use super::reply::Reply;
use super::table::{facts, table};

/// How many certificates a command names now; `None` if only a scan of the whole ledger could tell.
pub fn named_count(house: &House, command: &Command) -> Result<Option<u64>, CliError> {
    match command {
        Command::Set { target: SetTarget::Listed { count, .. }, .. } => Ok(Some(*count)),
        Command::Set { .. } | Command::Undo(_) => Ok(None),
        command => Ok(Some(by_name(house, command)?.len() as u64)),
    }
}

/// The first digits of the sender's pseudonym: enough to tell two people apart.
pub fn short_person(item: &Waiting) -> String {
    item.request.actor.person.to_string().chars().take(PERSON_DIGITS).collect()
}

/// A span of time, roughly.
pub fn ago(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A waiting command for machines.
pub fn item_json(book: &Book, item: &Waiting, now: Time, named: Option<u64>) -> Value {
    json!({
        "id": item.queued.to_string(),
        "since": item.since.to_string(),
        "waiting_seconds": now.since(item.since),
        "org": role_name(book, item.request.actor.role),
        "person": item.request.actor.person.to_string(),
        "certificates": named,
        "why": why_queued(item.why),
        "what": command_text(book, &item.request.command),
    })
}

/// `queue show`.
pub fn show(house: &House, id: Position) -> Result<Reply, CliError> {
    let book = house.book()?;
    let now = clock::now();
    let item = waiting(house.ledger())?.into_iter().find(|item| item.queued == id).ok_or(Refusal::NotQueued(id))?;
    let command = &item.request.command;
    let (entries, count) = named(house, command)?;
    let mut text = facts(&[
        ("id", id.to_string()),
        ("what", command_text(&book, command)),
        ("why it waits", why_queued(item.why).into()),
        ("asked by", format!("{}/{}", role_name(&book, item.request.actor.role), item.request.actor.person)),
        ("since", format!("{} ({})", item.since, ago(now.since(item.since)))),
        ("certificates", count.map_or_else(String::new, |count| count.to_string())),
    ]);
    let status = |entry: &Entry| status_name(entry).to_owned();
    let key = |entry: &Entry| (issuer_name(&book, &entry.certificate.key), entry.certificate.key.serial.to_string());
    if !entries.is_empty() {
        let rows = entries.iter().map(|entry| vec![key(entry).0, key(entry).1, status(entry)]).collect::<Vec<_>>();
        text.push('\n');
        text.push_str(&table(&["issuer", "serial", "status"], &rows, ""));
    }
    if let Some(more) = count.map(|count| count - entries.len() as u64).filter(|more| *more > 0) {
        text.push_str(&format!("and {more} more\n"));
    }
    let mut json = item_json(&book, &item, now, count);
    let listed = |entry| json!({ "issuer": key(entry).0, "serial": key(entry).1, "status": status(entry) });
    json["named"] = entries.iter().map(listed).collect();
    Ok(Reply::done(text, json))
}

/// The certificates that a command names, as many as anybody reads, and how many there are; `None` for an undo, which
/// names none.
fn named(house: &House, command: &Command) -> Result<(Vec<Entry>, Option<u64>), CliError> {
    match command {
        Command::Undo(_) => Ok((Vec::new(), None)),
        Command::Set { target: SetTarget::Listed { list, count, .. }, .. } => {
            let numbers = house.ledger().list_members(*list, CertificateNo(0), SHOWN_MAX)?;
            let found = house.ledger().find(&Wanted { numbers, ..Wanted::default() })?;
            Ok((found.entries, Some(*count)))
        }
        Command::Set { target, .. } => {
            let (mut entries, mut count) = (Vec::new(), 0);
            house.ledger().scan(&mut |entry| {
                if target.covers(&entry.certificate, &[]) {
                    count += 1;
                    if entries.len() < SHOWN_MAX {
                        entries.push(entry);
                    }
                }
                ControlFlow::Continue(())
            })?;
            Ok((entries, Some(count)))
        }
        command => {
            let mut entries = by_name(house, command)?;
            let count = entries.len() as u64;
            entries.truncate(SHOWN_MAX);
            Ok((entries, Some(count)))
        }
    }
}

fn by_name(house: &House, command: &Command) -> Result<Vec<Entry>, CliError> {
    let mut wanted = Wanted::default();
    match command {
        Command::Activate(key)
        | Command::Hold { key, .. }
        | Command::Release { key, .. }
        | Command::Revoke { key, .. } => wanted.keys.push(*key),
        Command::Report(report) => match report.subject {
            Subject::Holder(id) => wanted.holders.push(id),
            Subject::Medium(id) => wanted.media.push(id),
            Subject::Sim { sim, operator } => wanted.sims.push((operator, sim)),
        },
        Command::AdoptEpoch { .. } | Command::DecideQueued { .. } | Command::Set { .. } | Command::Undo(_) => {}
    }
    Ok(house.ledger().find(&wanted)?.entries)
}

const PERSON_DIGITS: usize = 8;
const SHOWN_MAX: usize = 1_000;
