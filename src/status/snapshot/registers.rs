//! Issuers and CRL scopes as they stand in a snapshot, one after the other. `write` puts them in, `read` takes them out:
//! without them nobody could answer from a snapshot whose ledger is away.

use super::error::SnapshotError;
use super::octets::{Put, Take};
use crate::model::{Issuer, IssuerNo, Scope, ScopeNo};

/// The registers of the book that no table holds, each by number from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registers {
    /// Whose certificates there are.
    pub issuers: Vec<Issuer>,
    /// Their CRL scopes.
    pub scopes: Vec<Scope>,
}

/// All of them.
pub fn put_registers(put: &mut Put, registers: &Registers) {
    put.u16(u16::try_from(registers.issuers.len()).expect("issuers are numbered in 16 bits"));
    for issuer in &registers.issuers {
        put.text(&issuer.name);
        put.long(&issuer.certificate);
        for hash in [&issuer.name_sha1[..], &issuer.key_sha1, &issuer.name_sha256, &issuer.key_sha256] {
            put.0.extend(hash);
        }
    }
    put.u32(u32::try_from(registers.scopes.len()).expect("scopes are numbered in 32 bits"));
    for scope in &registers.scopes {
        put.u16(scope.issuer.0);
        put.long(&scope.distribution_point);
        put.text(&scope.path);
    }
}

/// What [`put_registers`] wrote.
pub fn take_registers(octets: &[u8]) -> Result<Registers, SnapshotError> {
    let (mut take, mut registers) = (Take(octets), Registers::default());
    for no in 1..=take.u16()? {
        registers.issuers.push(Issuer {
            no: IssuerNo(no),
            name: take.text()?,
            certificate: take.long()?,
            name_sha1: take.array()?,
            key_sha1: take.array()?,
            name_sha256: take.array()?,
            key_sha256: take.array()?,
        });
    }
    for no in 1..=take.u32()? {
        let issuer = IssuerNo(take.u16()?);
        if issuer.0 == 0 || usize::from(issuer.0) > registers.issuers.len() {
            return Err(SnapshotError::Malformed("a scope of no issuer"));
        }
        let (distribution_point, path) = (take.long()?, take.text()?);
        registers.scopes.push(Scope { no: ScopeNo(no), issuer, distribution_point, path });
    }
    match take.is_empty() {
        true => Ok(registers),
        false => Err(SnapshotError::Malformed("more than issuers and scopes")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_register_comes_back_and_a_part_of_it_does_not() {
        let issuer = |no: u16, octets| Issuer {
            no: IssuerNo(no),
            name: format!("name-{no}"),
            certificate: vec![no as u8; octets],
            name_sha1: [1; 20],
            key_sha1: [2; 20],
            name_sha256: [3; 32],
            key_sha256: [4; 32],
        };
        let scope = |no: u32, issuer| Scope {
            no: ScopeNo(no),
            issuer: IssuerNo(issuer),
            distribution_point: vec![9; no as usize],
            path: "p".repeat(no as usize - 1),
        };
        let all = Registers { issuers: vec![issuer(1, 70_000), issuer(2, 0)], scopes: vec![scope(1, 2), scope(2, 1)] };
        for registers in [Registers::default(), all.clone()] {
            let mut put = Put::default();
            put_registers(&mut put, &registers);
            assert_eq!(take_registers(&put.0).unwrap(), registers);
            put.u8(0);
            assert!(take_registers(&put.0).is_err());
        }
        let mut put = Put::default();
        put_registers(&mut put, &all);
        assert!((0..put.0.len()).step_by(7).all(|end| take_registers(&put.0[..end]).is_err()));
        let strange = Registers { scopes: vec![scope(1, 3)], ..all };
        let mut put = Put::default();
        put_registers(&mut put, &strange);
        assert!(matches!(take_registers(&put.0), Err(SnapshotError::Malformed("a scope of no issuer"))));
    }
}
