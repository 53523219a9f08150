//! `serve`: runs an installation until a signal comes.

use std::net::SocketAddr;
use std::path::Path;

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::app::config::Config;
use crate::app::fingerprint;
use crate::app::serve::{Entrance, Manager, Part, Told, enter, serve};

use super::error::CliError;
use super::reply::{Form, Reply};

/// `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Where to listen for relying parties, instead of serve.listen.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Where to answer the probes, instead of serve.admin; a loopback address.
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<SocketAddr>,
    /// What part to play.
    #[arg(long, value_enum, default_value_t = Role::All, value_name = "ROLE")]
    role: Role,
    /// Take the listeners over from the process with the same serve.state; it ends when this one is ready.
    #[arg(long)]
    take_over: bool,
}

/// Parts as they are named here.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Role {
    /// Lead when nobody does, follow otherwise.
    All,
    /// Follow only: never write to the ledger, counter-sign checkpoints.
    Follower,
}

impl Serve {
    /// Runs it.
    pub fn run(self, config: Option<&Path>, form: Form) -> Result<Reply, CliError> {
        let mut config = Config::load(&super::house::find_config(config)?)?;
        config.listen = self.listen.unwrap_or(config.listen);
        config.admin = self.admin.unwrap_or(config.admin);
        config.check_listeners()?;
        let part = match self.role {
            Role::All => Part::All,
            Role::Follower => Part::Follower,
        };
        // It needs no names itself; but what starts here is what everybody trusts from then on.
        if config.pseudonym_key.exists() {
            fingerprint::open(&config.pseudonym_key)?;
        }
        let entrance = if self.take_over { Entrance::TakeOver } else { Entrance::Bind };
        let mut manager = Manager::of_environment();
        let sockets = enter(&config, entrance, &mut manager)?;
        serve(&config, sockets, part, &mut |told| {
            manager.hear(&told);
            tell(told, form);
        })?;
        Ok(Reply::told())
    }
}

/// One line for each thing that happens.
pub fn tell(told: Told, form: Form) {
    let at = |what: &str, public, admin| {
        let (public, admin) = (format!("http://{public}"), format!("http://{admin}"));
        form.say(
            &format!("{what}  {public}  probes at {admin}"),
            &json!({ "event": what, "public": public, "admin": admin }),
        );
    };
    match told {
        Told::Listening { public, admin } => at("listening", public, admin),
        Told::Waiting { public, admin } => at("waiting", public, admin),
        Told::Plan(plan) => {
            form.say(&format!("plan  {plan}"), &json!({ "event": "plan", "plan": super::plan::json(&plan) }))
        }
        Told::Ready { public, admin } => at("ready", public, admin),
        Told::Stopping => form.say("stopping", &json!({ "event": "stopping" })),
        Told::Stopped => form.say("stopped", &json!({ "event": "stopped" })),
    }
}

pub const EXAMPLES: &str = "\
On the public listener, OCSP: POST to / or /ocsp, GET with the request in base64 behind it; parties of the
register ask under /p/PARTY/SERVICE/. On the admin listener, the last two with the token of admin.token:
  /healthz  200 while the process runs
  /readyz   200 while it answers; otherwise 503; with either, the obstacles in JSON
  /metrics  figures for Prometheus
  /v1/      events, a certificate and its changes

A restart that nobody notices: start the new one with --take-over; the old one ends when it is ready. Or have systemd
keep the sockets: config/systemd has units.
Of several processes on one ledger one leads; another takes over within a second of its end.

Examples:
  tashika serve --config /etc/tashika/tashika.toml
  tashika serve --config /etc/tashika/tashika.toml --take-over
  tashika serve --config tashika-demo/tashika.toml --listen 127.0.0.1:0 --admin 127.0.0.1:0 --role follower";
