//! Attacks on the database's roles, by psql, as somebody with the password of each would try them.

use tashika::ledger::Ledger;
use tashika::model::{CertificateNo, Position};

use crate::fixture::{Fixture, commit, hold_by_call_centre, wish};

/// What nobody but the owner may do, whatever it is called.
const TAMPERING: &[&str] = &[
    "UPDATE tashika.event SET bytes = '\\x00' WHERE position = 1",
    "DELETE FROM tashika.event WHERE position = 1",
    "INSERT INTO tashika.event VALUES (1000, '\\x00', '\\x00')",
    "TRUNCATE tashika.event",
    "MERGE INTO tashika.event e USING (SELECT 1) x ON e.position = 1 WHEN MATCHED THEN DELETE",
    "COPY tashika.event FROM PROGRAM 'true'",
    "UPDATE tashika.head SET position = 0",
    "SELECT * FROM tashika.head FOR UPDATE",
    "SELECT * FROM tashika.head FOR KEY SHARE",
    "UPDATE tashika.status SET life = 1",
    "DELETE FROM tashika.status",
    "INSERT INTO tashika.status VALUES (2, 1, NULL, 0, '\\x00')",
    "UPDATE tashika.certificate SET holder = '\\x00'",
    "DELETE FROM tashika.certificate",
    "INSERT INTO tashika.rule VALUES (5, 4, 64, '')",
    "UPDATE tashika.rule SET only_if = ''",
    "DELETE FROM tashika.queue",
    "DELETE FROM tashika.answer",
    "DELETE FROM tashika.budget",
    "UPDATE tashika.heartbeat SET \"time\" = 0",
    "UPDATE tashika.inbox SET state = 1",
    "INSERT INTO tashika.inbox (issuer, command) VALUES (1, '{}')",
    "INSERT INTO tashika.ca SELECT oid, 1 FROM pg_roles WHERE rolname = current_user",
    "SELECT tashika.grant_ca(current_user::regrole, 1)",
    "SELECT tashika.submit('{\"revoke\": {\"serial\": \"01\", \"reason\": \"superseded\"}}')",
    "SELECT tashika.write_timers('{1}', '{1}', '{}', '{}')",
    "SELECT tashika.write_rows(0, 0, '{}', '{}')",
    "ALTER TABLE tashika.event DISABLE TRIGGER ALL",
    "ALTER TABLE tashika.event ADD COLUMN x int",
    "ALTER TABLE tashika.event OWNER TO current_user",
    "DROP TABLE tashika.event",
    "CREATE TRIGGER t BEFORE INSERT ON tashika.event EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE RULE r AS ON INSERT TO tashika.event DO INSTEAD NOTHING",
    "CREATE OR REPLACE FUNCTION tashika.refuse(why text) RETURNS void LANGUAGE sql AS 'SELECT'",
    "DROP FUNCTION tashika.check_events",
    "CREATE FUNCTION tashika.x() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE TABLE tashika.x (x int)",
    "DROP SCHEMA tashika CASCADE",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION postgres",
    "SET session_replication_role = replica",
    "BEGIN; LOCK TABLE tashika.head IN EXCLUSIVE MODE",
    "BEGIN; LOCK TABLE tashika.head IN ROW EXCLUSIVE MODE",
    "DO $$ BEGIN EXECUTE 'UPDATE tashika.event SET link = bytes'; END $$",
];

fn all_refused(fixture: &Fixture<'_>, role: &str, attacks: &[&str]) {
    let digest = "SELECT md5(string_agg(t::text, ',')) FROM (SELECT e.* FROM tashika.event e ORDER BY 1) t";
    let (head, before) = (fixture.ledger.head().unwrap(), fixture.owner(digest));
    for attack in attacks {
        let said = fixture.as_role(role, attack).expect_err(&format!("{role}: {attack}"));
        let denied =
            ["permission denied", "must be owner", "must be member", "does not exist", "can't", "must be superuser"];
        // A statement with a mistake would be refused as well, and prove nothing.
        assert!(denied.iter().any(|word| said.contains(word)), "{role}: {attack}: {said}");
        assert!(!said.contains("does not exist") || said.contains("permission"), "{attack}: {said}");
    }
    // Granting what one doesn't have is no error for PostgreSQL; it just has no effect.
    let privileges = "SELECT md5(string_agg(relacl::text, ',' ORDER BY oid)) FROM pg_class
        WHERE relnamespace = 'tashika'::regnamespace";
    let granted = fixture.owner(privileges);
    drop(fixture.as_role(role, "GRANT ALL ON tashika.event TO PUBLIC"));
    drop(fixture.as_role(role, "GRANT ALL ON ALL FUNCTIONS IN SCHEMA tashika TO PUBLIC"));
    assert_eq!(fixture.owner(privileges), granted);
    assert_eq!(fixture.ledger.head().unwrap(), head);
    assert_eq!(fixture.owner(digest), before);
}

