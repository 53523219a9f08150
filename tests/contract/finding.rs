//! Look-ups: by every name, whole families, registered(), rows, the book.

use tashika::ledger::{Families, Ledger, Wanted, decode_certificate};
use tashika::model::{Certificate, CertificateNo, HoldKind, Issuer, Scope, Usage, Wish};

use crate::nation::{self, operator};
use crate::reader::Reader;
use crate::world::World;
use crate::writer::{cards, change, furnish, register};

/// Three holders: SIGN and AUTH on a card and AUTH in a SIM each; certificates 1–3, 4–6, 7–9.
fn families() -> Vec<Certificate> {
    let mut certificates = Vec::new();
    for number in 1..=3_u64 {
        let serial = 10 * number;
        let sign = CertificateNo(3 * number - 2);
        // One holder's certificates are the other issuer's: a serial alone is no name.
        let issuer = 1 + (number % 2) as u16;
        certificates.push(nation::on_card(nation::key(issuer, serial), number, Usage::Sign));
        certificates.push(nation::on_card(nation::key(issuer, serial + 1), number, Usage::Auth));
        let carrier = operator(if number == 3 { "mno-b" } else { "mno-a" });
        certificates.push(nation::in_sim(nation::key(issuer, serial + 2), number, carrier, sign));
    }
    certificates
}

fn found(ledger: &dyn Ledger, wanted: &Wanted) -> Vec<u64> {
    ledger.find(wanted).unwrap().entries.into_iter().map(|entry| entry.no.0).collect()
}

pub fn a_certificate_is_found_by_each_of_its_names_and_once(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    furnish(&*ledger, &families());
    let none = Wanted::default();
    let serial_20 = nation::key(1, 20);
    assert_eq!(found(&*ledger, &Wanted { keys: vec![serial_20], ..none.clone() }), [4]);
    assert_eq!(found(&*ledger, &Wanted { numbers: vec![CertificateNo(9)], ..none.clone() }), [9]);
    assert_eq!(found(&*ledger, &Wanted { media: vec![nation::card(2)], ..none.clone() }), [4, 5]);
    assert_eq!(found(&*ledger, &Wanted { media: vec![nation::phone(2)], ..none.clone() }), [6]);
    assert_eq!(found(&*ledger, &Wanted { sims: vec![(operator("mno-a"), nation::sim(1))], ..none.clone() }), [3]);
    assert_eq!(found(&*ledger, &Wanted { holders: vec![nation::holder(3)], ..none.clone() }), [7, 8, 9]);
    let every_way = Wanted {
        keys: vec![serial_20, nation::key(2, 10), serial_20],
        numbers: vec![CertificateNo(4), CertificateNo(1)],
        media: vec![nation::card(2), nation::card(1)],
        sims: vec![(operator("mno-a"), nation::sim(2))],
        holders: vec![nation::holder(2)],
        ..none
    };
    assert_eq!(found(&*ledger, &every_way), [1, 2, 4, 5, 6], "by number, each once");
    let entry = &ledger.find(&every_way).unwrap().entries[0];
    assert_eq!(entry.certificate, families()[0], "every fact as registered");
    Some(())
}

pub fn what_is_not_there_is_not_found(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    furnish(&*ledger, &families());
    let absent = Wanted {
        // The serial exists with the other issuer, the SIM with another operator, the name as another kind of thing.
        keys: vec![nation::key(2, 20), nation::key(1, 9999), nation::key(77, 20)],
        numbers: vec![CertificateNo(0), CertificateNo(10)],
        media: vec![nation::card(77), tashika::model::MediumId(nation::sim(1).0)],
        sims: vec![(operator("mno-b"), nation::sim(1)), (operator("mno-a"), nation::sim(77))],
        holders: vec![nation::holder(77), tashika::model::HolderId(nation::card(1).0)],
        families: Families::Yes,
        ..Wanted::default()
    };
    assert_eq!(found(&*ledger, &absent), [0_u64; 0]);
    assert_eq!(found(&*ledger, &Wanted::default()), [0_u64; 0]);
    Some(())
}

