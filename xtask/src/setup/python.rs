//! The tests' own Python environment, under `target/`: made once, and anew when its list of packages changes.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::Python;
use crate::failure::Failure;
use crate::step;

/// Whether the machine's Python can make one.
pub fn look() -> Python {
    let complete = step::succeeds(Command::new("python3").args(["-c", "import ensurepip, venv"]));
    if complete { Python::Complete } else { Python::Lacking }
}

/// Makes it, unless what the list says is in it already.
pub fn environment() -> Result<(), Failure> {
    let (folder, list) = (step::root().join(FOLDER), step::root().join(LIST));
    // Put there last: an environment that was broken off has none.
    let done = folder.join("requirements.txt");
    let wanted = read(list.clone())?;
    if fs::read(&done).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    step::run("Python environment", Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    step::run("Python packages", pip.arg(&list))?;
    fs::write(&done, wanted).map_err(|error| Failure::File { path: done, error })
}

fn read(path: PathBuf) -> Result<Vec<u8>, Failure> {
    fs::read(&path).map_err(|error| Failure::File { path, error })
}

/// `tests/clients/tool.rs` looks here.
const FOLDER: &str = "target/clients-python";

/// Every version is said, so that a judge never changes its mind between two machines.
const LIST: &str = "tests/clients/python/requirements.txt";
