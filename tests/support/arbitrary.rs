//! Any value of the model, for property tests: every variant, and the borders of every number, are within reach.

use proptest::array::uniform20;
use proptest::array::uniform32;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use tashika::model::{
    Actor, AppletId, Batch, Body, Certificate, CertificateKey, CertificateNo, Change, Channel, Command, Delivery,
    Epoch, Event, Final, Hold, HoldId, HoldKind, HolderId, IdempotencyKey, Issuer, IssuerNo, KeyOrigin, LedgerId, Life,
    Links, ListNo, Medium, MediumId, MediumKind, Municipality, Operator, PersonId, Position, Proofing, Reason, Report,
    ReportKind, Request, Revocation, Role, Scope, ScopeNo, Serial, SetChange, SetTarget, Sim, SimId, Status, Subject,
    Time, UndoScope, Usage, Verdict, WhyQueued,
};

pub fn events() -> impl Strategy<Value = Event> {
    let cause = option::of(positions());
    (times(), actors(), cause, bodies()).prop_map(|(time, actor, cause, body)| Event { time, actor, cause, body })
}

pub fn certificates() -> impl Strategy<Value = Certificate> {
    let kind = prop_oneof![
        Just(MediumKind::Card),
        Just(MediumKind::EseAndroid),
        Just(MediumKind::SeApple),
        Just(MediumKind::Sim)
    ];
    let origin = prop_oneof![Just(KeyOrigin::Medium), Just(KeyOrigin::Service), Just(KeyOrigin::Unknown)];
    let proofing = prop_oneof![Just(Proofing::CardSignature), Just(Proofing::InPerson), Just(Proofing::Unknown)];
    let made = (origin, proofing, prop_oneof![Just(Delivery::Awaited), Just(Delivery::Delivered)]);
    let what = (keys(), prop_oneof![Just(Usage::Auth), Just(Usage::Sign)], kind, any::<[u8; 16]>(), any::<[u8; 16]>());
    let whence = (option::of(sims()), any::<u32>(), times(), times(), any::<u32>(), any::<u32>());
    (what, whence, made, links()).prop_map(|(what, whence, made, links)| Certificate {
        key: what.0,
        usage: what.1,
        medium: Medium { kind: what.2, id: MediumId(what.3) },
        holder: HolderId(what.4),
        sim: whence.0,
        batch: Batch(whence.1),
        not_before: whence.2,
        not_after: whence.3,
        scope: ScopeNo(whence.4),
        municipality: Municipality(whence.5),
        key_origin: made.0,
        proofing: made.1,
        delivery: made.2,
        links,
    })
}

/// Statuses as the rules allow them: holds at rising positions, none once revoked.
pub fn statuses() -> impl Strategy<Value = Status> {
    let revoked = (reasons(), times(), option::of(times()), positions())
        .prop_map(|(reason, at, lost_at, by)| Life::Revoked(Revocation { reason, at, lost_at, by }));
    let life = prop_oneof![Just(Life::Active), Just(Life::Pending), revoked];
    (life, vec(holds(), 0..5), option::of(any::<u32>()), positions()).prop_map(|(life, mut holds, to, as_of)| {
        holds.sort_by_key(|hold| hold.id);
        holds.dedup_by_key(|hold| hold.id);
        if matches!(life, Life::Revoked(_)) {
            holds.clear();
        }
        Status { life, holds, handed_to: to.map(Municipality), as_of }
    })
}

fn bodies() -> impl Strategy<Value = Body> {
    let registered = (numbers(), any::<u32>(), any::<[u8; 32]>()).prop_map(|(first, count, digest)| Body::Registered {
        first,
        count,
        digest,
    });
    let changed = (numbers(), keys(), changes()).prop_map(|(no, key, change)| Body::Changed { no, key, change });
    let queued = (requests(), whys()).prop_map(|(request, why)| Body::Queued { request: Box::new(request), why });
    prop_oneof![
        changed,
        any::<u64>().prop_map(|number| Body::CrlsNumbered { number }),
        (any::<u32>(), ".{0,20}").prop_map(|(epoch, note)| Body::EpochAdopted { epoch: Epoch(epoch), note }),
        (any::<u64>(), ".{0,20}").prop_map(|(inbox, why)| Body::InboxRefused { inbox, why }),
        issuers().prop_map(Body::IssuerAdded),
        any::<[u8; 16]>().prop_map(|id| Body::LedgerCreated { ledger: LedgerId(id) }),
        queued,
        (positions(), verdicts()).prop_map(|(queued, verdict)| Body::QueueDecided { queued, verdict }),
        registered,
        reports().prop_map(Body::Reported),
        scopes().prop_map(Body::ScopeAdded),
        (targets(), set_changes()).prop_map(|(target, change)| Body::SetChanged { target, change }),
        undos().prop_map(Body::UndoOrdered),
    ]
}

