//! The command line: one file for each family of verbs, and what they share. `main.rs` calls [`run`].
//!
//! A verb is read by clap into a struct, does its work on a `house` (configuration, ledger, desk) and gives back a
//! `reply`; only this file prints and chooses the exit code. Commands go to the desk like anybody else's: the command
//! line has no rights of its own. Never decides what may happen to a certificate, never writes to a ledger past the desk.

mod bulk;
mod cert;
mod cert_set;
mod cert_show;
mod check;
mod completions;
mod config;
mod config_show;
mod crl;
mod crl_diff;
mod crl_list;
mod crl_publish;
mod crl_pull;
mod crl_show;
mod describe;
mod error;
mod evidence;
mod history;
mod house;
mod import;
mod init;
mod issuer;
mod ledger;
mod ledger_copy;
mod plan;
mod progress;
mod queue;
mod queue_show;
mod reply;
mod report;
mod scope;
mod serve;
mod table;
mod undo;
mod up;
mod who;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::app::config::Config;
use error::{CliError, Exit, one_line};
use house::{House, find_config};
use reply::{Form, Reply};

/// The certificate status system of a national PKI: OCSP, CRLs and the issuance ledger behind them.
#[derive(Debug, Parser)]
#[command(name = "tashika", version, after_help = FOOT, max_term_width = 100, infer_long_args = false)]
struct Cli {
    /// The configuration [default: ./tashika.toml, or else ./tashika-demo/tashika.toml].
    #[arg(long, global = true, value_name = "FILE", help_heading = "Everywhere")]
    config: Option<PathBuf>,
    /// Print JSON for machines.
    #[arg(long, global = true, help_heading = "Everywhere")]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show a certificate, or change its status.
    #[command(subcommand)]
    Cert(cert::Verb),
    /// Check a certificate as a verifier: chain, OCSP, CRLs.
    Check(check::Check),
    /// Print completions for a shell.
    Completions(completions::Completions),
    /// Check or show the configuration.
    #[command(subcommand)]
    Config(config::Verb),
    /// Show, compare and pull CRLs.
    #[command(subcommand)]
    Crl(crl::Verb),
    /// Import certificates from files.
    #[command(subcommand)]
    Import(import::Verb),
    /// Make an empty installation.
    Init(init::Init),
    /// Add and list issuers.
    #[command(subcommand)]
    Issuer(issuer::Verb),
    /// Prove, sign for, copy and adopt the ledger.
    #[command(subcommand)]
    Ledger(ledger::Verb),
    /// Write manual pages into a folder.
    Man(completions::Man),
    /// Say what signing answers costs, and propose a policy that the signer carries.
    Plan(plan::Planned),
    /// Decide what waits for a second person.
    #[command(subcommand)]
    Queue(queue::Verb),
    /// Report what happened to a holder's card, phone or SIM.
    Report(report::Report),
    /// Add and list CRL scopes.
    #[command(subcommand)]
    Scope(scope::Verb),
    /// Serve: the ledger's writer, its checkpoints, the probes.
    #[command(after_help = serve::EXAMPLES)]
    Serve(serve::Serve),
    /// Ask for a false campaign to be undone.
    Undo(undo::Undo),
    /// Make a demonstration, or what is missing of it, and serve it.
    #[command(after_help = up::EXAMPLES)]
    Up(up::Up),
}

/// Does what the arguments ask for.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return misread(&error, form_asked(&arguments)),
    };
    let form = cli.form();
    match cli.act() {
        Ok(reply) => {
            let exit = reply.exit;
            match reply.print(form) {
                Ok(()) => exit.into(),
                Err(error) => complain(&CliError::output(error), form),
            }
        }
        Err(error) => complain(&error, form),
    }
}

/// The whole command, for completions and manual pages.
fn command() -> clap::Command {
    Cli::command()
}

impl Cli {
    fn form(&self) -> Form {
        if self.json { Form::Json } else { Form::Text }
    }

