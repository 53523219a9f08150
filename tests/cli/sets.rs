//! Sets: a chip batch, an issuer's all, a list in a file; held, released and revoked by one event.

use crate::installation::Installation;

/// Asks, and lets a second person approve.
fn by_two(house: &Installation, arguments: &[&str]) -> serde_json::Value {
    let asked = house.run(&[arguments, &["--as", "ops/suzuki", "--json"]].concat());
    assert_eq!(asked.code, 4, "{asked:?}");
    let asked: serde_json::Value = serde_json::from_str(&asked.stdout).unwrap();
    house.json(&["queue", "approve", asked["queued"].as_str().unwrap(), "--as", "ops/tanaka"])
}

#[test]
fn a_chip_batch_is_held_and_released() {
    let house = Installation::with_phones();
    by_two(&house, &["cert", "hold", "--batch", "7"]);
    assert_eq!((house.status("0A01"), house.status("0A02")), ("good".into(), "held".into()));
    let shown = house.json(&["cert", "show", "--issuer", "phone-auth", "--serial", "0A02"]);
    let hold = shown["holds"][0]["id"].as_str().unwrap();
    assert_eq!(shown["holds"][0]["kind"], "set");
    by_two(&house, &["cert", "release", "--set", hold]);
    assert_eq!(house.status("0A02"), "good");
}

#[test]
fn a_batch_that_nobody_has_is_closed_all_the_same_and_that_is_said() {
    let house = Installation::with_phones();
    let asked = house.run(&["cert", "hold", "--batch", "99", "--as", "ops/suzuki", "--json"]);
    assert!(
        asked.code == 4 && asked.stderr.starts_with("tashika: warning: no certificate of chip batch 99"),
        "{asked:?}"
    );
    assert!(house.run(&["cert", "hold", "--batch", "7", "--as", "ops/suzuki", "--dry-run"]).stderr.is_empty());
    let asked: serde_json::Value = serde_json::from_str(&asked.stdout).unwrap();
    let id = asked["queued"].as_str().unwrap();
    let shown = house.ok(&["queue", "show", id]);
    assert!(
        shown.contains("one event is recorded; no certificate of the set is registered, and none can be"),
        "{shown}"
    );
    let before = house.head().position;
    house.ok(&["queue", "approve", id, "--as", "ops/tanaka"]);
    assert_eq!(house.head().position.0, before.0 + 2, "the decision and the set event");
    let line = r#"{"serial":"0C","not_before":"2026-01-01T00:00:00Z","not_after":"2036-01-01T00:00:00Z","type":"AUTH","medium":{"kind":"CARD","id":"c"},"holder":"h","batch":99}"#;
    house.write("late.ndjson", line);
    house.refused(&["import", "certificates", "--issuer", "phone-auth", "late.ndjson"], 7, "nothing was written");
}

#[test]
fn a_list_is_one_event_and_every_bad_line_is_named() {
    let house = Installation::with_phones();
    house.write("list.txt", "# lost in transit\n0A02\n\nphone-auth/0A01\n0A02\n");
    let done = by_two(&house, &["cert", "revoke", "--issuer", "phone-auth", "--list", "list.txt"]);
    let events = done["events"].as_array().unwrap();
    assert!(events.iter().any(|event| event["what"].as_str().unwrap().starts_with("revoke 2 certificates of list")));
    assert_eq!((house.status("0A01"), house.status("0A02")), ("revoked".into(), "revoked".into()));
    let history = house.ok(&["cert", "show", "--issuer", "phone-auth", "--serial", "0A02", "--history"]);
    assert!(history.contains("revoke 2 certificates of list"), "{history}");

    house.write("bad.txt", "0A02\n-1\n0BAD\nnobody/01\n");
    let revoke = ["cert", "revoke", "--issuer", "phone-auth", "--list", "bad.txt"];
    house.refused(&revoke, 7, "3 of 4 entries can't be used: nothing was written");
    let told = house.run(&revoke).stderr;
    for line in ["bad.txt: line 2: ", "bad.txt: line 3: ", "bad.txt: line 4: "] {
        assert!(told.contains(line), "{told}");
    }
    house.write("whose.txt", "phone-auth/0A01\n0a02\n");
    let whose = house.run(&["cert", "hold", "--list", "whose.txt"]);
    assert!(
        whose.stderr.contains("whose.txt: line 2: serial 0A02 of which issuer? name it with --issuer"),
        "{whose:?}"
    );
    house.write("empty.txt", "# none\n");
    house.refused_in_one_line(&["cert", "revoke", "--list", "empty.txt"], 7, "it names no certificate");
    house.refused_in_one_line(&["cert", "revoke", "--list", "missing.txt"], 7, "missing.txt");
}

#[test]
fn a_ca_ends_all_of_its_own() {
    let house = Installation::with_phones();
    let all = ["cert", "revoke", "--issuer", "phone-auth", "--all", "--reason", "cACompromise"];
    house.ok(&[&all[..], &["--as", "ca:phone-auth/hsm-room"]].concat());
    assert_eq!((house.status("0A01"), house.status("0A02")), ("revoked".into(), "revoked".into()));
    // Nothing can be registered any more into what was ended as a whole.
    let line = r#"{"serial":"0C","not_before":"2026-01-01T00:00:00Z","not_after":"2036-01-01T00:00:00Z","type":"AUTH","medium":{"kind":"CARD","id":"c"},"holder":"h"}"#;
    house.write("late.ndjson", line);
    house.refused(&["import", "certificates", "--issuer", "phone-auth", "late.ndjson"], 7, "nothing was written");
}

#[test]
fn a_set_is_named_in_one_way_only() {
    let house = Installation::with_phones();
    for (arguments, says) in [
        (&["--issuer", "phone-auth"][..], "--serial"),
        (&["--issuer", "phone-auth", "--all", "--serial", "0A01"], "cannot be used with"),
        (&["--issuer", "phone-auth", "--batch", "7"], "cannot be used with"),
        (&["--all"], "--issuer"),
        (&["--batch", "0"], "0 is not in"),
        (&["--batch", "7", "--lost-at", "2026-11-01T00:00:00Z"], "leave out --lost-at"),
    ] {
        house.refused_in_one_line(&[&["cert", "revoke"][..], arguments].concat(), 2, says);
    }
    house.refused_in_one_line(&["cert", "release", "--set", "4"], 3, "no set event opened hold 4");
    house.refused_in_one_line(&["cert", "release", "--set", "4", "--hold", "4"], 2, "cannot be used with");
    house.refused_in_one_line(&["cert", "release", "--issuer", "phone-auth"], 2, "--serial");
}
