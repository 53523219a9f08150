//! The demonstration's `tashika.toml`, and which addresses it goes with. Called by `up`.

use std::net::{IpAddr, SocketAddr, TcpListener};

use super::Wishes;
use super::error::DemoError;
use super::folder::{Folder, Readers};
use super::pki::named_url;
use crate::app::config::{Config, ConfigError};

/// The sockets that are served on, bound before anything names them.
#[derive(Debug)]
pub struct Sockets {
    /// The public listener.
    pub public: TcpListener,
    /// The admin listener.
    pub admin: TcpListener,
}

/// The configuration in the folder, written first if it is missing, and the sockets of its listeners.
pub(super) fn settle(folder: &Folder, wishes: &Wishes) -> Result<(Config, Sockets), DemoError> {
    let file = folder.file(FILE);
    if folder.has(FILE) {
        let config = Config::load(&file)?;
        same_address(folder, wishes, &config)?;
        let listen = wishes.listen.filter(|listen| listen.port() != 0).unwrap_or(config.listen);
        let sockets = bind(listen, wishes.admin.unwrap_or(config.admin))?;
        return Ok((config, sockets));
    }
    let listen = wishes.listen.unwrap_or(LISTEN);
    if wishes.public_url.is_none() && listen.ip().is_unspecified() {
        return Err(DemoError::Nameless(listen));
    }
    let admin = wishes.admin.unwrap_or(ADMIN);
    let sockets = bind(listen, admin)?;
    // Certificates can't name port 0: without a URL of its own, the port that was given out is the one to stay with.
    let (listen, url) = match &wishes.public_url {
        Some(url) => (listen, url.trim_end_matches('/').to_owned()),
        None => {
            let bound = local(&sockets.public, listen)?;
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

fn bind(listen: SocketAddr, admin: SocketAddr) -> Result<Sockets, DemoError> {
    if !admin.ip().is_loopback() {
        return Err(DemoError::Config(ConfigError::Value {
            file: FILE.into(),
            key: "serve.admin".into(),
            why: "the admin listener must stay on a loopback address: it has no TLS yet".into(),
        }));
    }
    let socket =
        |address, flag| TcpListener::bind(address).map_err(|source| DemoError::Listen { address, flag, source });
    Ok(Sockets { public: socket(listen, "--listen")?, admin: socket(admin, "--admin")? })
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
         \n\
         [keys]\n\
         pseudonym = \"pseudonym.key\"\n\
         checkpoint = \"checkpoint.key\"\n\
         \n\
         [checkpoints]\n\
         file = \"checkpoints.txt\"\n\
         every_seconds = 60\n"
    )
}

pub(super) const FILE: &str = "tashika.toml";
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);
const ADMIN: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8081);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_loaded() {
        let (listen, admin) = ("127.0.0.1:1".parse().unwrap(), "[::1]:2".parse().unwrap());
        let text = text(listen, admin, "http://status.example/x");
        let config = Config::parse(&text, "/d/tashika.toml".as_ref()).unwrap();
        assert_eq!((config.listen, config.admin), (listen, admin));
        assert_eq!(config.public_url, "http://status.example/x");
    }
}
