//! Relying parties as they are written: `[[party]]`. Part of reading a configuration.

use serde::Deserialize;

use super::Faults;
use crate::model::Rank;
use crate::parties::{LabelError, NetworkError, Party, Register, Strangers};

/// One `[[party]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table of settings")]
pub(super) struct RawParty {
    /// What paths call it: `/p/{name}/{service}/`.
    name: String,
    /// Each has an account of its own, and its own turn.
    services: Vec<String>,
    /// Ranges from which its claim counts. Wider: fewer settings to change; narrower: fewer who could claim to be it.
    addresses: Vec<String>,
    /// Before strangers and beyond their limits, or known and counted alone.
    #[serde(default)]
    accredited: bool,
}

/// The register of these parties; without those that are no good.
pub(super) fn check(raw: &[RawParty], strangers: Strangers, faults: &mut Faults) -> Register {
    let mut parties = Vec::with_capacity(raw.len());
    for raw in raw {
        match party(raw) {
            Ok(party) => parties.push(party),
            Err(why) => faults.add("party", why),
        }
    }
    let none = || Register::new(Vec::new(), strangers).expect("no parties are no contradiction");
    Register::new(parties, strangers).unwrap_or_else(|error| {
        faults.add("party", error.to_string());
        none()
    })
}

fn party(raw: &RawParty) -> Result<Party, String> {
    let of = |error: &dyn std::fmt::Display| format!("party '{}': {error}", raw.name);
    let services = raw.services.iter().map(|service| service.parse()).collect::<Result<_, _>>();
    let networks = raw.addresses.iter().map(|network| network.parse()).collect::<Result<_, _>>();
    Ok(Party {
        name: raw.name.parse().map_err(|error: LabelError| error.to_string())?,
        services: services.map_err(|error: LabelError| of(&error))?,
        networks: networks.map_err(|error: NetworkError| of(&error))?,
        rank: if raw.accredited { Rank::Accredited } else { Rank::Anonymous },
    })
}
