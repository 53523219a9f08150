//! `init`: an empty installation in a folder of its own. What exists is never touched.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use zeroize::Zeroizing;

use crate::app::compose::{create_checkpoint_key, create_ledger};
use crate::app::config::Config;
use crate::app::fingerprint::{Kept, open_for};
use crate::app::pseudonym::{Named, Pseudonyms};
use crate::app::{clock, token};
use crate::ledger::Batch;
use crate::model::{Actor, Channel, PersonId, Role};

use super::config_show::shown_ledger;
use super::error::CliError;
use super::reply::Reply;
use super::who::system_user;

/// `init`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Init {
    /// The folder; made if it is missing, and only for its owner.
    #[arg(long)]
    dir: PathBuf,
    /// Where the ledger is to be: sqlite:FILE or postgres://….
    #[arg(long, value_name = "URL", default_value = "sqlite:ledger.db")]
    ledger: String,
    /// The URL under which relying parties reach the public listener.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Not for this verb, which writes one: refused where the command line is read, and not shown as a choice.
    #[arg(long, hide = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Init {
    /// Runs it.
    pub fn run(self) -> Result<Reply, CliError> {
        let file = self.dir.join("tashika.toml");
        let text = self.text();
        let config = Config::parse(&text, &file)?;
        if self.public_url.as_ref().is_some_and(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
            return Err(CliError::Usage("--public-url begins with http:// or https://".into()));
        }
        let made = make_dir(&self.dir)?;
        let ledger = fill(&config, &text).inspect_err(|_| made.undo())?;
        let text = format!(
            "{} is ready\n\nnext:\n  tashika issuer add --config {} --name NAME --cert CA.pem --ocsp-cert C.pem --ocsp-key K.pem\n  \
             tashika import certificates --config {2} --issuer NAME FILE\n",
            self.dir.display(),
            file.display(),
            file.display(),
        );
        let json = json!({
            "config": file.display().to_string(), "ledger": ledger, "ledger_url": shown_ledger(&config),
        });
        Ok(Reply::done(text, json))
    }

    fn text(&self) -> String {
        let serve = self.public_url.iter().map(|url| format!("public_url = {}\n", quoted(url))).collect::<String>();
        format!(
            "# Every setting and its value: 'tashika config show'. Paths are relative to this file.\n\n\
             [ledger]\nurl = {}\n\n[serve]\n{serve}{SETTINGS}",
            quoted(&self.ledger)
        )
    }
}

/// What this run made of the folder.
enum Made {
    Folder(PathBuf),
    Nothing(PathBuf),
}

impl Made {
    /// Leaves things as they were: nothing that was there before is removed, since nothing was.
    fn undo(&self) {
        let (Self::Folder(dir) | Self::Nothing(dir)) = self;
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            let _ = fs::remove_file(entry.path());
        }
        if let Self::Folder(dir) = self {
            let _ = fs::remove_dir(dir);
        }
    }
}

fn make_dir(dir: &Path) -> Result<Made, CliError> {
    let failed = |error| CliError::io(dir, error);
    match fs::read_dir(dir) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                let what = if dir.join("tashika.toml").exists() { "an installation" } else { "something" };
                let dir = dir.display();
                return Err(CliError::Exists(format!("there is {what} in {dir} already: name an empty or new folder")));
            }
            fs::set_permissions(dir, Permissions::from_mode(0o700)).map_err(failed)?;
            Ok(Made::Nothing(dir.to_owned()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
            Ok(Made::Folder(dir.to_owned()))
        }
        Err(error) => Err(failed(error)),
    }
}

/// Keys, ledger, and last the configuration: what has one is whole.
fn fill(config: &Config, text: &str) -> Result<String, CliError> {
    Pseudonyms::create(&config.pseudonym_key, &Zeroizing::new(clock::entropy()))?;
    let person = PersonId(Pseudonyms::open(&config.pseudonym_key)?.of(Named::Person, &system_user()));
    let actor = Actor { role: Role::Ops, person, channel: Channel::Cli };
    create_checkpoint_key(&config.checkpoint_key, &Zeroizing::new(clock::entropy()))?;
    token::create(&config.admin_token, &Zeroizing::new(clock::entropy()))?;
    let ledger = clock::new_ledger_id();
    create_ledger(&config.ledger, &Batch::genesis(ledger, actor, clock::now()))?;
    match open_for(&config.pseudonym_key, ledger)?.1 {
        Kept::Before | Kept::Now(_) => {}
        Kept::NotNow { file, source } => return Err(CliError::io(file, source)),
    }
    let failed = |error| CliError::io(&config.file, error);
    let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&config.file).map_err(failed)?;
    out.write_all(text.as_bytes()).and_then(|()| out.sync_all()).map_err(failed)?;
    Ok(ledger.to_string())
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// What an operator decides first, with its usual value.
const SETTINGS: &str = "\
# Whether requests that name no party (/p/NAME/SERVICE/) are answered.
anonymous = true

# A relying party: its requests count only from its addresses, and each of its services has an account of its own.
# [[party]]
# name = \"bank\"
# services = [\"login\", \"sign\"]
# addresses = [\"192.0.2.0/24\"]
# accredited = true

# [ocsp]
# How long an answer is valid: \"national\" (ten minutes) or \"web\" (four days, for caches).
# profile = \"national\"
# What is signed before anybody asks: \"all\", \"hot\" (asked for within the hour) or \"off\".
# presign = \"hot\"

# [keys]
# Where 'tashika issuer add' puts the keys that sign answers and CRLs; a file with their passphrase if they have one.
# signers = \"signers\"
# passphrase_file = \"/run/secrets/signers\"
";

const EXAMPLES: &str = "\
Examples:
  tashika init --dir /var/lib/tashika --public-url http://ocsp.example.jp
  tashika init --dir /etc/tashika --ledger postgres://tashika_owner@db.example.jp/tashika?sslmode=verify-full

It leaves tashika.toml, the ledger, admin.token, checkpoint.key, and pseudonym.key with its fingerprint: keep that key safe and
secret, for without it nothing can be found by holder, card or SIM any more.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parties::Strangers;

    #[test]
    fn what_is_written_is_a_configuration_and_so_is_what_it_only_mentions() {
        let init = Init {
            dir: PathBuf::from("/d"),
            ledger: "sqlite:ledger.db".into(),
            public_url: Some("http://status.example".into()),
            config: None,
        };
        let parse = |text: &str| Config::parse(text, Path::new("/d/tashika.toml")).unwrap();
        let text = init.text();
        let config = parse(&text);
        assert_eq!(config.parties.strangers(), Strangers::Answered);
        assert_eq!(config.public_url, "http://status.example");
        assert!(config.parties.parties().is_empty());
        // Settings, not sentences: a table's head, or one word before a '='.
        let is_setting = |line: &str| line.starts_with('[') || line.split(" = ").next() == line.split(' ').next();
        let lines = text.lines().map(|line| match line.strip_prefix("# ") {
            Some(setting) if is_setting(setting) && setting.contains(['[', '=']) => format!("{setting}\n"),
            _ => format!("{line}\n"),
        });
        let all = parse(&lines.collect::<String>());
        assert_eq!(all.parties.parties().len(), 1);
        assert_eq!(all.ocsp, config.ocsp, "it mentions the usual values");
        assert_eq!(all.signers, config.signers);
        assert_eq!(all.passphrase_file.as_deref(), Some(Path::new("/run/secrets/signers")));
    }
}
