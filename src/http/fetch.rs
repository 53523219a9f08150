//! The network as a client: a file or an answer fetched over plain HTTP, within bounds. Used by whoever pulls CRLs and by
//! whoever checks a certificate, for both of whom the signature counts and not the way that it came.

use std::fmt;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HOST, IF_NONE_MATCH, LOCATION, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::{self, Runtime};
use tokio::time::timeout;

/// Fetches one thing after the other, over one connection as long as they are of one server.
pub struct Fetcher {
    runtime: Runtime,
    patience: Patience,
    kept: Option<Kept>,
    received: u64,
}

/// How long is waited, and how often a server may send elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For the next octets.
    pub silence: Duration,
    /// For the whole of one thing.
    pub whole: Duration,
    /// From where to where else.
    pub redirects_max: usize,
}

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Got {
    /// All of it.
    Octets {
        /// The body.
        body: Vec<u8>,
        /// By which name the server knows these octets.
        tag: Option<String>,
    },
    /// It is still what the tag names.
    Unchanged,
}

/// Why it wasn't fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Nobody answers there.
    #[error("{url}: there is no connection: {why}")]
    Connect {
        /// Where.
        url: String,
        /// What the system says.
        why: String,
    },
    /// The connection ended, or what came isn't HTTP.
    #[error("{url}: broken off: {why}")]
    Broken {
        /// Where.
        url: String,
        /// What happened.
        why: String,
    },
    /// It sends from place to place.
    #[error("{0}: it is redirected too often")]
    Redirects(String),
    /// Nothing came in time.
    #[error("{0}: it takes too long")]
    Slow(String),
    /// The server says no.
    #[error("{url}: the server answers {status}")]
    Status {
        /// Where.
        url: String,
        /// What it answers.
        status: u16,
    },
    /// This machine gives no runtime.
    #[error("the network can't be used: {0}")]
    System(std::io::Error),
    /// Longer than it may be.
    #[error("{url}: it is longer than {octets_max} octets")]
    TooLong {
        /// Where.
        url: String,
        /// How long it may be.
        octets_max: u64,
    },
    /// Not an address that can be fetched.
    #[error("'{0}' is not an http:// address (what is fetched is signed: https:// is not spoken here)")]
    Url(String),
}

struct Kept {
    authority: String,
    sender: SendRequest<Full<Bytes>>,
}

/// What is asked for.
struct Asked<'a> {
    method: Method,
    body: &'a [u8],
    media: Option<&'static str>,
    tag: Option<&'a str>,
    octets_max: u64,
}

impl Patience {
    /// For somebody at a terminal or a job that runs every few minutes; a CRL of 40 MB comes in that time at 3 Mbit/s.
    pub const DEFAULT: Self = Self {
        connect: Duration::from_secs(10),
        silence: Duration::from_secs(15),
        whole: Duration::from_secs(120),
        redirects_max: 3,
    };
}

impl FetchError {
    /// Whether the server says that there is no such thing.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Status { status: 404 | 410, .. })
    }
}

impl Fetcher {
    /// With so much patience.
    pub fn new(patience: Patience) -> Result<Self, FetchError> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(FetchError::System)?;
        Ok(Self { runtime, patience, kept: None, received: 0 })
    }

    /// What is at that address, unless it is still what the tag names.
    pub fn get(&mut self, url: &str, tag: Option<&str>, octets_max: u64) -> Result<Got, FetchError> {
        self.ask(url, &Asked { method: Method::GET, body: &[], media: None, tag, octets_max })
    }

    /// The answer to an OCSP request.
    pub fn ask_ocsp(&mut self, url: &str, request: &[u8]) -> Result<Vec<u8>, FetchError> {
        let media = Some("application/ocsp-request");
        let asked = Asked { method: Method::POST, body: request, media, tag: None, octets_max: ANSWER_OCTETS_MAX };
        match self.ask(url, &asked)? {
            Got::Octets { body, .. } => Ok(body),
            Got::Unchanged => Err(FetchError::Status { url: url.to_owned(), status: 304 }),
        }
    }

    /// Octets of all bodies so far.
    pub fn received(&self) -> u64 {
        self.received
    }

    fn ask(&mut self, url: &str, asked: &Asked<'_>) -> Result<Got, FetchError> {
        let patience = self.patience;
        let Self { runtime, kept, received, .. } = self;
        runtime.block_on(async {
            let followed = follow(kept, received, url, asked, patience);
            timeout(patience.whole, followed).await.unwrap_or_else(|_| Err(FetchError::Slow(url.to_owned())))
        })
    }
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetcher").field("received", &self.received).finish_non_exhaustive()
    }
}

async fn follow(
    kept: &mut Option<Kept>,
    received: &mut u64,
    url: &str,
    asked: &Asked<'_>,
    patience: Patience,
) -> Result<Got, FetchError> {
    let mut place = url.to_owned();
    for _ in 0..=patience.redirects_max {
        let response = answer(kept, &place, asked, patience).await?;
        let status = response.status();
        if status.is_redirection() && status != StatusCode::NOT_MODIFIED && asked.method == Method::GET {
            let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
            place = elsewhere(&place, to.unwrap_or_default())?;
            // What is left of the answer isn't read.
            *kept = None;
            continue;
        }
        return take(kept, received, &place, response, asked, patience).await;
    }
    Err(FetchError::Redirects(url.to_owned()))
}

