//! Every configuration in `config/` is one: it is loaded, and says what its comments promise.

use std::path::{Path, PathBuf};

use tashika::app::config::{Config, LedgerPlace};
use tashika::model::Policy;
use tashika::parties::Strangers;

#[test]
fn every_configuration_can_be_loaded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    assert!(!files.is_empty());
    for file in files {
        Config::load(&file).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn the_documented_values_are_the_usual_ones() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/dev.toml");
    let documented = Config::load(&file).unwrap();
    let usual = Config::parse("ledger.url = 'sqlite:ledger.db'", &file).unwrap();
    assert_eq!(documented.ledger, LedgerPlace::Sqlite(file.with_file_name("ledger.db")));
    // A machine of one's own answers everybody; a nation's doesn't unless told to.
    assert_eq!(documented.parties.strangers(), Strangers::Answered);
    assert_eq!(usual.parties.strangers(), Strangers::Refused);
    // Two settings have no usual value, only examples.
    let policy = Policy { hosts: usual.policy.hosts.clone(), window_hours: None, ..documented.policy.clone() };
    assert_ne!(policy, documented.policy);
    assert_eq!(Config { policy, parties: usual.parties.clone(), ..documented }, usual);
}
