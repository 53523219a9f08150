//! `up`: makes a demonstration, or what is missing of it, and serves it.

use std::io::{self, IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::app::config::Config;
use crate::app::demo::{DemoError, Held, Made, Sockets, Was, Wishes, make, set_aside};
use crate::app::serve::{Part, serve};
use crate::app::words::counted;

use super::error::CliError;
use super::house::warn_of;
use super::reply::{Form, Reply};
use super::serve::tell;

/// `up`.
#[derive(Debug, Args)]
pub struct Up {
    /// The demonstration's folder.
    #[arg(long, default_value = "tashika-demo", value_name = "DIR")]
    dir: PathBuf,
    /// Where to listen; its certificates lead there. [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Where to answer the probes; a loopback address. [default: 127.0.0.1:8081]
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<SocketAddr>,
    /// How relying parties reach the listener, if not by its address.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// How many sample certificates, beside those in files.
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u64).range(..=CERTIFICATES_MAX))]
    certificates: u64,
    /// Set an existing demonstration aside and begin anew.
    #[arg(long)]
    renew_demo: bool,
    /// Not for this verb, which writes one: refused where the command line is read, and not shown as a choice.
    #[arg(long, hide = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Up {
    /// Runs it.
    pub fn run(self, form: Form) -> Result<Reply, CliError> {
        let wishes = Wishes {
            dir: self.dir,
            listen: self.listen,
            admin: self.admin,
            public_url: self.public_url,
            certificates: self.certificates,
        };
        if self.renew_demo && wishes.dir.exists() {
            renew(&wishes, form)?;
        }
        let (config, sockets, _held) = match make_aloud(&wishes, form) {
            Err(DemoError::OtherAddress { named, asked, .. }) if wants_new(&wishes, &named, &asked, form)? => {
                renew(&wishes, form)?;
                make_aloud(&wishes, form)?
            }
            made => made?,
        };
        let file = config.file.display().to_string();
        form.say(&format!("to look around:  tashika issuer list --config {file}"), &json!({ "config": file }));
        serve(&config, sockets, Part::All, &mut |told| tell(told, form))?;
        Ok(Reply::told())
    }
}

/// Makes it, with a line for each part that is done and a bar for the long one.
fn make_aloud(wishes: &Wishes, form: Form) -> Result<(Config, Sockets, Held), DemoError> {
    let dir = wishes.dir.display();
    let bar = super::progress::bar("registering");
    bar.set_length(wishes.certificates);
    let part = |part: &str, file: &str, was: Was| {
        let (word, what) = match was {
            Was::Begun => ("completed", "begun"),
            Was::Found => ("found", "found"),
            Was::Missing => ("made", "missing"),
        };
        form.say(&format!("{dir}{file}: {part} {word}"), &json!({ "part": part, "was": what }));
    };
    let made = make(wishes, &mut |made| match made {
        Made::Folder(was) => part("settings, keys and tokens", "", was),
        Made::Certificates(was) => part("root, CAs and their certificates", "/demo", was),
        Made::Ledger(was) => part("the ledger", "/ledger.db", was),
        Made::Fingerprint(kept) => warn_of(&kept),
        Made::Samples(count) => bar.set_position(count),
        Made::Filled { samples, certificates } => {
            bar.finish_and_clear();
            let all = counted(certificates, "certificate");
            let text = match samples {
                0 => format!("{dir}/ledger.db: {all}, nothing to add"),
                samples => {
                    format!("{dir}/ledger.db: {all}; {} registered just now", counted(samples, "sample"))
                }
            };
            form.say(&text, &json!({ "part": "samples", "registered": samples, "certificates": certificates }));
        }
    });
    bar.finish_and_clear();
    made
}

/// Asks, if there is somebody to be asked.
fn wants_new(wishes: &Wishes, named: &str, asked: &str, form: Form) -> Result<bool, CliError> {
    if form == Form::Json || !io::stdin().is_terminal() {
        return Ok(false);
    }
    let dir = wishes.dir.display();
    print!("The certificates in {dir} lead to {named}, not to {asked}. Set them aside and make new ones? [y/N] ");
    io::stdout().flush().map_err(CliError::output)?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(|error| CliError::io("standard input", error))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn renew(wishes: &Wishes, form: Form) -> Result<(), DemoError> {
    let aside = set_aside(&wishes.dir)?.display().to_string();
    form.say(&format!("{aside}: the demonstration that was here"), &json!({ "set_aside": aside }));
    Ok(())
}

/// A ledger of some gigabytes.
const CERTIFICATES_MAX: u64 = 10_000_000;

pub const EXAMPLES: &str = "\
What is there stays: run it again to go on. Ctrl-C stops it.

Examples:
  tashika up
  tashika up --certificates 1000000
  tashika up --dir /tmp/demo --listen 127.0.0.1:9090 --admin 127.0.0.1:9091
  tashika up --listen 0.0.0.0:8080 --public-url http://status.example:8080 --renew-demo";
