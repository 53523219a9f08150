//! What an answer costs: `cargo bench --bench answers` prints the table of `docs/PERFORMANCE.md`.
//!
//! Ratios, measured in turns in one run: servers on the first core, the load generator (`loadtest/`) on the second, the least
//! of several rounds of each. `-- NAME…` measures only those figures (see [`FIGURES`]); `-- --quick` with fewer certificates
//! and shorter rounds, to see that it runs. Needs `cc`, `taskset` and, for one figure each, `nginx` and PostgreSQL.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![allow(missing_docs)]

mod asker;
mod fetch;
mod files;
mod fresh;
mod house;
mod in_process;
mod kept;
mod lane;
mod load;
mod served;
mod sets;

#[path = "../../tests/support/postgres.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "shared with the tests, which use other parts")]
mod postgres_server;

#[path = "../status/fill.rs"]
#[allow(dead_code, reason = "shared with the status table's benchmark, which uses other parts")]
mod fill;

#[path = "../ledger/table.rs"]
#[allow(dead_code, reason = "shared with the ledger's benchmark, which uses other parts")]
mod table;

use served::{KeptReplies, Wanted, serve};
use table::Table;

/// How much is done.
#[derive(Clone, Copy)]
pub struct Scale {
    pub million: u64,
    pub ten_million: u64,
    pub seconds: u64,
    pub rounds: usize,
}

type Figure = (&'static str, fn(Scale, &mut Table));

const FIGURES: [Figure; 16] = [
    ("kept", kept::keep_alive),
    ("nginx", kept::nginx),
    ("close", kept::close),
    ("millions", kept::millions),
    ("path", in_process::path),
    ("lane", lane::saturated),
    ("advance", in_process::advance),
    ("fresh", fresh::sqlite),
    ("fresh-postgres", fresh::postgres),
    ("sets", in_process::sets),
    ("sets", sets::sqlite),
    ("sets-postgres", sets::postgres),
    ("storm", lane::storm),
    ("flood", lane::flood),
    ("file", files::cost),
    ("downloads", files::beside),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let value = |name: &str| {
        arguments.iter().find_map(|argument| argument.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')))
    };
    let number = |name: &str, usual: u64| value(name).map_or(usual, |text| text.parse().expect("a number"));
    match arguments.first().map(String::as_str) {
        Some("serve") => serve(&Wanted {
            listen: value("listen").unwrap_or("127.0.0.1:7080").parse().expect("an address"),
            certificates: number("certificates", 1_000_000),
            ca: value("ca").unwrap_or("card-sign-g2-p256").into(),
            kept: match value("kept") {
                Some("none") => KeptReplies::None,
                Some("signed") => KeptReplies::Signed,
                _ => KeptReplies::Filled,
            },
            threads: number("threads", 1) as usize,
            signers: number("signers", 1) as usize,
            file: number("file", 0) as usize,
        }),
        Some("fetch") => fetch::fetch(&fetch::Wanted {
            at: value("at").expect("an address").into(),
            downloads: number("downloads", 1) as usize,
            octets_a_second: number("octets-a-second", 0),
            seconds: number("seconds", 1),
        }),
        _ => measure(&arguments),
    }
}

fn measure(arguments: &[String]) {
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let scale = if quick {
        Scale { million: 100_000, ten_million: 1_000_000, seconds: 1, rounds: 2 }
    } else {
        Scale { million: 1_000_000, ten_million: 10_000_000, seconds: 3, rounds: 4 }
    };
    let mut table = Table::new(quick);
    let chosen = |name: &str| arguments.iter().any(|argument| argument == name);
    let all = !FIGURES.iter().any(|(name, _)| chosen(name));
    for (name, figure) in FIGURES {
        if all || chosen(name) {
            figure(scale, &mut table);
        }
    }
    table.print();
}
