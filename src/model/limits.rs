//! How much strangers may ask for, or send, at once. Used by whoever reads what arrives from the network.

/// The bounds of one OCSP request, by the kind of caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLimits {
    /// Octets of the DER.
    pub octets_max: usize,
    /// CertIDs in it.
    pub questions_max: usize,
}

impl RequestLimits {
    /// Relying parties that are known and counted: they check whole batches of certificates at once. A thousand
    /// questions with SHA-256 and serials of 20 octets take 114 kB.
    pub const ACCREDITED: Self = Self { octets_max: 128 * 1024, questions_max: 1000 };
    /// Everybody else: a chain or a handful of certificates, and no more work than that for one request.
    pub const ANONYMOUS: Self = Self { octets_max: 8 * 1024, questions_max: 20 };
}

/// The bounds of one CRL that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrlLimits {
    /// Octets of the DER.
    pub octets_max: usize,
    /// Entries in it.
    pub entries_max: usize,
}

impl CrlLimits {
    /// As long as lengths of four octets reach, which are the longest that are read; the nation's 116 million entries in one
    /// list with room to spare.
    pub const WIDEST: Self = Self { octets_max: u32::MAX as usize, entries_max: 200_000_000 };
}
