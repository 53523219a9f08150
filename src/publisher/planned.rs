//! Whether a delta has the lines that are planned, and amounts with its base to the full CRL: a walk along base, delta and lists.
//!
//! Called by `preflight` before a delta is exposed. Nearly all of a base is unchanged and plain: what is, is compared in
//! words, as the two readers give them, and never put down. All else goes through [`Both`], like every other replay.

use crate::asn1::crl::{CrlEntry, Entries, PlainEntry};

use super::content::Pair;
use super::replay::{Both, InOrder, Mismatch, Replayed, differs};

/// What a delta and its base were found not to be.
pub(super) enum Wrong {
    /// The lines of the delta are not the planned ones.
    Lines(Mismatch),
    /// Base and delta don't amount to the full CRL.
    Sum(Mismatch),
}

/// Compares with what is planned: of each certificate what the full CRL would say, and what the delta must. How many lines the
/// delta has, and what it came to.
pub(super) fn replay_planned<'a>(
    base: Entries<'a>,
    delta: Entries<'a>,
    planned: impl Iterator<Item = Pair<'a>>,
) -> Result<(u64, Replayed), Wrong> {
    let mut walk = Walk::of(base, delta)?;
    let mut outcome = Ok(());
    planned.for_each(|pair| {
        if outcome.is_ok() {
            outcome = match pair.unchanged() {
                Some(entry) if walk.is_next(entry) => walk.step(entry).map_err(Wrong::Sum),
                _ => walk.compare(&pair),
            };
        }
    });
    outcome?;
    walk.end()
}

struct Walk<'a> {
    both: Both<'a, Entries<'a>, Entries<'a>>,
    /// The delta once more, and how many of its lines were found.
    lines: InOrder<'a, Entries<'a>>,
    count: u64,
    /// The next of the base, if it is plain: then `both` stands where it stood some entries before.
    plain: Option<PlainEntry>,
    /// Of plain entries up to this number there is no news.
    quiet_to: u128,
}

impl<'a> Walk<'a> {
    fn of(base: Entries<'a>, delta: Entries<'a>) -> Result<Self, Wrong> {
        let mut lines = InOrder::new(delta.clone());
        lines.advance().map_err(Wrong::Lines)?;
        let both = Both::of(base, delta).map_err(Wrong::Sum)?;
        let mut walk = Self { both, lines, count: 0, plain: None, quiet_to: 0 };
        walk.look_ahead();
        Ok(walk)
    }

    /// Whether the base has this next, and there is no news of it.
    #[inline(always)]
    fn is_next(&self, entry: PlainEntry) -> bool {
        self.plain == Some(entry) && entry.number <= self.quiet_to
    }

    /// Goes on behind this one, which is next.
    #[inline(always)]
    fn step(&mut self, entry: PlainEntry) -> Result<(), Mismatch> {
        let replayed = &mut self.both.replayed;
        (replayed.base, replayed.full) = (replayed.base + 1, replayed.full + 1);
        self.plain = self.both.base.entries.next_plain();
        match self.plain {
            Some(next) if next.number > entry.number => Ok(()),
            _ => self.step_off(entry),
        }
    }

    /// Goes on from a plain entry to what is none, or is out of order.
    #[cold]
    #[inline(never)]
    fn step_off(&mut self, from: PlainEntry) -> Result<(), Mismatch> {
        if let Some(next) = self.plain.take() {
            return Err(Mismatch::Unsorted(CrlEntry::from(next).serial));
        }
        self.both.base.now = Some(from.into());
        self.both.base.advance()
    }

