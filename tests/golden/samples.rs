//! The values behind the golden files: one for each kind, and for each variant inside it that has bytes of its own.

use tashika::model::{
    Actor, AppletId, Batch, Body, Certificate, CertificateKey, CertificateNo, Change, Channel, Command, Delivery,
    Epoch, Event, Final, Hold, HoldId, HoldKind, HolderId, IdempotencyKey, Issuer, IssuerNo, KeyOrigin, LedgerId, Life,
    Links, ListNo, Medium, MediumId, MediumKind, Municipality, PersonId, Position, Proofing, Reason, Report,
    ReportKind, Request, Revocation, Role, Scope, ScopeNo, SetChange, SetTarget, Sim, SimId, Status, Subject, Time,
    UndoScope, Usage, Verdict, WhyQueued,
};

type Named<T> = Vec<(String, T)>;

/// Events by the name of their file.
pub fn events() -> Named<Event> {
    let mut events = plain();
    events.extend(roles());
    events.extend(changes());
    events.extend(sets());
    events.extend(reports());
    events.extend(queued());
    events
}

fn plain() -> Named<Event> {
    let issuer = Issuer {
        no: IssuerNo(1),
        name: "card-sign".into(),
        certificate: (0..=255).collect(),
        name_sha1: [0x11; 20],
        key_sha1: [0x22; 20],
        name_sha256: [0x33; 32],
        key_sha256: [0x44; 32],
    };
    let scope = |no, distribution_point: &[u8], path: &str| {
        Body::ScopeAdded(Scope {
            no: ScopeNo(no),
            issuer: IssuerNo(1),
            distribution_point: distribution_point.to_vec(),
            path: path.into(),
        })
    };
    let digest = std::array::from_fn(|i| i as u8);
    let by_actor = UndoScope::ByActor { actor: actor(Role::CallCentre), since: time(100), until: time(3700) };
    [
        ("01-ledger-created", Body::LedgerCreated { ledger: LedgerId(id(0xa0)) }),
        ("02-issuer-added", Body::IssuerAdded(issuer)),
        (
            "03-scope-added",
            scope(2, b"\xa4\x0d\x30\x0b\x31\x09\x30\x07\x06\x03\x55\x04\x07\x0c\x00", "card-sign.13101"),
        ),
        ("03-scope-added-whole-issuer", scope(1, b"", "card-sign")),
        ("04-registered", Body::Registered { first: CertificateNo(1001), count: 500, digest }),
        ("09-queue-decided-approved", Body::QueueDecided { queued: Position(77), verdict: Verdict::Approved }),
        ("09-queue-decided-rejected", Body::QueueDecided { queued: Position(77), verdict: Verdict::Rejected }),
        ("10-undo-ordered-cause", Body::UndoOrdered(UndoScope::Cause(Position(77)))),
        ("10-undo-ordered-by-actor", Body::UndoOrdered(by_actor)),
        ("11-inbox-refused", Body::InboxRefused { inbox: 42, why: "失効済み: already revoked".into() }),
        ("13-crls-numbered", Body::CrlsNumbered { number: 1 << 40 | 77 }),
        ("12-epoch-adopted", Body::EpochAdopted { epoch: Epoch(2), note: "restored from the backup of Monday".into() }),
    ]
    .map(|(name, body)| (name.to_owned(), event(body)))
    .into()
}

/// One small body under every role and channel, with and without a cause.
fn roles() -> Named<Event> {
    let medium = MediumId(id(0x50));
    let roles = [
        ("auditor", Role::Auditor, Channel::Api),
        ("ca", Role::Ca(IssuerNo(3)), Channel::Sql),
        ("call-centre", Role::CallCentre, Channel::Api),
        ("carrier", Role::Carrier("mno-1".parse().unwrap()), Channel::Api),
        ("holder", Role::Holder { presented: Some(medium) }, Channel::Api),
        ("holder-unproven", Role::Holder { presented: None }, Channel::Api),
        ("ops", Role::Ops, Channel::Import),
        ("registry", Role::Registry, Channel::Api),
        ("sp-tsm", Role::SpTsm, Channel::Api),
        ("system", Role::System, Channel::Timer),
        ("window", Role::Window(Some(Municipality(13101))), Channel::Api),
        ("window-any", Role::Window(None), Channel::Cli),
    ];
    let body = Body::Changed { no: CertificateNo(1), key: key(), change: Change::Acknowledged };
    roles
        .into_iter()
        .map(|(name, role, channel)| {
            let actor = Actor { channel, ..actor(role) };
            (format!("05-changed-by-{name}"), Event { actor, cause: Some(Position(9)), ..event(body.clone()) })
        })
        .collect()
}

