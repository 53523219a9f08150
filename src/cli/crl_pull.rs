//! `crl pull`: fetch, verify and install the CRLs of a publication. For cron and systemd timers as much as for people.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::app::clock;
use crate::app::pull::{PullError, Pulled, Source};
use crate::asn1::{CertificateFields, certificates_in};
use crate::http::{Fetcher, Patience};
use crate::model::Seconds;
use crate::publisher::pull::{Ages, Form as Installed, History, Scopes};

use super::error::{CliError, Exit, one_line};
use super::reply::{Form, Reply};

/// `crl pull`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Pull {
    /// The publication's address: of its index, its folder or its server.
    #[arg(long, value_name = "URL", required_unless_present = "from")]
    url: Option<String>,
    /// A folder with the same files, instead of an address.
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    from: Option<PathBuf>,
    /// Where to install; made if it is missing.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Certificates that are trusted: a root, or the CAs themselves; PEM or DER, several to a file.
    #[arg(long, value_name = "CA.pem", required = true, num_args = 1..)]
    trust: Vec<PathBuf>,
    /// Only these paths of the index [default: all].
    #[arg(long, value_name = "PATH")]
    scope: Vec<String>,
    /// Forms to install beside the DER files.
    #[arg(long, value_enum, value_name = "FORM")]
    form: Vec<Shape>,
    /// Deltas, too, in these forms: only for verifiers that are told to use deltas.
    #[arg(long)]
    with_deltas: bool,
    /// Alarm when what is known is older, such as 45m or 26h.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    max_age: Option<Seconds>,
    /// Alarm when a CRL ends within this time [default: a tenth of its validity].
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    ends_within: Option<Seconds>,
    /// Take another ledger, epoch, key or line of indexes than was seen before. A person must know why.
    #[arg(long)]
    accept_new_history: bool,
    /// Say nothing when all is well.
    #[arg(long)]
    quiet: bool,
}

/// Forms as they are named here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shape {
    /// The files as they are published: der/PATH.crl, der/PATH.delta.crl; always there.
    Der,
    /// A folder for openssl's -CApath and Apache's SSLCARevocationPath: hash/.
    HashDir,
    /// One file for nginx's ssl_crl and openssl's -CRLfile: crls.pem.
    Pem,
}

impl Pull {
    /// Runs it.
    pub fn run(self, form: Form) -> Result<Reply, CliError> {
        let mut source = match (&self.url, &self.from) {
            (Some(url), _) => Source::web(url, Fetcher::new(Patience::DEFAULT)?),
            (None, Some(folder)) => Source::Folder(folder.clone()),
            (None, None) => return Err(CliError::Usage("say where to pull from: --url or --from".into())),
        };
        let pull = crate::app::pull::Pull {
            anchors: anchors(&self.trust)?,
            to: self.to.clone(),
            scopes: if self.scope.is_empty() { Scopes::All } else { Scopes::Of(self.scope.clone()) },
            forms: self.forms(),
            history: if self.accept_new_history { History::New } else { History::Same },
            ages: Ages { age_max: self.max_age, ends_within: self.ends_within },
        };
        let pulled = pull.run(&mut source, clock::now())?;
        Ok(self.told(&pulled, form))
    }

    fn forms(&self) -> Vec<Installed> {
        let mut forms: Vec<Installed> = self
            .form
            .iter()
            .filter_map(|shape| match (shape, self.with_deltas) {
                (Shape::Der, _) => None,
                (Shape::HashDir, false) => Some(Installed::HashDir),
                (Shape::HashDir, true) => Some(Installed::HashDirWithDeltas),
                (Shape::Pem, false) => Some(Installed::Pem),
                (Shape::Pem, true) => Some(Installed::PemWithDeltas),
            })
            .collect();
        forms.sort_unstable();
        forms.dedup();
        forms
    }

