//! A certificate as it was registered: facts that never change afterwards.
//!
//! Status lives beside it (`status.rs`); a follower, the desk and the publisher all read these facts.

use super::{
    AppletId, Batch, CertificateNo, HolderId, IssuerNo, MediumId, Municipality, Operator, ScopeNo, Serial, SimId, Time,
};

/// The name every look-up uses: issuers may share a name, never a key generation's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CertificateKey {
    /// The issuer key generation.
    pub issuer: IssuerNo,
    /// The serial number.
    pub serial: Serial,
}

/// What was registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Issuer and serial.
    pub key: CertificateKey,
    /// For signing or for logging in.
    pub usage: Usage,
    /// What carries the private key.
    pub medium: Medium,
    /// Who holds it.
    pub holder: HolderId,
    /// The SIM it lives in, for phone certificates in a SIM.
    pub sim: Option<Sim>,
    /// The chip batch, 0 if unknown.
    pub batch: Batch,
    /// Start of validity.
    pub not_before: Time,
    /// End of validity.
    pub not_after: Time,
    /// The CRL scope named in the certificate; never changes.
    pub scope: ScopeNo,
    /// Where it was registered, 0 if unknown.
    pub municipality: Municipality,
    /// Who made the key pair.
    pub key_origin: KeyOrigin,
    /// How the holder was identified.
    pub proofing: Proofing,
    /// Whether it waits for its acknowledgement.
    pub delivery: Delivery,
    /// Its relations to certificates registered before it.
    pub links: Links,
}

/// What the key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Usage {
    /// Logging in (AUTH): carries no personal data.
    Auth,
    /// Signing documents (SIGN).
    Sign,
}

/// A carrier of private keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Medium {
    /// What sort of thing it is.
    pub kind: MediumKind,
    /// Which one.
    pub id: MediumId,
}

/// Sorts of media.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MediumKind {
    /// The identity card.
    Card,
    /// The embedded secure element of an Android phone.
    EseAndroid,
    /// The secure element of an Apple phone.
    SeApple,
    /// A SIM.
    Sim,
}

/// Which SIM and applet hold the key, and who operates the SIM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sim {
    /// The operator: the only carrier that may report about it (or its host).
    pub operator: Operator,
    /// The SIM.
    pub sim: SimId,
    /// The applet.
    pub applet: AppletId,
}

/// Who made the key pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum KeyOrigin {
    /// The medium itself.
    Medium,
    /// The service, delivered over a secure channel.
    Service,
    /// Not told.
    #[default]
    Unknown,
}

/// How the holder was identified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Proofing {
    /// By the SIGN certificate of the holder's card.
    CardSignature,
    /// Face to face at a municipal window.
    InPerson,
    /// Not told.
    #[default]
    Unknown,
}

/// What a certificate is when it is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// Already in its holder's hands.
    Delivered,
    /// Made, not yet acknowledged.
    Awaited,
}

/// Relations to earlier certificates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Links {
    /// The card's SIGN certificate that signed the application (ISSUED_UNDER).
    pub issued_under: Option<CertificateNo>,
    /// The AUTH certificate of the same holder on the other medium (PARALLEL_OF).
    pub parallel_of: Option<CertificateNo>,
    /// The certificate that this one replaces (SUCCEEDS).
    pub succeeds: Option<CertificateNo>,
}

impl Certificate {
    /// Whether it lives in a phone: in a SIM or a secure element.
    pub fn is_phone(&self) -> bool {
        self.medium.kind != MediumKind::Card
    }

    /// Whether validity has ended.
    pub fn is_expired(&self, now: Time) -> bool {
        now > self.not_after
    }
}

impl Usage {
    /// As the domain writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auth => "AUTH",
            Self::Sign => "SIGN",
        }
    }
}

impl MediumKind {
    /// As the domain writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Card => "CARD",
            Self::EseAndroid => "ESE_ANDROID",
            Self::SeApple => "SE_APPLE",
            Self::Sim => "SIM",
        }
    }
}
