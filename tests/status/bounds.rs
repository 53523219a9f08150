//! What the table refuses, and that a refused change leaves nothing behind.

use tashika::model::{
    CertificateNo, Change, Epoch, HoldKind, ListNo, Position, Reason, SetChange, SetEvent, SetTarget, Usage,
};
use tashika::status::{
    Belongs, Changed, HashKey, Keeping, Kind, Members, ReadTo, Signature, SignedFor, Standing, StatusError, Table,
};

use crate::nation;

fn table() -> Table {
    let table = Table::empty(HashKey::new([1; 16]));
    let certificates: Vec<_> = (1..=3).map(|no| nation::on_card(nation::key(1, no), no, Usage::Auth)).collect();
    table.register(Position(5), CertificateNo(1), &certificates).expect("newcomers fit");
    table
}

fn held(position: u64, no: u64, serial: u64) -> Result<(), StatusError> {
    let change = Change::Held { kind: HoldKind::Window, lost_at: None, becomes: None };
    let (position, key) = (Position(position), nation::key(1, serial));
    let changed =
        Changed { position, time: nation::at(0), cause: position, no: CertificateNo(no), key, change: &change };
    table().change(&changed)
}

#[test]
fn a_change_must_name_one_certificate_after_all_that_was_read() {
    assert_eq!(held(6, 2, 2), Ok(()));
    assert_eq!(held(6, 2, 3), Err(StatusError::WrongKey(CertificateNo(2))));
    assert_eq!(held(6, 4, 4), Err(StatusError::NotThere(CertificateNo(4))));
    let out_of_order = StatusError::OutOfOrder { at: Position(5), found: Position(5) };
    assert_eq!(held(5, 2, 2), Err(out_of_order));
    let too_large = StatusError::TooLarge { what: Kind::Position, number: 1 << 40 };
    assert_eq!(held(1 << 40, 2, 2), Err(too_large));
}

#[test]
fn nobody_is_registered_twice() {
    let table = table();
    let again = |no: u64, serial: u64| {
        let certificate = nation::on_card(nation::key(1, serial), no, Usage::Sign);
        table.register(Position(5 + no + serial), CertificateNo(no), &[certificate])
    };
    assert_eq!(again(2, 9), Err(StatusError::AlreadyThere(CertificateNo(2))));
    let (new, known) = (CertificateNo(4), CertificateNo(3));
    assert_eq!(again(11, 3), Err(StatusError::KeyTaken { new: CertificateNo(11), known }));
    assert_eq!(table.count(), 3);
    assert!(table.at(new, &mut Signature::default()).is_none());
    assert_eq!(again(4, 30), Ok(()), "a number that was refused is free");
    let too_large = StatusError::TooLarge { what: Kind::Certificate, number: 1 << 32 };
    assert_eq!(again(1 << 32, 40), Err(too_large));
}

#[test]
fn a_listed_set_comes_with_all_its_members() {
    let table = table();
    let target = SetTarget::Listed { list: ListNo(7), count: 2, digest: [0; 32] };
    let change = SetChange::Revoked { reason: Reason::KeyCompromise };
    let event = SetEvent { position: Position(6), time: nation::at(0), cause: Position(6), target, change };
    let missing = StatusError::MembersMissing { position: Position(6), list: ListNo(7), count: 2 };
    assert_eq!(table.change_set(&event, Belongs::AsTargeted), Err(missing));
    let mut members = Members::default();
    members.push(CertificateNo(1)).unwrap();
    let event = SetEvent { position: Position(7), ..event };
    let missing = StatusError::MembersMissing { position: Position(7), list: ListNo(7), count: 2 };
    assert_eq!(table.change_set(&event, Belongs::Listed(members.clone().into())), Err(missing));
    let view = |no| table.at(CertificateNo(no), &mut Signature::default()).unwrap().1.standing;
    assert_eq!(view(1), Standing::Good);
    members.push(CertificateNo(3)).unwrap();
    let event = SetEvent { position: Position(8), ..event };
    table.change_set(&event, Belongs::Listed(members.into())).unwrap();
    assert!(matches!(
        (view(1), view(2), view(3)),
        (Standing::Revoked { .. }, Standing::Good, Standing::Revoked { .. })
    ));
}

#[test]
fn what_is_published_never_goes_back_and_fits() {
    let table = table();
    let publish = |epoch, position| table.publish(ReadTo { epoch: Epoch(epoch), position: Position(position) });
    assert_eq!(publish(1, 9), Ok(()));
    assert_eq!(publish(1, 8), Err(StatusError::OutOfOrder { at: Position(9), found: Position(8) }));
    assert_eq!(publish(1 << 24, 9), Err(StatusError::TooLarge { what: Kind::Epoch, number: 1 << 24 }));
    assert_eq!(publish(1, 1 << 40), Err(StatusError::TooLarge { what: Kind::Position, number: 1 << 40 }));
    assert_eq!(table.read_to(), ReadTo { epoch: Epoch(1), position: Position(9) });
}

#[test]
fn a_reply_that_can_not_be_kept_is_told_apart_from_one_that_lost() {
    let table = table();
    let noon = nation::at(0);
    let signed = SignedFor {
        reflects: Position(5),
        signer: 0,
        this_update: noon,
        produced_at: noon,
        next_update: nation::at(600),
    };
    let keep = |no, signed: &SignedFor, octets| table.keep_reply(CertificateNo(no), signed, &vec![1; octets]);
    assert_eq!(keep(9, &signed, 64), Keeping::Unknown);
    assert_eq!(keep(1 << 40, &signed, 64), Keeping::Unknown);
    assert_eq!(keep(1, &signed, 40), Keeping::Unfit);
    assert_eq!(keep(1, &SignedFor { next_update: nation::at(-1), ..signed }, 64), Keeping::Unfit);
    assert_eq!(keep(1, &SignedFor { next_update: nation::at(86_400 * 30), ..signed }, 64), Keeping::Unfit);
    assert_eq!(
        keep(1, &SignedFor { this_update: nation::at(1), produced_at: nation::at(1), ..signed }, 64),
        Keeping::Kept
    );
    assert_eq!(keep(1, &signed, 64), Keeping::Overtaken);
}