    /// One certificate, whatever is said of it.
    #[cold]
    #[inline(never)]
    fn compare(&mut self, pair: &Pair<'a>) -> Result<(), Wrong> {
        if let Some(next) = self.plain.take() {
            self.both.base.now = Some(next.into());
        }
        if let Some(line) = pair.news() {
            self.count += 1;
            match &self.lines.now {
                Some(found) if *found == line => self.lines.advance(),
                other => Err(differs(&line, other.as_ref())),
            }
            .map_err(Wrong::Lines)?;
        }
        if let Some(full) = pair.full() {
            self.both.expect(&full).map_err(Wrong::Sum)?;
        }
        self.look_ahead();
        Ok(())
    }

    fn look_ahead(&mut self) {
        self.plain = self.both.base.now.as_ref().and_then(PlainEntry::of);
        self.quiet_to = match &self.both.news.now {
            Some(news) => PlainEntry::of(news).map_or(0, |news| news.number - 1),
            None => u128::MAX,
        };
    }

    fn end(mut self) -> Result<(u64, Replayed), Wrong> {
        if let Some(more) = self.lines.now {
            return Err(Wrong::Lines(Mismatch::Appeared(more.serial)));
        }
        if let Some(next) = self.plain.take() {
            self.both.base.now = Some(next.into());
        }
        Ok((self.count, self.both.end().map_err(Wrong::Sum)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::crl::{Crl, CrlKind, CrlProfile};
    use crate::asn1::{Name, NameAttribute, SignatureAlgorithm};
    use crate::model::*;
    use crate::publisher::replay::{replay, same};
    use crate::publisher::{Content, Expired, Lists, Relist, Rules};
    use crate::status::{LossDates, Revoked, Seen};
    use proptest::prelude::*;

    /// Numbers of 16 octets, with the top bit and without; every fourth has fewer or more.
    fn serial(number: u8) -> Serial {
        let mut octets = [number | 1; 17];
        octets[..2].copy_from_slice(&[0, number.wrapping_mul(37) | 1]);
        let from = match number % 8 {
            3 => 2,
            7 => 1 - usize::from(number < 128),
            _ => 1,
        };
        octets[0] = u8::from(from == 0);
        octets[2] = number;
        Serial::from_unsigned(&octets[from..]).unwrap()
    }

    fn certificate(number: u8) -> Certificate {
        Certificate {
            key: CertificateKey { issuer: IssuerNo(1), serial: serial(number) },
            usage: Usage::Auth,
            medium: Medium { kind: MediumKind::Sim, id: MediumId([0; 16]) },
            holder: HolderId([0; 16]),
            sim: None,
            batch: Batch(0),
            not_before: at(0),
            not_after: at(1_000_000),
            scope: ScopeNo(1),
            municipality: Municipality(0),
            key_origin: KeyOrigin::Unknown,
            proofing: Proofing::Unknown,
            delivery: Delivery::Delivered,
            links: Links::default(),
        }
    }

    fn at(seconds: i64) -> Time {
        Time::from_unix(1_800_000_000 + seconds).unwrap()
    }

    fn rules() -> Rules {
        Rules { dates: DatedByDay::NONE, expired: Expired::Dropped, delivery_within: Seconds::days(90) }
    }

    /// Lists after those events: a certificate is held, released or revoked.
    fn happen(revoked: &mut Revoked, events: &[(u8, u8)]) {
        for (number, what) in events {
            let position = revoked.at().next();
            let time = at(position.0 as i64);
            let (lost_at, by) = ((what % 8 == 4).then_some(time), position);
            let life = match what % 4 {
                0 => Life::Revoked(Revocation { reason: Reason::Superseded, at: time, lost_at, by }),
                _ => Life::Active,
            };
            let kind = HoldKind::CallCentre;
            let hold = Hold { id: HoldId(position), kind, since: time, cause: position, lost_at: None, becomes: None };
            let holds = if what % 4 == 1 || what % 4 == 2 { vec![hold] } else { Vec::new() };
            let status = Status { life, holds, handed_to: None, as_of: position };
            let certificate = certificate(*number);
            revoked.change(&Seen { position, time, certificate: &certificate, status: &status }).unwrap();
        }
    }

    fn written(entries: &[CrlEntry<'_>], kind: CrlKind) -> Vec<u8> {
        let profile = CrlProfile {
            algorithm: SignatureAlgorithm::EcdsaSha256,
            issuer: Name::new(&[(NameAttribute::CommonName, "Lists")]).unwrap(),
            this_update: at(0),
            next_update: at(1),
            authority_key_id: vec![7; 20],
            number: CrlNumber::from(2),
            kind,
            issuing_point: None,
            expired_since: None,
            reflects: None,
        };
        profile.write(entries.iter().copied()).assemble(&[1; 70])
    }

    /// What may have gone wrong with a list.
    fn spoil(list: &mut Vec<CrlEntry<'_>>, index: prop::sample::Index, how: u8) {
        if list.is_empty() {
            return;
        }
        let place = index.index(list.len());
        match how {
            0 => drop(list.remove(place)),
            1 => list.insert(place, list[place]),
            2 => list[place].date = at(5_000_000),
            3 => list[place].listed = Listed::Revoked(Reason::CaCompromise),
            4 => list[place].invalidity_date = Some(at(3)),
            5 => list.swap(0, place),
            6 => list[place].serial = serial(index.index(256) as u8),
            _ => {}
        }
    }

    proptest! {
        /// However lists, base and delta came about, the walk says what comparing entry by entry says.
        #[test]
        fn it_passes_what_entry_by_entry_passes(
            (before, after) in (
                prop::collection::vec((any::<u8>(), any::<u8>()), 0..60),
                prop::collection::vec((any::<u8>(), any::<u8>()), 0..20),
            ),
            (spoils_base, index, how) in (any::<bool>(), any::<prop::sample::Index>(), 0_u8..8),
        ) {
            let mut revoked = Revoked::new(LossDates::Kept, Seconds::days(90));
            happen(&mut revoked, &before);
            let base_cutoff = Cutoff { position: revoked.at(), time: at(10_000) };
            let base = {
                let lists = Lists::of_scope(revoked.list(ScopeNo(1)).unwrap());
                let content = Content { lists: &lists, cutoff: base_cutoff, rules: rules(), regular: &[] };
                let mut base: Vec<_> = content.full().collect();
                if spoils_base {
                    spoil(&mut base, index, how);
                }
                written(&base, CrlKind::Full { freshest: None })
            };
            happen(&mut revoked, &after);
            let lists = Lists::of_scope(revoked.list(ScopeNo(1)).unwrap());
            let regular = [base_cutoff];
            let cutoff = Cutoff { position: revoked.at(), time: at(20_000) };
            let content = Content { lists: &lists, cutoff, rules: rules(), regular: &regular };
            let mut delta: Vec<_> = content.delta(base_cutoff, Relist::Changed).collect();
            if !spoils_base {
                spoil(&mut delta, index, how);
            }
            let delta = written(&delta, CrlKind::Delta { base: CrlNumber::from(1) });
            let base = Crl::read(&base, CrlLimits::WIDEST).unwrap();
            let delta = Crl::read(&delta, CrlLimits::WIDEST).unwrap();
            let lines = same(content.delta(base_cutoff, Relist::Changed), delta.entries());
            let sum = replay(base.entries(), delta.entries(), content.full().map(Ok));
            let pairs = content.pairs(base_cutoff, Relist::Changed);
            match (replay_planned(base.entries(), delta.entries(), pairs), lines, sum) {
                (Ok(found), Ok(lines), Ok(sum)) => prop_assert_eq!(found, (lines, sum)),
                (Err(Wrong::Lines(found)), Err(lines), _) => prop_assert_eq!(found, lines),
                (Err(Wrong::Sum(found)), _, Err(sum)) => prop_assert_eq!(found, sum),
                (found, lines, sum) => prop_assert!(false, "{:?}, but {lines:?} and {sum:?}", found.map_err(|_| ())),
            }
        }
    }
}
