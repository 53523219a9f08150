//! Calling the clients: quietly, in English, and never with a missing one taken for an agreeing one. Used by all files here.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a call came to.
#[derive(Debug)]
pub struct Call {
    /// Whether it ended with 0.
    pub success: bool,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Call {
    /// What it printed, errors first.
    pub fn text(&self) -> String {
        format!("{}{}", self.stderr, String::from_utf8_lossy(&self.stdout))
    }

    /// The lines that it printed; it must have gone well.
    pub fn lines(&self) -> Vec<String> {
        assert!(self.success, "{}", self.text());
        String::from_utf8(self.stdout.clone()).unwrap().lines().map(str::to_owned).collect()
    }
}

/// Runs a program to its end with that on its standard input.
pub fn call(program: &Path, arguments: &[&str], input: &[u8]) -> Call {
    let mut command = quiet(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| missing(program, &error));
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // Both ways at once: neither side may wait for the other to read.
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    // Whoever has heard enough may close.
    let _ = writer.join().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    Call { success: output.status.success(), stdout: output.stdout, stderr }
}

/// A program with none of the settings of whoever runs the tests.
pub fn quiet(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_remove("OPENSSL_CONF").env_remove("http_proxy").env_remove("JAVA_TOOL_OPTIONS");
    command.env("LC_ALL", "C").env("TZ", "UTC");
    command
}

/// Where a server's program is, also where it isn't on an ordinary user's `PATH`.
pub fn server(names: &[&str]) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> =
        std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from)).collect();
    let mut candidates = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    candidates.find(|file| file.is_file()).unwrap_or_else(|| panic!("{names:?} is missing: {REMEDY}"))
}

/// A file that a package brings, at one of the places where distributions keep it.
pub fn installed(places: &[&str]) -> PathBuf {
    let found = places.iter().map(PathBuf::from).find(|file| file.exists());
    found.unwrap_or_else(|| panic!("none of {places:?} is there: {REMEDY}"))
}

/// The project's own Python environment, with exactly the packages of `python/requirements.txt`.
pub fn python() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/clients-python");
    let installed = std::fs::read(folder.join("requirements.txt")).ok();
    let wanted = std::fs::read(beside("python/requirements.txt")).unwrap();
    assert!(installed == Some(wanted), "{} is missing or of another list: {REMEDY}", folder.display());
    folder.join("bin/python")
}

/// A file beside the tests.
pub fn beside(name: &str) -> String {
    format!("{}/tests/clients/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn missing(program: &Path, error: &std::io::Error) -> ! {
    panic!("{} can't be started ({error}): {REMEDY}", program.display())
}

const REMEDY: &str = "`cargo xtask setup` installs what the tests need";
