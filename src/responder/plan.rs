//! What a policy costs: signatures, cores, memory, and for how long a revocation may be hidden by answers of before; and a
//! policy that the signer carries. Pure arithmetic; the figures it stands on are constants with their origin.
//!
//! Asked by `tashika plan`, and by `serve` for what it is about to run.

use std::fmt;
use std::str::FromStr;

use super::policy::{Forms, Policy, Presign};
use super::refresh::{MEAN_AGE, SWEEP_EVERY_MAX, SWEEPS};
use crate::asn1::SignatureAlgorithm;
use crate::model::Seconds;

/// Keys that sign answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// RSA with 2048 bits.
    Rsa2048,
    /// RSA with 3072 bits.
    Rsa3072,
    /// RSA with 4096 bits.
    Rsa4096,
}

/// How fast somebody signs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Signing {
    /// On so many cores of this machine, so many signatures a second on each.
    Cores {
        /// How many.
        cores: u32,
        /// Signatures a second on one.
        each: f64,
    },
    /// A device, so many signatures a second.
    Device(f64),
}

/// What is asked of one issuer's answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Demand {
    /// Certificates that are valid.
    pub certificates: u64,
    /// The part of them that is asked for within `hot_for`.
    pub hot: f64,
    /// Questions a second.
    pub queries: f64,
    /// The part of those that brings a nonce.
    pub nonces: f64,
    /// Changes of status a day.
    pub changes: f64,
}

/// What a policy comes to for one issuer.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Whose answers.
    pub name: String,
    /// What is asked.
    pub demand: Demand,
    /// Who signs.
    pub kind: KeyKind,
    /// How fast.
    pub signing: Signing,
    /// By which policy.
    pub policy: Policy,
    /// What that takes.
    pub load: Load,
    /// Octets in memory.
    pub memory: f64,
    /// The shortest validity that the signer carries; none: it carries none.
    pub shortest: Option<Seconds>,
    /// What would be better, or that nothing would.
    pub proposal: Proposal,
}

/// Signatures a second, by what they are for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Replies signed again before they end.
    pub refresh: f64,
    /// Answers signed when they are asked for, without those with nonces.
    pub on_ask: f64,
    /// Answers with nonces.
    pub nonces: f64,
    /// Replies signed because a status changed.
    pub changes: f64,
}

/// A policy that the signer carries.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// What is signed before anybody asks.
    pub presign: Presign,
    /// From thisUpdate to nextUpdate.
    pub validity: Seconds,
    /// Why, in a sentence.
    pub why: String,
}

impl Plan {
    /// What a policy comes to, and what would be better.
    pub fn of(name: &str, demand: Demand, kind: KeyKind, signing: Signing, policy: Policy) -> Self {
        let load = Load::of(&demand, &policy);
        let kept = demand.kept(policy.presign) * forms(policy.forms);
        let memory = demand.certificates as f64 * STATUS_OCTETS + kept * (kind.signature_octets() + REPLY_OCTETS);
        let shortest = shortest(&demand, &policy, signing);
        let proposal = propose(&demand, &policy, signing);
        Self { name: name.to_owned(), demand, kind, signing, policy, load, memory, shortest, proposal }
    }

    /// The part of what the signer can do that this takes.
    pub fn utilisation(&self) -> f64 {
        self.load.all() / self.signing.rate()
    }

    /// The part of its cores, where it signs on cores.
    pub fn cores(&self) -> Option<f64> {
        match self.signing {
            Signing::Cores { each, .. } => Some(self.load.all() / each),
            Signing::Device(_) => None,
        }
    }

    /// For how long a good answer may be believed after a revocation.
    pub fn window(&self) -> Seconds {
        self.policy.validity
    }
}

impl Load {
    /// What a policy takes.
    pub fn of(demand: &Demand, policy: &Policy) -> Self {
        let (validity, forms) = (f64::from(policy.validity.0), forms(policy.forms));
        let kept = demand.kept(policy.presign);
        let sweep = (validity / f64::from(SWEEPS)).clamp(1.0, f64::from(SWEEP_EVERY_MAX));
        let plain = demand.queries * (1.0 - demand.nonces);
        let certificates = (demand.certificates as f64).max(1.0);
        let on_ask = match policy.presign {
            Presign::All => 0.0,
            // At worst the hot ones are others each time.
            Presign::Hot(Seconds(hot_for)) => plain.min(kept / f64::from(hot_for)),
            // Whoever asks while another's answer is valid gets that one.
            Presign::Off => plain / (1.0 + plain / certificates * validity),
        };
        let changes = if policy.presign == Presign::Off { 0.0 } else { demand.changes / DAY * forms };
        // Found by a sweep, on average half a sweep after it was due.
        let refresh = kept * forms / (validity * MEAN_AGE + sweep / 2.0);
        Self { refresh, on_ask, nonces: demand.queries * demand.nonces, changes }
    }