fn changes() -> impl Strategy<Value = Change> {
    let held = (hold_kinds(), option::of(times()), option::of(finals()))
        .prop_map(|(kind, lost_at, becomes)| Change::Held { kind, lost_at, becomes });
    let released = vec(positions(), 0..6).prop_map(|mut named| {
        named.sort_unstable();
        named.dedup();
        Change::Released { holds: named.into_iter().map(HoldId).collect() }
    });
    let revoked = (reasons(), times(), option::of(times())).prop_map(|(reason, at, lost_at)| Change::Revoked {
        reason,
        at,
        lost_at,
    });
    prop_oneof![
        Just(Change::Acknowledged),
        any::<u32>().prop_map(|to| Change::HandedOver { to: Municipality(to) }),
        held,
        times().prop_map(|lost_at| Change::LossDated { lost_at }),
        reasons().prop_map(|reason| Change::ReasonChanged { reason }),
        released,
        revoked,
    ]
}

fn requests() -> impl Strategy<Value = Request> {
    let idempotency = option::of(any::<[u8; 16]>().prop_map(IdempotencyKey));
    (actors(), commands(), idempotency).prop_map(|(actor, command, idempotency)| Request {
        actor,
        command,
        idempotency,
    })
}

fn commands() -> impl Strategy<Value = Command> {
    let release = (keys(), vec(positions().prop_map(HoldId), 0..6));
    prop_oneof![
        keys().prop_map(Command::Activate),
        (any::<u32>(), ".{0,20}").prop_map(|(epoch, note)| Command::AdoptEpoch { epoch: Epoch(epoch), note }),
        (positions(), verdicts()).prop_map(|(queued, verdict)| Command::DecideQueued { queued, verdict }),
        (keys(), option::of(times())).prop_map(|(key, lost_at)| Command::Hold { key, lost_at }),
        release.prop_map(|(key, holds)| Command::Release { key, holds }),
        reports().prop_map(Command::Report),
        (keys(), reasons(), option::of(times())).prop_map(|(key, reason, lost_at)| Command::Revoke {
            key,
            reason,
            lost_at
        }),
        (targets(), set_changes()).prop_map(|(target, change)| Command::Set { target, change }),
        undos().prop_map(Command::Undo),
    ]
}

fn reports() -> impl Strategy<Value = Report> {
    let sim = (any::<[u8; 16]>(), operators()).prop_map(|(sim, operator)| Subject::Sim { sim: SimId(sim), operator });
    let subject = prop_oneof![
        any::<[u8; 16]>().prop_map(|id| Subject::Holder(HolderId(id))),
        any::<[u8; 16]>().prop_map(|id| Subject::Medium(MediumId(id))),
        sim,
    ];
    let kind = prop::sample::select(ReportKind::ALL.to_vec());
    let times = (option::of(times()), times());
    (kind, subject, times, option::of(any::<u32>()), option::of(".{0,20}")).prop_map(
        |(kind, subject, (lost_at, reported_at), moved_to, evidence)| {
            let moved_to = moved_to.map(Municipality);
            Report { kind, subject, lost_at, reported_at, moved_to, evidence }
        },
    )
}

fn issuers() -> impl Strategy<Value = Issuer> {
    let hashes = (uniform20(any::<u8>()), uniform20(any::<u8>()), uniform32(any::<u8>()), uniform32(any::<u8>()));
    (any::<u16>(), ".{0,20}", vec(any::<u8>(), 0..80), hashes).prop_map(|(no, name, certificate, hashes)| Issuer {
        no: IssuerNo(no),
        name,
        certificate,
        name_sha1: hashes.0,
        key_sha1: hashes.1,
        name_sha256: hashes.2,
        key_sha256: hashes.3,
    })
}

fn scopes() -> impl Strategy<Value = Scope> {
    (any::<u32>(), any::<u16>(), vec(any::<u8>(), 0..80), ".{0,20}").prop_map(|(no, issuer, point, path)| Scope {
        no: ScopeNo(no),
        issuer: IssuerNo(issuer),
        distribution_point: point,
        path,
    })
}

fn targets() -> impl Strategy<Value = SetTarget> {
    let listed = (any::<u32>(), any::<u64>(), any::<[u8; 32]>()).prop_map(|(list, count, digest)| SetTarget::Listed {
        list: ListNo(list),
        count,
        digest,
    });
    prop_oneof![
        any::<u32>().prop_map(|batch| SetTarget::Batch(Batch(batch))),
        any::<u16>().prop_map(|issuer| SetTarget::Issuer(IssuerNo(issuer))),
        listed,
    ]
}

