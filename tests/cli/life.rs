//! Reports, holds, releases, the second person and undo, as they are typed.

use crate::installation::{Installation, steady, testdata};

#[test]
fn an_installation_from_nothing_to_its_first_revocation() {
    let house = Installation::new();
    let issuer = testdata("phone-auth-p256/issuer.pem");
    let leaf = testdata("phone-auth-p256/leaf-good.pem");
    let point = "http://crl.example.jp/crl/phone-auth-07.crl";
    let mut told = String::new();
    for arguments in [
        &["issuer", "list"][..],
        &["issuer", "add", "--name", "phone-auth", "--cert", &issuer],
        &["issuer", "list"],
        &["scope", "add", "--issuer", "phone-auth", "--cdp", point, "--path", "phone-auth-07"],
        &["scope", "list"],
        &["import", "certificates", "--issuer", "phone-auth", &leaf],
        &["cert", "show", "--issuer", "phone-auth", "--serial", "6EC4323D3F32FE7D"],
        &["cert", "revoke", "--issuer", "phone-auth", "--serial", "6ec4323d3f32fe7d", "--reason", "keyCompromise"],
        &["cert", "revoke", "--issuer", "phone-auth", "--serial", "6ec4323d3f32fe7d", "--reason", "superseded"],
        &["cert", "show", "--issuer", "phone-auth", "--serial", "0x6e:c4:32:3d:3f:32:fe:7d", "--history"],
        &["queue", "list"],
    ] {
        let arguments_told = arguments.join(" ").replace(env!("CARGO_MANIFEST_DIR"), "");
        told.push_str(&format!("$ tashika {arguments_told}\n{}\n", house.ok(arguments)));
    }
    insta::assert_snapshot!(steady(&told));
}

