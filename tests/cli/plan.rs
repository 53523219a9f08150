//! `plan`: for a population, and for the ledger of an installation.

use crate::installation::Installation;

#[test]
fn a_nation_s_plan_says_what_it_takes_and_what_would_be_better() {
    let house = Installation::with_phones();
    let nation = ["plan", "--population", "280000000", "--algorithm", "rsa2048", "--rate", "10000"];
    let plan = &house.json(&nation)[0];
    let number = |name: &str| plan[name].as_f64().unwrap_or_else(|| panic!("{name}: {plan}"));
    assert_eq!((number("signer_signatures_per_second"), number("residual_good_window_seconds")), (10_000.0, 600.0));
    assert!(number("utilisation") > 1.0, "a device can't keep fourteen million answers of ten minutes: {plan}");
    assert!(number("shortest_validity_seconds") > 3_600.0, "{plan}");
    assert_eq!((&plan["proposal"]["presign"], &plan["cores"]), (&"off".into(), &serde_json::Value::Null));
    let proposed = [&nation[..], &["--presign", "off"]].concat();
    let proposed = &house.json(&proposed)[0];
    assert!(proposed["utilisation"].as_f64().unwrap() <= 0.5, "what is proposed is carried: {proposed}");
    let text = house.ok(&nation);
    assert!(text.contains("only signing when asked leaves the signer room"), "{text}");
}

#[test]
fn what_is_asked_for_goes_into_the_plan() {
    let house = Installation::with_phones();
    let plan = |more: &[&str]| {
        house.json(&[&["plan", "--population", "1000000", "--algorithm", "p256"][..], more].concat())[0].clone()
    };
    let signatures = |more: &[&str]| plan(more)["signatures_per_day"].as_f64().unwrap();
    let all = signatures(&["--presign", "all"]);
    assert!((signatures(&["--presign", "all", "--validity", "1200"]) / all - 0.5).abs() < 0.01);
    assert!(signatures(&["--hot-fraction", "1", "--queries-per-second", "0"]) > 0.99 * all);
    let nonces = signatures(&["--presign", "off", "--queries-per-second", "100", "--nonce-fraction", "1"]);
    assert_eq!(nonces, 8_640_000.0);
    assert_eq!(plan(&["--profile", "web"])["validity_seconds"], 345_600);
    let measured = plan(&["--measure"])["signer_signatures_per_second"].as_f64().unwrap();
    assert!(measured > 100.0 && measured != plan(&[])["signer_signatures_per_second"].as_f64().unwrap());
    for wrong in [
        &["plan", "--population", "5"][..],
        &["plan", "--algorithm", "p256"],
        &["plan", "--population", "0", "--algorithm", "p256"],
        &["plan", "--population", "5", "--algorithm", "p521"],
        &["plan", "--hot-fraction", "1.5"],
        &["plan", "--rate", "0"],
        &["plan", "--rate", "nan"],
        &["plan", "--rate", "5", "--measure"],
        &["plan", "--validity", "9"],
    ] {
        assert_eq!(house.run(wrong).code, 2, "{wrong:?}");
    }
}

#[test]
fn a_ledger_without_signers_has_no_plan_and_says_so() {
    let house = Installation::with_phones();
    let told = house.run(&["plan"]);
    assert!(told.code == 2 && told.stderr.contains("nobody signs for any issuer"), "{told:?}");
    assert!(told.stderr.contains("warning: phone-auth is left out"), "{told:?}");
}
