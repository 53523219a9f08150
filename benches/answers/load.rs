//! Programs that are measured and programs that measure: servers on one core, the load generator on the other.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::fill;

/// A server, killed at the end.
pub struct Server {
    child: Child,
    pub url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The responder in a process of its own, on the first core, or on all.
    pub fn responder(port: u16, cores: &str, what: &[String]) -> Self {
        let program = std::env::current_exe().expect("this program has a path");
        let listen = format!("listen=127.0.0.1:{port}");
        let mut child = Command::new("taskset")
            .args(["-c", cores])
            .arg(program)
            .args(["serve", &listen])
            .args(what)
            .stdout(Stdio::piped())
            .spawn()
            .expect("taskset");
        let mut line = String::new();
        let said = BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line);
        assert!(said.is_ok() && line == "ready\n", "the responder doesn't come up: {line}");
        Self { child, url: format!("http://127.0.0.1:{port}/ocsp") }
    }

    /// One of the floors, or nginx.
    pub fn floor(mut command: Command, port: u16) -> Self {
        let child = command.stdout(Stdio::null()).spawn().expect("a floor");
        std::thread::sleep(Duration::from_millis(500));
        Self { child, url: format!("http://127.0.0.1:{port}/ocsp") }
    }
}

/// nginx on the first core, which answers every path with the file `reply.der` of a folder.
pub struct Nginx {
    pub server: Server,
    worker: u32,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // A master that is killed leaves its worker.
        let _ = Command::new("kill").arg(self.worker.to_string()).status();
    }
}

impl Nginx {
    pub fn of(folder: &Path, port: u16) -> Self {
        let template = include_str!("../../loadtest/floor/nginx.conf.in");
        let config = folder.join("nginx.conf");
        let text = template.replace("@PORT@", &port.to_string()).replace("@FOLDER@", &folder.display().to_string());
        fs::write(&config, format!("user root;\n{text}")).expect("a file");
        let mut command = Command::new("taskset");
        command.args(["-c", "0", "nginx", "-p"]).arg(folder).arg("-c").arg(&config);
        let server = Server::floor(command, port);
        let worker = worker_of(server.pid());
        Self { server, worker }
    }

    /// Its worker's time on the processor, in microseconds.
    pub fn cpu_us(&self) -> f64 {
        cpu_us(self.worker)
    }
}

/// What the load generator found.
pub struct Measured {
    pub answers: f64,
    pub cpu_us: f64,
}

/// The folder of a CA in the test data.
pub fn ca(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("certs-testdata").join(name)
}

/// The load generator, built first.
pub fn generator() -> PathBuf {
    let built = Command::new("cargo").args(["build", "--release", "-p", "tashika-load"]).status().expect("cargo");
    assert!(built.success(), "the load generator can't be built");
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/release/tashika-load")
}

/// One load from the second core; no answer may be wrong.
pub fn load(generator: &Path, server: &Server, arguments: &[&str]) -> Measured {
    let output = Command::new("taskset")
        .args(["-c", "1"])
        .arg(generator)
        .args(["run", "--json", "--url", &server.url, "--server-pid", &server.pid().to_string()])
        .args(arguments)
        .output()
        .expect("taskset");
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("no report: {}", String::from_utf8_lossy(&output.stderr)));
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    Measured { answers: number(&report["answers"]), cpu_us: number(&report["server"]["cpu_us_per_answer"]) }
}

/// What an answer of each costs, in turns; the least of each, for noise only adds.
pub fn in_turns<const N: usize>(rounds: usize, mut measure: impl FnMut(usize) -> f64) -> [f64; N] {
    let mut least = [f64::INFINITY; N];
    for _ in 0..rounds {
        for (at, least) in least.iter_mut().enumerate() {
            *least = least.min(measure(at));
        }
    }
    least
}

/// Seconds that this thread has had on the processor.
pub fn busy() -> f64 {
    fill::busy() / 1e9
}

/// nginx answers in a process below the one that was started.
fn worker_of(master: u32) -> u32 {
    let output = Command::new("pgrep").args(["-P", &master.to_string()]).output().expect("pgrep");
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().next().and_then(|line| line.parse().ok()).expect("nginx has a worker")
}

/// A process's time on the processor, in microseconds.
pub fn cpu_us(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("a process");
    let after = stat.rsplit(") ").next().expect("a name in parentheses");
    let fields: Vec<f64> = after.split(' ').skip(11).take(2).map(|field| field.parse().expect("ticks")).collect();
    fields.iter().sum::<f64>() * 10_000.0
}
