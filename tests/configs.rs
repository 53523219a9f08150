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

/// The units say the same as the settings that they go with.
#[test]
fn the_units_go_with_the_usual_settings() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let usual = Config::load(&folder.join("dev.toml")).unwrap();
    let unit = |name: &str| std::fs::read_to_string(folder.join("systemd").join(name)).unwrap();
    let [service, socket] = ["tashika.service", "tashika.socket"].map(unit);
    let said = |unit: &str, key: &str| {
        let mut values = unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        let value = values.next().unwrap_or_else(|| panic!("no {key}")).to_owned();
        assert_eq!(values.next(), None, "{key} stands twice");
        value
    };
    let number = |key| said(&service, key).parse::<u32>().unwrap();
    assert!(number("TimeoutStopSec") > 2 * usual.edge.drain.max.0);
    assert!(number("LimitNOFILE") > usual.edge.connections_max + 1_000);
    assert_eq!(said(&service, "Type"), "notify");
    assert_eq!(said(&service, "Requires"), "tashika.socket");
    assert_eq!(said(&socket, "FileDescriptorName"), "public");
    assert_eq!(said(&socket, "ListenStream"), usual.listen.port().to_string());
    assert!(said(&service, "ExecStart").starts_with("/usr/bin/tashika serve --config "));
}