fn changes() -> Named<Event> {
    let lost_at = Some(time(-86_400));
    let held = |kind, lost_at, becomes| Change::Held { kind, lost_at, becomes };
    let becomes = Some(Final { due: time(30 * 86_400), reason: Reason::CessationOfOperation });
    let mut changes = vec![
        ("acknowledged".to_owned(), Change::Acknowledged),
        ("handed-over".to_owned(), Change::HandedOver { to: Municipality(27100) }),
        ("held-call-centre".to_owned(), held(HoldKind::CallCentre, lost_at, None)),
        ("held-carrier".to_owned(), held(HoldKind::Carrier("mvno-22".parse().unwrap()), None, becomes)),
        ("held-holder".to_owned(), held(HoldKind::Holder, None, None)),
        ("held-imported".to_owned(), held(HoldKind::Imported, None, None)),
        ("held-registry".to_owned(), held(HoldKind::Registry, None, becomes)),
        ("held-review".to_owned(), held(HoldKind::Review, None, None)),
        ("held-rule-x".to_owned(), held(HoldKind::RuleX, lost_at, None)),
        ("held-set".to_owned(), held(HoldKind::Set, None, None)),
        ("held-window".to_owned(), held(HoldKind::Window, lost_at, becomes)),
        ("loss-dated".to_owned(), Change::LossDated { lost_at: time(-7 * 86_400) }),
        ("reason-changed".to_owned(), Change::ReasonChanged { reason: Reason::CaCompromise }),
        ("released".to_owned(), Change::Released { holds: vec![HoldId(Position(5)), HoldId(Position(9))] }),
        ("revoked-lost".to_owned(), Change::Revoked { reason: Reason::KeyCompromise, at: time(-3600), lost_at }),
    ];
    changes.extend(Reason::ALL.map(|reason| {
        let name = format!("revoked{}", kebab(&format!("{reason:?}")));
        (name, Change::Revoked { reason, at: time(0), lost_at: None })
    }));
    changes
        .into_iter()
        .map(|(name, change)| {
            (format!("05-changed-{name}"), Body::Changed { no: CertificateNo(70_000), key: key(), change })
        })
        .map(|(name, body)| (name, event(body)))
        .collect()
}

fn sets() -> Named<Event> {
    let listed = SetTarget::Listed { list: ListNo(4), count: 10_000_000, digest: [0x5c; 32] };
    [
        ("issuer-held", SetTarget::Issuer(IssuerNo(2)), SetChange::Held),
        ("batch-released", SetTarget::Batch(Batch(20_261)), SetChange::Released { hold: HoldId(Position(8)) }),
        ("listed-revoked", listed, SetChange::Revoked { reason: Reason::KeyCompromise }),
    ]
    .map(|(name, target, change)| (format!("06-set-changed-{name}"), event(Body::SetChanged { target, change })))
    .into()
}

fn reports() -> Named<Event> {
    let mut reports: Named<Event> = ReportKind::ALL
        .map(|kind| {
            (format!("07-reported-{kind}"), event(Body::Reported(report(kind, Subject::Holder(HolderId(id(0x10)))))))
        })
        .into();
    let full = Report {
        lost_at: Some(time(-7200)),
        moved_to: Some(Municipality(1100)),
        evidence: Some("窓口 2026-00123".into()),
        ..report(ReportKind::PhoneLost, Subject::Sim { sim: SimId(id(0x60)), operator: "mno-1".parse().unwrap() })
    };
    reports.push(("07-reported-with-everything".into(), event(Body::Reported(full))));
    let medium = report(ReportKind::CardLost, Subject::Medium(MediumId(id(0x50))));
    reports.push(("07-reported-medium".into(), event(Body::Reported(medium))));
    reports
}

fn queued() -> Named<Event> {
    let set = (SetTarget::Batch(Batch(20_261)), SetChange::Revoked { reason: Reason::Superseded });
    let commands = [
        ("activate", Command::Activate(key())),
        ("adopt-epoch", Command::AdoptEpoch { epoch: Epoch(3), note: "why".into() }),
        ("decide-queued", Command::DecideQueued { queued: Position(12), verdict: Verdict::Approved }),
        ("hold", Command::Hold { key: key(), lost_at: Some(time(-60)) }),
        ("release", Command::Release { key: key(), holds: vec![HoldId(Position(9)), HoldId(Position(5))] }),
        ("report", Command::Report(report(ReportKind::CardLost, Subject::Holder(HolderId(id(0x10)))))),
        ("revoke", Command::Revoke { key: key(), reason: Reason::Superseded, lost_at: None }),
        ("set", Command::Set { target: set.0, change: set.1 }),
        ("undo", Command::Undo(UndoScope::Cause(Position(77)))),
    ];
    let whys = [WhyQueued::TwoPeople, WhyQueued::OverBudget, WhyQueued::BackdatedLoss];
    commands
        .into_iter()
        .zip(whys.into_iter().cycle())
        .map(|((name, command), why)| {
            let idempotency = (why == WhyQueued::OverBudget).then_some(IdempotencyKey(id(0x90)));
            let request = Box::new(Request { actor: actor(Role::Ops), command, idempotency });
            (format!("08-queued-{name}"), event(Body::Queued { request, why }))
        })
        .collect()
}