    fn act(self) -> Result<Reply, CliError> {
        let form = self.form();
        let house = || House::open(self.config.as_deref());
        match self.verb {
            Verb::Cert(verb) => verb.run(&mut house()?),
            Verb::Check(verb) => verb.run(),
            Verb::Completions(verb) => verb.run(),
            Verb::Config(verb) => verb.run(self.config.as_deref()),
            Verb::Crl(verb) => verb.run(form, house),
            Verb::Import(verb) => verb.run(&mut house()?),
            Verb::Init(verb) => {
                if self.config.is_some() {
                    return Err(CliError::Usage(
                        "init writes a configuration and reads none: leave out --config".into(),
                    ));
                }
                verb.run()
            }
            Verb::Issuer(verb) => verb.run(&mut house()?),
            Verb::Ledger(verb) => verb.run(Config::load(&find_config(self.config.as_deref())?)?),
            Verb::Man(verb) => verb.run(),
            Verb::Plan(verb) => verb.run(self.config.as_deref()),
            Verb::Queue(verb) => verb.run(&mut house()?),
            Verb::Report(verb) => verb.run(&mut house()?),
            Verb::Scope(verb) => verb.run(&mut house()?),
            Verb::Serve(verb) => verb.run(self.config.as_deref(), form),
            Verb::Undo(verb) => verb.run(&mut house()?),
            Verb::Up(verb) => {
                if self.config.is_some() {
                    let why = "up has a configuration of its own, in its --dir: leave out --config";
                    return Err(CliError::Usage(why.into()));
                }
                verb.run(form)
            }
        }
    }
}

/// What form a command line that can't be read asks for.
fn form_asked(arguments: &[OsString]) -> Form {
    let flags = arguments.iter().take_while(|argument| *argument != "--");
    if flags.into_iter().any(|argument| argument == "--json") { Form::Json } else { Form::Text }
}

/// What clap says: help and version as they are, mistakes in one line.
fn misread(error: &clap::Error, form: Form) -> ExitCode {
    if !error.use_stderr() {
        // Nobody is there to be told when the help can't be printed.
        let _ = error.print();
        return Exit::Done.into();
    }
    let text = error.render().to_string();
    let help = matches!(error.kind(), clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand);
    if help && form == Form::Text {
        let _ = io::stderr().write_all(text.as_bytes());
        return Exit::Usage.into();
    }
    let what = if help {
        "the verb is missing, or only begun".to_owned()
    } else {
        let what = text.split("\n\nUsage:").next().unwrap_or_default();
        let what = what.split("\n\nFor more information").next().unwrap_or_default();
        one_line(what.strip_prefix("error: ").unwrap_or(what))
    };
    complain(&CliError::Usage(format!("{what} (see --help)")), form)
}

/// One line on stderr.
fn complain(error: &CliError, form: Form) -> ExitCode {
    let exit = error.exit();
    let text = one_line(&error.to_string());
    let line = match form {
        Form::Json => serde_json::json!({ "error": text, "exit": exit as u8 }).to_string(),
        Form::Text => format!("tashika: {text}"),
    };
    let _ = writeln!(io::stderr(), "{line}");
    exit.into()
}

/// For the foot of `--help`.
const FOOT: &str = "\
Who acts (--as ORG/PERSON), with the person or terminal [default person: the system's user]:
  window, window:MUNICIPALITY  a municipal window      registry      the resident registry
  call-centre                  the loss call centre    sp-tsm        the download manager for phones
  carrier:OPERATOR             a carrier               ca:ISSUER     the CA behind an issuer
  holder                       a holder                ops, auditor  operations; reads only

Exit codes:
  0  done, or it was so already
  1  refused by the rules, nothing was changed
  2  the command line or the configuration makes no sense
  3  something that was named does not exist
  4  kept, waits for a second person (see 'tashika queue')
  5  the ledger can't be reached, is too busy or its disk is full: try again
  6  the ledger is damaged, another than expected, or newer than this program
  7  a file can't be read or written, or does not hold what it should
  8  nobody who is trusted says what was asked
  9  CRLs that are installed have expired, end soon or are too old";
