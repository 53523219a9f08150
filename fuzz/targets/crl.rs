//! The reader of CRLs against `rasn`'s decoding: `cargo +nightly fuzz run crl`.
//!
//! Whatever the reader reads, `rasn` must read of the same octets, entry by entry, but for object identifiers with numbers of
//! more than 32 bits, which it can't hold; neither may panic. What is within limits that are narrower is read alike.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rasn_pkix::{CertificateList, Time};
use tashika::asn1::crl::{Crl, CrlEntry, CrlError};
use tashika::model::CrlLimits;

fuzz_target!(|octets: &[u8]| {
    let Ok((crl, entries)) = read(octets, CrlLimits::WIDEST) else { return };
    let narrow = read(octets, CrlLimits { octets_max: 4096, entries_max: 3 });
    assert_eq!(narrow.is_ok(), octets.len() <= 4096 && entries.len() <= 3);
    let theirs: CertificateList = match rasn::der::decode(octets) {
        Ok(list) => list,
        Err(error) if error.to_string().contains("exceeds the supported 32 bits") => return,
        Err(error) => panic!("rasn refuses what was read: {error}"),
    };
    let list = theirs.tbs_cert_list;
    assert_eq!(list.revoked_certificates.len(), entries.len());
    assert_eq!(theirs.signature.as_raw_slice(), crl.signature);
    for (theirs, ours) in list.revoked_certificates.iter().zip(&entries) {
        let serial = rasn::der::encode(&theirs.user_certificate).expect("a number");
        assert!(serial.ends_with(ours.serial.as_octets()));
        let seconds = match theirs.revocation_date {
            Time::Utc(time) => time.timestamp(),
            Time::General(time) => time.timestamp(),
        };
        // `rasn` takes the two digits 50 to 69 for 2050 to 2069.
        assert!(seconds == ours.date.unix() || (ours.date.unix() < 0 && seconds == ours.date.unix() + CENTURY));
        let reasons = theirs.crl_entry_extensions.iter().flat_map(|list| list.iter());
        let code = reasons.filter(|one| *one.extn_id == [2, 5, 29, 21]).map(|one| one.extn_value[2]).next();
        assert_eq!(code.unwrap_or(0), ours.listed.code());
    }
});

fn read(octets: &[u8], limits: CrlLimits) -> Result<(Crl<'_>, Vec<CrlEntry<'_>>), CrlError> {
    let crl = Crl::read(octets, limits)?;
    let mut entries = Vec::new();
    let mut left = crl.entries();
    loop {
        let plain = left.clone().next_plain().map(CrlEntry::from);
        let Some(entry) = left.next().transpose()? else { break };
        assert!(plain.is_none_or(|plain| plain == entry), "what is read as plain is what the entry is");
        entries.push(entry);
    }
    Ok((crl, entries))
}

const CENTURY: i64 = 3_155_760_000;
