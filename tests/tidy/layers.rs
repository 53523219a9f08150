//! The law of the rooms, read from the table in `docs/ARCHITECTURE.md`: who may use whom, and who may name an adapter.

use crate::lex::{self, Token, reads};
use crate::tree::Finding;

/// Where the table stands.
pub const TABLE: &str = "docs/ARCHITECTURE.md";

/// The table, parsed.
#[derive(Debug)]
pub struct Law {
    rooms: Vec<Room>,
}

#[derive(Debug)]
struct Room {
    layer: u32,
    name: String,
    adapters: Vec<String>,
}

impl Law {
    /// Rows that begin with `| L`: layer, room, what it is for, adapters. A row that can't be read is a finding.
    pub fn parse(text: &str) -> Result<Self, Vec<Finding>> {
        let (mut rooms, mut findings) = (Vec::<Room>::new(), Vec::new());
        for (index, row) in text.lines().enumerate().filter(|(_, row)| row.starts_with("| L")) {
            match Room::parse(row) {
                Some(room) if rooms.iter().any(|other| other.name == room.name) => {
                    findings.push(Finding::new(TABLE, index + 1, format!("`{}` has two rows", room.name)));
                }
                Some(room) => rooms.push(room),
                None => findings.push(Finding::new(TABLE, index + 1, "a row of the layer table that can't be read")),
            }
        }
        if rooms.is_empty() {
            findings.push(Finding::new(TABLE, 0, "has no layer table"));
        }
        if findings.is_empty() { Ok(Self { rooms }) } else { Err(findings) }
    }

    fn room(&self, name: &str) -> Option<&Room> {
        self.rooms.iter().find(|room| room.name == name)
    }

    fn top(&self) -> u32 {
        self.rooms.iter().map(|room| room.layer).max().unwrap_or(0)
    }

    fn judge(&self, place: &Place, target: &[String], renamed: bool) -> Option<String> {
        let Some(first) = target.first().filter(|first| *first != "*") else {
            return Some("names the root of the crate; a room is entered by its own name".to_owned());
        };
        let from = match place {
            Place::Map => return None,
            Place::Program => "src/main.rs",
            Place::In(own) if own == first => return None,
            Place::In(own) => own,
        };
        let Some(room) = self.room(first) else {
            return Some(format!("`{first}` is no room of the table in {TABLE}"));
        };
        let inner = target.get(1).map(String::as_str);
        match place {
            Place::Program if room.layer != self.top() => {
                return Some(format!("uses `{first}`: the program only calls the highest layer"));
            }
            Place::In(own) => {
                let layer = self.room(own).map_or(0, |own| own.layer);
                if room.layer >= layer {
                    return Some(format!("`{from}` (L{layer}) may not use `{first}` (L{})", room.layer));
                }
            }
            Place::Program | Place::Map => {}
        }
        if renamed && (target.len() == 1 || inner == Some("self")) {
            return Some(format!("`{first}` under another name"));
        }
        (inner == Some("*") && !room.adapters.is_empty())
            .then(|| format!("everything of `{first}`, its adapters included; name what is used"))
    }
}

impl Room {
    fn parse(row: &str) -> Option<Self> {
        let cells: Vec<&str> = row.trim().strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
        let [layer, name, purpose, adapters] = cells[..] else { return None };
        if purpose.is_empty() {
            return None;
        }
        let adapters = adapters.split(',').map(str::trim).filter(|cell| !cell.is_empty());
        Some(Self {
            layer: layer.strip_prefix('L')?.parse().ok()?,
            name: backticked(name)?,
            adapters: adapters.map(backticked).collect::<Option<_>>()?,
        })
    }
}

/// Every folder or file directly under `src/` is a room of the table, or the map, or the program.
pub fn rooms(law: &Law, paths: &[&str]) -> Vec<Finding> {
    paths
        .iter()
        .filter_map(|path| match Place::of(path) {
            Place::In(room) if law.room(&room).is_none() => {
                Some(Finding::new(path, 0, format!("`{room}` has no row in the table of {TABLE}")))
            }
            _ => None,
        })
        .collect()
}