    /// One line on standard output, and one on standard error for each thing that is wrong.
    fn told(&self, pulled: &Pulled, form: Form) -> Reply {
        let mut wrong: Vec<String> = Vec::new();
        let (exit, text) = match &pulled.round {
            Ok(round) => {
                wrong.extend(round.left.iter().map(|(path, why)| format!("{path}: {why}")));
                let text = format!(
                    "index {}: {} of {} scopes are new, {} octets fetched",
                    round.number,
                    round.taken.len(),
                    pulled.held,
                    round.received
                );
                (if round.left.is_empty() { Exit::Done } else { Exit::Refused }, text)
            }
            Err(error) => {
                wrong.push(error.to_string());
                (exit_of(error), format!("nothing new; {} scopes are installed", pulled.held))
            }
        };
        wrong.extend(pulled.alarms.iter().map(ToString::to_string));
        let exit = if pulled.alarms.is_empty() { exit } else { Exit::Stale };
        if form == Form::Text {
            wrong.iter().for_each(|what| super::error::warn(what));
        }
        let text = if self.quiet && exit == Exit::Done { String::new() } else { text };
        Reply::done(text, json(pulled, &wrong)).with_exit(exit)
    }
}

fn json(pulled: &Pulled, wrong: &[String]) -> Value {
    let mut json = json!({ "installed": pulled.held, "alarms": pulled.alarms.len(), "wrong": wrong });
    if let Ok(round) = &pulled.round {
        let taken = round.taken.iter().map(|(path, listed)| json!({ "path": path, "listed": listed }));
        json["index"] = round.number.to_string().into();
        json["taken"] = taken.collect();
        json["refused"] = round.left.iter().map(|(path, _)| path.as_str()).collect();
        json["octets"] = round.received.into();
    }
    json
}

fn exit_of(error: &PullError) -> Exit {
    match error {
        PullError::Backward(_) | PullError::Seal(_) => Exit::Damaged,
        PullError::Folder(_) | PullError::Index(_) => Exit::File,
        PullError::NoScope(_) => Exit::NotFound,
        PullError::Source(_) => Exit::Unavailable,
    }
}

/// The certificates of files, each with one at least.
pub fn anchors(files: &[PathBuf]) -> Result<Vec<CertificateFields>, CliError> {
    let mut all = Vec::new();
    for file in files {
        all.extend(certificates(file)?);
    }
    Ok(all)
}

/// The certificates of a file.
pub fn certificates(file: &Path) -> Result<Vec<CertificateFields>, CliError> {
    let octets = fs::read(file).map_err(|error| CliError::io(file, error))?;
    let read = certificates_in(&octets)
        .and_then(|ders| ders.iter().map(|der| CertificateFields::from_der(der)).collect::<Result<Vec<_>, _>>());
    read.map_err(|source| CliError::Certificate { file: file.to_owned(), source })
}

/// `90s`, `45m`, `26h`, `7d`.
fn duration(text: &str) -> Result<Seconds, String> {
    let wrong = || format!("'{}' is not a duration such as 90s, 45m, 26h or 7d", one_line(text));
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let count: u32 = text.strip_suffix(unit).and_then(|count| count.parse().ok()).ok_or_else(wrong)?;
    count.checked_mul(seconds).filter(|seconds| *seconds > 0).map(Seconds).ok_or_else(wrong)
}

const EXAMPLES: &str = "\
DIR/current leads to what is installed, always whole: der/, crls.pem and hash/ if they were asked for, index.json, and
marks.json with what was seen. Only what changed is fetched; each CRL is verified up to --trust before it is installed;
one that is refused leaves the one before in its place. An older index or CRL than was seen is refused.

Exit codes: 0 all is well; 1 something was refused, what was there stays; 3 a path is not published; 5 nothing was
reached; 6 the index goes back, is another ledger's or wrongly
signed; 7 a file; 9 something installed has expired, ends soon or is too
old, whatever came of this pull.

Examples:
  tashika crl pull --url http://status.example.jp --to /var/lib/tashika-crl --trust root.pem --form pem
  tashika crl pull --url http://status.example.jp --to crls --trust root.pem --scope phone-auth-07 --max-age 45m
  tashika crl pull --from /mnt/carried/crl --to crls --trust root.pem --form hash-dir --quiet";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        let all = [("90s", 90), ("45m", 2_700), ("26h", 93_600), ("7d", 604_800)];
        assert!(all.iter().all(|(text, seconds)| duration(text) == Ok(Seconds(*seconds))));
        for wrong in ["", "45", "m", "-1m", "0s", "1w", "99999999d", "1é"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