/// The head of the answer, over the kept connection or, if that is gone, a new one.
async fn answer(
    kept: &mut Option<Kept>,
    url: &str,
    asked: &Asked<'_>,
    patience: Patience,
) -> Result<Response<Incoming>, FetchError> {
    let uri: Uri = url.parse().map_err(|_| FetchError::Url(url.to_owned()))?;
    let authority = match (uri.scheme_str(), uri.authority()) {
        (Some("http"), Some(authority)) if !authority.as_str().contains('@') => authority.clone(),
        _ => return Err(FetchError::Url(url.to_owned())),
    };
    let slow = || FetchError::Slow(url.to_owned());
    if let Some(mut before) = kept.take().filter(|kept| kept.authority == authority.as_str()) {
        // A server may have closed it meanwhile: then nothing was answered, and a new one is tried.
        if before.sender.ready().await.is_ok() {
            let sent = before.sender.send_request(request(&uri, authority.as_str(), asked));
            if let Ok(response) = timeout(patience.silence, sent).await.map_err(|_| slow())? {
                *kept = Some(before);
                return Ok(response);
            }
        }
    }
    let refused = |why: String| FetchError::Connect { url: url.to_owned(), why };
    let host = authority.host().trim_matches(['[', ']']);
    let connecting = TcpStream::connect((host, authority.port_u16().unwrap_or(80)));
    let stream = timeout(patience.connect, connecting).await.map_err(|_| slow())?;
    let stream = stream.map_err(|error| refused(error.to_string()))?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| refused(error.to_string()))?;
    // Its errors are those of the request.
    tokio::spawn(async move { drop(connection.await) });
    let sent = sender.send_request(request(&uri, authority.as_str(), asked));
    let response = timeout(patience.silence, sent).await.map_err(|_| slow())?;
    let response = response.map_err(|error| FetchError::Broken { url: url.to_owned(), why: error.to_string() })?;
    *kept = Some(Kept { authority: authority.to_string(), sender });
    Ok(response)
}

fn request(uri: &Uri, authority: &str, asked: &Asked<'_>) -> Request<Full<Bytes>> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::builder()
        .method(asked.method.clone())
        .uri(path)
        .header(HOST, authority)
        .header(USER_AGENT, concat!("tashika/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT_ENCODING, "identity");
    if let Some(media) = asked.media {
        request = request.header(CONTENT_TYPE, media).header(CONTENT_LENGTH, asked.body.len());
    }
    if let Some(tag) = asked.tag {
        request = request.header(IF_NONE_MATCH, tag);
    }
    let body = Full::new(Bytes::copy_from_slice(asked.body));
    request.body(body).expect("an address that was parsed, and headers without line breaks")
}

async fn take(
    kept: &mut Option<Kept>,
    received: &mut u64,
    url: &str,
    response: Response<Incoming>,
    asked: &Asked<'_>,
    patience: Patience,
) -> Result<Got, FetchError> {
    let url = || url.to_owned();
    match response.status() {
        StatusCode::OK => {}
        StatusCode::NOT_MODIFIED if asked.tag.is_some() => return Ok(Got::Unchanged),
        status => {
            *kept = None;
            return Err(FetchError::Status { url: url(), status: status.as_u16() });
        }
    }
    let too_long = || FetchError::TooLong { url: url(), octets_max: asked.octets_max };
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (tag, announced) = (header(ETAG), header(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok()));
    if announced.is_some_and(|length| length > asked.octets_max) {
        *kept = None;
        return Err(too_long());
    }
    let (mut incoming, mut body) = (response.into_body(), Vec::new());
    loop {
        let next = timeout(patience.silence, incoming.frame()).await.map_err(|_| FetchError::Slow(url()));
        let frame = match next {
            Ok(None) => return Ok(Got::Octets { body, tag }),
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(error))) => {
                *kept = None;
                return Err(FetchError::Broken { url: url(), why: error.to_string() });
            }
            Err(slow) => {
                *kept = None;
                return Err(slow);
            }
        };
        let Ok(octets) = frame.into_data() else { continue };
        *received += octets.len() as u64;
        body.extend_from_slice(&octets);
        if body.len() as u64 > asked.octets_max {
            *kept = None;
            return Err(too_long());
        }
    }
}

/// Where a redirect leads: to another address, or another path of the same server.
fn elsewhere(from: &str, to: &str) -> Result<String, FetchError> {
    let wrong = || FetchError::Url(to.escape_debug().to_string());
    if !to.starts_with('/') || to.starts_with("//") {
        return Ok(to.to_owned());
    }
    let from: Uri = from.parse().map_err(|_| wrong())?;
    let authority = from.authority().ok_or_else(wrong)?;
    Ok(format!("http://{authority}{to}"))
}

/// More than any answer to one question has.
const ANSWER_OCTETS_MAX: u64 = 64 * 1024;
