//! Rules between documents and what they speak of: dependencies, set-up commands, invariants, links, test data.

use crate::tree::{File, Finding, Tree};

pub const DEPENDENCIES: &str = "docs/DEPENDENCIES.md";
pub const TEST_DATA: &str = "certs-testdata/";

/// The commands of the README: all of them, and no others.
const SET_UP: [&str; 2] = ["cargo run --release -- up", "cargo xtask test"];
/// Said of an invariant whose room doesn't exist yet.
const NOT_BUILT: &str = "not built yet";
/// A sentence about a dependency is longer than this.
const SENTENCE_LETTERS_MIN: usize = 40;

/// Every direct dependency of `manifests` has its entry in `document` ("- `name`: sentence"), and every entry has one.
pub fn dependencies(manifests: &[&File], document: &str) -> Vec<Finding> {
    let entries = entries(document);
    let mut findings = Vec::new();
    let mut names = Vec::new();
    for manifest in manifests {
        for name in direct(&manifest.text) {
            if !entries.iter().any(|entry| entry.name == name) {
                findings.push(Finding::new(&manifest.path, 0, format!("`{name}` has no entry in {DEPENDENCIES}")));
            }
            names.push(name);
        }
    }
    for Entry { name, line, letters } in &entries {
        if !names.contains(name) {
            findings.push(Finding::new(DEPENDENCIES, *line, format!("`{name}` is no dependency (any more)")));
        }
        if *letters < SENTENCE_LETTERS_MIN {
            let what = format!("`{name}`: why this one, what did it replace, what does it cost?");
            findings.push(Finding::new(DEPENDENCIES, *line, what));
        }
    }
    findings
}

/// The code blocks hold exactly the set-up commands, and the text names no other cargo command.
pub fn readme(text: &str) -> Vec<Finding> {
    let (mut commands, mut spans, mut in_block) = (Vec::new(), Vec::new(), false);
    for (index, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            in_block = !in_block;
        } else if in_block && !line.trim().is_empty() {
            commands.push(line.trim());
        } else {
            spans.extend(line.split('`').skip(1).step_by(2).map(|span| (index + 1, span)));
        }
    }
    let mut findings = Vec::new();
    if commands != SET_UP {
        findings.push(Finding::new("README.md", 0, format!("its code blocks are {commands:?}, not {SET_UP:?}")));
    }
    let other = spans.iter().filter(|(_, span)| span.starts_with("cargo ") && !SET_UP.contains(span));
    findings.extend(other.map(|(line, span)| Finding::new("README.md", *line, format!("a further command: {span}"))));
    findings
}

/// Each row of the invariants names tests (`path::function`, in backticks) that exist, or says that it isn't built yet.
pub fn invariants(document: &str, files: &[File]) -> Vec<Finding> {
    let path = crate::layers::TABLE;
    let (mut findings, mut rows) = (Vec::new(), 0);
    for (index, row) in document.lines().enumerate() {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let ["", number, _, held_by, ""] = cells[..] else { continue };
        if number.parse::<u32>().is_err() {
            continue;
        }
        rows += 1;
        if held_by == NOT_BUILT {
            continue;
        }
        let named: Vec<&str> = held_by.split('`').skip(1).step_by(2).collect();
        if named.is_empty() {
            findings.push(Finding::new(path, index + 1, format!("invariant {number} is held by no test")));
        }
        for test in named {
            let exists = test.split_once("::").is_some_and(|(file, function)| {
                let signature = format!("fn {}(", function.rsplit("::").next().unwrap_or(function));
                files.iter().any(|candidate| candidate.path == file && candidate.text.contains(&signature))
            });
            if !exists {
                findings.push(Finding::new(path, index + 1, format!("invariant {number}: there is no test `{test}`")));
            }
        }
    }
    if rows == 0 {
        findings.push(Finding::new(path, 0, "has no table of invariants"));
    }
    findings
}

/// Every relative link of a document leads to something.
pub fn links(file: &File, tree: &Tree) -> Vec<Finding> {
    dead_links(file, |target| tree.exists(target))
}

fn dead_links(file: &File, exists: impl Fn(&str) -> bool) -> Vec<Finding> {
    if !file.path.ends_with(".md") {
        return Vec::new();
    }
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for target in line.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            let elsewhere = target.is_empty() || target.contains("://");
            if !elsewhere && !exists(format!("{folder}/{target}").trim_start_matches('/')) {
                findings.push(Finding::new(&file.path, index + 1, format!("a link that leads nowhere: {target}")));
            }
        }
    }
    findings
}

/// Every file of the test data is named by a list (README.md or MANIFEST) in its folder or above it.
pub fn test_data(paths: &[String], read: impl Fn(&str) -> String) -> Vec<Finding> {
    let is_list = |path: &&String| matches!(path.rsplit('/').next(), Some("README.md" | "MANIFEST"));
    let (lists, data): (Vec<_>, Vec<_>) = paths.iter().partition(is_list);
    let lists: Vec<(&str, String)> =
        lists.iter().map(|path| (path.rsplit_once('/').map_or("", |(folder, _)| folder), read(path))).collect();
    let names = |text: &str, name: &str| {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
        text.split(|c: char| !is_part(c)).any(|word| word.trim_end_matches('.') == name)
    };
    data.into_iter()
        .filter(|path| {
            !lists.iter().any(|(folder, text)| {
                path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')).is_some_and(|name| names(text, name))
            })
        })
        .map(|path| Finding::new(path, 0, "not named by the README.md or MANIFEST of the test data"))
        .collect()
}