/// Every path of a file under `src/` that leads into a room it may not use, or goes round the law.
pub fn imports(law: &Law, path: &str, text: &str) -> Vec<Finding> {
    let tokens = lex::tokens(text);
    let place = Place::of(path);
    let mut module = module_of(path);
    let mut nested = Vec::new();
    let (mut depth, mut at, mut findings) = (0_usize, 0, Vec::new());
    while let Some(token) = tokens.get(at) {
        let mut next = at + 1;
        if token.is("{") {
            depth += 1;
        } else if token.is("}") {
            depth = depth.saturating_sub(1);
            if nested.last() == Some(&depth) {
                nested.pop();
                module.pop();
            }
        } else if token.is("mod") && tokens.get(at + 2).is_some_and(|token| token.is("{")) {
            module.extend(tokens[at + 1].word().map(str::to_owned));
            nested.push(depth);
            depth += 1;
            next = at + 3;
        } else if let Some(trick) = trick(&tokens, at) {
            findings.push(Finding::new(path, token.line, trick));
        } else if begins_path(&place, &tokens, at) {
            let mut used = Vec::new();
            next = expand(&tokens, at, &[], &mut used);
            for Used { segments, line, renamed } in used {
                let complaint = match resolve(&module, &segments) {
                    Some(target) => law.judge(&place, &target, renamed),
                    None => Some("climbs out of the crate".to_owned()),
                };
                findings.extend(complaint.map(|what| Finding::new(path, line, what)));
            }
        }
        at = next;
    }
    findings.dedup();
    findings
}

/// Every adapter that is named where the choice is not made, and every one that its own room hands out by `pub use`.
pub fn adapters(law: &Law, path: &str, text: &str) -> Vec<Finding> {
    if path == COMPOSITION || path.ends_with("/tests.rs") || path.contains("/tests/") {
        return Vec::new();
    }
    let tokens = lex::tokens(text);
    let tests = lex::test_ranges(&tokens);
    let mut findings = Vec::new();
    for at in (0..tokens.len()).filter(|at| !tests.iter().any(|range| range.contains(at))) {
        let line = tokens[at].line;
        for room in law.rooms.iter().filter(|room| !room.adapters.is_empty()) {
            if Place::of(path) == Place::In(room.name.clone()) {
                if let Some(adapter) = handed_out(room, path, &tokens, at) {
                    findings.push(Finding::new(path, line, format!("hands out its adapter `{adapter}` by `pub use`")));
                }
            } else if reads(&tokens, at, &[&room.name, "::"]) {
                let mut used = Vec::new();
                expand(&tokens, at, &[], &mut used);
                let named = used.iter().filter_map(|used| used.segments.get(1)).find(|s| room.adapters.contains(s));
                findings.extend(named.map(|adapter| {
                    let what = format!("names the adapter `{}::{adapter}`; only {COMPOSITION} chooses", room.name);
                    Finding::new(path, line, what)
                }));
            }
        }
    }
    findings
}

/// Where a file under `src/` stands in the law.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// `src/lib.rs`, which declares the rooms.
    Map,
    /// `src/main.rs`.
    Program,
    In(String),
}

impl Place {
    fn of(path: &str) -> Self {
        match path {
            "src/lib.rs" => Place::Map,
            "src/main.rs" => Place::Program,
            _ => Place::In(module_of(path).first().cloned().unwrap_or_default()),
        }
    }
}

/// One path as it is written, and whether `as` follows it.
struct Used {
    segments: Vec<String>,
    line: usize,
    renamed: bool,
}

/// `src/ledger/sqlite/mod.rs` → `ledger`, `sqlite`.
fn module_of(path: &str) -> Vec<String> {
    let inner = path.strip_prefix("src/").unwrap_or(path).trim_end_matches(".rs");
    let mut module: Vec<String> = inner.split('/').map(str::to_owned).collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        module.pop();
    }
    module
}

fn begins_path(place: &Place, tokens: &[Token], at: usize) -> bool {
    let goes_on = tokens.get(at + 1).is_some_and(|token| token.is("::") || token.is("as"));
    match tokens[at].word() {
        Some("super" | "self") => goes_on,
        // In the program, `crate` is the program itself and not the library.
        Some("crate") => goes_on && *place != Place::Program,
        Some(LIBRARY) => goes_on && !(at > 0 && tokens[at - 1].is(".")),
        _ => false,
    }
}

/// What would make a path mean something else than it says.
fn trick(tokens: &[Token], at: usize) -> Option<&'static str> {
    if reads(tokens, at, &["extern", "crate"]) {
        Some("`extern crate` can give this crate another name")
    } else if reads(tokens, at, &["#", "[", "path"]) {
        Some("`#[path]` puts a file where its name doesn't say")
    } else if reads(tokens, at, &["include", "!"]) {
        Some("`include!` puts a file where its name doesn't say")
    } else {
        None
    }
}

