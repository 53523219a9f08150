//! The planted attack: whatever an intruder does to the database, `verify` and the followers notice it.

use tashika::ledger::{
    BrokenLink, Finding, Head, Ledger, Limits, Note, Report, Sealed, VerifierKey, Witnesses, decode_event,
    encode_event, verify,
};
use tashika::model::{Body, CertificateNo, Change, Epoch, Life, ListNo, Position, Reason, Status, Time};

use crate::history::{self, CERTIFICATES, VICTIM, Version, Writer};
use crate::nation;
use crate::reader::{Frozen, Reader};
use crate::world::World;

/// A ledger with its history, the checkpoints that were signed while it grew, and a follower that read along.
struct Scene {
    notes: Vec<Note>,
    keys: Vec<VerifierKey>,
    writer: Writer,
    follower: Reader,
}

fn scene(world: &dyn World) -> Scene {
    let ledger = world.ledger();
    let writer = Writer::new(&*ledger);
    let mut follower = reader(&*ledger, &writer);
    let mut notes = Vec::new();
    history::write(&ledger, Version::True, &mut || {
        follower.follow(&*ledger).unwrap();
        notes.push(follower.cosign(&writer.checkpoint(&*ledger), nation::at(86_400)).unwrap());
        ledger.beat(nation::at(0)).unwrap();
    });
    let keys = vec![writer.key.clone(), follower.key().clone()];
    Scene { notes, keys, writer, follower }
}

fn reader(ledger: &dyn Ledger, writer: &Writer) -> Reader {
    Reader::new("tokyo-1", 5, ledger.head().unwrap().ledger, writer.key.clone())
}

impl Scene {
    fn verify(&self, world: &dyn World) -> Report {
        verify_with(world, Witnesses { notes: &self.notes, keys: &self.keys })
    }
}

fn verify_with(world: &dyn World, witnesses: Witnesses<'_>) -> Report {
    verify(&*world.ledger(), witnesses, Limits::default(), &mut |_| {}).unwrap()
}

/// The position of the first change of a certificate.
fn change_of(world: &dyn World, no: u64) -> Position {
    let events = world.ledger().events_after(Position(0), 10_000).unwrap();
    let names = |sealed: &&Sealed| matches!(decode_event(&sealed.bytes).unwrap().body, Body::Changed { no: named, .. } if named.0 == no);
    events.iter().find(names).unwrap().position
}

/// An unharmed ledger is proved, and its report says how far others vouch for it.
pub fn an_honest_ledger_is_proved(world: &dyn World) {
    let scene = scene(world);
    let report = scene.verify(world);
    assert!(report.is_sound(), "{report}");
    assert_eq!(report.head, world.ledger().head().unwrap());
    assert_eq!((report.rows, report.statuses, report.members), (CERTIFICATES, CERTIFICATES, 4));
    assert_eq!(report.vouched.agreeing, scene.notes.len() as u64);
    assert_eq!((report.vouched.last, report.unvouched()), (Some(report.head.position), 0));
    assert_eq!(report.vouched.names.len(), 2, "the writer and the follower");
    history::go_on(&world.ledger(), 190..193);
    let report = scene.verify(world);
    assert!(report.is_sound() && report.unvouched() > 0, "{report}");
}

/// Memory for a few changes only: the same proof in many passes.
pub fn little_memory_means_more_passes_not_less_proof(world: &dyn World) {
    let scene = scene(world);
    let witnesses = Witnesses { notes: &scene.notes, keys: &scene.keys };
    for changes_max in [2, 3, 7] {
        let limits = Limits { changes_max, members_max: 1 };
        let report = verify(&*world.ledger(), witnesses, limits, &mut |_| {}).unwrap();
        assert!(report.is_sound(), "{report}");
        assert_eq!(report.statuses, CERTIFICATES, "each once, in passes of {changes_max}");
    }
    let no = CertificateNo(180);
    world.set_status(no, None);
    let limits = Limits { changes_max: 2, members_max: 1 };
    let report = verify(&*world.ledger(), witnesses, limits, &mut |_| {}).unwrap();
    assert!(matches!(&report.findings[..], [Finding::StatusDiffers { no: found, .. }] if *found == no), "{report}");
}

