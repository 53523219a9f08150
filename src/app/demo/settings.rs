//! The demonstration's `tashika.toml`, and which addresses it goes with. Called by `up`.

use std::net::{IpAddr, SocketAddr, TcpListener};

use super::Wishes;
use super::error::DemoError;
use super::folder::{Folder, Readers};
use super::pki::named_url;
use super::signer::FOLDER as SIGNERS;
use crate::app::config::{Config, ConfigError, Threads};
use crate::app::cores;
use crate::http::{self, Taken};

/// The sockets that are served on, bound before anything names them.
#[derive(Debug)]
pub struct Sockets {
    /// The public listener: a socket for each thread.
    pub public: Vec<TcpListener>,
    /// The admin listener.
    pub admin: TcpListener,
    /// The process that they were taken from, if they were.
    pub taken: Option<Taken>,
}

/// The configuration in the folder, written first if it is missing, and the sockets of its listeners.
pub(super) fn settle(folder: &Folder, wishes: &Wishes) -> Result<(Config, Sockets), DemoError> {
    let file = folder.file(FILE);
    if folder.has(FILE) {
        let config = Config::load(&file)?;
        same_address(folder, wishes, &config)?;
        let listen = wishes.listen.filter(|listen| listen.port() != 0).unwrap_or(config.listen);
        let sockets = bind(listen, wishes.admin.unwrap_or(config.admin), config.edge.threads)?;
        return Ok((config, sockets));
    }
    let listen = wishes.listen.unwrap_or(LISTEN);
    if wishes.public_url.is_none() && listen.ip().is_unspecified() {
        return Err(DemoError::Nameless(listen));
    }
    let admin = wishes.admin.unwrap_or(ADMIN);
    let sockets = bind(listen, admin, Threads::ByCores)?;
    // Certificates can't name port 0: without a URL of its own, the port that was given out is the one to stay with.
    let (listen, url) = match &wishes.public_url {
        Some(url) => (listen, url.trim_end_matches('/').to_owned()),
        None => {
            let bound = local(&sockets.public[0], listen)?;
            (bound, format!("http://{bound}"))
        }
    };
    let text = text(listen, admin, &url);
    let config = Config::parse(&text, &file)?;
    folder.write(FILE, Readers::Public, &text)?;
    Ok((config, sockets))
}

/// Refuses addresses that are not those that the certificates lead to.
fn same_address(folder: &Folder, wishes: &Wishes, config: &Config) -> Result<(), DemoError> {
    let named = named_url(folder)?.unwrap_or_else(|| config.public_url.clone());
    // Behind a URL of its own, the listener may be anywhere.
    let leads_to_listener = named == format!("http://{}", config.listen);
    let asked = match (&wishes.public_url, wishes.listen) {
        (Some(url), _) => url.trim_end_matches('/').to_owned(),
        (None, Some(listen)) if leads_to_listener && listen.port() != 0 => format!("http://{listen}"),
        (None, Some(_) | None) => config.public_url.clone(),
    };
    if asked == named { Ok(()) } else { Err(DemoError::OtherAddress { dir: folder.path().to_owned(), named, asked }) }
}

fn bind(listen: SocketAddr, admin: SocketAddr, threads: Threads) -> Result<Sockets, DemoError> {
    if !admin.ip().is_loopback() {
        return Err(DemoError::Config(ConfigError::Value {
            file: FILE.into(),
            key: "serve.admin".into(),
            why: "the admin listener must stay on a loopback address: it has no TLS yet".into(),
        }));
    }
    let refused = |address, flag| move |source| DemoError::Listen { address, flag, source };
    Ok(Sockets {
        public: http::listen(listen, threads.serving(cores())).map_err(refused(listen, "--listen"))?,
        admin: TcpListener::bind(admin).map_err(refused(admin, "--admin"))?,
        taken: None,
    })
}

fn local(socket: &TcpListener, address: SocketAddr) -> Result<SocketAddr, DemoError> {
    socket.local_addr().map_err(|source| DemoError::Listen { address, flag: "--listen", source })
}

