//! What the command line answers when a thing is so already, waits already, or is only tried.

use crate::installation::Installation;

const LOST: [&str; 8] =
    ["report", "phone-lost", "--medium", "sim-1", "--as", "window/a", "--lost-at", "2026-01-02T00:00:00Z"];

#[test]
fn a_backdated_loss_shows_the_hold_that_opens_at_once() {
    let house = Installation::with_phones();
    let before = house.head();
    let tried = house.ok(&[&LOST[..], &["--dry-run"]].concat());
    assert!(
        tried.starts_with("would wait for a second person (the stated loss lies far back)\nwould be done at once:\n")
    );
    assert!(tried.contains("phone-auth 0A01: held by window (hold 6)"), "{tried}");
    assert_eq!(house.head(), before);
    let tried = house.json(&[&LOST[..], &["--dry-run"]].concat());
    assert_eq!((&tried["at_once"][1]["serial"], &tried["outcome"]), (&"0A01".into(), &"queued".into()));
    let done = house.run(&LOST);
    assert!(done.code == 4 && done.stdout.contains("done at once:\n"), "{done:?}");
    assert!(done.stdout.contains("phone-auth 0A01: held by window (hold 6)"), "{done:?}");
    // Said again it has its place already.
    let again = house.ok(&[&LOST[..], &["--dry-run"]].concat());
    assert!(
        again.starts_with("waits already for a second person under 7: nothing more would be recorded\n"),
        "{again}"
    );
    // A certificate by its serial, and one that is held already.
    let hold = |serial| ["cert", "hold", "--issuer", "phone-auth", "--serial", serial, "--as", "window/b"];
    let lost = ["--lost-at", "2026-01-02T00:00:00Z"];
    let done = house.run(&[&hold("0A02")[..], &lost].concat());
    assert!(done.code == 4 && done.stdout.contains("phone-auth 0A02: held by window (hold 8)"), "{done:?}");
    let done = house.run(&[&hold("0A01")[..], &lost].concat());
    assert!(done.code == 4 && !done.stdout.contains("at once"), "nothing was to be done: {done:?}");
}

#[test]
fn a_dry_run_under_a_key_that_was_used_says_what_was_done() {
    let house = Installation::with_phones();
    let report = ["report", "phone-lost", "--medium", "sim-1", "--as", "call-centre/x", "--idempotency-key", "k-1"];
    house.ok(&report);
    let tried = house.ok(&[&report[..], &["--dry-run"]].concat());
    assert!(tried.starts_with("it is so already, done under this key: events 5 to 6\n"), "{tried}");
    assert!(tried.contains("phone-auth 0A01: held") && !tried.contains("would be done"), "{tried}");
    let tried = house.json(&[&report[..], &["--dry-run"]].concat());
    assert_eq!((&tried["outcome"], &tried["first"], &tried["last"]), (&"already-so".into(), &"5".into(), &"6".into()));
}

#[test]
fn what_is_so_already_names_the_event_since_when_it_is() {
    let house = Installation::with_phones();
    let of = |verb| ["cert", verb, "--issuer", "phone-auth", "--serial", "0A01"];
    house.ok(&of("hold"));
    house.ok(&[&of("hold")[..], &["--as", "call-centre/x"]].concat());
    let again = house.json(&of("hold"));
    assert_eq!((&again["outcome"], &again["event"]), (&"already-so".into(), &"5".into()));
    house.ok(&of("revoke"));
    for verb in ["hold", "revoke"] {
        assert_eq!(house.json(&of(verb))["event"], "7");
        assert!(house.ok(&of(verb)).starts_with("it was so already, by event 7: nothing was recorded"));
    }
    let active = house.json(&["cert", "activate", "--issuer", "phone-auth", "--serial", "0A02"]);
    assert_eq!((&active["outcome"], active.get("event")), (&"already-so".into(), None), "since its registration");
}

#[test]
fn issuers_and_scopes_added_again_are_so_already() {
    let house = Installation::with_phones();
    let issuer = crate::installation::testdata("phone-auth-p256/issuer.pem");
    let before = house.head();
    let add = ["issuer", "add", "--name", "phone-auth", "--cert", &issuer];
    assert!(house.ok(&add).starts_with("it was so already"));
    assert_eq!(house.head(), before);
    let scope = ["scope", "add", "--issuer", "phone-auth", "--cdp", "http://status.example/x.crl", "--path", "x"];
    house.ok(&scope);
    assert_eq!(house.json(&scope)["outcome"], "already-so");
    house.refused_in_one_line(&[&scope[..7], &["y"]].concat(), 1, "a scope for this distribution point");
    house.refused_in_one_line(&["issuer", "add", "--name", "other", "--cert", &issuer], 1, "has the same key");
}

#[test]
fn who_asked_withdraws_and_a_decision_said_again_is_so_already() {
    let house = Installation::with_phones();
    assert_eq!(house.run(&["cert", "hold", "--batch", "7", "--as", "ops/suzuki"]).code, 4);
    let waiting = house.json(&["queue", "list"]);
    let id = waiting["waiting"][0]["id"].as_str().unwrap();
    house.refused_in_one_line(&["queue", "approve", id, "--as", "ops/suzuki"], 1, "can't be the second person");
    let reject = ["queue", "reject", id, "--as", "ops/suzuki"];
    house.ok(&reject);
    assert!(house.ok(&reject).starts_with("it was so already"));
    house.refused_in_one_line(&["queue", "approve", id, "--as", "ops/tanaka"], 1, "was rejected already");
    assert_eq!(house.status("0A02"), "good");
}

#[test]
fn an_import_that_finds_everything_done_says_so_in_both_counts() {
    let house = Installation::with_phones();
    let import = ["import", "certificates", "--issuer", "phone-auth", "phones.ndjson"];
    let again = house.json(&import);
    assert_eq!((&again["planned"]["unchanged"], &again["done"]["unchanged"]), (&2.into(), &2.into()));
    let tried = house.json(&[&import[..], &["--dry-run"]].concat());
    assert_eq!((&tried["planned"]["unchanged"], &tried["done"]["unchanged"]), (&2.into(), &0.into()));
}
