//! The table: what was measured beside what must be and what we aim at.

use std::fs;

pub struct Table {
    rows: Vec<[String; 5]>,
    quick: bool,
}

impl Table {
    pub fn new(quick: bool) -> Self {
        Self { rows: Vec::new(), quick }
    }

    /// Adds a row, and says it at once: the whole run takes minutes.
    pub fn row(
        &mut self,
        figure: impl Into<String>,
        measured: impl Into<String>,
        must: &str,
        aim: &str,
        verdict: Verdict,
    ) {
        let row = [figure.into(), measured.into(), must.to_owned(), aim.to_owned(), verdict.as_str().to_owned()];
        eprintln!("{}: {} (must {must}, aim {aim})", row[0], row[1]);
        self.rows.push(row);
    }

    pub fn print(&self) {
        let model = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = model.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1)).unwrap_or("?");
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        println!(
            "\nMachine: {model}, {cores} cores{}\n",
            if self.quick { "; QUICK run, figures of a tenth of the rows" } else { "" }
        );
        println!("| figure | measured | must | aim | |\n|---|---|---|---|---|");
        for row in &self.rows {
            println!("| {} |", row.join(" | "));
        }
    }
}

/// How a figure stands against its bounds.
#[derive(Clone, Copy)]
pub enum Verdict {
    Aim,
    Must,
    Short,
}

impl Verdict {
    /// For figures where more is better.
    pub fn at_least(value: f64, must: f64, aim: f64) -> Self {
        if value >= aim {
            Self::Aim
        } else if value >= must {
            Self::Must
        } else {
            Self::Short
        }
    }

    /// For figures where less is better.
    pub fn at_most(value: f64, must: f64, aim: f64) -> Self {
        Self::at_least(-value, -must, -aim)
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Aim => "aim reached",
            Self::Must => "must reached",
            Self::Short => "SHORT",
        }
    }
}

/// 1234567 → 1,234,567.
pub fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
