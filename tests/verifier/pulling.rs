//! Pulling: what is fetched, what is installed, what openssl finds in it, and everything that is refused.

use std::fs;
use std::path::{Path, PathBuf};

use tashika::app::pull::{Left, Pull, PullError, Pulled, Source};
use tashika::asn1::CmsError;
use tashika::http::{Fetcher, Patience};
use tashika::model::{LedgerId, Listed, Seconds, Time};
use tashika::publisher::pull::{Ages, Alarm, Backward, Form, History, Scopes, Untaken};
use tashika::publisher::verifier::ListFault;

use crate::openssl::openssl;
use crate::press::{CARDS, LOST, Made, PHONES, Press, authority, root, testdata, text};
use crate::server::Answer;

/// A verifier with a folder of its own.
pub struct Verifier {
    pub pull: Pull,
    pub dir: tempfile::TempDir,
}

impl Verifier {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let pull = Pull {
            anchors: vec![root()],
            to: dir.path().join("crls"),
            scopes: Scopes::All,
            forms: vec![Form::HashDir, Form::Pem],
            history: History::Same,
            ages: Ages { age_max: None, ends_within: None },
        };
        Self { pull, dir }
    }

    pub fn pull(&self, press: &Press) -> Pulled {
        self.pull_at(press, press.now)
    }

    fn pull_at(&self, press: &Press, now: Time) -> Pulled {
        let mut source = Source::web(&press.server.at, Fetcher::new(Patience::DEFAULT).unwrap());
        self.pull.run(&mut source, now).unwrap()
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.pull.to.join("current").join(name)
    }

    /// Every file that is installed, with its octets.
    pub fn installed(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let (mut folders, mut found) = (vec![self.pull.to.join("current")], Vec::new());
        while let Some(next) = folders.pop() {
            for entry in fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let octets = fs::read(&path).unwrap();
                    found.push((path, octets));
                }
            }
        }
        found.sort();
        found
    }
}

/// Why the one path that wasn't taken wasn't.
#[track_caller]
fn untaken(pulled: &Pulled) -> &Untaken {
    match &pulled.round.as_ref().unwrap().left[..] {
        [(_, Left::Untaken(why))] => why,
        other => panic!("{other:?}"),
    }
}

/// Both scopes, full and delta.
pub fn begin(press: &mut Press) -> (Made, Made) {
    let (phones, cards) = (press.phones(1, &[(1, LOST), (2, Listed::Held)]), press.cards(1, &[(5, LOST)]));
    press.publish(&phones);
    press.publish(&cards);
    press.publish(&phones.delta(2, &[(2, Listed::Removed), (3, Listed::Held)]));
    press.index();
    (phones, cards)
}

#[test]
fn only_what_changed_is_fetched_and_all_of_it_is_installed_at_once() {
    let (mut press, verifier) = (Press::new(), Verifier::new());
    let (phones, _) = begin(&mut press);
    let round = verifier.pull(&press).round.unwrap();
    assert_eq!(round.taken, [("card/13101".into(), 1), ("phone-auth-07".into(), 2)], "base and delta together");
    assert_eq!(fs::read(verifier.at("der/card/13101.crl")).unwrap(), press.server.octets("/crl/card/13101.crl"));
    let marks = verifier.at("marks.json");
    let before = (verifier.installed(), fs::canonicalize(&marks).unwrap());
    press.server.asked();

    // Nothing is new: the index isn't even sent, and nothing is installed anew.
    let again = verifier.pull(&press).round.unwrap();
    assert_eq!((again.taken.len(), again.received), (0, 0));
    assert_eq!((verifier.installed(), fs::canonicalize(&marks).unwrap()), before);
    assert_eq!(press.server.asked(), ["/crl/index.json"]);

    press.publish(&phones.delta(3, &[(2, Listed::Removed), (3, LOST), (4, LOST)]));
    press.index();
    let round = verifier.pull(&press).round.unwrap();
    assert_eq!(round.taken, [("phone-auth-07".into(), 3)]);
    assert_eq!(
        press.server.asked(),
        ["/crl/index.json", "/crl/index.json.p7s", "/crl/phone-auth-07.delta.crl", "/ca/phone-auth-p256.cer"]
    );
    let pem = fs::read_to_string(verifier.at("crls.pem")).unwrap();
    assert_eq!(pem.matches("BEGIN X509 CRL").count(), 2, "deltas only for those who ask for them");
}

