//! The project's chores, called as `cargo xtask VERB`.

fn main() {}