/// All paths of the (use) tree that begins at `at`; returns the index after it.
fn expand(tokens: &[Token], mut at: usize, prefix: &[String], used: &mut Vec<Used>) -> usize {
    let mut segments = prefix.to_vec();
    let line = tokens.get(at).map_or(0, |token| token.line);
    while let Some(word) = tokens.get(at).and_then(Token::word) {
        segments.push(word.to_owned());
        at += 1;
        if !tokens.get(at).is_some_and(|token| token.is("::")) {
            break;
        }
        at += 1;
        if reads(tokens, at, &["*"]) {
            segments.push("*".to_owned());
            at += 1;
        } else if reads(tokens, at, &["{"]) {
            at += 1;
            while tokens.get(at).is_some_and(|token| !token.is("}")) {
                let before = at;
                at = if tokens[at].is(",") { at + 1 } else { branch(tokens, at, &segments, used) };
                at = at.max(before + 1);
            }
            return at + 1;
        }
    }
    let renamed = tokens.get(at).is_some_and(|token| token.is("as"));
    used.push(Used { segments, line, renamed });
    if renamed { at + 2 } else { at }
}

/// One branch of a group: a path, or `*`.
fn branch(tokens: &[Token], at: usize, prefix: &[String], used: &mut Vec<Used>) -> usize {
    if tokens[at].is("*") {
        let segments = prefix.iter().cloned().chain(["*".to_owned()]).collect();
        used.push(Used { segments, line: tokens[at].line, renamed: false });
        return at + 1;
    }
    expand(tokens, at, prefix, used)
}

/// A written path as seen from the root of the crate; `None` if it climbs above it.
fn resolve(module: &[String], segments: &[String]) -> Option<Vec<String>> {
    let mut target = match segments.first().map(String::as_str) {
        Some("super" | "self") => module.to_vec(),
        _ => Vec::new(),
    };
    for (index, segment) in segments.iter().enumerate() {
        match segment.as_str() {
            "super" => drop(target.pop()?),
            "self" => {}
            "crate" | LIBRARY if index == 0 => {}
            _ => target.push(segment.clone()),
        }
    }
    Some(target)
}

fn handed_out<'a>(room: &'a Room, path: &str, tokens: &[Token], at: usize) -> Option<&'a str> {
    let of_adapter = |adapter: &String| module_of(path).get(1) == Some(adapter);
    if !tokens[at].is("use") || room.adapters.iter().any(of_adapter) {
        return None;
    }
    // `pub use`, or `pub(…) use`.
    let public = at > 0 && (tokens[at - 1].is("pub") || tokens[at - 1].is(")"));
    let statement = tokens[at..].iter().take_while(|token| !token.is(";"));
    let mut words = statement.filter_map(Token::word);
    let named = words.find_map(|word| room.adapters.iter().find(|adapter| *adapter == word));
    named.filter(|_| public).map(String::as_str)
}