#[test]
fn openssl_finds_and_believes_what_is_installed() {
    let (mut press, mut verifier) = (Press::new(), Verifier::new());
    let (phones, cards) = begin(&mut press);
    verifier.pull.forms = vec![Form::HashDirWithDeltas, Form::PemWithDeltas];
    verifier.pull(&press).round.unwrap();
    for folder in [PHONES, CARDS] {
        let hash = openssl(&["x509", "-noout", "-subject_hash", "-in", text(&testdata(folder).join("issuer.pem"))]);
        let file = verifier.at("hash").join(format!("{}.r0", hash.text.trim()));
        let shown = openssl(&["crl", "-noout", "-hash", "-in", text(&file)]);
        assert_eq!(shown.text, hash.text, "{}", file.display());
    }
    let known = verifier.dir.path().join("known.pem");
    let cas = [PHONES, CARDS].map(|folder| fs::read_to_string(testdata(folder).join("issuer.pem")).unwrap());
    fs::write(&known, cas.concat()).unwrap();
    let trust = testdata("root.pem");
    let verify = |leaf: &Path, more: &[&str]| {
        let mut arguments = vec!["verify", "-crl_check", "-extended_crl", "-use_deltas", "-CAfile", text(&trust)];
        arguments.extend(["-untrusted", text(&known)]);
        arguments.extend(more);
        arguments.push(text(leaf));
        openssl(&arguments)
    };
    let (pem, hash) = (verifier.at("crls.pem"), verifier.at("hash"));
    for places in [["-CRLfile", text(&pem)], ["-CApath", text(&hash)]] {
        // 2 is lifted by the delta, 3 held by it, 1 revoked by the full one.
        for (made, last, good) in [
            (&phones, 1, false),
            (&phones, 2, true),
            (&phones, 3, false),
            (&phones, 9, true),
            (&cards, 5, false),
            (&cards, 6, true),
        ] {
            let call = verify(&press.leaf(made, last, None, verifier.dir.path()), &places);
            assert_eq!(call.success, good, "{last} {places:?}: {call:?}");
            assert!(good || call.text.contains("certificate revoked"), "{call:?}");
        }
    }
}

#[test]
fn yesterdays_genuine_index_and_crl_are_refused() {
    let (mut press, verifier) = (Press::new(), Verifier::new());
    let (phones, _) = begin(&mut press);
    let old_index = press.server.octets("/crl/index.json");
    let old = press.phones(1, &[]);
    press.publish(&press.phones(5, &[(1, LOST)]));
    let newest = press.server.octets("/crl/phone-auth-07.crl");
    press.index();
    verifier.pull(&press).round.unwrap();
    let before = verifier.installed();

    press.server.put("/crl/index.json", Answer::Octets(old_index));
    assert!(matches!(verifier.pull(&press).round, Err(PullError::Backward(Backward::Older { .. }))));
    assert_eq!(verifier.installed(), before);

    // A new index with the old CRL.
    press.publish(&old);
    press.index();
    let pulled = verifier.pull(&press);
    assert!(matches!(untaken(&pulled), Untaken::Older { .. }), "{pulled:?}");
    // One of the same number that says something else.
    press.publish(&press.phones(5, &[]));
    press.index();
    assert!(matches!(untaken(&verifier.pull(&press)), Untaken::Twice(_)));
    assert_eq!(fs::read(verifier.at("der/phone-auth-07.crl")).unwrap(), newest);

    // What a delta said isn't taken back by leaving it out.
    press.publish(&press.phones(6, &[(1, LOST)]));
    press.publish(&press.phones(6, &[(1, LOST)]).delta(9, &[(2, LOST)]));
    press.index();
    assert_eq!(verifier.pull(&press).round.unwrap().taken, [("phone-auth-07".into(), 2)]);
    press.publish(&press.phones(6, &[(1, LOST)]));
    press.index();
    assert!(matches!(untaken(&verifier.pull(&press)), Untaken::Older { .. }));
    assert!(verifier.at("der/phone-auth-07.delta.crl").exists());
    assert_ne!(phones.number, 6);
}

#[test]
fn another_history_needs_a_persons_word() {
    let (mut press, mut verifier) = (Press::new(), Verifier::new());
    begin(&mut press);
    verifier.pull(&press).round.unwrap();
    let backward = |pulled: Pulled| match pulled.round {
        Err(PullError::Backward(why)) => why,
        other => panic!("{other:?}"),
    };
    let (genuine, number) = (press.previous, press.number);
    // An index that doesn't follow from the one that was seen.
    press.previous = Some([9; 32]);
    press.index();
    assert!(matches!(backward(verifier.pull(&press)), Backward::Fork(_)));
    // Two of one number.
    (press.previous, press.number) = (Some([9; 32]), number - 1);
    press.index();
    assert!(matches!(backward(verifier.pull(&press)), Backward::Twice(_)));
    // Another ledger's.
    (press.previous, press.number, press.ledger) = (genuine, number, LedgerId([8; 16]));
    press.index();
    assert!(matches!(backward(verifier.pull(&press)), Backward::Ledger { .. }));
    // Another epoch.
    (press.previous, press.number, press.ledger, press.epoch) = (genuine, number, LedgerId([7; 16]), 2);
    press.publish(&press.phones(7, &[]));
    press.index();
    assert!(matches!(backward(verifier.pull(&press)), Backward::Epoch { seen: 1, found: 2 }));
    verifier.pull.history = History::New;
    assert_eq!(verifier.pull(&press).round.unwrap().taken.len(), 1);
    // Numbers don't go back even so.
    press.publish(&press.phones(6, &[]));
    press.index();
    assert!(matches!(untaken(&verifier.pull(&press)), Untaken::Older { .. }));
    verifier.pull.history = History::Same;
    press.publish(&press.phones(8, &[]));
    press.index();
    assert_eq!(verifier.pull(&press).round.unwrap().taken.len(), 1, "and from there it goes on");
}

