//! Single status changes of one caller, who has the ledger alone, beside a bare commit.

use std::sync::Arc;
use std::time::Instant;

use tashika::app::Writer;
use tashika::desk::Desk;
use tashika::ledger::{Ledger, Wanted};
use tashika::model::Outcome;

use crate::bare::Bare;
use crate::changes::{clock, generous, hold};
use crate::table::{Table, Verdict};
use crate::{Scale, population};

/// Changes through the writer, in turns with bare commits, some hundred of each in a row; and the search that goes before a
/// decision.
///
/// Upkeep is done as the sequencer does it. The first turns don't count: the logs of both files grow until they begin
/// anew for the first time, and a flush that lengthens a file costs half as much again.
pub fn lone(name: &str, ledger: &Arc<dyn Ledger>, bare: &Bare, scale: Scale, table: &mut Table) {
    let writer = Writer::new(Desk::new(ledger.clone(), generous()), clock);
    let (mut ours, mut theirs, mut searches) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..LONE_ROUNDS / IN_A_ROW {
        if turn == WARMING_TURNS {
            [&mut ours, &mut theirs, &mut searches].into_iter().for_each(Vec::clear);
        }
        let row = turn * IN_A_ROW..(turn + 1) * IN_A_ROW;
        let numbers = row.map(|n| scale.million - 1 - n);
        ours.extend(numbers.clone().map(|n| {
            timed(|| {
                let done = writer.submit(hold(n)).expect("a hold");
                assert!(matches!(done, Outcome::Done { .. }), "every hold is new");
            })
        }));
        ledger.upkeep().expect("upkeep");
        theirs.extend(numbers.clone().map(|_| bare.one()));
        searches.extend(numbers.map(|n| {
            let wanted = Wanted { keys: vec![population::key(n)], ..Wanted::default() };
            timed(|| drop(ledger.find(&wanted).expect("a search")))
        }));
    }
    let (ours, theirs, search) = (median(&mut ours), median(&mut theirs), median(&mut searches));
    let ratio = ours / theirs;
    table.row(
        format!("{name}: a lone caller against a bare durable commit"),
        format!("{ratio:.2} × ({ours:.0} µs, {search:.0} of them searching; bare {theirs:.0} µs)"),
        "≤ 1.5 ×",
        "≤ 1.2 ×",
        Verdict::at_most(ratio, 1.5, 1.2),
    );
}

fn timed(f: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    f();
    begun.elapsed().as_secs_f64() * 1e6
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

pub const LONE_ROUNDS: usize = 5_000;
const IN_A_ROW: usize = 100;
const WARMING_TURNS: usize = 20;