#[test]
fn the_owner_could_do_all_of_it_so_none_is_refused_for_a_mistake() {
    for attack in TAMPERING {
        let fixture = Fixture::furnished();
        let held = |found: &_, batch: &mut _| _ = wish(batch, found, 1, CALL_CENTRE, &hold_by_call_centre());
        commit(&fixture.ledger, &[1], held);
        // Within a transaction that is rolled back; as a superuser, who may do anything that can be done.
        let role = fixture.login("root", "SUPERUSER");
        if let Err(said) = fixture.as_role(&role, &format!("BEGIN; {attack}; ROLLBACK")) {
            let not_about_rights =
                ["stands for no issuer", "registration events", "event 0", "has this number", "for no other"];
            assert!(not_about_rights.iter().any(|word| said.contains(word)), "{attack}: {said}");
        }
    }
}

#[test]
fn a_server_writes_by_append_or_not_at_all() {
    let fixture = Fixture::furnished();
    all_refused(&fixture, &fixture.server, TAMPERING);
}

#[test]
fn a_reader_reads() {
    let fixture = Fixture::furnished();
    let reader = fixture.login("reader", "IN ROLE tashika_reader");
    assert_eq!(fixture.as_role(&reader, "SELECT count(*) FROM tashika.certificate"), Ok("6".into()));
    all_refused(&fixture, &reader, TAMPERING);
    all_refused(&fixture, &reader, WRITING);
    // And by way of the program: it reads everything and appends nothing.
    let url = fixture.cluster.url(&reader, &fixture.database);
    let ledger = tashika::ledger::postgres::PostgresLedger::open(&url).unwrap();
    assert_eq!(ledger.rows_from(CertificateNo(1), 10).unwrap().len(), 6);
    let batch = crate::fixture::marked(&ledger, "by a reader");
    assert!(matches!(ledger.append(&batch), Err(tashika::ledger::LedgerError::Refused(_))));
    assert!(ledger.beat(crate::nation::at(5)).is_err());
}

#[test]
fn a_stranger_sees_nothing() {
    let fixture = Fixture::furnished();
    let stranger = fixture.login("stranger", "");
    let reading = ["SELECT * FROM tashika.event", "SELECT tashika.submission(1)", "SELECT tashika.u16('\\x0000', 0)"];
    for attacks in [TAMPERING, WRITING, &reading[..], SUBMITTING] {
        all_refused(&fixture, &stranger, attacks);
    }
}

#[test]
fn a_ca_has_its_inbox_and_nothing_else() {
    let fixture = Fixture::furnished();
    let ca = fixture.ca(1);
    all_refused(&fixture, &ca, TAMPERING);
    all_refused(&fixture, &ca, WRITING);
    let reading = ["SELECT * FROM tashika.event", "SELECT * FROM tashika.inbox", "SELECT * FROM tashika.certificate"];
    all_refused(&fixture, &ca, &reading);
    assert_eq!(fixture.as_role(&ca, "SELECT tashika.submit_revocation('01', 'superseded')"), Ok("1".into()));
    // Somebody who may become the CA's role is still who logged in.
    let friend = fixture.login("friend", &format!("IN ROLE {ca}"));
    let said = fixture.as_role(&friend, "SELECT tashika.submit_revocation('01', 'superseded')").unwrap_err();
    assert!(said.contains("stands for no issuer"), "{said}");
    let said =
        fixture.as_role(&friend, &format!("SET ROLE {ca}; SELECT tashika.submit_revocation('01', 'superseded')"));
    assert!(said.unwrap_err().contains("stands for no issuer"));
    // And no more once it was taken away.
    fixture.owner(&format!("SELECT tashika.revoke_ca('{ca}')"));
    all_refused(&fixture, &ca, SUBMITTING);
}

