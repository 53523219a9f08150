//! Where a publication comes from: a server, or a folder that was carried here. Both have the same files at the same places.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;

use crate::http::{FetchError, Fetcher, Got};
use crate::publisher::IsDelta;

/// A publication to read from.
#[derive(Debug)]
pub enum Source {
    /// A folder with `index.json` and the CRLs; certificates of CAs in `../ca`.
    Folder(PathBuf),
    /// A server.
    Web {
        /// The address below which they lie, with a slash at its end.
        base: String,
        /// The client.
        fetcher: Fetcher,
    },
}

/// Why something couldn't be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// From a server.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// From a folder.
    #[error("{}: {source}", file.display())]
    File {
        /// Which file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl SourceError {
    /// Whether there is no such thing.
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Fetch(error) => error.is_missing(),
            Self::File { source, .. } => source.kind() == io::ErrorKind::NotFound,
        }
    }
}

impl Source {
    /// A server's publication, by the address of its index, of the folder that it is in, or of the server alone.
    pub fn web(url: &str, fetcher: Fetcher) -> Self {
        Self::Web { base: base(url), fetcher }
    }

    /// The index of a publication alone, and its address.
    pub fn index_at(url: &str, fetcher: &mut Fetcher) -> Result<(String, Vec<u8>), FetchError> {
        let url = format!("{}index.json", base(url));
        match fetcher.get(&url, None, INDEX_OCTETS_MAX)? {
            Got::Octets { body, .. } => Ok((url, body)),
            Got::Unchanged => Err(FetchError::Status { url, status: 304 }),
        }
    }

    /// The index, unless it is still what the tag names.
    pub fn index(&mut self, tag: Option<&str>) -> Result<Got, SourceError> {
        self.get("index.json", tag, INDEX_OCTETS_MAX)
    }

    /// The signature over the index; none: there is none.
    pub fn seal(&mut self) -> Result<Option<Vec<u8>>, SourceError> {
        match self.octets("index.json.p7s", CERTIFICATE_OCTETS_MAX) {
            Ok(octets) => Ok(Some(octets)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A CRL of so many octets.
    pub fn crl(&mut self, path: &str, is_delta: IsDelta, octets: u64) -> Result<Vec<u8>, SourceError> {
        self.octets(&file_name(path, is_delta), octets)
    }

    /// The certificate of a CA, which nobody vouches for yet.
    pub fn authority(&mut self, name: &str) -> Result<Vec<u8>, SourceError> {
        self.octets(&format!("../ca/{name}.cer"), CERTIFICATE_OCTETS_MAX)
    }

    /// Octets that came over the network.
    pub fn received(&self) -> u64 {
        match self {
            Self::Folder(_) => 0,
            Self::Web { fetcher, .. } => fetcher.received(),
        }
    }

    fn octets(&mut self, name: &str, octets_max: u64) -> Result<Vec<u8>, SourceError> {
        match self.get(name, None, octets_max)? {
            Got::Octets { body, .. } => Ok(body),
            Got::Unchanged => Err(FetchError::Status { url: name.to_owned(), status: 304 }.into()),
        }
    }

    fn get(&mut self, name: &str, tag: Option<&str>, octets_max: u64) -> Result<Got, SourceError> {
        match self {
            Self::Folder(folder) => {
                let file = folder.join(name);
                let too_long = || FetchError::TooLong { url: file.display().to_string(), octets_max };
                let mut body = Vec::new();
                let read = File::open(&file).and_then(|opened| opened.take(octets_max + 1).read_to_end(&mut body));
                read.map_err(|source| SourceError::File { file: file.clone(), source })?;
                if body.len() as u64 > octets_max {
                    return Err(too_long().into());
                }
                Ok(Got::Octets { body, tag: None })
            }
            Self::Web { base, fetcher } => {
                let url = match name.strip_prefix("../") {
                    Some(beside) => {
                        format!("{}/{beside}", base.trim_end_matches('/').rsplit_once('/').map_or("", |(up, _)| up))
                    }
                    None => format!("{base}{name}"),
                };
                Ok(fetcher.get(&url, tag, octets_max)?)
            }
        }
    }
}

/// The folder of a publication, with a slash at its end.
fn base(url: &str) -> String {
    let url = url.trim_end_matches("index.json");
    let is_server = url.split_once("://").is_some_and(|(_, rest)| !rest.trim_end_matches('/').contains('/'));
    format!("{}/{}", url.trim_end_matches('/'), if is_server { "crl/" } else { "" })
}

/// The name of a CRL's file, in a publication and where it is installed.
pub fn file_name(path: &str, is_delta: IsDelta) -> String {
    match is_delta {
        IsDelta::No => format!("{path}.crl"),
        IsDelta::Yes => format!("{path}.delta.crl"),
    }
}

/// About 100,000 paths of 600 octets each.
const INDEX_OCTETS_MAX: u64 = 64 << 20;
/// Far more than any certificate, or a signature with one.
const CERTIFICATE_OCTETS_MAX: u64 = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Patience;

    #[test]
    fn a_publication_is_named_by_its_server_its_folder_or_its_index() {
        for (url, expected) in [
            ("http://a.example", "http://a.example/crl/"),
            ("http://a.example/", "http://a.example/crl/"),
            ("http://a.example/crl", "http://a.example/crl/"),
            ("http://a.example/crl/index.json", "http://a.example/crl/"),
            ("http://a.example:81/x/crl/", "http://a.example:81/x/crl/"),
        ] {
            let source = Source::web(url, Fetcher::new(Patience::DEFAULT).unwrap());
            let Source::Web { base, .. } = source else { panic!("{source:?}") };
            assert_eq!(base, expected, "{url}");
        }
    }
}
