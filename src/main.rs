//! The `tashika` binary: hands its arguments to the command line room.

use std::process::ExitCode;

fn main() -> ExitCode {
    tashika::cli::run(std::env::args_os())
}
