//! Signs the index of CRLs with the combined CRL's key, detached: whoever pulls knows that nobody between has left a CRL out.

use std::fs;
use std::path::Path;

use crate::app::compose;
use crate::app::config::{Config, CrlRole, SignerFiles};
use crate::app::words::refused_file;
use crate::asn1::{CmsProfile, certificates_in, verify_detached};
use crate::keys::Signer;
use crate::model::Time;
use crate::publisher::{Seal, SignsIndex};

/// A certificate and its key.
pub struct IndexSigner {
    certificate: Vec<u8>,
    key: Box<dyn Signer>,
}

impl IndexSigner {
    /// The one that the configuration names, if it names one.
    pub fn of(config: &Config) -> Result<Option<Self>, String> {
        config.crl.combined.as_ref().map(|files| Self::open(config, files)).transpose()
    }

    fn open(config: &Config, files: &SignerFiles) -> Result<Self, String> {
        let key = compose::open_signing_key(&files.key, config.passphrase_file.as_deref());
        Ok(Self { certificate: first(&files.certificate)?, key: key.map_err(|error| error.to_string())? })
    }
}

/// What is asked of the rounds of others: whoever only serves takes none that isn't signed, where it is known who signs.
pub fn seal(config: &Config) -> Result<Seal, String> {
    let Some(files) = &config.crl.combined else { return Ok(Seal::Unasked) };
    let certificate = first(&files.certificate)?;
    Ok(match config.crl.role {
        CrlRole::Serve => Seal::Must(certificate),
        CrlRole::Off | CrlRole::Publish => Seal::IfThere(certificate),
    })
}

impl SignsIndex for IndexSigner {
    fn sign(&self, index: &[u8], time: Time) -> Result<Vec<u8>, String> {
        let profile = CmsProfile { content: index, certificate: &self.certificate, signing_time: time };
        let unsigned = profile.unsigned().map_err(|error| error.to_string())?;
        let signature = self.key.sign(unsigned.to_be_signed()).map_err(|error| error.to_string())?;
        let signed = unsigned.assemble(&signature);
        // As with everything that is signed here: read back before anybody sees it.
        verify_detached(&signed, index).map_err(|error| error.to_string())?;
        Ok(signed)
    }
}

fn first(file: &Path) -> Result<Vec<u8>, String> {
    let octets = fs::read(file).map_err(|error| format!("{}: {}", file.display(), refused_file(&error)))?;
    let all = certificates_in(&octets).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(all.into_iter().next().unwrap_or_default())
}
