//! The command line: what is asked for, the run, and the exit code. Called by `main`.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Barrier;

use clap::{Args, Parser, Subcommand};

use crate::client::{Client, ClientError};
use crate::engine;
use crate::load::{Load, LoadArgs, LoadError, Span};
use crate::probe::{self, Patience, ProbeError};
use crate::report::{LoadReport, Report};
use crate::serials::Expected;
use crate::server::{ServerError, Usage};

/// Load for OCSP responders: every answer is judged, and a stalled server can't hide
#[derive(Debug, Parser)]
#[command(name = "tashika-load", version, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Send one load, or several at once, and report
    #[command(after_help = RUN_EXAMPLES)]
    Run(Box<RunArgs>),
    /// Ask about one certificate until an answer shows a status, and say when it did
    #[command(after_help = PROBE_EXAMPLES)]
    Probe(Box<ProbeArgs>),
    /// Ask once and keep the answer, head and body, as it came: what the floor programs serve
    #[command(after_help = CAPTURE_EXAMPLES)]
    Capture(Box<CaptureArgs>),
}

#[derive(Debug, Args)]
struct RunArgs {
    /// Several loads at once: TOML with a table `[[load]]` for each, its fields named like the flags
    #[arg(long, value_name = "FILE", conflicts_with = "LoadArgs")]
    loads: Option<PathBuf>,
    #[command(flatten)]
    load: LoadArgs,
    /// Report what the run cost this process: CPU time, also by thread and per answer
    #[arg(long, value_name = "PID")]
    server_pid: Option<u32>,
    /// Report as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct ProbeArgs {
    #[command(flatten)]
    question: Question,
    /// The status that is waited for
    #[arg(long, value_enum)]
    until: Expected,
    /// Time from one question to the next
    #[arg(long, default_value = "200us")]
    interval: Span,
    /// When to give up
    #[arg(long, default_value = "60s")]
    give_up: Span,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct CaptureArgs {
    #[command(flatten)]
    question: Question,
    /// Where the answer goes; with --body-only, what nginx serves
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The OCSP answer alone, without the head of HTTP
    #[arg(long)]
    body_only: bool,
}

/// One certificate, asked about one question at a time.
#[derive(Debug, Args)]
struct Question {
    /// Where the responder listens: http://HOST:PORT/PATH
    #[arg(long)]
    url: String,
    /// Certificate (PEM) of the CA whose certificate is asked about
    #[arg(long)]
    issuer: PathBuf,
    /// The certificate, by its serial in hex
    #[arg(long, value_name = "HEX", conflicts_with = "cert", required_unless_present = "cert")]
    serial: Option<String>,
    /// The certificate (PEM)
    #[arg(long)]
    cert: Option<PathBuf>,
    /// How the request travels
    #[arg(long, value_enum, default_value = "post")]
    method: crate::request::Method,
    /// By which hash the CertID names the issuer
    #[arg(long, value_enum, default_value = "sha1")]
    hash: crate::request::HashName,
    /// How long an answer may take
    #[arg(long, default_value = "5s")]
    timeout: Span,
}

/// Why nothing, or nothing good, came of it.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error("{}: {source}", file.display())]
    File { file: PathBuf, source: std::io::Error },
    #[error("{}: {source}", file.display())]
    Toml { file: PathBuf, source: Box<toml::de::Error> },
    #[error("{name}: {source}")]
    Load { name: String, source: LoadError },
    #[error(transparent)]
    Question(#[from] LoadError),
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error("the load could not be run: {0}")]
    Engine(std::io::Error),
    #[error("no answer: {0}")]
    Client(#[from] ClientError),
    #[error(transparent)]
    Probe(#[from] ProbeError),
    #[error("HTTP {0}, or not application/ocsp-response: nothing to keep")]
    NotAnAnswer(u16),
    #[error("there was no answer at all")]
    NoAnswer,
    #[error("the report could not be written: {0}")]
    Output(std::io::Error),
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct LoadsFile {
    load: Vec<LoadArgs>,
}

/// Exit codes, as the help tells them. Scripts build on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Exit {
    Right = 0,
    Wrong = 1,
    Nonsense = 2,
    Undone = 3,
}

/// Reads the command line, does it, and says so.
pub fn main() -> ExitCode {
    let done = match Cli::parse().verb {
        Verb::Run(args) => run(*args),
        Verb::Probe(args) => probe(*args),
        Verb::Capture(args) => capture(*args),
    };
    let exit = done.unwrap_or_else(|error| {
        eprintln!("tashika-load: {error}");
        error.exit()
    });
    ExitCode::from(exit as u8)
}

fn run(args: RunArgs) -> Result<Exit, CliError> {
    let as_json = args.json;
    let report = measure(args)?;
    print(&if as_json { json(&report) } else { report.to_string() })?;
    match (report.answers, report.wrong_answers) {
        (0, _) => Err(CliError::NoAnswer),
        (_, 0) => Ok(Exit::Right),
        _ => Ok(Exit::Wrong),
    }
}

/// Runs all loads together, each on a thread of its own.
fn measure(args: RunArgs) -> Result<Report, CliError> {
    let loads = loads(args.loads, args.load)?;
    let start = Barrier::new(loads.len() + 1);
    let (tallies, before) = std::thread::scope(|scope| {
        let threads: Vec<_> = loads.into_iter().map(|load| scope.spawn(|| engine::run(load, &start))).collect();
        start.wait();
        let before = args.server_pid.map(Usage::of);
        let tallies: Vec<_> = threads
            .into_iter()
            .map(|thread| thread.join().expect("a load counts failures and does not panic"))
            .collect();
        (tallies, before)
    });
    let cost = match (args.server_pid, before) {
        (Some(pid), Some(before)) => Some((pid, Usage::of(pid)?.since(&before?))),
        _ => None,
    };
    let mut reports = Vec::new();
    for tally in tallies {
        let (load, tally) = tally.map_err(CliError::Engine)?;
        reports.push(LoadReport::new(&load, &tally));
    }
    Ok(Report::new(reports, cost))
}

fn loads(file: Option<PathBuf>, load: LoadArgs) -> Result<Vec<Load>, CliError> {
    let asked = match file {
        None => vec![load],
        Some(file) => {
            let text = fs::read_to_string(&file).map_err(|source| CliError::File { file: file.clone(), source })?;
            let parsed = toml::from_str::<LoadsFile>(&text);
            parsed.map_err(|source| CliError::Toml { file, source: Box::new(source) })?.load
        }
    };
    if asked.is_empty() {
        return Err(LoadError::Nonsense("no [[load]] in the file").into());
    }
    let mut loads = Vec::new();
    for (index, load) in asked.into_iter().enumerate() {
        let name = load.name.clone().unwrap_or_else(|| format!("load-{}", index + 1));
        loads.push(load.check(index + 1).map_err(|source| CliError::Load { name, source })?);
    }
    Ok(loads)
}

fn probe(args: ProbeArgs) -> Result<Exit, CliError> {
    let load = args.question.load()?;
    let seen = probe::run(load, args.until, Patience { interval: args.interval.0, give_up: args.give_up.0 })?;
    let text = if args.json {
        json(&seen)
    } else {
        let before = seen.last_other_unix_ns.map_or_else(String::new, |ns| format!(", last other answer at {ns}"));
        format!("{} {} ({} asked, {} failed{before})", seen.at, seen.at_unix_ns, seen.asked, seen.failed)
    };
    print(&text)?;
    Ok(Exit::Right)
}

fn capture(args: CaptureArgs) -> Result<Exit, CliError> {
    let mut load = args.question.load()?;
    let mut request = Vec::new();
    load.writer.write(load.keys.iter(), None, &mut request);
    let mut client = Client::new(load.route, load.timeout);
    let (head, bytes) = client.ask(&request)?;
    if head.status != 200 || !head.is_ocsp {
        return Err(CliError::NotAnAnswer(head.status));
    }
    let kept = if args.body_only { &bytes[head.body_at..] } else { bytes };
    fs::write(&args.out, kept).map_err(|source| CliError::File { file: args.out.clone(), source })?;
    print(&format!("HTTP {}, {} octets in {}", head.status, kept.len(), args.out.display()))?;
    Ok(Exit::Right)
}

impl Question {
    fn load(self) -> Result<Load, LoadError> {
        let serial = self.serial.as_deref().map(|serial| {
            crate::serials::Key::from_hex(serial, Expected::Anything)
                .ok_or(LoadError::Nonsense("`serial` is 1 to 20 octets in hex, not zero"))
        });
        let serial = serial.transpose()?;
        let args = LoadArgs {
            url: Some(self.url),
            issuer: Some(self.issuer),
            cert: self.cert.into_iter().collect(),
            closed: true,
            method: Some(self.method),
            hash: Some(self.hash),
            timeout: Some(self.timeout),
            ..LoadArgs::default()
        };
        args.check_with(1, serial)
    }
}

impl CliError {
    fn exit(&self) -> Exit {
        match self {
            Self::Probe(ProbeError::Wrong(_)) => Exit::Wrong,
            Self::Load { .. } | Self::Question(_) | Self::Toml { .. } => Exit::Nonsense,
            Self::Client(_)
            | Self::Engine(_)
            | Self::File { .. }
            | Self::NoAnswer
            | Self::NotAnAnswer(_)
            | Self::Output(_)
            | Self::Probe(ProbeError::GaveUp { .. })
            | Self::Server(_) => Exit::Undone,
        }
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).expect("maps with text for keys")
}

fn print(text: &str) -> Result<(), CliError> {
    writeln!(std::io::stdout().lock(), "{text}").map_err(CliError::Output)
}

const EXIT_CODES: &str = "Exit codes:
  0  done, and every answer was right (errors such as tryLater or a timeout are reported, but are no wrong answers)
  1  at least one answer was wrong
  2  the command line or a file of loads, serials or certificates makes no sense
  3  it could not be done: nothing answered, no such process, not seen in time, a file can't be read or written";

const RUN_EXAMPLES: &str = "Examples:
  # 20,000 requests a second for ten seconds, as they come (Poisson)
  tashika-load run --url http://127.0.0.1:8080/ocsp --issuer demo/card-sign/issuer.pem \\
      --cert demo/card-sign/good.pem --expect good --rate 20000
  # As much as the server can carry, and what an answer costs it
  tashika-load run --url http://127.0.0.1:8080/ocsp --issuer demo/card-sign/issuer.pem \\
      --serials serials.txt --closed --server-pid $(pidof tashika)
  # A storm beside honest clients, each with figures of its own
  tashika-load run --loads storm.toml --json

storm.toml:
  [[load]]
  name = \"honest\"
  url = \"http://127.0.0.1:8080/ocsp\"
  issuer = \"demo/card-sign/issuer.pem\"
  serials = \"serials.txt\"
  rate = 1000.0

  [[load]]
  name = \"storm\"
  url = \"http://127.0.0.1:8080/ocsp\"
  issuer = \"demo/card-sign/issuer.pem\"
  serials = \"serials.txt\"
  rate = 50000.0
  nonce = \"random\"
  source-address = \"127.0.0.9\"

Exit codes: see tashika-load --help.";

const PROBE_EXAMPLES: &str = "Example:
  # Prints the instant (RFC 3339, and nanoseconds since 1970) of the first answer that says revoked
  tashika-load probe --url http://127.0.0.1:8080/ocsp --issuer demo/card-sign/issuer.pem \\
      --cert demo/card-sign/good.pem --until revoked

Exit codes: see tashika-load --help.";

const CAPTURE_EXAMPLES: &str = "Example:
  tashika-load capture --url http://127.0.0.1:8080/ocsp --issuer demo/card-sign/issuer.pem \\
      --cert demo/card-sign/good.pem --out reply.http

Exit codes: see tashika-load --help.";

#[cfg(test)]
mod tests;