fn text(listen: SocketAddr, admin: SocketAddr, public_url: &str) -> String {
    format!(
        "# A demonstration, made by 'tashika up'. Its certificates lead to public_url:\n\
         # to change that, let 'tashika up --renew-demo' make new ones.\n\
         \n\
         [ledger]\n\
         url = \"sqlite:ledger.db\"\n\
         \n\
         [serve]\n\
         listen = \"{listen}\"\n\
         admin = \"{admin}\"\n\
         public_url = {public_url:?}\n\
         # A demonstration may lie about for weeks before it goes on.\n\
         clock_leap_max_hours = 0\n\
         # Whether requests that name no party (/p/NAME/SERVICE/) are answered.\n\
         anonymous = true\n\
         \n\
         [keys]\n\
         # Whoever brings it to the admin listener may do what the desk lets somebody do.\n\
         admin_token = \"admin.token\"\n\
         pseudonym = \"pseudonym.key\"\n\
         checkpoint = \"checkpoint.key\"\n\
         # For each CA, who signs its answers.\n\
         signers = \"{SIGNERS}\"\n\
         \n\
         [checkpoints]\n\
         file = \"checkpoints.txt\"\n\
         every_seconds = 60\n\
         {ANSWERS}"
    )
}

/// How answers are made, with the usual values, and who may ask before others.
const ANSWERS: &str = "
[ocsp]
# \"national\": minutes, for the caller alone; \"web\": days, for all caches.
profile = \"national\"
validity_seconds = 600
# Signed before anybody asks: \"all\", \"hot\" (asked for within that time), \"off\".
presign = \"hot\"
hot_for_seconds = 3600
# The hash in which clients ask: \"sha1\", \"sha256\" or \"both\"; the other is answered too.
precompute_certid = \"sha1\"
responder_id = \"key\"
# Of a serial that was never issued: \"unknown\", \"unauthorized\", or \"revoked\" since 1970.
not_issued = \"unknown\"

[crl]
# Kept here, and served below /crl/. A full CRL a day at that hour in Japan, a delta every quarter of an hour.
store = \"crl\"
full_at = \"03:00\"
delta_minutes = 15

# Signs the combined CRL of all CAs, and the index of all CRLs.
[crl.combined]
certificate = \"demo/combined/issuer.pem\"
key = \"demo/combined/issuer.key\"

# The root's CRL is signed where the root is: whatever is new in this file is checked and published.
[[crl.external]]
path = \"root\"
file = \"external/root.crl\"
certificate = \"demo/root.pem\"

# Whoever asks under /p/demo/login/ or /p/demo/sign/ from this machine.
[[party]]
name = \"demo\"
services = [\"login\", \"sign\"]
addresses = [\"127.0.0.0/8\", \"::1/128\"]
accredited = true
";
pub(super) const FILE: &str = "tashika.toml";
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);
const ADMIN: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8081);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Rank;
    use crate::parties::{Claim, Strangers};
    use std::path::Path;

    #[test]
    fn what_is_written_is_what_is_loaded() {
        let (listen, admin) = ("127.0.0.1:1".parse().unwrap(), "[::1]:2".parse().unwrap());
        let text = text(listen, admin, "http://status.example/x");
        let config = Config::parse(&text, "/d/tashika.toml".as_ref()).unwrap();
        assert_eq!((config.listen, config.admin), (listen, admin));
        assert_eq!(config.public_url, "http://status.example/x");
        assert_eq!(config.signers, Path::new("/d/signers"));
        let usual = Config::parse("ledger.url = 'sqlite:x'", "/d/tashika.toml".as_ref()).unwrap();
        assert_eq!(config.ocsp, usual.ocsp, "what is made visible is what is usual");
        assert_eq!(config.parties.strangers(), Strangers::Answered);
        let claim = Some(Claim { party: "demo", service: "sign" });
        for (address, known) in [("127.0.0.1", true), ("::1", true), ("192.0.2.1", false)] {
            let origin = config.parties.origin(address.parse().unwrap());
            let rank = config.parties.caller(origin, claim).map(|caller| caller.rank);
            assert_eq!(rank.is_ok_and(|rank| rank == Rank::Accredited), known, "{address}");
        }
    }
}