/// Attack 1: one event is made to say something else.
pub fn an_altered_event_is_noticed(world: &dyn World) {
    let mut scene = scene(world);
    let at = change_of(world, VICTIM);
    world.alter_event(at, &mut |bytes| {
        let mut event = decode_event(bytes).unwrap();
        event.time = Time::from_unix(event.time.unix() + 1).unwrap();
        *bytes = encode_event(&event);
    });
    let report = scene.verify(world);
    assert!(report.findings.contains(&Finding::Broken(BrokenLink::Forked(at))), "{report}");
    assert!(report.findings.iter().any(|f| matches!(f, Finding::CheckpointContradicts { .. })), "{report}");
    let mut newcomer = reader(&*world.ledger(), &scene.writer);
    let forked = Frozen::Broken(BrokenLink::Forked(at));
    assert_eq!(newcomer.follow(&*world.ledger()), Err(forked.clone()));
    assert_eq!(newcomer.follow(&*world.ledger()), Err(forked.clone()), "frozen for good");
    assert_eq!(scene.follower.read_again(&*world.ledger()), Err(forked));
}

/// An event that no program can read: nobody passes it.
pub fn an_unreadable_event_is_noticed(world: &dyn World) {
    let mut scene = scene(world);
    let at = change_of(world, VICTIM);
    world.alter_event(at, &mut |bytes| bytes[2] = 0xee);
    let report = scene.verify(world);
    let unreadable =
        |f: &Finding| matches!(f, Finding::Broken(BrokenLink::Unreadable { position, .. }) if *position == at);
    assert!(report.findings.iter().any(unreadable), "{report}");
    assert!(scene.follower.read_again(&*world.ledger()).is_err());
}

/// Attack 2: one event is removed.
pub fn a_removed_event_is_noticed(world: &dyn World) {
    let mut scene = scene(world);
    let at = change_of(world, VICTIM);
    world.remove_event(at);
    let report = scene.verify(world);
    let gap = BrokenLink::Gap { after: Position(at.0 - 1), found: at.next() };
    assert!(report.findings.contains(&Finding::Broken(gap.clone())), "{report}");
    let mut newcomer = reader(&*world.ledger(), &scene.writer);
    assert_eq!(newcomer.follow(&*world.ledger()), Err(Frozen::Broken(gap.clone())));
    assert_eq!(scene.follower.read_again(&*world.ledger()), Err(Frozen::Broken(gap)));
}

/// Attack 2, at the end: the last event goes, and its consequences with it.
pub fn a_removed_end_is_noticed(world: &dyn World) {
    let mut scene = scene(world);
    let head = world.ledger().head().unwrap();
    world.remove_event(head.position);
    let report = scene.verify(world);
    let missing = Finding::EventsMissing { last: Position(head.position.0 - 1), head: head.position };
    assert!(report.findings.contains(&missing), "{report}");
    let beyond = Finding::CheckpointBeyond { position: head.position, head: Position(head.position.0 - 1) };
    assert!(report.findings.contains(&beyond), "{report}");
    assert_eq!(scene.follower.follow(&*world.ledger()), Err(Frozen::RolledBack { held: head.position }));
}

/// Attack 3: the whole history is written anew, consistent in itself: links, head row, tree, rows, statuses.
pub fn a_consistently_rewritten_history_is_noticed(world: &dyn World) {
    let mut scene = scene(world);
    let length = world.ledger().head().unwrap().position;
    let forged = world.another();
    history::write(&forged.ledger(), Version::Forged, &mut || {});
    world.restore(&*forged);
    assert_eq!(world.ledger().head().unwrap().position, length, "the forgery is as long as the truth");

    let alone = verify_with(world, Witnesses::default());
    assert!(alone.is_sound(), "by itself it can't be told from the truth: {alone}");
    assert!(alone.to_string().contains("not that nobody rewrote all"), "and the report says so: {alone}");

    let report = scene.verify(world);
    let contradicted =
        |f: &&Finding| matches!(f, Finding::CheckpointContradicts { names, .. } if names.contains("tokyo-1"));
    assert!(report.findings.iter().filter(contradicted).count() > 5, "{report}");
    let honest_up_to = report.vouched.last.unwrap();
    assert!(honest_up_to < length && report.unvouched() > 0, "{report}");

    // The follower that read the truth, whatever it is asked.
    let mut asleep = reader(&*world.ledger(), &scene.writer);
    assert_eq!(scene.follower.follow(&*world.ledger()), Err(Frozen::RolledBack { held: length }));
    let thief = scene.writer.checkpoint(&*world.ledger());
    assert!(scene.follower.cosign(&thief, nation::at(0)).is_err(), "a frozen follower signs nothing");
    // One that has never read anything can't know; but the checkpoints tell it.
    asleep.follow(&*world.ledger()).unwrap();
    let last = scene.notes.last().unwrap();
    assert_eq!(asleep.cosign(last, nation::at(0)), Err(Frozen::Contradicted(length)));
}

