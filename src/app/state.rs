//! The folder of what a node must find again after a restart (`serve.state`): its owner's alone. Used by whoever keeps
//! something there.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

/// Makes it, if it is missing.
pub fn make(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}
