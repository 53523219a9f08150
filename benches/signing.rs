//! Signatures a second on one core, by kind of key: what `tashika plan` reckons with unless told otherwise.
//!
//! `cargo bench --bench signing`; the best of three seconds for each kind, with nothing else running.

#![allow(clippy::expect_used, reason = "a bench that can't go on should stop where it is")]

use tashika::app::compose::trial_key;
use tashika::app::planning::measured;
use tashika::responder::KeyKind;

fn main() {
    println!("{:<8}  {:>12}  {:>12}", "kind", "measured/s", "reckoned/s");
    for kind in KeyKind::ALL {
        let key = trial_key(kind).expect("a key");
        let runs = (0..3).map(|_| measured(|octets| key.sign(octets)).expect("it signs"));
        let best = runs.fold(0.0, f64::max);
        println!("{:<8}  {best:>12.0}  {:>12.0}", kind.name(), kind.usual_rate());
    }
}
