//! Golden files: the bytes of every kind of event, row and status as they were first written, kept for ever.
//!
//! A ledger of today must be readable in thirty years, so these files are never changed and never removed. A new kind
//! or variant gets a new file: name it in `golden/variants.rs`, give a value in `golden/samples.rs` and run
//! `GOLDEN=add cargo test --test golden`, which writes files that are missing and touches no other.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop where it is")]

#[path = "golden/samples.rs"]
mod samples;
#[path = "golden/variants.rs"]
mod variants;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::{Path, PathBuf};

use tashika::ledger::{
    Malformed, decode_certificate, decode_event, decode_status, encode_certificate, encode_event, encode_status,
};
use variants::Met;

#[test]
fn events_are_written_and_read_as_they_always_were() {
    check("events", &samples::events(), encode_event, decode_event);
}

#[test]
fn rows_are_written_and_read_as_they_always_were() {
    check("rows", &samples::rows(), encode_certificate, decode_certificate);
}

#[test]
fn statuses_are_written_and_read_as_they_always_were() {
    check("statuses", &samples::statuses(), encode_status, decode_status);
}

#[test]
fn every_variant_has_a_golden_file() {
    let mut met = Met::default();
    samples::events().iter().for_each(|(_, event)| met.event(event));
    samples::rows().iter().for_each(|(_, row)| met.certificate(row));
    samples::statuses().iter().for_each(|(_, status)| met.status(status));
    assert_eq!(met.missing(), Vec::<String>::new(), "no golden file pins these");
}

#[test]
fn a_kind_or_version_of_the_future_is_not_passed_over() {
    let (_, event) = samples::events().swap_remove(0);
    let bytes = encode_event(&event);
    let altered = |at: usize, to: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = to;
        decode_event(&bytes)
    };
    assert_eq!(altered(0, 2), Err(Malformed::Tag { what: "event format", tag: 2 }));
    assert_eq!(altered(2, 14), Err(Malformed::Tag { what: "event kind", tag: 14 }));
    assert_eq!(altered(3, 2), Err(Malformed::Tag { what: "event version", tag: 2 }));
}

#[test]
fn the_worked_example_of_the_format_s_page_is_its_golden_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/EVENTS.md")).unwrap();
    let (_, example) = page.split_once("## A worked example").unwrap();
    let first_cells = example.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let golden = std::fs::read_to_string(root.join("tests/golden/events/05-changed-revoked-lost.hex")).unwrap();
    assert_eq!(first_cells.collect::<String>(), golden.replace('\n', ""));
    let leaf = to_hex(&tashika::ledger::leaf(&from_hex(&golden)));
    assert!(example.contains(&format!("Its leaf is `{}`.", leaf.trim())), "{leaf}");
}

fn check<T: PartialEq + Debug>(
    folder: &str,
    samples: &[(String, T)],
    encode: impl Fn(&T) -> Vec<u8>,
    decode: impl Fn(&[u8]) -> Result<T, Malformed>,
) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(folder);
    let add = std::env::var_os("GOLDEN").is_some_and(|value| value == "add");
    let mut expected = BTreeSet::new();
    for (name, value) in samples {
        let file = folder.join(format!("{name}.hex"));
        assert!(expected.insert(file.clone()), "two samples are named {name}");
        if add && !file.exists() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&file, to_hex(&encode(value))).unwrap();
        }
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert_eq!(to_hex(&encode(value)), text, "{name}: its bytes are no longer what they were");
        assert_eq!(decode(&from_hex(&text)).as_ref(), Ok(value), "{name}");
    }
    let found: BTreeSet<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let orphans: Vec<_> = found.difference(&expected).collect();
    assert!(orphans.is_empty(), "golden files that nothing reads any more: {orphans:?}");
}

/// 32 octets a line.
fn to_hex(bytes: &[u8]) -> String {
    let line = |line: &[u8]| line.iter().map(|octet| format!("{octet:02x}")).collect::<String>() + "\n";
    bytes.chunks(32).map(line).collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    assert!(digits.len().is_multiple_of(2), "an odd number of digits");
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
