//! Which certificates a `cert` verb speaks of: one by its serial, or a set of any size.

use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Args;

use crate::desk::bulk::Bulk;
use crate::model::{Batch, CertificateKey, IssuerNo, PersonId, Serial, SetTarget};

use super::bulk::{BulkClock, OnBadArgs, Teller};
use super::error::{CliError, warn};
use super::house::House;

/// One certificate or a set.
#[derive(Debug, Args)]
pub struct Which {
    /// The issuer.
    #[arg(long, value_name = "NAME", required_unless_present_any = ["batch", "list"], conflicts_with = "batch")]
    issuer: Option<String>,
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    on_bad: OnBadArgs,
}

/// What of the issuer's.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Of {
    /// The certificate with this serial number.
    #[arg(long, value_name = "HEX", allow_hyphen_values = true)]
    serial: Option<Serial>,
    /// All that are listed in a file: one serial a line, or ISSUER/SERIAL.
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
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

    /// The set, as a set event names it. A list is checked line by line, then written under a number that binds nobody.
    pub fn target(&self, house: &House, person: PersonId) -> Result<SetTarget, CliError> {
        if let Some(batch) = self.of.batch {
            return Ok(SetTarget::Batch(Batch(batch)));
        }
        if self.of.all {
            return Ok(SetTarget::Issuer(self.issuer_no(house)?));
        }
        let Some(file) = &self.of.list else {
            return Err(CliError::Usage("say which: --serial, --list, --batch or --all".into()));
        };
        let issuer = self.issuer.as_ref().map(|_| self.issuer_no(house)).transpose()?;
        let clock = BulkClock::start();
        let bulk = Bulk { ledger: house.ledger(), policy: &house.config().policy, clock: &clock, person };
        let mut teller = Teller::new(file, house.book()?);
        let failed = |source| CliError::bulk(file, source);
        let plan = bulk
            .plan_list(&file.as_path(), issuer, self.on_bad.on_bad(), &mut |notice| teller.tell(notice))
            .map_err(failed)?;
        if plan.certificates == 0 {
            let why = "it names no certificate: nothing was changed".to_owned();
            return Err(CliError::Contents { file: file.clone(), why });
        }
        bulk.write_list(&file.as_path(), issuer, &plan, &mut |notice| teller.tell(notice)).map_err(failed)
    }

    /// A set is closed by its event, and a batch number mistyped would be closed as well. Said once the event is under way:
    /// whoever ends a batch doesn't wait for a search.
    pub fn warn_of_nobody(&self, house: &House) -> Result<(), CliError> {
        let Some(batch) = self.of.batch else { return Ok(()) };
        let mut nobody = true;
        house.ledger().scan(&mut |entry| {
            nobody = entry.certificate.batch != Batch(batch);
            if nobody { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        if nobody {
            warn(&format!(
                "no certificate of chip batch {batch} is registered: make sure of the number, for none can be registered \
                 into a batch that is held or revoked"
            ));
        }
        Ok(())
    }

    fn issuer_no(&self, house: &House) -> Result<IssuerNo, CliError> {
        let name = self.issuer.as_deref().ok_or_else(|| CliError::Usage("--issuer NAME is missing".into()))?;
        Ok(house.issuer(name)?.no)
    }
}
