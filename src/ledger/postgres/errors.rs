//! What the database's errors mean to a ledger: nothing written, not known, refused, damaged.

use postgres::error::{DbError, Error, Severity, SqlState};

use crate::ledger::LedgerError;

/// What a statement was for: a lost connection leaves a different knowledge behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// An append: it may or may not have been committed.
    Append,
    /// Connecting, reading, or what may be done twice.
    Other,
}

/// A failure of a statement.
pub(super) fn failed(error: &Error, purpose: Purpose) -> LedgerError {
    match error.as_db_error() {
        Some(answer) => answered(answer, purpose),
        None => lost(with_causes(error), purpose),
    }
}

/// A failure of a statement that is not an append.
#[expect(clippy::needless_pass_by_value, reason = "made for `map_err`")]
pub(super) fn other(error: Error) -> LedgerError {
    failed(&error, Purpose::Other)
}

/// A failure to connect.
pub(super) fn connecting(error: &Error, name: &str) -> LedgerError {
    match (error.code().map(SqlState::code), failed(error, Purpose::Other)) {
        (Some("3D000"), _) => LedgerError::Missing(name.to_owned()),
        (_, LedgerError::Settings(said)) => LedgerError::Settings(format!(
            "{name} doesn't let this user in: check user and password in ledger.url, and the server's pg_hba.conf ({said})"
        )),
        (_, LedgerError::Unreachable(said)) => LedgerError::Unreachable(format!("{name} ({said})")),
        (_, other) => other,
    }
}

/// Whether an append failed because somebody else gave an answer under the same name.
pub(super) fn answered_meanwhile(error: &Error) -> bool {
    error.code().is_some_and(|code| code.code() == "TK002")
}

/// A value that the schema doesn't allow to be so.
#[expect(clippy::needless_pass_by_value, reason = "made for `map_err`")]
pub(super) fn unreadable(error: Error) -> LedgerError {
    LedgerError::Damaged(with_causes(&error))
}

fn answered(answer: &DbError, purpose: Purpose) -> LedgerError {
    let said = answer.message().to_owned();
    // A session that is ended says so with its last breath; a commit may have happened just before.
    if matches!(answer.parsed_severity(), Some(Severity::Fatal | Severity::Panic)) && purpose == Purpose::Append {
        return LedgerError::Uncertain(said);
    }
    let code = answer.code().code();
    match (code, &code[..2]) {
        ("25006", _) => LedgerError::Settings(format!("{said}: this database is a replica; name the primary")),
        ("53100", _) => LedgerError::Full(said),
        ("57014" | "57P05" | "55P03", _) | (_, "08" | "40" | "53" | "57" | "58") => LedgerError::Unreachable(said),
        (_, "28") => LedgerError::Settings(said),
        (_, "XX") => LedgerError::Damaged(said),
        ("42501", _) => LedgerError::Refused(said),
        _ => LedgerError::Refused(match answer.detail() {
            // Details of ours hold no serial; those of a constraint may.
            Some(_) => format!("{said} ({code})"),
            None => said,
        }),
    }
}

fn lost(why: String, purpose: Purpose) -> LedgerError {
    match purpose {
        Purpose::Append => LedgerError::Uncertain(why),
        Purpose::Other => LedgerError::Unreachable(why),
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let more = next.to_string();
        if !said.contains(&more) {
            said = format!("{said}: {more}");
        }
        cause = next.source();
    }
    said
}