fn set_changes() -> impl Strategy<Value = SetChange> {
    prop_oneof![
        Just(SetChange::Held),
        positions().prop_map(|hold| SetChange::Released { hold: HoldId(hold) }),
        reasons().prop_map(|reason| SetChange::Revoked { reason }),
    ]
}

fn undos() -> impl Strategy<Value = UndoScope> {
    prop_oneof![
        (actors(), times(), times()).prop_map(|(actor, since, until)| UndoScope::ByActor { actor, since, until }),
        positions().prop_map(UndoScope::Cause),
    ]
}

fn actors() -> impl Strategy<Value = Actor> {
    let role = prop_oneof![
        Just(Role::Auditor),
        any::<u16>().prop_map(|issuer| Role::Ca(IssuerNo(issuer))),
        Just(Role::CallCentre),
        operators().prop_map(Role::Carrier),
        option::of(any::<[u8; 16]>()).prop_map(|medium| Role::Holder { presented: medium.map(MediumId) }),
        Just(Role::Ops),
        Just(Role::Registry),
        Just(Role::SpTsm),
        Just(Role::System),
        option::of(any::<u32>()).prop_map(|town| Role::Window(town.map(Municipality))),
    ];
    let channel = prop::sample::select(vec![Channel::Api, Channel::Cli, Channel::Import, Channel::Sql, Channel::Timer]);
    (role, any::<[u8; 16]>(), channel).prop_map(|(role, person, channel)| Actor {
        role,
        person: PersonId(person),
        channel,
    })
}

fn holds() -> impl Strategy<Value = Hold> {
    (positions(), hold_kinds(), times(), positions(), option::of(times()), option::of(finals())).prop_map(
        |(id, kind, since, cause, lost_at, becomes)| Hold { id: HoldId(id), kind, since, cause, lost_at, becomes },
    )
}

fn hold_kinds() -> impl Strategy<Value = HoldKind> {
    prop_oneof![
        Just(HoldKind::CallCentre),
        operators().prop_map(HoldKind::Carrier),
        Just(HoldKind::Holder),
        Just(HoldKind::Imported),
        Just(HoldKind::Registry),
        Just(HoldKind::Review),
        Just(HoldKind::RuleX),
        Just(HoldKind::Set),
        Just(HoldKind::Window),
    ]
}

fn finals() -> impl Strategy<Value = Final> {
    (times(), reasons()).prop_map(|(due, reason)| Final { due, reason })
}

fn sims() -> impl Strategy<Value = Sim> {
    (operators(), any::<[u8; 16]>(), any::<[u8; 16]>()).prop_map(|(operator, sim, applet)| Sim {
        operator,
        sim: SimId(sim),
        applet: AppletId(applet),
    })
}

fn links() -> impl Strategy<Value = Links> {
    (option::of(numbers()), option::of(numbers()), option::of(numbers()))
        .prop_map(|(issued_under, parallel_of, succeeds)| Links { issued_under, parallel_of, succeeds })
}

pub fn keys() -> impl Strategy<Value = CertificateKey> {
    let serial = vec(any::<u8>(), 1..=20).prop_filter_map("zero", |octets| Serial::from_unsigned(&octets).ok());
    (any::<u16>(), serial).prop_map(|(issuer, serial)| CertificateKey { issuer: IssuerNo(issuer), serial })
}

fn operators() -> impl Strategy<Value = Operator> {
    "[a-z0-9-]{1,16}".prop_map(|name| name.parse().expect("within its alphabet"))
}

fn reasons() -> impl Strategy<Value = Reason> {
    prop::sample::select(Reason::ALL.to_vec())
}

fn verdicts() -> impl Strategy<Value = Verdict> {
    prop_oneof![Just(Verdict::Approved), Just(Verdict::Rejected)]
}

fn whys() -> impl Strategy<Value = WhyQueued> {
    prop_oneof![Just(WhyQueued::BackdatedLoss), Just(WhyQueued::OverBudget), Just(WhyQueued::TwoPeople)]
}

fn numbers() -> impl Strategy<Value = CertificateNo> {
    (1..=u64::MAX).prop_map(CertificateNo)
}

/// From 1: an event can't be caused by what comes before the first.
fn positions() -> impl Strategy<Value = Position> {
    prop_oneof![1..1000_u64, 1..=u64::MAX].prop_map(Position)
}

/// From year 1 to the end of 9999, the ends more often than their share.
fn times() -> impl Strategy<Value = Time> {
    let (first, last) = (-62_135_596_800, 253_402_300_799);
    prop_oneof![1 => Just(first), 1 => Just(last), 8 => first..=last]
        .prop_map(|seconds| Time::from_unix(seconds).expect("within its range"))
}
