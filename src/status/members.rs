//! The members of a listed set: certificate numbers, tested at each look-up of a certificate that such a set may cover.
//!
//! The follower collects them, page by page, before it hands the set event to the table; readers ask. Ten million out
//! of 280 million take 20 MB and one binary search among some thousands.

use crate::model::CertificateNo;

/// Certificate numbers in groups of 65,536, ascending.
#[derive(Clone, Debug, Default)]
pub struct Members {
    /// Where each group begins in `low`; one more at the end.
    starts: Vec<u32>,
    /// The low 16 bits of each member.
    low: Vec<u16>,
    last: Option<CertificateNo>,
}

/// Numbers that are no list, or too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MembersError {
    /// Not after the one before it.
    #[error("{0} is listed after a number that isn't smaller")]
    NotAscending(CertificateNo),
    /// No table holds so many certificates.
    #[error("certificate {0} is beyond what a table can hold")]
    TooLarge(CertificateNo),
}

impl Members {
    /// Adds the next number, larger than all before.
    pub fn push(&mut self, no: CertificateNo) -> Result<(), MembersError> {
        if self.last.is_some_and(|last| last >= no) {
            return Err(MembersError::NotAscending(no));
        }
        let number = u32::try_from(no.0).map_err(|_| MembersError::TooLarge(no))?;
        let group = (number >> 16) as usize;
        let end = u32::try_from(self.low.len()).map_err(|_| MembersError::TooLarge(no))?;
        if self.starts.len() <= group {
            self.starts.resize(group + 1, end);
        }
        self.low.push(number as u16);
        self.last = Some(no);
        Ok(())
    }

    /// Whether the set names this certificate.
    #[inline]
    pub fn contain(&self, no: CertificateNo) -> bool {
        let group = (no.0 >> 16) as usize;
        let Some(start) = self.starts.get(group) else { return false };
        let end = self.starts.get(group + 1).map_or(self.low.len(), |end| *end as usize);
        self.low[*start as usize..end].binary_search(&(no.0 as u16)).is_ok()
    }

    /// Each of them, ascending.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        let groups = self.starts.iter().zip(self.starts.iter().skip(1).copied().chain([self.low.len() as u32]));
        groups.zip(0_u32..).flat_map(|((start, end), group)| {
            self.low[*start as usize..end as usize].iter().map(move |low| group << 16 | u32::from(*low))
        })
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.low.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn what_is_not_ascending_or_too_large_is_refused() {
        let mut members = Members::default();
        members.push(CertificateNo(70_000)).unwrap();
        assert_eq!(members.push(CertificateNo(70_000)), Err(MembersError::NotAscending(CertificateNo(70_000))));
        assert_eq!(members.push(CertificateNo(1 << 32)), Err(MembersError::TooLarge(CertificateNo(1 << 32))));
        assert_eq!(members.count(), 1);
    }

    proptest! {
        #[test]
        fn exactly_the_listed_are_members(listed in prop::collection::btree_set(0..400_000_u64, 0..300)) {
            let mut members = Members::default();
            listed.iter().for_each(|no| members.push(CertificateNo(*no)).unwrap());
            let near: BTreeSet<u64> = listed.iter().flat_map(|no| no.saturating_sub(1)..no + 2).collect();
            prop_assert!(members.numbers().map(u64::from).eq(listed.iter().copied()));
            for no in near.into_iter().chain([0, 65_535, 65_536, 399_999, 1 << 40]) {
                prop_assert_eq!(members.contain(CertificateNo(no)), listed.contains(&no));
            }
        }
    }
}