    /// All of it.
    pub fn all(&self) -> f64 {
        self.refresh + self.on_ask + self.nonces + self.changes
    }
}

impl Demand {
    /// What is usually asked of so many certificates.
    pub fn usual(certificates: u64) -> Self {
        let of_all = certificates as f64;
        let queries = of_all * QUERIES_A_DAY * PEAK / DAY;
        Self { certificates, hot: HOT, queries, nonces: NONCES, changes: of_all * CHANGES_A_YEAR / 365.0 }
    }

    fn kept(&self, presign: Presign) -> f64 {
        let certificates = self.certificates as f64;
        match presign {
            Presign::All => certificates,
            Presign::Hot(_) => certificates * self.hot,
            Presign::Off => 0.0,
        }
    }
}

impl Signing {
    /// Signatures a second.
    pub fn rate(self) -> f64 {
        match self {
            Self::Cores { cores, each } => f64::from(cores) * each,
            Self::Device(rate) => rate,
        }
    }
}

impl KeyKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::P256, Self::P384, Self::Rsa2048, Self::Rsa3072, Self::Rsa4096];

    /// The kind that makes such signatures, of so many octets.
    pub fn of(algorithm: SignatureAlgorithm, signature_octets: usize) -> Self {
        match (algorithm, signature_octets) {
            (SignatureAlgorithm::EcdsaSha256, _) => Self::P256,
            (SignatureAlgorithm::EcdsaSha384, _) => Self::P384,
            (SignatureAlgorithm::RsaSha256, ..=256) => Self::Rsa2048,
            (SignatureAlgorithm::RsaSha256, ..=384) => Self::Rsa3072,
            (SignatureAlgorithm::RsaSha256, _) => Self::Rsa4096,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::P256 => "p256",
            Self::P384 => "p384",
            Self::Rsa2048 => "rsa2048",
            Self::Rsa3072 => "rsa3072",
            Self::Rsa4096 => "rsa4096",
        }
    }

    /// Signatures a second on one core, hash and all: `cargo bench --bench signing` on the machine of `docs/PERFORMANCE.md`,
    /// the best of many short spans, rounded down.
    pub fn usual_rate(self) -> f64 {
        match self {
            Self::P256 => 52_000.0,
            Self::P384 => 11_500.0,
            Self::Rsa2048 => 2_850.0,
            Self::Rsa3072 => 1_070.0,
            Self::Rsa4096 => 540.0,
        }
    }

    /// What is kept of a signature.
    fn signature_octets(self) -> f64 {
        match self {
            Self::P256 => 64.0,
            Self::P384 => 96.0,
            Self::Rsa2048 => 256.0,
            Self::Rsa3072 => 384.0,
            Self::Rsa4096 => 512.0,
        }
    }
}

impl FromStr for KeyKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let kind = Self::ALL.into_iter().find(|kind| kind.name() == text);
        kind.ok_or_else(|| format!("'{text}' is not one of {}", Self::ALL.map(Self::name).join(", ")))
    }
}

/// One line.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, demand, kind, policy, .. } = self;
        let (presign, validity) = (policy.presign, span(policy.validity));
        write!(
            f,
            "{name}: {} certificates, {}, presign {presign}, valid {validity}: ",
            demand.certificates,
            kind.name()
        )?;
        write!(f, "{:.0} signatures a day, ", self.load.all() * DAY)?;
        match self.cores() {
            Some(cores) => write!(f, "{cores:.2} cores, ")?,
            None => write!(f, "{:.0} % of the signer, ", self.utilisation() * 100.0)?,
        }
        let window = span(self.window());
        write!(f, "{:.1} MB, good answers of before end within {window} of a revocation", self.memory / 1e6)
    }
}

/// A span of time as people say it.
pub fn span(Seconds(seconds): Seconds) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds.div_ceil(60)),
        7_200..172_800 => format!("{} h", seconds.div_ceil(3_600)),
        _ => format!("{} days", seconds.div_ceil(86_400)),
    }
}

