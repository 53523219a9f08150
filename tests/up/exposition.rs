//! A strict reader of the text format of Prometheus, as far as this program writes it.

use std::collections::{BTreeMap, BTreeSet};

use crate::admin::document;

/// What was exposed: by metric, by labels.
pub struct Exposition(BTreeMap<String, BTreeMap<Labels, f64>>);

type Labels = BTreeMap<String, String>;

impl Exposition {
    /// Reads it; stops at the first thing that a collector would stumble over, or that a person would.
    pub fn parse(text: &str) -> Self {
        assert!(text.ends_with('\n'));
        let mut all: BTreeMap<String, BTreeMap<Labels, f64>> = BTreeMap::new();
        let (mut current, mut kind, mut helped) = (String::new(), "", String::new());
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap();
                assert!(!all.contains_key(name), "{name} is there twice");
                assert!(help.ends_with('.') && help.len() > 15, "{name} has no sentence");
                helped = name.to_owned();
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, is) = rest.split_once(' ').unwrap();
                assert_eq!(name, helped, "help comes first");
                kind = if is == "counter" { "counter" } else { "gauge" };
                assert_eq!(is, kind);
                assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
                assert!(name.starts_with("tashika_") && is_name(name), "{name}");
                current = name.to_owned();
                all.insert(current.clone(), BTreeMap::new());
            } else {
                let (name, labels, value) = sample(line);
                assert_eq!(name, current, "a value stands under its metric");
                let value: f64 = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
                assert!(value.is_finite() && (kind == "gauge" || value >= 0.0), "{line}");
                let before = all.get_mut(&current).unwrap().insert(labels, value);
                assert_eq!(before, None, "told twice: {line}");
            }
        }
        let sets = all.values().map(|samples| samples.keys().map(|labels| labels.keys().collect::<Vec<_>>()));
        for mut names in sets {
            let first = names.next();
            assert!(names.all(|names| Some(names) == first), "all values of a metric have the same labels");
        }
        Self(all)
    }

    /// The one value with these labels.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let labels: Labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let samples = self.0.get(name).unwrap_or_else(|| panic!("no {name}"));
        *samples.get(&labels).unwrap_or_else(|| panic!("{name} has no {labels:?}, only {:?}", samples.keys()))
    }

    /// The metrics, each with the labels of its values.
    pub fn names(&self) -> BTreeSet<String> {
        let labels = |samples: &BTreeMap<Labels, f64>| {
            let names = samples.keys().next().map(|labels| labels.keys().cloned().collect::<Vec<_>>().join(", "));
            names.unwrap_or_default()
        };
        self.0.iter().map(|(name, samples)| format!("{name} {}", labels(samples)).trim().to_owned()).collect()
    }
}

/// What `docs/METRICS.md` has a row for: name and labels.
pub fn documented() -> BTreeSet<String> {
    let document = document("METRICS.md");
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `tashika_"));
    let row = |row: &str| {
        let mut cells = row.split('|').map(str::trim);
        let name = cells.next().unwrap().trim_end_matches('`');
        let labels: BTreeSet<_> = cells.nth(1).unwrap().split('`').skip(1).step_by(2).collect();
        format!("tashika_{name} {}", labels.into_iter().collect::<Vec<_>>().join(", ")).trim().to_owned()
    };
    rows.map(row).collect()
}

/// Name, labels and value of a line.
fn sample(line: &str) -> (&str, Labels, &str) {
    let Some((name, rest)) = line.split_once('{') else {
        let (name, value) = line.split_once(' ').unwrap();
        return (name, Labels::new(), value);
    };
    let mut labels = Labels::new();
    let mut rest = rest;
    loop {
        let (label, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("no label: {line}"));
        assert!(is_name(label), "{line}");
        let (value, after) = quoted(after);
        assert_eq!(labels.insert(label.to_owned(), value), None, "{line}");
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None => return (name, labels, after.strip_prefix("} ").unwrap_or_else(|| panic!("no value: {line}"))),
        }
    }
}

/// The text up to a quote that isn't escaped, and what follows it.
fn quoted(text: &str) -> (String, &str) {
    let (mut value, mut escaped) = (String::new(), false);
    for (at, letter) in text.char_indices() {
        match (escaped, letter) {
            (false, '\\') => escaped = true,
            (false, '"') => return (value, &text[at + 1..]),
            (true, 'n') => (value, escaped) = (value + "\n", false),
            (true, '\\' | '"') | (false, _) => {
                value.push(letter);
                escaped = false;
            }
            (true, other) => panic!("\\{other} is no escape"),
        }
    }
    panic!("a quote without an end: {text}")
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|letter| letter.is_ascii_lowercase() || letter == b'_')
}
