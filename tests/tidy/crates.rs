//! Which rooms may name which crates, read from the second table in `docs/ARCHITECTURE.md`.

use crate::layers::{TABLE, backticked};
use crate::lex::{self, Token};
use crate::tree::Finding;

/// The table, parsed; a crate without a row may be named anywhere.
pub struct Owners {
    rows: Vec<Row>,
}

struct Row {
    crates: Vec<String>,
    rooms: Vec<String>,
}

impl Owners {
    /// Rows that begin with a name in backticks: crates, rooms, because. A row that can't be read is a finding.
    pub fn parse(text: &str) -> Result<Self, Vec<Finding>> {
        let (mut rows, mut findings) = (Vec::new(), Vec::new());
        for (index, row) in text.lines().enumerate().filter(|(_, row)| row.starts_with("| `")) {
            match Row::parse(row) {
                Some(row) => rows.push(row),
                None => findings.push(Finding::new(TABLE, index + 1, "a row of the crate table that can't be read")),
            }
        }
        if rows.is_empty() {
            findings.push(Finding::new(TABLE, 0, "has no crate table"));
        }
        if findings.is_empty() { Ok(Self { rows }) } else { Err(findings) }
    }

    /// Every place under `src/` that names a crate which belongs to other rooms.
    pub fn trespasses(&self, path: &str, text: &str) -> Vec<Finding> {
        let tokens = lex::tokens(text);
        let room = path.strip_prefix("src/").unwrap_or(path).split(['/', '.']).next().unwrap_or_default();
        let mut findings = Vec::new();
        for at in 0..tokens.len() {
            let Some(name) = names_crate(&tokens, at) else { continue };
            let row = self.rows.iter().find(|row| row.crates.iter().any(|owned| owned == name));
            if let Some(row) = row.filter(|row| !row.rooms.iter().any(|owner| owner == room)) {
                let what = format!("names the crate `{name}`, which belongs to {}", row.rooms.join(", "));
                findings.push(Finding::new(path, tokens[at].line, what));
            }
        }
        findings
    }
}

impl Row {
    fn parse(row: &str) -> Option<Self> {
        let cells: Vec<&str> = row.trim().strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
        let [crates, rooms, because] = cells[..] else { return None };
        let names = |cell: &str| cell.split(',').map(str::trim).map(backticked).collect::<Option<Vec<_>>>();
        Some(Self { crates: names(crates)?, rooms: names(rooms)? }).filter(|_| !because.is_empty())
    }
}

/// A word that begins a path (`name::…`), or stands in a `use` by itself.
fn names_crate(tokens: &[Token], at: usize) -> Option<&str> {
    let name = tokens[at].word()?;
    let before = at.checked_sub(1).map(|before| &tokens[before]);
    let leads = tokens.get(at + 1).is_some_and(|next| next.is("::"));
    let alone = before.is_some_and(|before| before.is("use") || before.is("crate"));
    let inside = before.is_some_and(|before| before.is("::") || before.is("."))
        && at.checked_sub(2).is_some_and(|two| tokens[two].word().is_some_and(|word| word != "use"));
    ((leads || alone) && !inside).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owners() -> Owners {
        Owners::parse("| `rusqlite` | `ledger` | db |\n| `serde`, `toml` | `app`, `cli` | forms |\n").ok().unwrap()
    }

    #[test]
    fn a_crate_named_outside_its_rooms_is_found() {
        for text in [
            "use rusqlite::Connection;",
            "use {std::fmt, rusqlite::Connection};",
            "fn f(c: &::rusqlite::Connection) {}",
            "fn f(c: &rusqlite::Connection) {}",
            "use rusqlite as db;",
            "use ::rusqlite::Row;",
            "extern crate rusqlite;",
            "#[derive(serde::Serialize)] struct S;",
        ] {
            assert_eq!(owners().trespasses("src/desk/mod.rs", text).len(), 1, "{text}");
            assert_eq!(owners().trespasses("src/desk.rs", text).len(), 1, "{text}");
        }
        assert_eq!(owners().trespasses("src/lib.rs", "pub use toml::Value;").len(), 1);
    }

    #[test]
    fn its_own_rooms_and_other_things_of_that_name_are_let_be() {
        assert_eq!(owners().trespasses("src/ledger/sqlite.rs", "use rusqlite::Connection;"), []);
        let text = "use crate::app::toml::Value; fn f(toml: u8) { a.serde::<u8>(); toml } // serde::x";
        assert_eq!(owners().trespasses("src/desk/mod.rs", text), []);
    }

    #[test]
    fn a_row_that_cannot_be_read_is_found() {
        for bad in ["| `a` | b | c |", "| `a` | `b` | |", "| `a` | `b` |", "no table"] {
            assert!(Owners::parse(bad).is_err(), "{bad}");
        }
    }
}
