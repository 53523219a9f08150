//! `plan`: what signing answers costs, and which policy a signer carries; for a population, or for the ledger's own.

use std::ops::ControlFlow;
use std::path::Path;

use clap::{Args, ValueEnum, builder::PossibleValuesParser, builder::TypedValueParser as _};
use serde_json::{Value, json};

use crate::app::planning::{Census, kind_of, measured, usual_signing};
use crate::app::signers::SignerFolder;
use crate::app::{clock, compose, cores};
use crate::model::Seconds;
use crate::responder::{Demand, HOT_FOR, KeyKind, Plan, Policy, Presign, Profile, Signing, span};

use super::error::{CliError, warn};
use super::house::House;
use super::reply::Reply;
use super::table::facts;

/// `plan`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Planned {
    /// So many valid certificates of one issuer; without it, those of the ledger, issuer by issuer.
    #[arg(long, value_name = "N", requires = "algorithm", value_parser = clap::value_parser!(u64).range(1..=POPULATION_MAX))]
    population: Option<u64>,
    /// What signs.
    #[arg(long, value_parser = kinds(), requires = "population")]
    algorithm: Option<KeyKind>,
    /// What the signer makes, such as an HSM. [default: this machine's cores, at the rates of docs/PERFORMANCE.md]
    #[arg(long, value_name = "SIGNATURES_PER_SECOND", value_parser = positive, conflicts_with = "measure")]
    rate: Option<f64>,
    /// Sign for a second on this machine, and reckon with that.
    #[arg(long)]
    measure: bool,
    /// The profile, which brings its validity.
    #[arg(long, value_enum)]
    profile: Option<ProfileName>,
    /// From thisUpdate to nextUpdate.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(10..=864_000))]
    validity: Option<u32>,
    /// What is signed before anybody asks.
    #[arg(long, value_enum)]
    presign: Option<PresignName>,
    /// The part of the certificates that is asked for within the hour. [default: 0.05]
    #[arg(long, value_name = "F", value_parser = fraction)]
    hot_fraction: Option<f64>,
    /// At the peak, for all issuers together. [default: one in ten days for each certificate, ten times that at the peak]
    #[arg(long, value_name = "Q", value_parser = not_negative)]
    queries_per_second: Option<f64>,
    /// The part of the questions that has a nonce. [default: 0.05]
    #[arg(long, value_name = "F", value_parser = fraction)]
    nonce_fraction: Option<f64>,
    /// Revocations, holds and releases. [default: two in a hundred certificates a year]
    #[arg(long, value_name = "N", value_parser = not_negative)]
    revocations_per_day: Option<f64>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ProfileName {
    National,
    Web,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PresignName {
    All,
    Hot,
    Off,
}

impl Planned {
    /// Runs it.
    pub fn run(self, config: Option<&Path>) -> Result<Reply, CliError> {
        let plans = match (self.population, self.algorithm) {
            (Some(population), Some(kind)) => vec![self.of_population(population, kind)?],
            _ => self.of_ledger(&House::open(config)?)?,
        };
        if plans.is_empty() {
            return Err(CliError::Usage("nobody signs for any issuer of this ledger: name a --population".into()));
        }
        let text = plans.iter().map(sheet).collect::<Vec<_>>().join("\n");
        Ok(Reply::done(text, plans.iter().map(json).collect()))
    }

    fn of_population(&self, population: u64, kind: KeyKind) -> Result<Plan, CliError> {
        let signing = match (self.rate, self.measure) {
            (Some(rate), _) => Signing::Device(rate),
            (None, true) => {
                let key = compose::trial_key(kind)?;
                self.on_all_cores(measured(|octets| key.sign(octets))?)
            }
            (None, false) => self.on_all_cores(kind.usual_rate()),
        };
        let demand = self.demand(population, population);
        Ok(Plan::of("population", demand, kind, signing, self.policy(Policy::of(Profile::National))))
    }

    /// The issuers of the ledger that somebody signs for.
    fn of_ledger(&self, house: &House) -> Result<Vec<Plan>, CliError> {
        let (book, config, now) = (house.book()?, house.config(), clock::now());
        let mut census = Census(vec![0; book.issuers.len()]);
        house.ledger().scan(&mut |entry| {
            let at = usize::from(entry.certificate.key.issuer.0).wrapping_sub(1);
            if let Some(count) = census.0.get_mut(at).filter(|_| !entry.certificate.is_expired(now)) {
                *count += 1;
            }
            ControlFlow::Continue(())
        })?;
        let all = census.0.iter().sum();
        let mut plans = Vec::new();
        for (found, count) in SignerFolder::of(config).all(&book, now).into_iter().zip(census.0) {
            let signer = match found.signer {
                Ok(signer) => signer,
                Err(why) => {
                    warn(&format!("{} is left out: {why}", found.name));
                    continue;
                }
            };
            let kind = kind_of(&signer)?;
            let signing = match (self.rate, self.measure) {
                (Some(rate), _) => Signing::Device(rate),
                (None, true) => match usual_signing(&config.ocsp, kind) {
                    Signing::Cores { cores, .. } => {
                        Signing::Cores { cores, each: measured(|octets| signer.sign(octets))? }
                    }
                    device => device,
                },
                (None, false) => usual_signing(&config.ocsp, kind),
            };
            let policy = self.policy(config.ocsp.policy_of(&found.name));
            plans.push(Plan::of(&found.name, self.demand(count, all), kind, signing, policy));
        }
        Ok(plans)
    }

    fn on_all_cores(&self, each: f64) -> Signing {
        Signing::Cores { cores: u32::try_from(cores()).unwrap_or(u32::MAX), each }
    }

    /// What is asked of so many certificates, out of all.
    fn demand(&self, certificates: u64, all: u64) -> Demand {
        let usual = Demand::usual(certificates);
        let part = |whole: f64| whole * certificates as f64 / (all as f64).max(1.0);
        Demand {
            hot: self.hot_fraction.unwrap_or(usual.hot),
            queries: self.queries_per_second.map_or(usual.queries, part),
            nonces: self.nonce_fraction.unwrap_or(usual.nonces),
            changes: self.revocations_per_day.map_or(usual.changes, part),
            ..usual
        }
    }

    /// The policy with what was asked for instead.
    fn policy(&self, base: Policy) -> Policy {
        let profile = self.profile.map(|profile| match profile {
            ProfileName::National => Profile::National,
            ProfileName::Web => Profile::Web,
        });
        let presign = self.presign.map(|presign| match presign {
            PresignName::All => Presign::All,
            PresignName::Hot => Presign::Hot(HOT_FOR),
            PresignName::Off => Presign::Off,
        });
        let validity = self.validity.map(Seconds).or(profile.map(Profile::validity));
        Policy {
            profile: profile.unwrap_or(base.profile),
            validity: validity.unwrap_or(base.validity),
            presign: presign.unwrap_or(base.presign),
            ..base
        }
    }
}

/// For people.
fn sheet(plan: &Plan) -> String {
    let Plan { demand, policy, load, proposal, .. } = plan;
    let a_day = |rate: f64| format!("{:.0}", rate * 86_400.0);
    let signer = match plan.signing {
        Signing::Cores { cores, each } => {
            format!("{} on {cores} cores, {each:.0} signatures a second each", plan.kind.name())
        }
        Signing::Device(rate) => format!("{} on a device, {rate:.0} signatures a second", plan.kind.name()),
    };
    let takes = match plan.cores() {
        Some(cores) => format!("{cores:.2} cores ({:.1} %)", plan.utilisation() * 100.0),
        None => format!("{:.1} %", plan.utilisation() * 100.0),
    };
    let shortest = plan.shortest.map_or_else(|| "none, whatever it is".to_owned(), span);
    facts(&[
        ("issuer", plan.name.clone()),
        ("certificates", format!("{} valid, {:.1} % of them hot", demand.certificates, demand.hot * 100.0)),
        ("asked", format!("{:.1} times a second, {:.1} % with a nonce", demand.queries, demand.nonces * 100.0)),
        ("signer", signer),
        ("policy", format!("presign {}, valid {}", policy.presign, span(policy.validity))),
        ("signatures a day", a_day(load.all())),
        ("  again", a_day(load.refresh)),
        ("  when asked", a_day(load.on_ask)),
        ("  with nonces", a_day(load.nonces)),
        ("  after changes", a_day(load.changes)),
        ("of the signer", takes),
        ("memory", format!("{:.1} MB", plan.memory / 1e6)),
        ("shortest validity", format!("{shortest} (half of the signer left to spare)")),
        (
            "good of before",
            format!("believed for {} after a revocation at most; openssl adds 5 min, JDK 15", span(plan.window())),
        ),
        ("proposal", format!("presign {}, valid {}: {}", proposal.presign, span(proposal.validity), proposal.why)),
    ])
}

/// For machines.
pub fn json(plan: &Plan) -> Value {
    let Plan { demand, policy, load, proposal, .. } = plan;
    let presign = |presign| match presign {
        Presign::All => "all",
        Presign::Hot(_) => "hot",
        Presign::Off => "off",
    };
    json!({
        "issuer": plan.name,
        "certificates": demand.certificates,
        "hot_fraction": demand.hot,
        "queries_per_second": demand.queries,
        "nonce_fraction": demand.nonces,
        "revocations_per_day": demand.changes,
        "algorithm": plan.kind.name(),
        "signer_signatures_per_second": plan.signing.rate(),
        "presign": presign(policy.presign),
        "validity_seconds": policy.validity.0,
        "signatures_per_day": (load.all() * 86_400.0).round(),
        "signatures_per_second": {
            "refresh": load.refresh, "on_ask": load.on_ask, "nonces": load.nonces, "changes": load.changes,
        },
        "cores": plan.cores(),
        "utilisation": plan.utilisation(),
        "memory_octets": plan.memory.round(),
        "shortest_validity_seconds": plan.shortest.map(|shortest| shortest.0),
        "residual_good_window_seconds": plan.window().0,
        "proposal": {
            "presign": presign(proposal.presign), "validity_seconds": proposal.validity.0, "why": proposal.why,
        },
    })
}

fn kinds() -> impl clap::builder::TypedValueParser<Value = KeyKind> {
    PossibleValuesParser::new(KeyKind::ALL.map(KeyKind::name)).try_map(|name| name.parse::<KeyKind>())
}

fn fraction(text: &str) -> Result<f64, String> {
    number(text).filter(|number| (0.0..=1.0).contains(number)).ok_or_else(|| "a part: 0 to 1".to_owned())
}

fn not_negative(text: &str) -> Result<f64, String> {
    number(text).filter(|number| *number >= 0.0).ok_or_else(|| "a number, 0 or more".to_owned())
}

fn positive(text: &str) -> Result<f64, String> {
    number(text).filter(|number| *number > 0.0).ok_or_else(|| "a number above 0".to_owned())
}

fn number(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// More than mankind has.
const POPULATION_MAX: u64 = 100_000_000_000;

const EXAMPLES: &str = "\
Examples:
  tashika plan
  tashika plan --presign all --measure
  tashika plan --population 280000000 --algorithm p256
  tashika plan --population 280000000 --algorithm rsa2048 --rate 10000 --queries-per-second 4000 --json

Without --population it reads the whole ledger that the configuration names. It changes nothing.";
