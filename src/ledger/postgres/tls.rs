//! Verified TLS to the database: rustls on aws-lc-rs, with roots from a file or from the system.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::ledger::LedgerError;

/// How connections are encrypted: the certificate must lead to one of `roots` (or the system's) and name the host.
pub(super) fn connector(roots: Option<&Path>) -> Result<MakeRustlsConnect, LedgerError> {
    let file = match roots {
        Some(file) => file.to_path_buf(),
        None => system_roots()?,
    };
    let unreadable = |why: String| LedgerError::Settings(format!("CA certificates in {}: {why}", file.display()));
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(&file).map_err(|error| unreadable(error.to_string()))? {
        let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
        // A system's bundle may hold one that rustls can't use; the one that is needed must be usable.
        if let (Err(error), Some(_)) = (store.add(certificate), roots) {
            return Err(unreadable(error.to_string()));
        }
    }
    if store.is_empty() {
        return Err(unreadable("there are none".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| LedgerError::Settings(error.to_string()))?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn system_roots() -> Result<PathBuf, LedgerError> {
    SYSTEM_ROOTS.iter().map(PathBuf::from).find(|file| file.is_file()).ok_or_else(|| {
        LedgerError::Settings(
            "this system has no CA certificates in a known place: name them with sslrootcert=FILE".to_owned(),
        )
    })
}

/// Debian and Arch, Fedora and RHEL, openSUSE, Alpine.
const SYSTEM_ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/var/lib/ca-certificates/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