/// Rows by the name of their file.
pub fn rows() -> Named<Certificate> {
    let card = Certificate {
        key: key(),
        usage: Usage::Sign,
        medium: Medium { kind: MediumKind::Card, id: MediumId(id(0x50)) },
        holder: HolderId(id(0x10)),
        sim: None,
        batch: Batch(20_261),
        not_before: time(0),
        not_after: "2036-11-20T14:59:59Z".parse().unwrap(),
        scope: ScopeNo(2),
        municipality: Municipality(13101),
        key_origin: KeyOrigin::Medium,
        proofing: Proofing::InPerson,
        delivery: Delivery::Delivered,
        links: Links::default(),
    };
    let sim = Sim { operator: "mno-1".parse().unwrap(), sim: SimId(id(0x60)), applet: AppletId(id(0x70)) };
    let links = Links {
        issued_under: Some(CertificateNo(1)),
        parallel_of: Some(CertificateNo(2)),
        succeeds: Some(CertificateNo(70_000)),
    };
    let phone = |kind| Certificate {
        usage: Usage::Auth,
        medium: Medium { kind, id: MediumId(id(0x51)) },
        key_origin: KeyOrigin::Service,
        proofing: Proofing::CardSignature,
        delivery: Delivery::Awaited,
        links,
        ..card.clone()
    };
    let bare = Certificate {
        key: CertificateKey { issuer: IssuerNo(u16::MAX), serial: "01".parse().unwrap() },
        batch: Batch(0),
        municipality: Municipality(0),
        key_origin: KeyOrigin::Unknown,
        proofing: Proofing::Unknown,
        ..card.clone()
    };
    let rows = [
        ("card", card.clone()),
        ("phone-sim", Certificate { sim: Some(sim), ..phone(MediumKind::Sim) }),
        ("phone-ese-android", phone(MediumKind::EseAndroid)),
        ("phone-se-apple", phone(MediumKind::SeApple)),
        ("bare", bare),
    ];
    rows.map(|(name, row)| (name.to_owned(), row)).into()
}

/// Statuses by the name of their file.
pub fn statuses() -> Named<Status> {
    let plain = |life| Status { life, holds: Vec::new(), handed_to: None, as_of: Position(70) };
    let hold = |at, kind, lost_at, becomes| Hold {
        id: HoldId(Position(at)),
        kind,
        since: time(at as i64),
        cause: Position(at - 1),
        lost_at,
        becomes,
    };
    let becomes = Some(Final { due: time(30 * 86_400), reason: Reason::CessationOfOperation });
    let holds = vec![
        hold(10, HoldKind::CallCentre, Some(time(-60)), None),
        hold(20, HoldKind::Carrier("mno-1".parse().unwrap()), None, becomes),
        hold(30, HoldKind::Set, None, None),
    ];
    let revoked = |lost_at| {
        let reason = Reason::KeyCompromise;
        Life::Revoked(Revocation { reason, at: time(-3600), lost_at, by: Position(70) })
    };
    let statuses = [
        ("active", plain(Life::Active)),
        ("handed-over", Status { handed_to: Some(Municipality(27100)), ..plain(Life::Active) }),
        ("held", Status { holds, ..plain(Life::Active) }),
        ("pending", plain(Life::Pending)),
        ("revoked", plain(revoked(None))),
        ("revoked-lost", plain(revoked(Some(time(-7200))))),
    ];
    statuses.map(|(name, status)| (name.to_owned(), status)).into()
}

fn event(body: Body) -> Event {
    Event { time: time(0), actor: actor(Role::Window(Some(Municipality(13101)))), cause: None, body }
}

fn report(kind: ReportKind, subject: Subject) -> Report {
    Report { kind, subject, lost_at: None, reported_at: time(-60), moved_to: None, evidence: None }
}

fn actor(role: Role) -> Actor {
    Actor { role, person: PersonId(id(0xe0)), channel: Channel::Api }
}

fn key() -> CertificateKey {
    CertificateKey { issuer: IssuerNo(1), serial: "0A1B2C3D".parse().unwrap() }
}

/// Seconds from 2026-11-20T09:00:00+09:00.
fn time(seconds: i64) -> Time {
    Time::from_unix(1_795_132_800 + seconds).unwrap()
}

/// Sixteen octets, counted up from `first`.
fn id(first: u8) -> [u8; 16] {
    std::array::from_fn(|i| first + i as u8)
}

fn kebab(camel: &str) -> String {
    camel.chars().flat_map(|c| if c.is_uppercase() { vec!['-', c.to_ascii_lowercase()] } else { vec![c] }).collect()
}