/// Attack 3, with the writer's key stolen: followers refuse to vouch for a second history.
pub fn a_stolen_writer_s_key_does_not_help(world: &dyn World) {
    let mut scene = scene(world);
    let forged = world.another();
    history::write(&forged.ledger(), Version::Forged, &mut || {});
    let at = forged.ledger().head().unwrap().position;
    let thief = scene.writer.checkpoint(&*forged.ledger());
    assert_eq!(scene.follower.cosign(&thief, nation::at(0)), Err(Frozen::Contradicted(at)));
    assert!(scene.follower.follow(&*world.ledger()).is_err(), "and stay frozen until a person has looked");
    // With the thief's note among the evidence, the truth and the forgery are both contradicted.
    let mut both = scene.notes.clone();
    both.push(thief);
    for victim in [world, &*forged] {
        let report = verify_with(victim, Witnesses { notes: &both, keys: &scene.keys });
        assert!(report.findings.iter().any(|f| matches!(f, Finding::CheckpointContradicts { .. })), "{report}");
    }
}

/// An old copy of everything is put back.
pub fn a_restored_backup_is_noticed(world: &dyn World) {
    let mut scene = scene(world);
    let backup = world.another();
    history::write(&backup.ledger(), Version::True, &mut || {});
    history::go_on(&world.ledger(), 190..195);
    let ledger = world.ledger();
    scene.follower.follow(&*ledger).unwrap();
    let held = scene.follower.position();
    scene.notes.push(scene.writer.checkpoint(&*ledger));
    drop(ledger);
    world.restore(&*backup);
    let report = scene.verify(world);
    let head = world.ledger().head().unwrap().position;
    assert_eq!(report.findings, [Finding::CheckpointBeyond { position: held, head }], "{report}");
    assert_eq!(scene.follower.follow(&*world.ledger()), Err(Frozen::RolledBack { held }));
}

/// A history that is cut off and then goes on with an adopted epoch is confirmed by signatures, or it is a finding.
pub fn an_adopted_epoch_needs_somebody_s_word(world: &dyn World) {
    let mut scene = scene(world);
    let backup = world.another();
    history::write(&backup.ledger(), Version::True, &mut || {});
    history::go_on(&world.ledger(), 190..195);
    scene.notes.push(scene.writer.checkpoint(&*world.ledger()));
    world.restore(&*backup);
    let ledger = world.ledger();
    let mut batch = tashika::ledger::Batch::on(ledger.head().unwrap());
    let body = Body::EpochAdopted { epoch: Epoch(1), note: "restored".into() };
    let actor = nation::actor(tashika::model::Role::Ops);
    batch.record(tashika::model::Event { time: nation::at(90_000), actor, cause: None, body });
    ledger.append(&batch).unwrap();
    let report = scene.verify(world);
    let abandoned = |f: &Finding| matches!(f, Finding::Abandoned { epoch: Epoch(0), .. });
    assert!(report.findings.len() == 1 && abandoned(&report.findings[0]), "{report}");
    scene.notes.push(scene.writer.checkpoint(&*ledger));
    let report = scene.verify(world);
    assert!(report.is_sound(), "{report}");
    assert_eq!((report.vouched.abandoned, report.unvouched()), (1, 0));
}

/// Attack 4: a certificate's row.
pub fn an_altered_row_is_noticed(world: &dyn World) {
    let scene = scene(world);
    let no = CertificateNo(120);
    // An octet of the holder's pseudonym: the row still reads well.
    world.alter_row(no, &mut |row| row[40] ^= 1);
    let report = scene.verify(world);
    let (first, last) = (CertificateNo(101), CertificateNo(150));
    let differs = |f: &Finding| matches!(f, Finding::RowsDiffer { first: a, last: b, .. } if (*a, *b) == (first, last));
    assert!(report.findings.len() == 1 && differs(&report.findings[0]), "{report}");
}

/// Attack 4: a row too few.
pub fn a_removed_row_is_noticed(world: &dyn World) {
    let scene = scene(world);
    let no = CertificateNo(120);
    world.remove_row(no);
    let report = scene.verify(world);
    assert!(report.findings.contains(&Finding::RowsMissing { first: no, last: no }), "{report}");
}