struct Entry {
    name: String,
    line: usize,
    letters: usize,
}

fn entries(document: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for (index, line) in document.lines().enumerate() {
        if let Some((name, sentence)) = line.strip_prefix("- `").and_then(|rest| rest.split_once("`: ")) {
            entries.push(Entry { name: name.to_owned(), line: index + 1, letters: sentence.len() });
        } else if let (Some(entry), true) = (entries.last_mut(), line.starts_with("  ")) {
            entry.letters += line.trim().len();
        }
    }
    entries
}

/// Names in all dependency tables of a manifest, but for packages of this workspace (those with a path).
fn direct(manifest: &str) -> Vec<String> {
    let root: toml::Table = manifest.parse().expect("a manifest that cargo reads is TOML");
    let targets = root.get("target").and_then(toml::Value::as_table).into_iter().flat_map(|targets| targets.values());
    let workspace = root.get("workspace").and_then(toml::Value::as_table);
    let tables = targets.filter_map(toml::Value::as_table).chain(workspace).chain([&root]);
    let mut names = Vec::new();
    for table in tables {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let listed = table.get(kind).and_then(toml::Value::as_table).into_iter().flatten();
            names.extend(
                listed
                    .filter(|(_, spec)| spec.get("path").is_none())
                    .map(|(name, spec)| spec.get("package").and_then(toml::Value::as_str).unwrap_or(name).to_owned()),
            );
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    fn whats(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|finding| finding.what.as_str()).collect()
    }

    #[test]
    fn a_dependency_of_any_kind_without_its_sentence_is_found() {
        let manifest = file(
            "Cargo.toml",
            "[dependencies]\na = \"1\"\nour = { path = \"our\" }\n[dev-dependencies]\nb.version = \"1\"\n\
             [target.'cfg(unix)'.dependencies]\nc = { package = \"d\", version = \"1\" }\n\
             [build-dependencies]\ne = \"1\"\n[workspace.dependencies]\nf = \"1\"\n",
        );
        let found =
            dependencies(&[&manifest], "- `a`: chosen because it is the one that everybody in the field uses.\n");
        assert_eq!(found.len(), 4, "{found:?}");
        for name in ["`b`", "`d`", "`e`", "`f`"] {
            assert!(found.iter().any(|finding| finding.what.starts_with(name)), "{name}: {found:?}");
        }
    }

    #[test]
    fn an_entry_without_a_dependency_or_without_a_sentence_is_found() {
        let manifest = file("Cargo.toml", "[dependencies]\na = \"1\"\nb = \"1\"\n");
        let found = dependencies(
            &[&manifest],
            "- `a`: good.\n- `b`: a sentence that goes on\n  to the next line of it.\n- `c`: an entry that has outlived the dependency it is about.\n",
        );
        assert_eq!(
            whats(&found),
            ["`a`: why this one, what did it replace, what does it cost?", "`c` is no dependency (any more)",]
        );
    }

    #[test]
    fn a_command_too_many_or_too_few_in_the_readme_is_found() {
        let good = "# T\n```sh\ncargo run --release -- up\n```\nor `cargo xtask test`:\n```sh\ncargo xtask test\n```\n";
        assert_eq!(readme(good), []);
        assert_eq!(readme(&good.replace("```sh\ncargo xtask test\n```\n", "")).len(), 1);
        assert_eq!(readme(&good.replace("cargo run", "apt-get install x\ncargo run")).len(), 1);
        assert_eq!(readme(&format!("{good}First `cargo install x`.")).len(), 1);
    }

    #[test]
    fn an_invariant_without_a_test_or_with_one_that_is_gone_is_found() {
        let files = [file("tests/a.rs", "#[test]\nfn holds() {}\n")];
        let table = |cell: &str| format!("| # | invariant | held by |\n|---|---|---|\n| 1 | Always. | {cell} |\n");
        for good in ["not built yet", "`tests/a.rs::holds`", "`tests/a.rs::inner::holds`, in part"] {
            assert_eq!(invariants(&table(good), &files), [], "{good}");
        }
        for bad in ["", "soon", "`tests/a.rs`", "`tests/a.rs::hold`", "`tests/b.rs::holds`"] {
            assert_eq!(invariants(&table(bad), &files).len(), 1, "{bad}");
        }
        assert_eq!(invariants("no table", &files).len(), 1);
    }

    #[test]
    fn a_link_that_leads_nowhere_is_found() {
        let document = file("docs/A.md", "[a](B.md#c) [b](../README.md)\n[c](https://example.org/x) [d](#e)");
        assert_eq!(dead_links(&document, |_| true), []);
        assert_eq!(dead_links(&document, |target| target == "docs/B.md").len(), 1);
        assert_eq!(dead_links(&document, |_| false).len(), 2);
    }

    #[test]
    fn a_file_that_no_list_names_is_found() {
        let paths = ["d/README.md", "d/ca/good.pem", "d/leaf.pem", "d/x-leaf.pem"].map(str::to_owned);
        let found = test_data(&paths, |_| "Files: `ca/good.pem` and leaf.pem.".to_owned());
        assert_eq!(found.iter().map(|finding| finding.path.as_str()).collect::<Vec<_>>(), ["d/x-leaf.pem"]);
        assert_eq!(test_data(&paths[1..], |_| String::new()).len(), 3);
        assert_eq!(test_data(&[], |_| String::new()), []);
    }
}