#[test]
fn each_crl_that_is_not_to_be_relied_on_is_left_and_the_others_are_taken() {
    let (mut press, verifier) = (Press::new(), Verifier::new());
    let (phones, cards) = begin(&mut press);
    verifier.pull(&press).round.unwrap();
    let installed = fs::read(verifier.at("der/phone-auth-07.crl")).unwrap();
    let delta = "/crl/phone-auth-07.delta.crl";
    let mut number = 10;
    let mut offer = |press: &mut Press, made: &Made| {
        number += 1;
        press.publish(&Made { number, ..made.clone() });
        press.publish(&Made { number, ..cards.clone() });
        press.index();
        let pulled = verifier.pull(press);
        assert_eq!(pulled.round.as_ref().unwrap().taken.first().map(|(path, _)| path.as_str()), Some("card/13101"));
        assert_eq!(fs::read(verifier.at("der/phone-auth-07.crl")).unwrap(), installed, "the last good one stays");
        pulled
    };
    // The cards' CA signs for the phones' path.
    let pulled = offer(&mut press, &Made { folder: CARDS, ..phones.clone() });
    assert!(matches!(untaken(&pulled), Untaken::OtherKey), "{pulled:?}");
    let expired = Made { this_update: press.now - Seconds(99), valid: Seconds(98), ..phones.clone() };
    assert!(matches!(untaken(&offer(&mut press, &expired)), Untaken::List(ListFault::Expired(_))));
    let ahead = Made { this_update: press.now + Seconds(999), ..phones.clone() };
    assert!(matches!(untaken(&offer(&mut press, &ahead)), Untaken::List(ListFault::FromTheFuture(_))));
    let unsorted = Made { entries: vec![(9, LOST), (1, LOST)], ..phones.clone() };
    assert!(matches!(untaken(&offer(&mut press, &unsorted)), Untaken::Sum(_)));
    let of_other_point = press.slots[0].distribution_point.clone();
    press.slots.iter_mut().find(|slot| slot.path == phones.path).unwrap().distribution_point = of_other_point;
    press.slots[0].distribution_point = None;
    assert!(of_point_differs(&offer_raw(&mut press, &verifier, &phones, 40)));

    // Octets that aren't those of the index, and a body that breaks off, endless or missing.
    let good = Made { number: 50, ..phones.clone() };
    press.slots.retain(|slot| slot.path != cards.path && slot.path != phones.path);
    press.publish(&good);
    press.publish(&good.delta(51, &[]));
    press.index();
    let octets = press.server.octets(delta);
    let mut flipped = octets.clone();
    flipped[40] ^= 1;
    press.server.put(delta, Answer::Octets(flipped));
    let pulled = verifier.pull(&press);
    let left = |pulled: &Pulled| {
        pulled.round.as_ref().unwrap().left.iter().map(|(path, why)| format!("{path}: {why}")).collect::<String>()
    };
    assert!(left(&pulled).contains("the hash differs"), "{pulled:?}");
    for (answer, why) in [
        (Answer::BrokenOff(octets.clone()), "broken off"),
        (Answer::Endless, "longer than"),
        (Answer::Redirect(delta.into()), "redirected too often"),
    ] {
        press.server.put(delta, answer);
        let pulled = verifier.pull(&press);
        assert!(left(&pulled).contains(why), "{why}: {pulled:?}");
    }
    press.server.remove(delta);
    assert!(left(&verifier.pull(&press)).contains("404"));
    assert_eq!(
        fs::read(verifier.at("der/phone-auth-07.crl")).unwrap(),
        installed,
        "never a full one of one round and a delta of another"
    );
    press.server.put(delta, Answer::Octets(octets));
    assert_eq!(verifier.pull(&press).round.unwrap().taken.len(), 1, "and what is whole is taken");
    assert_eq!(fs::read(verifier.at("der/phone-auth-07.crl")).unwrap(), press.server.octets("/crl/phone-auth-07.crl"));
}

