//! Rules on a single source file: how it opens, how long it may be, and what may not stand in it.

use crate::lex::{self, Token, reads};
use crate::tree::Finding;

/// Lines of a file without its `#[cfg(test)]` items.
const FILE_LINES_MAX: usize = 450;
/// Lines of a file with everything in it.
const FILE_LINES_WITH_TESTS_MAX: usize = 900;
/// Lines of a function, from `fn` to its closing brace, outside `#[cfg(test)]` items and `#[test]` functions.
const FUNCTION_LINES_MAX: usize = 75;

/// The one file that reads the clock and the system's entropy.
const CLOCK: &str = "src/app/clock.rs";

/// Every file opens with `//!`: what it is for.
pub fn opening(path: &str, text: &str) -> Vec<Finding> {
    let opens = text.lines().next().and_then(|line| line.strip_prefix("//! ")).is_some_and(|rest| rest.len() > 10);
    if opens { Vec::new() } else { vec![Finding::new(path, 1, "does not open with `//!` and what it is for")] }
}

/// Length of the file and of its functions.
pub fn lengths(path: &str, text: &str) -> Vec<Finding> {
    let tokens = lex::tokens(text);
    let tests = lex::test_ranges(&tokens);
    let mut findings = Vec::new();
    let all = text.lines().count();
    let in_tests: usize = tests.iter().map(|range| lines_of(&tokens[range.clone()])).sum();
    // A file of tests is all `#[test]` functions; there they count.
    let counted = if path.starts_with("tests/") { all } else { all - in_tests };
    for (lines, most, of) in [(counted, FILE_LINES_MAX, "tests aside"), (all, FILE_LINES_WITH_TESTS_MAX, "in all")] {
        if lines > most {
            findings.push(Finding::new(path, 0, format!("{lines} lines ({of}); at most {most}: make it two")));
        }
    }
    for at in 0..tokens.len() {
        let in_tests = tests.iter().any(|range| range.contains(&at));
        let Some(name) = tokens.get(at + 1).and_then(Token::word).filter(|_| tokens[at].is("fn") && !in_tests) else {
            continue;
        };
        let lines = lines_of(&tokens[at..lex::end_of_item(&tokens, at)]);
        if lines > FUNCTION_LINES_MAX {
            let what = format!("fn {name} has {lines} lines; at most {FUNCTION_LINES_MAX}");
            findings.push(Finding::new(path, tokens[at].line, what));
        }
    }
    findings
}

/// Marks of something left for later, in any text that people write.
pub fn left_for_later(path: &str, text: &str) -> Vec<Finding> {
    // Put together here, so that this file doesn't find itself.
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    let calls = [concat!("to", "do!"), concat!("unimple", "mented!")];
    let found = |line: &str| {
        let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.any(|word| marks.contains(&word))
            || (path.ends_with(".rs") && calls.iter().any(|call| line.contains(call)))
    };
    findings_by_line(path, text, found, "something is left for later: finish it or leave it out")
}

/// `#[ignore]` on a test, or a documentation example that is never compiled.
pub fn ignored(path: &str, text: &str) -> Vec<Finding> {
    let tokens = lex::tokens(text);
    let mut findings: Vec<_> = (0..tokens.len())
        .filter_map(|at| Some((at, lex::end_of_attribute(&tokens, at)?)))
        .filter(|(at, end)| {
            let inner = &tokens[*at..*end];
            reads(inner, 2, &["ignore"])
                || (reads(inner, 2, &["cfg_attr"]) && inner.iter().any(|token| token.is("ignore")))
        })
        .map(|(at, _)| Finding::new(path, tokens[at].line, "a test that is skipped"))
        .collect();
    let fence = concat!("```ig", "nore");
    findings.extend(findings_by_line(path, text, |line| line.contains(fence), "an example that is never compiled"));
    findings
}

/// `unsafe` without a `SAFETY` comment on its line or directly above it.
pub fn unexplained_unsafe(path: &str, text: &str) -> Vec<Finding> {
    let lines: Vec<&str> = text.lines().collect();
    let explained = |line: usize| {
        let above = lines[..line - 1].iter().rev().take_while(|line| {
            let line = line.trim_start();
            line.starts_with("//") || line.starts_with("#[")
        });
        above.chain([&lines[line - 1]]).any(|line| line.contains("// SAFETY: "))
    };
    lex::tokens(text)
        .iter()
        .filter(|token| token.is("unsafe") && !explained(token.line))
        .map(|token| Finding::new(path, token.line, "`unsafe` without `// SAFETY: ` and why it is sound"))
        .collect()
}

