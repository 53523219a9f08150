//! The names by which certificates are looked up, as 64-bit hashes.
//!
//! A hash is only a hint: whoever finds a number by it reads the certificate and compares. So a collision costs one row
//! read, and SHA-256 keeps anybody from making collisions on purpose. Stored in the runs, hence never changed.

use crate::ledger::sha256;
use crate::model::{Certificate, CertificateKey, HolderId, MediumId, Operator, SimId};

/// Issuer and serial.
pub(in crate::ledger::sqlite) fn of_key(key: &CertificateKey) -> u64 {
    short(&[b"k", &key.issuer.0.to_be_bytes(), key.serial.as_octets()])
}

/// A holder.
pub(in crate::ledger::sqlite) fn of_holder(holder: &HolderId) -> u64 {
    short(&[b"h", &holder.0])
}

/// A medium.
pub(in crate::ledger::sqlite) fn of_medium(medium: &MediumId) -> u64 {
    short(&[b"m", &medium.0])
}

/// A SIM of an operator.
pub(in crate::ledger::sqlite) fn of_sim(operator: &Operator, sim: &SimId) -> u64 {
    short(&[b"s", &sim.0, operator.as_str().as_bytes()])
}

/// All names of a certificate.
pub(in crate::ledger::sqlite) fn of_all(certificate: &Certificate) -> impl Iterator<Item = u64> {
    let sim = certificate.sim.map(|sim| of_sim(&sim.operator, &sim.sim));
    let others = [of_key(&certificate.key), of_holder(&certificate.holder), of_medium(&certificate.medium.id)];
    others.into_iter().chain(sim)
}

fn short(parts: &[&[u8]]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = sha256(parts);
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{IssuerNo, Serial};

    #[test]
    fn hashes_are_those_of_every_earlier_version() {
        // Computed by another program.
        let key = CertificateKey { issuer: IssuerNo(1), serial: Serial::from_unsigned(&[1, 2, 3]).unwrap() };
        assert_eq!(of_key(&key), 0x2855_b272_5631_d0d8);
        assert_eq!(of_holder(&HolderId([7; 16])), 0x8941_f849_e828_b7fd);
        assert_eq!(of_medium(&MediumId([7; 16])), 0xd0bb_3d57_3be6_20a2);
        assert_eq!(of_sim(&"mno-1".parse().unwrap(), &SimId([7; 16])), 0x54f6_a3ba_475b_4314);
    }
}