/// What stands in the way of whoever puts objects of their own where the functions might look for theirs.
#[test]
fn names_of_ones_own_do_not_lead_the_functions_astray() {
    let fixture = Fixture::furnished();
    let position = fixture.ledger.head().unwrap().position;
    fixture.owner("CREATE SCHEMA trap; GRANT ALL ON SCHEMA trap TO PUBLIC");
    let sql = "CREATE FUNCTION trap.sha256(bytea) RETURNS bytea LANGUAGE sql AS $$ SELECT '\\x00'::bytea $$;
        CREATE FUNCTION trap.octet_length(bytea) RETURNS int LANGUAGE sql AS 'SELECT 32';
        CREATE TEMPORARY TABLE head (position bigint, link bytea);
        SET search_path = trap, pg_temp, pg_catalog;
        SELECT no FROM tashika.named('{}', '{}', '{3}', '{}', '{}', '{}', '{}', false) n (no);
        SELECT at FROM tashika.beat(0)";
    let said = fixture.as_role(&fixture.server, sql).unwrap();
    assert_eq!(said, format!("3\n{position}"));
    let forged = "CREATE FUNCTION trap.bit_count(bytea) RETURNS bigint LANGUAGE sql AS 'SELECT 0';
        SET search_path = trap, pg_catalog;
        SELECT tashika.append(h.epoch, h.position, h.link, h.\"time\", h.book, h.certificates, h.epoch,
            h.position + 1, decode(repeat('00', 32), 'hex'),
            decode(repeat('00', 32 * pg_catalog.bit_count(int8send(h.position + 1))::int), 'hex'), h.\"time\", h.book,
            h.certificates, ARRAY[e.bytes], ARRAY[decode(repeat('00', 32), 'hex')], '{}', '{}', '{}', '{}', '{}', '{}',
            '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')
        FROM tashika.head h, tashika.event e WHERE e.position = h.position";
    let said = fixture.as_role(&fixture.server, forged).unwrap_err();
    assert!(said.contains("does not continue the history"), "{said}");
    assert_eq!(fixture.ledger.head().unwrap().position, Position(position.0));
}

/// A stolen server's password must not make room for more false holds than the budget allows.
#[test]
fn what_was_used_of_a_budget_is_never_given_back() {
    let fixture = Fixture::furnished();
    let with = |used: i64| {
        fixture.as_role(
            &fixture.server,
            &format!(
                "SELECT tashika.append(h.epoch, h.position, h.link, h.\"time\", h.book, h.certificates, h.epoch, h.position,
                    h.link, h.tree, h.\"time\", h.book, h.certificates, '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}',
                    '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}',
                    '{{call-centre hold}}', '{{7}}', ARRAY[{used}::bigint], '{{}}', '{{}}', '{{}}', '{{}}')
                 FROM tashika.head h"
            ),
        )
    };
    let used = || fixture.owner("SELECT used FROM tashika.budget WHERE key = 'call-centre hold' AND hour = 7");
    with(5).unwrap();
    with(2).unwrap();
    for back in [-1, -7] {
        let said = with(back).unwrap_err();
        assert!(said.contains("never given back"), "{said}");
    }
    assert_eq!(used(), "7");
}

const CALL_CENTRE: tashika::model::Role = tashika::model::Role::CallCentre;

/// What only a server may do.
const WRITING: &[&str] = &[
    "SELECT tashika.new_list()",
    "SELECT tashika.add_to_list(1, '{1}')",
    "SELECT tashika.beat(0)",
    "SELECT tashika.take_turn()",
    "SELECT tashika.take_lease('sequencer', '\\x00000000000000000000000000000000', 0, 9)",
    "SELECT tashika.release_lease('sequencer', '\\x00000000000000000000000000000000')",
    "SELECT tashika.upkeep(1)",
];

/// What only a CA may do.
const SUBMITTING: &[&str] = &[
    "SELECT tashika.submit_revocation('01', 'superseded')",
    "SELECT tashika.submit_registration('{}')",
    "SELECT tashika.submit_acknowledgement('01')",
];