/// Clock and entropy under `src/`, by name, and the lint that guards them switched off: only in the one file.
pub fn raw_clock_or_entropy(path: &str, text: &str) -> Vec<Finding> {
    if !path.starts_with("src/") || path == CLOCK {
        return Vec::new();
    }
    let tokens = lex::tokens(text);
    let named = |at: usize| {
        RAW_CALLS.iter().any(|(of, call)| reads(&tokens, at, &[of, "::", call]))
            || tokens[at].word().is_some_and(|word| RAW_NAMES.contains(&word))
    };
    let mut findings: Vec<_> = (0..tokens.len())
        .filter(|at| named(*at))
        .map(|at| Finding::new(path, tokens[at].line, format!("clock and entropy are read in {CLOCK} only")))
        .collect();
    let device = |line: &str| RAW_FILES.iter().any(|file| line.contains(file));
    findings.extend(findings_by_line(path, text, device, "entropy comes as an argument"));
    findings
}

/// The `//!` of a room's `mod.rs` has a sentence that begins with "Never".
pub fn says_never(path: &str, text: &str) -> Vec<Finding> {
    let is_room = match path.strip_prefix("src/").map(|rest| rest.split('/').collect::<Vec<_>>()).as_deref() {
        Some([_, "mod.rs"]) => true,
        Some([file]) => !matches!(*file, "lib.rs" | "main.rs"),
        _ => false,
    };
    let opening: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
    let says = opening.join(" ").split(['.', ':']).any(|sentence| sentence.trim_start().starts_with("Never "));
    if !is_room || says {
        return Vec::new();
    }
    vec![Finding::new(path, 1, "the room's `//!` has no sentence that begins with \"Never\": what is absent here?")]
}

/// The opening of `src/lib.rs`, the map, shows every room that the file declares.
pub fn map(text: &str) -> Vec<Finding> {
    let opening: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
    let tokens = lex::tokens(text);
    let declared =
        (0..tokens.len()).filter(|at| tokens[*at].is("mod")).filter_map(|at| Some((at, tokens.get(at + 1)?)));
    declared
        .filter_map(|(at, name)| Some((at, name.word()?)))
        .filter(|(_, name)| !opening.contains(&format!("[`{name}`]")))
        .map(|(at, name)| Finding::new("src/lib.rs", tokens[at].line, format!("the map doesn't show `{name}`")))
        .collect()
}

fn lines_of(tokens: &[Token]) -> usize {
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => last.line - first.line + 1,
        _ => 0,
    }
}

fn findings_by_line(path: &str, text: &str, found: impl Fn(&str) -> bool, what: &str) -> Vec<Finding> {
    let lines = text.lines().enumerate().filter(|(_, line)| found(line));
    lines.map(|(index, _)| Finding::new(path, index + 1, what)).collect()
}

const RAW_CALLS: [(&str, &str); 8] = [
    ("SystemTime", "now"),
    ("Instant", "now"),
    ("UtcDateTime", "now"),
    ("rand", "fill"),
    ("rand", "random"),
    ("rand", "rng"),
    ("Uuid", "new_v4"),
    ("Uuid", "now_v7"),
];

const RAW_NAMES: [&str; 11] = [
    "OsRng",
    "SystemRandom",
    "ThreadRng",
    "clock_gettime",
    "disallowed_methods",
    "disallowed_types",
    "from_entropy",
    "from_os_rng",
    "getrandom",
    "now_utc",
    "thread_rng",
];

