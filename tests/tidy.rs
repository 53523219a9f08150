//! The house rules that a compiler doesn't check, as tests: `cargo test --test tidy`.
//!
//! The law of the rooms is read from the table in `docs/ARCHITECTURE.md`; the other rules stand in the modules below.
//! Every rule is a function from (path, text) to findings, and is itself tested there with a planted violation.

#[path = "tidy/crates.rs"]
mod crates;
#[path = "tidy/documents.rs"]
mod documents;
#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/lex.rs"]
mod lex;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/tree.rs"]
mod tree;

use layers::Law;
use tree::{Finding, Tree};

#[test]
fn rooms_use_only_rooms_of_lower_layers() {
    let tree = Tree::of_the_house();
    let law = Law::parse(tree.text(layers::TABLE));
    let law = law.unwrap_or_else(|findings| panic!("{}", listed(&findings)));
    let mut findings = layers::rooms(&law, &tree.rust_under("src/").map(|file| file.path.as_str()).collect::<Vec<_>>());
    for file in tree.rust_under("src/") {
        findings.extend(layers::imports(&law, &file.path, &file.text));
        findings.extend(layers::adapters(&law, &file.path, &file.text));
    }
    none(&findings);
}

#[test]
fn a_crate_that_belongs_to_rooms_is_named_only_there() {
    let tree = Tree::of_the_house();
    let owners = crates::Owners::parse(tree.text(layers::TABLE));
    let owners = owners.unwrap_or_else(|findings| panic!("{}", listed(&findings)));
    none(&tree.rust_under("src/").flat_map(|file| owners.trespasses(&file.path, &file.text)).collect::<Vec<_>>());
}

#[test]
fn the_map_shows_every_room() {
    none(&source::map(Tree::of_the_house().text("src/lib.rs")));
}

#[test]
fn every_file_opens_with_its_purpose_and_keeps_its_measure() {
    each_rust_file(|path, text| [source::opening(path, text), source::lengths(path, text)].concat());
}

#[test]
fn nothing_is_left_for_later_or_skipped() {
    let tree = Tree::of_the_house();
    none(&tree.files.iter().flat_map(|file| source::left_for_later(&file.path, &file.text)).collect::<Vec<_>>());
    each_rust_file(source::ignored);
}

#[test]
fn unsafe_code_says_why_it_is_sound() {
    each_rust_file(source::unexplained_unsafe);
}

#[test]
fn clock_and_entropy_are_read_in_one_file() {
    each_rust_file(source::raw_clock_or_entropy);
}

#[test]
fn every_room_says_what_it_never_does() {
    each_rust_file(source::says_never);
}

#[test]
fn every_dependency_has_its_sentence_and_every_sentence_its_dependency() {
    let tree = Tree::of_the_house();
    let manifests: Vec<_> = tree.files.iter().filter(|file| file.path.ends_with("Cargo.toml")).collect();
    assert!(manifests.len() >= 3, "the root, loadtest and xtask have a manifest each");
    none(&documents::dependencies(&manifests, tree.text(documents::DEPENDENCIES)));
}

#[test]
fn the_readme_names_exactly_the_set_up_commands() {
    none(&documents::readme(Tree::of_the_house().text("README.md")));
}

#[test]
fn each_invariant_is_held_by_tests_that_exist() {
    let tree = Tree::of_the_house();
    none(&documents::invariants(tree.text(layers::TABLE), &tree.files));
}

#[test]
fn links_between_documents_lead_somewhere() {
    let tree = Tree::of_the_house();
    none(&tree.files.iter().flat_map(|file| documents::links(file, &tree)).collect::<Vec<_>>());
}

#[test]
fn every_file_of_the_test_data_is_named_by_its_list() {
    let tree = Tree::of_the_house();
    none(&documents::test_data(&tree.names_under(documents::TEST_DATA), |path| tree.read(path)));
}

fn each_rust_file(rule: fn(&str, &str) -> Vec<Finding>) {
    let tree = Tree::of_the_house();
    none(&tree.rust_under("").flat_map(|file| rule(&file.path, &file.text)).collect::<Vec<_>>());
}

fn none(findings: &[Finding]) {
    assert!(findings.is_empty(), "\n{}", listed(findings));
}

fn listed(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("{finding}\n")).collect()
}
