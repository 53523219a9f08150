//! The folder of signers (`keys.signers`): for each issuer the key and certificate that sign its answers, and its CRLs' key.
//!
//! ```text
//! signers/{issuer}/ocsp.pem   the certificate by which the CA delegated its answers
//! signers/{issuer}/ocsp.key   its key, readable by its owner alone
//! signers/{issuer}/crl.key    the CA's key, where CRLs are signed here
//! ```
//!
//! Read by `serve` and `config check`; filled by `issuer add` and by the demonstration. What can't be used is refused with
//! its reason, one issuer at a time: the others answer on.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};

use super::compose;
use super::config::Config;
use super::words::refused_file;
use crate::asn1::{Asn1Error, CertificateFields, certificates_in, to_pem};
use crate::keys::{KeyError, OcspSigner, Signer, Unfit};
use crate::model::{Book, Issuer, IssuerNo, Time};

/// Where the signers are.
#[derive(Clone, Copy, Debug)]
pub struct SignerFolder<'a> {
    folder: &'a Path,
    passphrase_file: Option<&'a Path>,
}

/// What there is for one issuer.
#[derive(Debug)]
pub struct IssuerSigner {
    /// Which.
    pub issuer: IssuerNo,
    /// Its name.
    pub name: String,
    /// Who signs its answers, or why nobody does.
    pub signer: Result<OcspSigner, NoSigner>,
}

/// Papers that somebody brings for an issuer.
#[derive(Clone, Debug, Default)]
pub struct Papers {
    /// Certificate and key of the signer of its answers.
    pub ocsp: Option<OcspPapers>,
    /// The key that signs its CRLs.
    pub crl_key: Option<PathBuf>,
}

/// A certificate and its key.
#[derive(Clone, Debug)]
pub struct OcspPapers {
    /// The certificate, PEM or DER.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// Papers that are in order, and may lie where they belong.
#[derive(Debug)]
#[must_use = "nothing has been put into the folder yet"]
pub struct InOrder<'a> {
    papers: &'a Papers,
    folder: PathBuf,
    signer: Option<OcspSigner>,
}

/// Why nobody signs for an issuer.
#[derive(Debug, thiserror::Error)]
pub enum NoSigner {
    /// A certificate can't be read.
    #[error("{}: {source}", file.display())]
    Certificate {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: Asn1Error,
    },
    /// A file can't be read or written.
    #[error("{}: {}", file.display(), refused_file(source))]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A key can't be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Nobody has brought one.
    #[error(
        "{}: there is no signer of its answers: add the issuer again with --ocsp-cert and --ocsp-key", .0.display()
    )]
    Missing(PathBuf),
    /// The issuer's name is none for a folder.
    #[error("'{0}' can't be the name of a folder")]
    Name(String),
    /// The key is not the CA's.
    #[error("{}: this is not the key of the CA's certificate, and verifiers would refuse its CRLs", .0.display())]
    NotTheCas(PathBuf),
    /// There is another certificate already.
    #[error("{}: there is another certificate already: nothing was changed", .0.display())]
    OtherCertificate(PathBuf),
    /// Key and certificate are no signer of this CA's answers.
    #[error("{}: {source}", file.display())]
    Unfit {
        /// The certificate's file.
        file: PathBuf,
        /// Why not.
        source: Unfit,
    },
}

impl<'a> SignerFolder<'a> {
    /// The one that a configuration names.
    pub fn of(config: &'a Config) -> Self {
        Self { folder: &config.signers, passphrase_file: config.passphrase_file.as_deref() }
    }

    /// Who signs the answers of every issuer of the book, in its order.
    pub fn all(self, book: &Book, now: Time) -> Vec<IssuerSigner> {
        let of = |issuer: &Issuer| IssuerSigner {
            issuer: issuer.no,
            name: issuer.name.clone(),
            signer: self.signer(issuer, now),
        };
        book.issuers.iter().map(of).collect()
    }

    /// Who signs an issuer's answers.
    pub fn signer(self, issuer: &Issuer, now: Time) -> Result<OcspSigner, NoSigner> {
        let folder = self.of_issuer(&issuer.name)?;
        let papers = OcspPapers { certificate: folder.join(CERTIFICATE), key: folder.join(KEY) };
        if !papers.certificate.exists() && !papers.key.exists() {
            return Err(NoSigner::Missing(folder));
        }
        self.taken_up(&papers, &issuer.certificate, now)
    }

    /// The key that signs an issuer's CRLs, if there is one.
    pub fn crl_key(self, issuer: &Issuer) -> Result<Option<Box<dyn Signer>>, NoSigner> {
        let file = self.of_issuer(&issuer.name)?.join(CRL_KEY);
        if file.exists() { self.cas_own(&file, issuer).map(Some) } else { Ok(None) }
    }