/// Attack 4: a row too many.
pub fn an_added_row_is_noticed(world: &dyn World) {
    let scene = scene(world);
    let no = CertificateNo(CERTIFICATES + 1);
    world.add_row(no, CertificateNo(1));
    let report = scene.verify(world);
    assert!(report.findings.contains(&Finding::RowExtra(no)), "{report}");
}

/// An index that hides certificates would have them answered as never issued.
pub fn a_hidden_certificate_is_noticed(world: &dyn World) {
    let scene = scene(world);
    world.hide();
    let report = scene.verify(world);
    assert!(report.findings.contains(&Finding::LookUp { no: CertificateNo(VICTIM) }), "{report}");
}

/// Attack 4: statuses, each way round.
pub fn an_altered_status_is_noticed(world: &dyn World) {
    let scene = scene(world);
    let shown = |no: u64| {
        let wanted = tashika::ledger::Wanted { numbers: vec![CertificateNo(no)], ..Default::default() };
        world.ledger().find(&wanted).unwrap().entries.remove(0).status
    };
    let good = |as_of| Status { life: Life::Active, holds: Vec::new(), handed_to: None, as_of };
    let (lost, listed, never) = (shown(15), shown(150), shown(30));
    assert!(!lost.is_good() && listed.revocation().is_some() && never.is_good());
    // A held card made good; a reason weakened; a revocation forgotten altogether; a good one held.
    world.set_status(CertificateNo(15), Some(good(lost.as_of)));
    let mut weaker = listed.clone();
    if let Life::Revoked(revocation) = &mut weaker.life {
        revocation.reason = Reason::Unspecified;
    }
    world.set_status(CertificateNo(150), Some(weaker));
    world.set_status(CertificateNo(41), None);
    world.set_status(CertificateNo(30), Some(Status { holds: lost.holds.clone(), ..good(Position(3)) }));
    let report = scene.verify(world);
    let found: Vec<u64> = report
        .findings
        .iter()
        .map(|finding| match finding {
            Finding::StatusDiffers { no, .. } => no.0,
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(found, [15, 30, 41, 150], "{report}");
}

/// Attack 4: another certificate is put on a list instead of the one that was held.
pub fn an_altered_list_is_noticed(world: &dyn World) {
    let scene = scene(world);
    world.move_list_member(ListNo(1), CertificateNo(199), CertificateNo(198));
    let report = scene.verify(world);
    assert!(report.findings.iter().any(|f| matches!(f, Finding::ListDiffers { .. })), "{report}");
}

/// What waits for a second person is made to vanish.
pub fn an_altered_queue_is_noticed(world: &dyn World) {
    let scene = scene(world);
    let waiting = world.ledger().queue().unwrap();
    world.drop_from_queue(waiting[0]);
    let report = scene.verify(world);
    assert_eq!(report.findings, [Finding::Queue(waiting[0])], "{report}");
}

/// The clock is made to forget what it was to see to: holds would never turn final.
pub fn a_hold_without_its_timer_is_noticed(world: &dyn World) {
    let scene = scene(world);
    history::died(&world.ledger(), 30);
    history::died(&world.ledger(), 31);
    let report = scene.verify(world);
    assert!(report.is_sound(), "with its timers: {report}");
    world.drop_timers();
    let report = scene.verify(world);
    let found: Vec<u64> = report
        .findings
        .iter()
        .map(|finding| match finding {
            Finding::TimerMissing { no, .. } => no.0,
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(found, [30, 31], "and no hold that stays a hold: {report}");
}

/// Heartbeats from beyond, of another history, or older than what they saw.
pub fn a_forged_heartbeat_is_noticed(world: &dyn World) {
    let scene = scene(world);
    let true_one = world.ledger().heartbeat().unwrap().unwrap();
    let beyond = tashika::ledger::Heartbeat { position: true_one.position.plus(5), ..true_one.clone() };
    let other = tashika::ledger::Heartbeat { link: [9; 32], ..true_one.clone() };
    let older = tashika::ledger::Heartbeat { time: nation::at(-1), ..true_one.clone() };
    let later = tashika::ledger::Heartbeat { time: nation::at(400 * 86_400), ..true_one.clone() };
    for forged in [beyond, other, older, later] {
        world.set_heartbeat(forged);
        let report = scene.verify(world);
        assert!(matches!(&report.findings[..], [Finding::Heartbeat(_)]), "{report}");
    }
    world.set_heartbeat(true_one);
    assert!(scene.verify(world).is_sound());
}

/// What decides beside the bytes that are hashed: columns to search by, the rules' own columns, guards and rights.
pub fn what_stands_beside_the_bytes_is_proved_too(world: &dyn World) {
    for at in 0..world.alter_beside().len() {
        let another = world.another();
        history::write(&another.ledger(), Version::True, &mut || {});
        let before = verify(&*another.ledger(), Witnesses::default(), Limits::default(), &mut |_| {}).unwrap();
        assert!(before.is_sound(), "{before}");
        let (word, alter) = another.alter_beside().swap_remove(at);
        alter();
        let report = verify(&*another.ledger(), Witnesses::default(), Limits::default(), &mut |_| {}).unwrap();
        assert!(report.findings.iter().any(|f| f.to_string().contains(word)), "{word}: {report}");
    }
}

/// The writer's sign of life moves the head's time without an event: nothing is wrong with that.
pub fn a_ledger_that_only_beats_is_proved(world: &dyn World) {
    let scene = scene(world);
    let last = world.ledger().head().unwrap().time;
    for seconds in [1, 2, 3_600] {
        let beat = world.ledger().beat(last + tashika::model::Seconds(seconds)).unwrap();
        assert_eq!(world.ledger().head().unwrap().time, beat.time);
        let report = scene.verify(world);
        assert!(report.is_sound(), "{report}");
    }
}

/// Notes that are forged, altered, or another ledger's, are evidence of nothing and are said to be.
pub fn doubtful_evidence_is_named(world: &dyn World) {
    let mut scene = scene(world);
    let thief = Writer::new(&*world.ledger());
    let mut foreign = scene.notes[0].clone();
    foreign.checkpoint.ledger = tashika::model::LedgerId([1; 16]);
    scene.notes.push(foreign);
    let mut altered = scene.notes[3].clone();
    altered.checkpoint.root = [0; 32];
    scene.notes.push(altered);
    let report = scene.verify(world);
    assert!(
        matches!(report.findings[..], [Finding::CheckpointForeign(_), Finding::CheckpointDoubtful { .. }]),
        "{report}"
    );
    // Keys come from the settings: with none, no note says anything.
    let report = verify_with(world, Witnesses { notes: &[thief.checkpoint(&*world.ledger())], keys: &[] });
    assert!(matches!(report.findings[..], [Finding::CheckpointDoubtful { .. }]), "{report}");
    assert_eq!(report.vouched.last, None);
}

/// An event that nobody at the desk could have decided, linked and signed for as it should be.
pub fn an_event_past_the_desk_is_noticed(world: &dyn World) {
    let scene = scene(world);
    let ledger = world.ledger();
    // The victim's revocation is "acknowledged" back to life, in all the tables alike.
    let mut head: Head = ledger.head().unwrap();
    let key = nation::key(1, 1000 + VICTIM);
    let body = Body::Changed { no: CertificateNo(VICTIM), key, change: Change::Acknowledged };
    let actor = nation::actor(tashika::model::Role::Ops);
    let event = tashika::model::Event { time: head.time, actor, cause: None, body };
    let sealed = head.seal(encode_event(&event), event.time);
    let at = sealed.position;
    world.push_event(sealed, head);
    let report = scene.verify(world);
    let unlawful = Finding::Unlawful { position: at, what: "acknowledged" };
    assert!(report.findings.contains(&unlawful), "{report}");
}

/// Two rounds of CRLs under one number, or the later one under the smaller: verifiers would keep the wrong one.
pub fn a_number_of_crls_that_does_not_rise_is_noticed(world: &dyn World) {
    let scene = scene(world);
    let mut head: Head = world.ledger().head().unwrap();
    let actor = nation::actor(tashika::model::Role::Ops);
    let mut wrong = Vec::new();
    for (number, rises) in [(500, true), (501, true), (501, false), (700, true), (20, false)] {
        let event = tashika::model::Event { time: head.time, actor, cause: None, body: Body::CrlsNumbered { number } };
        let sealed = head.seal(encode_event(&event), event.time);
        if !rises {
            wrong.push(Finding::Numbering { position: sealed.position, what: "a round of CRLs" });
        }
        world.push_event(sealed, head.clone());
    }
    let report = scene.verify(world);
    assert_eq!(report.findings, wrong, "{report}");
}