/// Publishes an index as it stands, but for one CRL.
fn offer_raw(press: &mut Press, verifier: &Verifier, made: &Made, number: u64) -> Pulled {
    press.publish(&Made { number, ..made.clone() });
    press.index();
    verifier.pull(press)
}

fn of_point_differs(pulled: &Pulled) -> bool {
    let left = &pulled.round.as_ref().unwrap().left;
    left.iter().any(|(path, why)| {
        path == "phone-auth-07" && matches!(why, Left::Untaken(Untaken::Index("the distribution point")))
    })
}

#[test]
fn nobody_is_believed_whom_no_anchor_vouches_for() {
    let (mut press, mut verifier) = (Press::new(), Verifier::new());
    begin(&mut press);
    verifier.pull.anchors = vec![authority(CARDS)];
    let pulled = verifier.pull(&press);
    let round = pulled.round.unwrap();
    assert_eq!(round.taken.len(), 1, "the cards' CA is trusted itself");
    assert!(matches!(round.left[..], [(_, Left::Untaken(Untaken::Chain(_)))]), "{:?}", round.left);
    // Without the certificate of the CA nobody can tell whose signature it is.
    press.server.remove("/ca/phone-auth-p256.cer");
    verifier.pull.anchors = vec![root()];
    let round = verifier.pull(&press).round.unwrap();
    assert!(matches!(round.left[..], [(_, Left::Untaken(Untaken::List(ListFault::NoIssuer(_))))]), "{:?}", round.left);
}

#[test]
fn a_delta_that_does_not_fit_takes_the_pair_with_it() {
    let (mut press, verifier) = (Press::new(), Verifier::new());
    let (phones, _) = begin(&mut press);
    for wrong in [
        Made { base: Some(2), ..phones.delta(3, &[]) },
        Made { number: 0, ..phones.delta(3, &[]) },
        Made { point: None, ..phones.delta(3, &[]) },
    ] {
        press.publish(&wrong);
        press.index();
        let pulled = verifier.pull(&press);
        assert!(
            matches!(untaken(&pulled), Untaken::Delta(_) | Untaken::Index("the distribution point")),
            "{wrong:?}: {pulled:?}"
        );
        assert!(!verifier.at("der/phone-auth-07.crl").exists());
    }
}

#[test]
fn age_is_an_alarm_whatever_came_of_the_pull() {
    let (mut press, mut verifier) = (Press::new(), Verifier::new());
    begin(&mut press);
    assert!(verifier.pull(&press).alarms.is_empty());
    press.server.put("/crl/index.json", Answer::Endless);
    // Thirty hours from an hour ago; a tenth of them is left from 26 hours on.
    let late = verifier.pull_at(&press, press.now + Seconds::hours(28));
    assert!(late.round.is_err() && late.alarms.len() == 3, "{late:?}");
    assert!(late.alarms.iter().all(|alarm| matches!(alarm, Alarm::Ending { .. })));
    let gone = verifier.pull_at(&press, press.now + Seconds::hours(30));
    assert!(gone.alarms.len() == 3 && gone.alarms.iter().all(|alarm| matches!(alarm, Alarm::Expired { .. })));
    verifier.pull.ages = Ages { age_max: Some(Seconds(7_000)), ends_within: Some(Seconds(60)) };
    assert!(verifier.pull_at(&press, press.now + Seconds(3_000)).alarms.is_empty());
    let old = verifier.pull_at(&press, press.now + Seconds(3_500));
    assert!(matches!(old.alarms[..], [Alarm::Old { .. }, Alarm::Old { .. }]), "{old:?}");
}

#[test]
fn an_index_that_was_signed_once_must_be_signed_from_then_on() {
    let (mut press, verifier) = (Press::new(), Verifier::new());
    begin(&mut press);
    press.seal("combined");
    verifier.pull(&press).round.unwrap();
    // By somebody whom no anchor knows, over something else, not at all.
    press.index();
    press.seal("stranger");
    assert!(matches!(verifier.pull(&press).round, Err(PullError::Backward(Backward::Unsigned))));
    press.seal("combined");
    let genuine = press.server.octets("/crl/index.json.p7s");
    press.index();
    press.server.put("/crl/index.json.p7s", Answer::Octets(genuine));
    let refused = verifier.pull(&press).round;
    assert!(matches!(refused, Err(PullError::Seal(CmsError::OtherContent))), "{refused:?}");
    press.server.remove("/crl/index.json.p7s");
    assert!(matches!(verifier.pull(&press).round, Err(PullError::Backward(Backward::Unsigned))));
    press.seal("combined");
    assert_eq!(verifier.pull(&press).round.unwrap().number.to_string(), "3");
}