    /// Checks everything about the papers that somebody brings for an issuer; changes nothing.
    pub fn check<'p>(self, papers: &'p Papers, issuer: &Issuer, now: Time) -> Result<InOrder<'p>, NoSigner> {
        let folder = self.of_issuer(&issuer.name)?;
        let signer = match &papers.ocsp {
            None => None,
            Some(ocsp) => {
                let signer = self.taken_up(ocsp, &issuer.certificate, now)?;
                compose::may_install_signing_key(&ocsp.key, &folder.join(KEY))?;
                same_or_none(&folder.join(CERTIFICATE), signer.certificate())?;
                Some(signer)
            }
        };
        if let Some(key) = &papers.crl_key {
            self.cas_own(key, issuer)?;
            compose::may_install_signing_key(key, &folder.join(CRL_KEY))?;
        }
        Ok(InOrder { papers, folder, signer })
    }

    fn taken_up(self, papers: &OcspPapers, ca: &[u8], now: Time) -> Result<OcspSigner, NoSigner> {
        let file = &papers.certificate;
        let certificate = first_certificate(file)?;
        let key = compose::open_signing_key(&papers.key, self.passphrase_file)?;
        OcspSigner::new(key, &certificate, ca, now).map_err(|source| NoSigner::Unfit { file: file.to_owned(), source })
    }

    fn cas_own(self, file: &Path, issuer: &Issuer) -> Result<Box<dyn Signer>, NoSigner> {
        let ca = CertificateFields::from_der(&issuer.certificate)
            .map_err(|source| NoSigner::Certificate { file: file.to_owned(), source })?;
        let key = compose::open_signing_key(file, self.passphrase_file)?;
        if key.public_key() != ca.public_key.as_der() {
            return Err(NoSigner::NotTheCas(file.to_owned()));
        }
        Ok(key)
    }

    /// An issuer's own folder. Its name comes from the ledger, and must not lead anywhere else.
    fn of_issuer(self, name: &str) -> Result<PathBuf, NoSigner> {
        match Path::new(name).components().collect::<Vec<_>>()[..] {
            [Component::Normal(part)] if part == name => Ok(self.folder.join(part)),
            _ => Err(NoSigner::Name(name.to_owned())),
        }
    }
}

impl InOrder<'_> {
    /// Puts the papers where they belong, keys first. What lies there already is left, so that this can be done again after
    /// it was broken off. Says until when the signer's certificate is valid, if there is one.
    pub fn install(self) -> Result<Option<Time>, NoSigner> {
        let Papers { ocsp, crl_key } = self.papers;
        if ocsp.is_none() && crl_key.is_none() {
            return Ok(None);
        }
        let failed = |source| NoSigner::File { file: self.folder.clone(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).map_err(failed)?;
        if let Some(ocsp) = ocsp {
            compose::install_signing_key(&ocsp.key, &self.folder.join(KEY))?;
        }
        if let Some(signer) = &self.signer {
            write_certificate(&self.folder.join(CERTIFICATE), signer.certificate())?;
        }
        if let Some(key) = crl_key {
            compose::install_signing_key(key, &self.folder.join(CRL_KEY))?;
        }
        Ok(self.signer.map(|signer| signer.not_after()))
    }
}

fn first_certificate(file: &Path) -> Result<Vec<u8>, NoSigner> {
    let octets = fs::read(file).map_err(|source| NoSigner::File { file: file.to_owned(), source })?;
    let all = certificates_in(&octets).map_err(|source| NoSigner::Certificate { file: file.to_owned(), source })?;
    // Others may follow, as the chain does in files for TLS servers.
    Ok(all.into_iter().next().unwrap_or_default())
}

/// Whether this certificate lies there, or none.
fn same_or_none(file: &Path, certificate: &[u8]) -> Result<(), NoSigner> {
    match file.exists() {
        true if first_certificate(file)? != certificate => Err(NoSigner::OtherCertificate(file.to_owned())),
        _ => Ok(()),
    }
}

fn write_certificate(file: &Path, certificate: &[u8]) -> Result<(), NoSigner> {
    same_or_none(file, certificate)?;
    if file.exists() {
        return Ok(());
    }
    let draft = file.with_extension("pem.draft");
    let write = || {
        let mut out = OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(&draft)?;
        out.write_all(to_pem("CERTIFICATE", certificate).as_bytes())?;
        out.sync_all()?;
        fs::rename(&draft, file)?;
        file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    write().map_err(|source| NoSigner::File { file: file.to_owned(), source })
}

/// The file of a signer's certificate, within its issuer's folder.
pub const CERTIFICATE: &str = "ocsp.pem";
/// The file of its key.
pub const KEY: &str = "ocsp.key";
/// The file of the key that signs CRLs.
pub const CRL_KEY: &str = "crl.key";

#[cfg(test)]
mod tests;
