//! The clock and the system's entropy: the one file of the program that reads them. Everybody else is given them.

#![allow(clippy::disallowed_methods)]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, RsaKeyPair};
use zeroize::Zeroizing;

use crate::model::{LedgerId, Millis, NodeId, Time};
use crate::responder::KeyKind;

/// The present second.
pub fn now() -> Time {
    now_millis().time()
}

/// The present millisecond.
pub fn now_millis() -> Millis {
    // A clock before 1970 is broken; reading it as 1970 keeps ledger time where it is, since that never goes back.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A clock that only runs forward: for rates and durations.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Milliseconds since the start.
    pub fn millis(&self) -> u64 {
        u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The time since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Random octets from the system, fit for keys.
pub fn entropy<const N: usize>() -> [u8; N] {
    let mut octets = [0; N];
    aws_lc_rs::rand::fill(&mut octets).expect("a system without entropy can't run this program");
    octets
}

/// A key of that kind, in DER, that signs for a measurement and is thrown away.
pub fn trial_key(kind: KeyKind) -> Option<Zeroizing<Vec<u8>>> {
    use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
    let of_rsa = |size| {
        let pair = RsaKeyPair::generate(size).ok()?;
        let der: Pkcs8V1Der<'_> = pair.as_der().ok()?;
        Some(Zeroizing::new(der.as_ref().to_vec()))
    };
    let of_curve = |signing| {
        let pair = EcdsaKeyPair::generate(signing).ok()?;
        Some(Zeroizing::new(pair.to_pkcs8v1().ok()?.as_ref().to_vec()))
    };
    match kind {
        KeyKind::P256 => of_curve(&ECDSA_P256_SHA256_ASN1_SIGNING),
        KeyKind::P384 => of_curve(&ECDSA_P384_SHA384_ASN1_SIGNING),
        KeyKind::Rsa2048 => of_rsa(KeySize::Rsa2048),
        KeyKind::Rsa3072 => of_rsa(KeySize::Rsa3072),
        KeyKind::Rsa4096 => of_rsa(KeySize::Rsa4096),
    }
}

/// A new ledger's identity.
pub fn new_ledger_id() -> LedgerId {
    LedgerId(entropy())
}

/// This process's name among those that share a ledger.
pub fn new_node_id() -> NodeId {
    NodeId(entropy())
}