fn forms(forms: Forms) -> f64 {
    match forms {
        Forms::Both => 2.0,
        Forms::Sha1 | Forms::Sha256 => 1.0,
    }
}

fn is_carried(demand: &Demand, policy: &Policy, signing: Signing) -> bool {
    Load::of(demand, policy).all() <= signing.rate() * USABLE
}

/// The shortest validity that the signer carries, all else as the policy has it.
fn shortest(demand: &Demand, policy: &Policy, signing: Signing) -> Option<Seconds> {
    let carried = |seconds| is_carried(demand, &Policy { validity: Seconds(seconds), ..*policy }, signing);
    if !carried(VALIDITY_MAX) {
        return None;
    }
    // What a longer validity takes is never more.
    let (mut not, mut yes) = (VALIDITY_MIN - 1, VALIDITY_MAX);
    while yes - not > 1 {
        let middle = not + (yes - not) / 2;
        if carried(middle) { yes = middle } else { not = middle }
    }
    Some(Seconds(yes))
}

/// The shortest usual validity, and within it the most signed in advance, that the signer carries: what hides a revocation
/// comes before what makes somebody wait for a signature.
fn propose(demand: &Demand, policy: &Policy, signing: Signing) -> Proposal {
    let hot = match policy.presign {
        Presign::Hot(hot_for) => Presign::Hot(hot_for),
        Presign::All | Presign::Off => Presign::Hot(super::HOT_FOR),
    };
    let own = policy.profile.validity().0;
    for validity in LADDER.into_iter().filter(|seconds| *seconds >= own).map(Seconds) {
        for presign in [Presign::All, hot, Presign::Off] {
            let tried = Policy { presign, validity, ..*policy };
            if is_carried(demand, &tried, signing) {
                let why = why(demand, &tried, signing, own);
                return Proposal { presign, validity, why };
            }
        }
    }
    let (presign, validity) = (Presign::Off, Seconds(VALIDITY_MAX));
    let needed = Load::of(demand, &Policy { presign, validity, ..*policy }).all() / USABLE;
    let why =
        format!("the signer carries nothing of this: it takes {needed:.0} signatures a second, half of them to spare");
    Proposal { presign, validity, why }
}

fn why(demand: &Demand, proposed: &Policy, signing: Signing, own: u32) -> String {
    let part = |policy: &Policy| Load::of(demand, policy).all() / signing.rate() * 100.0;
    let takes = part(proposed);
    let all = part(&Policy { presign: Presign::All, ..*proposed });
    let what = match proposed.presign {
        Presign::All => format!("every answer is signed before anybody asks, for {takes:.1} % of the signer"),
        Presign::Hot(_) => format!(
            "signing all in advance would take {all:.0} % of the signer, what is asked for again and again takes {takes:.1} %"
        ),
        Presign::Off => {
            format!("only signing when asked leaves the signer room: it takes {takes:.1} %, all would {all:.0} %")
        }
    };
    match proposed.validity.0 > own {
        true => format!("{what}, and no shorter validity leaves half of it for storms"),
        false => what,
    }
}

/// Of what a signer can do: the other half is for storms, and for when its neighbour is away.
const USABLE: f64 = 0.5;
/// Octets for a certificate's status, and around a kept signature: `cargo bench --bench status_table`, at 11.5 million
/// certificates after growth (docs/PERFORMANCE.md): 37.0 without, 117.4 with 64 octets of P-256, 309.8 with 256 of RSA.
const STATUS_OCTETS: f64 = 37.0;
const REPLY_OCTETS: f64 = 17.0;
const DAY: f64 = 86_400.0;
/// The bounds of `ocsp.validity_seconds`.
const VALIDITY_MIN: u32 = 10;
const VALIDITY_MAX: u32 = 864_000;
/// Validities that somebody could explain.
const LADDER: [u32; 9] = [600, 900, 1_800, 3_600, 14_400, 43_200, 86_400, 345_600, 864_000];
/// Assumptions, each to be replaced by what is measured: one certificate in twenty is asked for within the hour, each once in
/// ten days, ten times as often at the peak; one question in twenty has a nonce; two in a hundred change their status in a
/// year.
const HOT: f64 = 0.05;
const QUERIES_A_DAY: f64 = 0.1;
const PEAK: f64 = 10.0;
const NONCES: f64 = 0.05;
const CHANGES_A_YEAR: f64 = 0.02;

#[cfg(test)]
mod tests;
