//! The program as a child process, and a client for its probes. Used by the tests beside this file.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A running `tashika`; killed when dropped.
pub struct Program {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

/// Where it listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    pub public: String,
    pub admin: String,
}

impl Program {
    /// Starts it, without a terminal.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_by(command(arguments).stderr(Stdio::inherit()))
    }

    /// Starts what somebody else starts it with.
    pub fn start_by(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = read_lines(child.stdout.take().unwrap());
        Self { child, lines, seen: Vec::new() }
    }

    /// `up` in a folder, on ports of its own.
    pub fn up(dir: &Path, more: &[&str]) -> Self {
        let mut arguments = vec!["up", "--dir", dir.to_str().unwrap()];
        arguments.extend(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
        arguments.extend(more);
        Self::start(&arguments)
    }

    /// `serve` with a configuration, on ports of its own.
    pub fn serve(config: &Path, more: &[&str]) -> Self {
        let mut arguments = vec!["serve", "--config", config.to_str().unwrap()];
        arguments.extend(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
        arguments.extend(more);
        Self::start(&arguments)
    }

    /// Waits for the line that begins so, and takes the addresses from it.
    pub fn addresses(&mut self, begins: &str) -> Addresses {
        let line = self.line(begins);
        let words = line.split([' ', '"']);
        let urls: Vec<_> = words.filter_map(|word| word.strip_prefix("http://")).collect();
        let [public, admin] = urls[..] else { panic!("two URLs are expected in '{line}'") };
        Addresses { public: public.to_owned(), admin: admin.to_owned() }
    }

    /// Waits until it is ready.
    pub fn ready(&mut self) -> Addresses {
        self.addresses("ready")
    }

    /// What it has said so far.
    pub fn said(&self) -> &[String] {
        &self.seen
    }

    /// Waits for the line that begins so.
    pub fn line(&mut self, begins: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left);
            let line = line.unwrap_or_else(|error| panic!("no line '{begins}…' ({error}) after {:?}", self.seen));
            self.seen.push(line.clone());
            // In JSON the word is the value of a field.
            if line.starts_with(begins) || line.contains(&format!(r#""event":"{begins}""#)) {
                return line;
            }
        }
    }

    /// The most memory that it has had, in KiB.
    pub fn memory_peak_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().trim().parse().unwrap()
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Another signal, by name; says how it ended.
    pub fn end(mut self, signal: &str) -> ExitStatus {
        self.signal(signal);
        self.wait()
    }

    /// Another signal, by name.
    pub fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &id]).status().unwrap().success());
    }

    /// Waits until it has ended by itself.
    pub fn ended(mut self) -> ExitStatus {
        self.wait()
    }

    fn wait(&mut self) -> ExitStatus {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < until, "it doesn't end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs it to its end; says its exit code and what it wrote.
pub fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = command(arguments).output().unwrap();
    let text = |octets| String::from_utf8(octets).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A request without a body; says status and body.
pub fn ask(address: &str, method: &str, path: &str) -> (u16, String) {
    let request = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let answer = send(address, request.as_bytes());
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).unwrap_or_else(|| panic!("no status in '{head}'"));
    (status.parse().unwrap(), body.to_owned())
}

/// Sends octets and reads until the other side has said all.
pub fn send(address: &str, octets: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // Whoever refuses a request may do so before it has read all of it.
    let _ = stream.write_all(octets);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

/// What `/readyz` says.
pub fn readiness(admin: &str) -> (u16, Value) {
    let (status, body) = ask(admin, "GET", "/readyz");
    (status, serde_json::from_str(&body).unwrap())
}

/// Asks until the answer is as wanted; says how long that took.
pub fn until(what: &str, mut wanted: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !wanted() {
        assert!(began.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
    began.elapsed()
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tashika"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn read_lines(stdout: ChildStdout) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// Far beyond what anything here takes, on a machine that is busy with something else.
const PATIENCE: Duration = Duration::from_secs(60);
