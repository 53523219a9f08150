//! Signatures a second on one core, by kind of key: what `tashika plan` reckons with unless told otherwise.
//!
//! `cargo bench --bench signing`. Of many short spans the best counts, so that a neighbour on the machine who comes and goes
//! doesn't.

use std::time::Duration;

use tashika::app::compose::trial_key;
use tashika::app::planning::measured_for;
use tashika::responder::KeyKind;

fn main() {
    println!("{:<8}  {:>12}  {:>12}", "kind", "measured/s", "reckoned/s");
    for kind in KeyKind::ALL {
        let key = trial_key(kind).expect("a key");
        let spans = (0..SPANS).map(|_| measured_for(SPAN, |octets| key.sign(octets)).expect("it signs"));
        let best = spans.fold(0.0, f64::max);
        println!("{:<8}  {best:>12.0}  {:>12.0}", kind.name(), kind.usual_rate());
    }
}

const SPANS: usize = 60;
const SPAN: Duration = Duration::from_millis(50);