const RAW_FILES: [&str; 2] = ["/dev/urandom", "/dev/random"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_its_purpose_is_found() {
        for text in ["", "use std::fmt;\n", "//!\n//! Later.\n", "/// Not a file's.\n"] {
            assert_eq!(opening("src/x.rs", text).len(), 1, "{text:?}");
        }
        assert_eq!(opening("src/x.rs", "//! What it is for.\n"), []);
    }

    #[test]
    fn a_long_file_is_found_but_its_tests_do_not_count() {
        let code = "const A: u8 = 1;\n";
        let tests = |lines| format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "    use a;\n".repeat(lines));
        assert_eq!(lengths("src/x.rs", &code.repeat(450)), []);
        assert_eq!(lengths("src/x.rs", &code.repeat(451)).len(), 1);
        assert_eq!(lengths("src/x.rs", &(code.repeat(440) + &tests(300))), []);
        assert_eq!(lengths("src/x.rs", &(code.repeat(440) + &tests(500))).len(), 1);
        assert_eq!(lengths("tests/x.rs", &(code.repeat(440) + &tests(300))).len(), 1);
    }

    #[test]
    fn a_long_function_is_found_whatever_its_signature() {
        let body = "    a(\"}\"); // }\n".repeat(75);
        for head in ["fn f()", "    pub(crate) async fn f<'a>(x: [u8; 3]) -> Vec<[u8; 2]>\n where X: Y"] {
            let found = lengths("src/x.rs", &format!("//! X\n{head} {{\n{body}}}\n"));
            assert!(found.len() == 1 && found[0].what.starts_with("fn f has 7"), "{head}: {found:?}");
        }
        let short = "    a();\n".repeat(73);
        assert_eq!(lengths("src/x.rs", &format!("fn f() {{\n{short}}}\nfn g();\ntype F = fn(u8);\n")), []);
        assert_eq!(lengths("src/x.rs", &format!("#[test]\nfn f() {{\n{body}}}\n")), []);
        assert_eq!(lengths("tests/x.rs", &format!("fn helper() {{\n{body}}}\n")).len(), 1);
    }

    #[test]
    fn what_is_left_for_later_is_found() {
        for mark in ["TO-DO", "FIX-ME", "XX-X"].map(|mark| mark.replace('-', "")) {
            assert_eq!(left_for_later("docs/a.md", &format!("a\n(see {mark}: b)")).len(), 1, "{mark}");
        }
        for call in ["to-do!()", "unimple-mented!()"].map(|call| call.replace('-', "")) {
            assert_eq!(left_for_later("src/a.rs", &format!("fn a() {{ {call} }}")).len(), 1, "{call}");
        }
        assert_eq!(left_for_later("src/a.rs", "mkstemp(\"a.XXXXXX\"); todo = \"warn\""), []);
    }

    #[test]
    fn a_skipped_test_is_found() {
        let word = "ig-nore".replace('-', "");
        for text in [
            format!("#[test]\n#[{word}]\nfn a() {{}}"),
            format!("#[{word} = \"slow\"]"),
            format!("#[cfg_attr(miri, {word})]"),
            format!("/// ```{word}\n/// a\n/// ```"),
        ] {
            assert_eq!(ignored("tests/x.rs", &text).len(), 1, "{text}");
        }
        assert_eq!(ignored("src/x.rs", "#[serde(skip)] fn ignore() {} // #[other]"), []);
    }

    #[test]
    fn unsafe_without_its_reason_is_found() {
        assert_eq!(unexplained_unsafe("src/x.rs", "fn a() {\n    unsafe { b() }\n}").len(), 1);
        assert_eq!(unexplained_unsafe("src/x.rs", "// SAFETY: far away\n\nunsafe fn a() {}").len(), 1);
        assert_eq!(unexplained_unsafe("src/x.rs", "// SAFETY: b has no\n// condition\nunsafe { b() }"), []);
        assert_eq!(unexplained_unsafe("src/x.rs", "unsafe { b() } // SAFETY: always sound"), []);
        assert_eq!(unexplained_unsafe("src/x.rs", "//! unsafe\nlet a = \"unsafe\";"), []);
    }

    #[test]
    fn a_raw_clock_or_entropy_is_found_outside_its_file() {
        for text in [
            "let a = std::time::Instant::now();",
            "let a = SystemTime::now ();",
            "use rand_core::OsRng;",
            "SystemRandom::new()",
            "getrandom::fill(&mut a)",
            "OffsetDateTime::now_utc()",
            "#![allow(clippy::disallowed_methods)]",
            "File::open(\"/dev/urandom\")",
        ] {
            assert_eq!(raw_clock_or_entropy("src/desk/mod.rs", text).len(), 1, "{text}");
            assert_eq!(raw_clock_or_entropy(CLOCK, text), [], "{text}");
            assert_eq!(raw_clock_or_entropy("benches/a.rs", text), [], "{text}");
        }
        assert_eq!(raw_clock_or_entropy("src/x.rs", "// Instant::now\nfn f(now: Time) {}"), []);
    }

    #[test]
    fn a_room_that_the_map_does_not_show_is_found() {
        let text = "//! - [`model`]: nouns.\n\n/// [`desk`]\npub mod desk;\npub mod model;\n";
        assert_eq!(map(text), [Finding::new("src/lib.rs", 4, "the map doesn't show `desk`")]);
    }

    #[test]
    fn a_room_that_does_not_say_never_is_found() {
        let silent = "//! The room.\n//! It never ends.\n\n//! Never mind.\n";
        assert_eq!(says_never("src/desk/mod.rs", silent).len(), 1);
        assert_eq!(says_never("src/desk.rs", silent).len(), 1);
        assert_eq!(says_never("src/desk/budget.rs", silent), []);
        assert_eq!(says_never("src/lib.rs", silent), []);
        assert_eq!(says_never("src/desk/mod.rs", "//! The room.\n//!\n//! Used by all. Never\n//! sleeps.\n"), []);
    }
}
