//! A table like a nation's, for the benchmarks of the table and of its snapshot: serials of 16 octets without any order,
//! two issuers, fifty batches, two in a hundred revoked, one held, and a reply for each where one is asked for.

use tashika::model::{
    Batch, Certificate, CertificateKey, CertificateNo, Change, Delivery, Epoch, HoldKind, HolderId, IssuerNo,
    KeyOrigin, Links, Medium, MediumId, MediumKind, Municipality, Position, Proofing, Reason, ScopeNo, Seconds, Serial,
    Time, Usage,
};
use tashika::status::{Changed, Keeping, ReadTo, SignedFor, Table};

/// Registers, changes and signs for the certificates after `from`, up to `to`.
pub fn fill(table: &Table, at: &mut Position, from: u64, to: u64, signature_octets: usize) {
    let signature = vec![0x77; signature_octets];
    let mut certificates = Vec::new();
    let mut first = from + 1;
    while first <= to {
        let last = (first + 4_999).min(to);
        certificates.clear();
        certificates.extend((first..=last).map(certificate));
        *at = at.next();
        table.register(*at, CertificateNo(first), &certificates).expect("new certificates");
        for number in (first..=last).filter(|number| number % 100 < 3) {
            *at = at.next();
            change(table, *at, number);
        }
        table.publish(read_to(*at)).expect("a later position");
        if signature_octets > 0 {
            for number in first..=last {
                keep(table, *at, number, 0, &signature);
            }
        }
        first = last + 1;
    }
}

pub fn change(table: &Table, position: Position, number: u64) {
    let revoked = Change::Revoked { reason: Reason::Superseded, at: noon(), lost_at: None };
    let held = Change::Held { kind: HoldKind::CallCentre, lost_at: Some(noon()), becomes: None };
    let change = if number % 100 == 2 { held } else { revoked };
    let no = CertificateNo(number);
    let changed = Changed { position, time: noon(), cause: position, no, key: key(number), change: &change };
    table.change(&changed).expect("a registered certificate");
}

pub fn keep(table: &Table, at: Position, number: u64, later: u32, signature: &[u8]) {
    let (this_update, next_update) = (noon() + Seconds(later), noon() + Seconds(later + 600));
    let signed = SignedFor { reflects: at, signer: 1, this_update, produced_at: this_update, next_update };
    assert_eq!(table.keep_reply(CertificateNo(number), &signed, signature), Keeping::Kept);
}

/// How long this thread has run, in nanoseconds: what others take of the processor doesn't count.
pub fn busy() -> f64 {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts a thread's time");
    times.split(' ').next().and_then(|time| time.parse().ok()).expect("a number of nanoseconds")
}

/// The resident size of this process, in octets.
pub fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("Linux says how large a process is");
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("a number of pages") * 4096
}

pub fn certificate(number: u64) -> Certificate {
    Certificate {
        key: key(number),
        usage: Usage::Auth,
        medium: Medium { kind: MediumKind::Card, id: MediumId([0; 16]) },
        holder: HolderId([0; 16]),
        sim: None,
        batch: Batch((number / 200_000) as u32),
        not_before: noon(),
        not_after: noon() + Seconds::days(1_000 + (number / 50_000) as u32),
        scope: ScopeNo(1),
        municipality: Municipality(13_101),
        key_origin: KeyOrigin::Medium,
        proofing: Proofing::InPerson,
        delivery: Delivery::Delivered,
        links: Links::default(),
    }
}

/// Two issuers in turn; serials of 16 octets without any order.
pub fn key(number: u64) -> CertificateKey {
    let mut octets = [0; 16];
    octets[..8].copy_from_slice(&(mix(number) | 1 << 63).to_be_bytes());
    octets[8..].copy_from_slice(&mix(!number).to_be_bytes());
    let serial = Serial::from_unsigned(&octets).expect("sixteen octets");
    CertificateKey { issuer: IssuerNo(1 + (number % 2) as u16), serial }
}

pub fn mix(number: u64) -> u64 {
    let z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

pub fn read_to(position: Position) -> ReadTo {
    ReadTo { epoch: Epoch(1), position }
}

pub fn noon() -> Time {
    Time::from_unix(1_795_143_600).expect("within the calendar")
}
