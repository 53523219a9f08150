//! The tests' own Python environments, under `target/`: made once, and anew when their list of packages changes.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::Python;
use crate::failure::Failure;
use crate::step;

/// Whether the machine's Python can make one.
pub fn look() -> Python {
    let complete = step::succeeds(Command::new("python3").args(["-c", "import ensurepip, venv"]));
    if complete { Python::Complete } else { Python::Lacking }
}

/// Makes them, unless what the lists say is in them already.
pub fn environments() -> Result<(), Failure> {
    ENVIRONMENTS.iter().try_for_each(|(folder, list)| environment(&step::root().join(folder), &step::root().join(list)))
}

fn environment(folder: &Path, list: &Path) -> Result<(), Failure> {
    // Put there last: an environment that was broken off has none.
    let done = folder.join("requirements.txt");
    let wanted = read(list)?;
    if fs::read(&done).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    step::run("Python environment", Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    step::run("Python packages", pip.arg(list))?;
    fs::write(&done, wanted).map_err(|error| Failure::File { path: done, error })
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::File { path: path.to_owned(), error })
}

/// Where the tests look for each (`tests/clients/tool.rs`, `tests/stores/bucket_server.rs`), and its list. Every version is
/// said, so that a judge never changes its mind between two machines.
const ENVIRONMENTS: [(&str, &str); 2] = [
    ("target/clients-python", "tests/clients/python/requirements.txt"),
    ("target/stores-python", "tests/stores/python/requirements.txt"),
];