/// The name in a cell that is nothing but a name in backticks.
pub fn backticked(cell: &str) -> Option<String> {
    let name = cell.strip_prefix('`')?.strip_suffix('`')?;
    (!name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'))
        .then(|| name.to_owned())
}

const LIBRARY: &str = "tashika";
const COMPOSITION: &str = "src/app/compose.rs";

#[cfg(test)]
mod tests {
    use super::*;

    fn law() -> Law {
        Law::parse(
            "| layer | room | what | adapters |\n|---|---|---|---|\n| L0 | `model` | nouns | |\n\
             | L2 | `ledger` | truth | `sqlite`, `postgres` |\n| L2 | `keys` | keys | `pkcs11` |\n\
             | L3 | `desk` | commands | |\n| L5 | `app` | all | |\n| L6 | `cli` | verbs | |\n",
        )
        .unwrap()
    }

    fn complaints(path: &str, text: &str) -> Vec<String> {
        imports(&law(), path, text).into_iter().map(|finding| format!("{}: {}", finding.line, finding.what)).collect()
    }

    #[test]
    fn a_row_that_cannot_be_read_fails_instead_of_being_passed_over() {
        for bad in ["| L0 | model | x | |", "| Lx | `model` | x | |", "| L0 | `model` | x |", "| L0 | `model` |  | |"] {
            assert_eq!(Law::parse(bad).unwrap_err().len(), 2, "{bad}");
        }
        assert!(Law::parse("no table").is_err());
        let twice = "| L0 | `model` | x | |\n| L1 | `model` | y | |";
        assert!(Law::parse(twice).unwrap_err()[0].what.contains("two rows"));
    }

    #[test]
    fn a_folder_or_file_without_a_row_is_found() {
        let found = rooms(&law(), &["src/lib.rs", "src/main.rs", "src/model/mod.rs", "src/utils/x.rs", "src/bin/y.rs"]);
        assert_eq!(found.iter().map(|f| f.path.as_str()).collect::<Vec<_>>(), ["src/utils/x.rs", "src/bin/y.rs"]);
        assert_eq!(rooms(&law(), &["src/common.rs"]).len(), 1);
    }

    #[test]
    fn lower_rooms_are_allowed() {
        let text = "use crate::{model::{self, Serial}, ledger::Ledger};\nfn f() { crate::model::g::<crate::keys::K>() }\n\
                    use super::queue::{self, Queue}; pub(crate) fn g(self) { self.x } pub(in crate::desk) fn h() {}";
        assert_eq!(complaints("src/desk/budget.rs", text), Vec::<String>::new());
        assert_eq!(complaints("src/lib.rs", "pub mod model;"), Vec::<String>::new());
        assert_eq!(complaints("src/main.rs", "fn main() { tashika::cli::run() }"), Vec::<String>::new());
    }

    #[test]
    fn higher_rooms_and_neighbours_are_found_however_they_are_written() {
        for text in [
            "use crate::keys::Ring;",
            "use crate::{model::Serial, keys::{Ring, Signer}};",
            "use {std::fmt, crate::keys};",
            "fn f() { crate::keys::ring() }",
            "fn f() -> Vec<crate::keys::K> {}",
            "macro_rules! m { () => { $crate::keys::K } }",
            "use tashika::keys::Ring;",
            "use ::tashika::keys::Ring;",
            "use super::super::keys::Ring;",
            "use super::{super::keys::Ring};",
            "mod inner { use super::super::super::keys::Ring; }",
            "mod a { mod b { } fn f() { super::super::super::keys::x() } }",
            "use self::super::super::keys;",
            "pub use crate::keys as k;",
        ] {
            let found = complaints("src/ledger/sqlite.rs", text);
            assert!(
                found.len() == 1 && found[0].contains("`ledger` (L2) may not use `keys` (L2)"),
                "{text}: {found:?}"
            );
        }
        let found = complaints("src/ledger/mod.rs", "\nuse super::desk::Desk;");
        assert_eq!(found, ["2: `ledger` (L2) may not use `desk` (L3)"]);
    }

    #[test]
    fn going_round_the_law_is_found() {
        for (text, what) in [
            ("use crate::*;", "root of the crate"),
            ("use crate as all;", "root of the crate"),
            ("use super::super as all;", "root of the crate"),
            ("use super::super::*;", "root of the crate"),
            ("use super::super::super::x;", "climbs out"),
            ("use crate::Serial;", "no room"),
            ("use crate::ledger as l;", "another name"),
            ("use crate::ledger::{self as l};", "another name"),
            ("use crate::ledger::*;", "adapters included"),
            ("use crate::ledger::{*};", "adapters included"),
            ("extern crate self as other;", "extern crate"),
            ("#[path = \"../keys/mod.rs\"] mod keys;", "#[path]"),
            ("include!(\"../keys/mod.rs\");", "include!"),
        ] {
            let found = complaints("src/desk/budget.rs", text);
            assert!(found.len() == 1 && found[0].contains(what), "{text}: {found:?}");
        }
    }

    #[test]
    fn the_program_only_calls_the_highest_layer() {
        let found = complaints("src/main.rs", "use tashika::{cli, ledger};");
        assert!(found.len() == 1 && found[0].contains("uses `ledger`"), "{found:?}");
    }

    #[test]
    fn an_adapter_named_outside_its_room_composition_and_tests_is_found() {
        let naming = "use crate::ledger::{Ledger, sqlite::{self, Sqlite}};";
        for text in [naming, "use crate::ledger;\nfn f() { ledger::postgres::open() }", "use crate::{keys::{pkcs11}};"]
        {
            assert_eq!(adapters(&law(), "src/desk/mod.rs", text).len(), 1, "{text}");
            assert_eq!(adapters(&law(), "src/app/up.rs", text).len(), 1, "{text}");
            assert_eq!(adapters(&law(), COMPOSITION, text), [], "{text}");
            assert_eq!(adapters(&law(), "src/desk/tests.rs", text), [], "{text}");
            assert_eq!(adapters(&law(), "src/desk/mod.rs", &format!("#[cfg(test)]\nmod tests {{ {text} }}")), []);
        }
        assert_eq!(adapters(&law(), "src/ledger/mod.rs", "mod sqlite; fn f() { sqlite::open() }"), []);
        assert_eq!(adapters(&law(), "src/ledger/mod.rs", "pub use sqlite::Sqlite;").len(), 1);
        assert_eq!(adapters(&law(), "src/ledger/mod.rs", "pub(crate) use self::{postgres::Postgres};").len(), 1);
    }
}