#[test]
fn a_phone_is_lost_and_found() {
    let house = Installation::with_phones();
    let mut told = String::new();
    for (code, arguments) in [
        (0, &["report", "phone-lost", "--sim", "8981", "--operator", "mno-1", "--as", "carrier:mno-1/shop-1"][..]),
        (0, &["report", "phone-lost", "--sim", "8981", "--operator", "mno-1", "--as", "carrier:mno-1/shop-2"]),
        (0, &["report", "phone-lost", "--holder", "h-1", "--as", "call-centre/desk-7"]),
        (0, &["cert", "show", "--issuer", "phone-auth", "--serial", "0A01"]),
        (1, &["cert", "release", "--issuer", "phone-auth", "--serial", "0A01"]),
        (1, &["cert", "release", "--issuer", "phone-auth", "--serial", "0A01", "--hold", "6"]),
        (0, &["cert", "release", "--issuer", "phone-auth", "--serial", "0A01", "--hold", "8"]),
        (
            0,
            &[
                "cert",
                "release",
                "--issuer",
                "phone-auth",
                "--serial",
                "0A01",
                "--hold",
                "6",
                "--as",
                "carrier:mno-1/x",
            ],
        ),
        (0, &["cert", "show", "--issuer", "phone-auth", "--serial", "0A01", "--history"]),
    ] {
        let ran = house.run(arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {ran:?}");
        told.push_str(&format!("$ tashika {}\n{}{}\n", arguments.join(" "), ran.stdout, ran.stderr));
    }
    insta::assert_snapshot!(steady(&told));
}

#[test]
fn json_says_the_same_to_machines() {
    let house = Installation::with_phones();
    let report =
        ["report", "phone-lost", "--medium", "sim-2", "--as", "call-centre/x", "--evidence", "ticket 7", "--json"];
    let reported = house.ok(&report);
    let shown = house.ok(&["cert", "show", "--issuer", "phone-auth", "--serial", "0A02", "--history", "--json"]);
    insta::assert_snapshot!(steady(&format!("{reported}{shown}")));
}

#[test]
fn nothing_that_is_shown_leads_to_a_holder() {
    let house = Installation::with_phones();
    let key = std::fs::read_to_string(house.path().join("pseudonym.key")).unwrap();
    assert_eq!(key.trim().len(), 64);
    let names = tashika::app::pseudonym::Pseudonyms::open(&house.path().join("pseudonym.key")).unwrap();
    use tashika::app::pseudonym::Named;
    house.ok(&["report", "phone-lost", "--holder", "h-1", "--as", "window/x"]);
    let ran = house.run(&[
        "report",
        "phone-lost",
        "--sim",
        "8982",
        "--operator",
        "mno-2",
        "--lost-at",
        "2026-01-02T00:00:00Z",
    ]);
    assert_eq!(ran.code, 4, "{ran:?}");
    let mut all = String::new();
    for json in [&[][..], &["--json"]] {
        for verb in [
            &["cert", "show", "--issuer", "phone-auth", "--serial", "0A01", "--history"][..],
            &["cert", "show", "--issuer", "phone-auth", "--serial", "0A02", "--history"],
            &["queue", "list"],
        ] {
            all.push_str(&house.ok(&[verb, json].concat()));
        }
    }
    for (kind, identifier) in
        [(Named::Holder, "h-1"), (Named::Holder, "h-2"), (Named::Medium, "sim-1"), (Named::Sim, "8982")]
    {
        let pseudonym: String = names.of(kind, identifier).iter().map(|octet| format!("{octet:02x}")).collect();
        // Four digits may well occur within the pseudonym of whoever reported.
        assert!(!all.contains(&pseudonym) && !steady(&all).contains(identifier), "{identifier} in {all}");
    }
}

#[test]
fn the_same_key_is_the_same_report() {
    let house = Installation::with_phones();
    let report = |key| ["report", "phone-lost", "--medium", "sim-1", "--as", "window/x", "--idempotency-key", key];
    let first = house.json(&report("k-1"));
    assert_eq!(house.json(&report("k-1")), first, "answered with the first result");
    assert_eq!(house.json(&report("k-2"))["outcome"], "already-so");
    let other = ["report", "phone-lost", "--medium", "sim-2", "--as", "window/x", "--idempotency-key", "k-1"];
    house.refused_in_one_line(&other, 1, "use a new key");
}

#[test]
fn operations_report_nothing_and_others_what_is_theirs() {
    let house = Installation::with_phones();
    house.refused_in_one_line(&["report", "phone-lost", "--medium", "sim-1", "--as", "ops/x"], 1, "ops may not report");
    house.refused_in_one_line(
        &["report", "phone-not-found", "--medium", "sim-1", "--as", "call-centre/x"],
        1,
        "call-centre may not report phone-not-found",
    );
    let own = ["cert", "revoke", "--issuer", "phone-auth", "--serial", "0A01", "--as", "holder/h-1"];
    house.refused_in_one_line(&own, 1, "must show one of their media");
    house.refused_in_one_line(&[&own[..], &["--presenting", "sim-2"]].concat(), 1, "belongs to somebody else");
    // Somebody else's, even with the medium that belongs to it.
    let stolen = ["report", "phone-lost", "--holder", "h-1", "--as", "holder/h-2", "--presenting", "sim-1"];
    house.refused_in_one_line(&stolen, 1, "the medium that was shown belongs to somebody else");
    let stolen = own.map(|word| if word == "holder/h-1" { "holder/h-2" } else { word });
    house.refused_in_one_line(&[&stolen[..], &["--presenting", "sim-1"]].concat(), 1, "belongs to somebody else");
    house.refused_in_one_line(&[&own[..], &["--presenting", "no-medium"]].concat(), 1, "belongs to somebody else");
    let nobody = own.map(|word| if word == "holder/h-1" { "holder" } else { word });
    house.refused_in_one_line(&[&nobody[..], &["--presenting", "sim-1"]].concat(), 2, "--as holder/ID");
    house.ok(&[&own[..], &["--presenting", "sim-1"]].concat());
    assert_eq!(house.status("0A01"), "revoked");
    house.refused_in_one_line(&["report", "moved", "--holder", "h-1"], 2, "'moved' needs --to");
    house.refused_in_one_line(&["report", "died", "--holder", "h-1", "--to", "13101"], 2, "--to says where");
    house.refused_in_one_line(&["report", "phone-lost", "--sim", "8981"], 2, "--operator");
}

#[test]
fn a_dry_run_says_what_would_come_of_it_and_writes_nothing() {
    let house = Installation::with_phones();
    house.write("list.txt", "0A01\n0a02\n");
    let before = house.head();
    let serial = ["--issuer", "phone-auth", "--serial", "0A01"];
    let report = ["report", "phone-lost", "--medium", "sim-1", "--as", "call-centre/x"];
    let revoke = [&["cert", "revoke"][..], &serial].concat();
    let list = ["cert", "hold", "--issuer", "phone-auth", "--list", "list.txt", "--as", "ca:phone-auth/x"];
    for (arguments, says) in [
        (&report[..], "would be done: events 5 to 6\n"),
        (&revoke, "would be done: event 5\n"),
        (&list, "hold 2 certificates of list"),
        (&["cert", "hold", "--batch", "7"], "would wait for a second person (always takes two people)\n"),
    ] {
        let ran = house.run(&[arguments, &["--dry-run"]].concat());
        assert!(ran.stdout.contains(says), "{arguments:?}: {ran:?}");
        assert_eq!(house.head(), before, "{arguments:?}");
        assert_eq!(ran.code, 0);
        assert_eq!(house.json(&[arguments, &["--dry-run"]].concat())["dry_run"], true);
    }
    // What is refused is refused, and what was tried can be done in earnest.
    let report_by_ops = report.map(|word| if word == "call-centre/x" { "ops/x" } else { word });
    house.refused_in_one_line(&[&report_by_ops[..], &["--dry-run"]].concat(), 1, "ops may not report");
    house.ok(&report);
    let again = house.ok(&[&report[..], &["--dry-run"]].concat());
    assert_eq!(again, "it is so already: nothing would be recorded\nnothing was written (--dry-run)\n");
    let undo = house.run(&["undo", "--cause", "5", "--by", "ops/x", "--dry-run"]);
    assert!(undo.code == 0 && undo.stdout.starts_with("an undo would lift 1 hold(s)"), "{undo:?}");
    assert_eq!(house.json(&["queue", "list"])["waiting"], serde_json::json!([]));
    // Where nothing may be changed from here, it may still be tried.
    house.configure("desk.direct_changes = 'refuse'");
    house.ok(&[&revoke[..], &["--dry-run"]].concat());
}

#[test]
fn a_campaign_is_undone_by_two_people() {
    let house = Installation::with_phones();
    for medium in ["sim-1", "sim-2"] {
        house.ok(&["report", "phone-lost", "--medium", medium, "--as", "call-centre/stolen"]);
    }
    let since = ["--since", "2026-01-01T00:00:00Z"];
    let ask = [&["undo", "--as", "call-centre/stolen", "--by", "ops/suzuki"][..], &since].concat();
    let lifts = serde_json::json!({ "certificates": 2, "holds": 2, "revoked": 0, "sets": 0, "waiting": 0 });
    let tried = house.json(&[&ask[..], &["--dry-run"]].concat());
    assert_eq!((&tried["holds"], &tried["dry_run"]), (&lifts["holds"], &true.into()));
    let asked = house.run(&ask);
    assert_eq!(asked.code, 4, "{asked:?}");
    let waiting = house.json(&["queue", "list"]);
    assert_eq!(waiting["waiting"].as_array().unwrap().len(), 1, "a dry run asks for nothing");
    let id = waiting["waiting"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(house.json(&["queue", "show", &id])["lifts"], lifts);
    assert!(house.ok(&["queue", "show", &id]).contains("it would lift 2 hold(s) from 2 certificate(s)"));
    assert!(asked.stdout.contains(&format!("under {id} ")), "{asked:?}");
    let approve = |who| ["queue", "approve", &id, "--as", who];
    house.refused_in_one_line(&approve("ops/suzuki"), 1, "can't be the second person");
    house.refused_in_one_line(&approve("call-centre/other"), 1, "may not be the second person for ops");
    let done = house.json(&approve("ops/tanaka"));
    assert_eq!((&done["undone"]["certificates"], &done["undone"]["holds"]), (&2.into(), &2.into()));
    assert_eq!((house.status("0A01"), house.status("0A02")), ("good".into(), "good".into()));
    assert!(house.ok(&approve("ops/tanaka")).starts_with("it was so already"));
    let reject = ["queue", "reject", &id, "--as", "ops/tanaka"];
    house.refused_in_one_line(&reject, 1, "was approved already");
    house.refused_in_one_line(&["undo", "--cause", "4711"], 3, "there is no event 4711");
    house.refused_in_one_line(&ask, 1, "nothing to undo");
    house.refused_in_one_line(&[&ask[..], &["--dry-run"]].concat(), 1, "nothing to undo");
    house.refused_in_one_line(&["undo"], 2, "say what to undo: --cause ID, or --as ORG/PERSON --since TIME");
    house.refused_in_one_line(&["undo", "--as", "ops", "--since", "2026-01-01T00:00:00Z"], 2, "with the person");
}

#[test]
fn what_is_rejected_never_happens() {
    let house = Installation::with_phones();
    let revoke = ["cert", "revoke", "--batch", "7", "--reason", "keyCompromise", "--as", "ops/suzuki"];
    assert_eq!(house.run(&revoke).code, 4);
    let waiting = house.json(&["queue", "list"]);
    assert_eq!(waiting["waiting"][0]["what"], "revoke chip batch 7 (keyCompromise)");
    house.ok(&["queue", "reject", waiting["waiting"][0]["id"].as_str().unwrap(), "--as", "ops/tanaka"]);
    assert_eq!(house.status("0A02"), "good");
    assert_eq!(house.ok(&["queue", "list"]), "nothing waits for a second person\n");
}

#[test]
fn a_cause_is_undone_on_one_way_certificates_too() {
    let house = Installation::with_phones();
    house.configure("desk.releasable = []");
    let report = house.json(&["report", "phone-lost", "--medium", "sim-1", "--as", "call-centre/stolen"]);
    let cause = report["first"].as_str().unwrap();
    let hold = report["last"].as_str().unwrap();
    let release = ["cert", "release", "--issuer", "phone-auth", "--serial", "0A01", "--hold", hold];
    house.refused_in_one_line(&release, 1, "revoke it and issue a new one");
    assert_eq!(house.run(&["undo", "--cause", cause, "--by", "ops/suzuki"]).code, 4);
    let waiting = house.json(&["queue", "list"]);
    let done = house.ok(&["queue", "approve", waiting["waiting"][0]["id"].as_str().unwrap(), "--as", "ops/tanaka"]);
    assert!(done.contains("undone: 1 hold lifted from 1 certificate and 0 sets"), "{done}");
    assert_eq!(house.status("0A01"), "good");
}

#[test]
fn what_exceeds_a_budget_is_kept_for_a_second_person() {
    let house = Installation::with_phones();
    house.configure("desk.budget_floor = 1");
    let report = |medium| ["report", "phone-lost", "--medium", medium, "--as", "call-centre/stolen"];
    house.ok(&report("sim-1"));
    let ran = house.run(&report("sim-2"));
    assert!(ran.code == 4 && ran.stdout.contains("over the sender's budget"), "{ran:?}");
    assert_eq!(house.status("0A02"), "good");
    let waiting = house.json(&["queue", "list"]);
    house.ok(&["queue", "approve", waiting["waiting"][0]["id"].as_str().unwrap(), "--as", "call-centre/chief"]);
    assert_eq!(house.status("0A02"), "held");
}

#[test]
fn the_second_person_sees_what_a_waiting_command_would_do() {
    let house = Installation::with_phones();
    let lost = ["--lost-at", "2026-01-02T00:00:00Z"];
    for (medium, who) in [("sim-1", "window/a"), ("sim-2", "window/b")] {
        let ran = house.run(&[&["report", "phone-lost", "--medium", medium, "--as", who][..], &lost].concat());
        assert_eq!(ran.code, 4, "{ran:?}");
    }
    let waiting = house.json(&["queue", "list"]);
    let list = house.ok(&["queue", "list"]);
    let mut people = std::collections::BTreeSet::new();
    for (item, serial) in waiting["waiting"].as_array().unwrap().iter().zip(["0A01", "0A02"]) {
        let person = item["person"].as_str().unwrap();
        assert!(list.contains(&format!("window/{} ", &person[..8])), "{list}");
        people.insert(person.to_owned());
        assert_eq!(item["certificates"], 1);
        assert!(item["waiting_seconds"].is_u64());
        let id = item["id"].as_str().unwrap();
        let shown = house.json(&["queue", "show", id]);
        let becomes = "lost at 2026-01-02T00:00:00Z";
        let touches =
            serde_json::json!([{ "issuer": "phone-auth", "serial": serial, "status": "held", "becomes": becomes }]);
        assert_eq!(shown["touches"], touches);
        let text = house.ok(&["queue", "show", id]);
        assert!(text.contains(serial) && text.contains("the stated loss lies far back"), "{text}");
    }
    assert_eq!(people.len(), 2);
    house.refused_in_one_line(&["queue", "show", "4711"], 3, "no command waits under 4711");
    assert_eq!(house.run(&["cert", "hold", "--batch", "7", "--as", "ops/x"]).code, 4);
    let list = house.json(&["queue", "list"]);
    let shown = house.json(&["queue", "show", list["waiting"][2]["id"].as_str().unwrap()]);
    assert_eq!((&shown["certificates"], &shown["touches"][0]["serial"]), (&1.into(), &"0A02".into()));
}
