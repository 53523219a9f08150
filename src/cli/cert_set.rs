//! Which certificates a `cert` verb speaks of: one by its serial, or a set of any size.

use clap::Args;

use crate::model::{Batch, CertificateKey, IssuerNo, Serial, SetTarget};

use super::error::CliError;
use super::house::House;

/// One certificate or a set.
#[derive(Debug, Args)]
pub struct Which {
    /// The issuer.
    #[arg(long, value_name = "NAME", required_unless_present = "batch", conflicts_with = "batch")]
    issuer: Option<String>,
    #[command(flatten)]
    of: Of,
}

/// What of the issuer's.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Of {
    /// The certificate with this serial number.
    #[arg(long, value_name = "HEX", allow_hyphen_values = true)]
    serial: Option<Serial>,
    /// All of a chip batch, whoever issued them.
    #[arg(long, value_name = "BATCH", value_parser = clap::value_parser!(u32).range(1..))]
    batch: Option<u32>,
    /// All certificates of the issuer.
    #[arg(long)]
    all: bool,
}

impl Which {
    /// The one certificate; `None` if it is a set.
    pub fn one(&self, house: &House) -> Result<Option<CertificateKey>, CliError> {
        let Some(serial) = self.of.serial else { return Ok(None) };
        Ok(Some(CertificateKey { issuer: self.issuer_no(house)?, serial }))
    }

    /// The set, as a set event names it.
    pub fn target(&self, house: &House) -> Result<SetTarget, CliError> {
        if let Some(batch) = self.of.batch {
            return Ok(SetTarget::Batch(Batch(batch)));
        }
        if self.of.all {
            return Ok(SetTarget::Issuer(self.issuer_no(house)?));
        }
        Err(CliError::Usage("say which: --serial, --batch or --all".into()))
    }

    fn issuer_no(&self, house: &House) -> Result<IssuerNo, CliError> {
        let name = self.issuer.as_deref().ok_or_else(|| CliError::Usage("--issuer NAME is missing".into()))?;
        Ok(house.issuer(name)?.no)
    }
}