pub fn a_family_is_found_whole_and_no_other(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    furnish(&*ledger, &families());
    let wanted = Wanted { keys: vec![nation::key(1, 22)], families: Families::Yes, ..Wanted::default() };
    assert_eq!(found(&*ledger, &wanted), [4, 5, 6]);
    let wanted = Wanted {
        sims: vec![(operator("mno-b"), nation::sim(3))],
        numbers: vec![CertificateNo(2)],
        families: Families::Yes,
        ..Wanted::default()
    };
    assert_eq!(found(&*ledger, &wanted), [1, 2, 3, 7, 8, 9]);
    // A certificate that is registered later belongs to the family too.
    register(&*ledger, &[nation::on_card(nation::key(1, 500), 3, Usage::Auth)]);
    assert_eq!(found(&*ledger, &wanted), [1, 2, 3, 7, 8, 9, 10]);
    Some(())
}

pub fn a_search_says_where_the_ledger_stands(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    furnish(&*ledger, &families());
    let wanted = Wanted { numbers: vec![CertificateNo(5)], ..Wanted::default() };
    let before = ledger.find(&wanted).unwrap();
    assert_eq!(before.head, ledger.head().unwrap());
    assert!(before.entries[0].status.is_good());
    let wish = Wish::Hold { kind: HoldKind::Window, lost_at: Some(nation::at(-60)), becomes: None };
    let batch = change(&*ledger, &[CertificateNo(5)], nation::at(9), &wish).unwrap();
    let after = ledger.find(&wanted).unwrap();
    assert_eq!(after.head, ledger.head().unwrap());
    assert_eq!(after.entries[0].status, batch.statuses[0].status);
    assert_eq!(after.entries[0].status.lost_at(), Some(nation::at(-60)));
    Some(())
}

pub fn registered_answers_in_the_order_asked(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    furnish(&*ledger, &cards(2_000));
    assert!(ledger.registered(&[]).unwrap().is_empty());
    // Backwards, every third asked for twice, strangers in between.
    let mut keys = Vec::new();
    let mut expected = Vec::new();
    for number in (1..=2_000_u64).rev() {
        keys.push(nation::key(1, number));
        expected.push(Some(CertificateNo(number)));
        if number % 3 == 0 {
            keys.extend([nation::key(2, number), nation::key(1, number)]);
            expected.extend([None, Some(CertificateNo(number))]);
        }
    }
    assert_eq!(ledger.registered(&keys).unwrap(), expected);
    Some(())
}

pub fn rows_are_paged_as_they_were_written(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    let certificates = families();
    furnish(&*ledger, &certificates);
    for limit in [1, 2, 100] {
        let (mut next, mut read) = (CertificateNo(1), Vec::new());
        loop {
            let page = ledger.rows_from(next, limit).unwrap();
            let Some((last, _)) = page.last() else { break };
            assert!(page.len() <= limit);
            next = last.plus(1);
            read.extend(page);
        }
        let decoded: Vec<_> = read.iter().map(|(_, row)| decode_certificate(row).unwrap()).collect();
        assert_eq!(decoded, certificates);
        assert!(read.iter().map(|(no, _)| no.0).eq(1..=9));
    }
    assert!(ledger.rows_from(CertificateNo(10), 5).unwrap().is_empty());
    Some(())
}

pub fn the_book_says_what_was_added(world: &dyn World) -> Option<()> {
    let (ledger, other) = (world.open(), world.open());
    let (position, book) = other.book().unwrap();
    assert!(book.issuers.is_empty() && book.scopes.is_empty() && book.sets.is_empty());
    assert_eq!(position, other.head().unwrap().position);
    furnish(&*ledger, &families());
    let (position, book) = other.book().unwrap();
    assert_eq!(position, other.head().unwrap().position);
    let added: (Vec<Issuer>, Vec<Scope>) = ([1, 2].map(nation::issuer).into(), [1, 2].map(nation::scope).into());
    assert_eq!((book.issuers.clone(), book.scopes.clone()), added);
    assert_eq!(&book, Reader::of(&*ledger).book());
    Some(())
}
