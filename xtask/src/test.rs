//! `cargo xtask test`, the README's test command: what the tests need, then every test there is.

use crate::failure::Failure;
use crate::{setup, step};

/// Unit, integration and documentation tests of every package; `arguments` are handed to `cargo test`.
///
/// All features, so that no test hides behind one that nobody turns on.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    setup::run(&[])?;
    let base = ["test", "--workspace", "--all-features", "--locked"];
    step::run("tests", step::cargo(base).args(arguments))
}
