-- Version 1 of the embedded ledger. Numbers are integers, everything else is the canonical bytes of the ledger's formats.
-- The triggers repeat, for whatever goes round the program, what the program itself never does.

-- The truth: where the ledger stands, its events, its certificates as registered.

CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    ledger BLOB NOT NULL CHECK (length(ledger) = 16),
    epoch INTEGER NOT NULL,
    position INTEGER NOT NULL,
    link BLOB NOT NULL CHECK (length(link) = 32),
    peaks BLOB NOT NULL,
    time INTEGER NOT NULL,
    book INTEGER NOT NULL,
    certificates INTEGER NOT NULL
) STRICT;

CREATE TRIGGER head_goes_on BEFORE UPDATE ON head
WHEN NEW.ledger <> OLD.ledger OR NEW.epoch < OLD.epoch OR NEW.position < OLD.position OR NEW.time < OLD.time
    OR NEW.book < OLD.book OR NEW.certificates < OLD.certificates
BEGIN SELECT RAISE(ABORT, 'the head of a ledger never goes back'); END;

CREATE TRIGGER head_is_one BEFORE INSERT ON head
WHEN EXISTS (SELECT 1 FROM head)
BEGIN SELECT RAISE(ABORT, 'a ledger has one head'); END;

CREATE TRIGGER head_stays BEFORE DELETE ON head
BEGIN SELECT RAISE(ABORT, 'a ledger has a head'); END;

CREATE TABLE event (position INTEGER PRIMARY KEY, bytes BLOB NOT NULL, link BLOB NOT NULL CHECK (length(link) = 32)) STRICT;

-- Also what keeps INSERT OR REPLACE out, which fires no delete trigger.
CREATE TRIGGER event_follows BEFORE INSERT ON event
WHEN NEW.position <> (SELECT coalesce(max(position), 0) + 1 FROM event)
BEGIN SELECT RAISE(ABORT, 'positions have no gaps and no repeats'); END;

CREATE TRIGGER event_is_final BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;

CREATE TRIGGER event_stays BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;

CREATE TABLE certificate (no INTEGER PRIMARY KEY, row BLOB NOT NULL) STRICT;

CREATE TRIGGER certificate_is_new BEFORE INSERT ON certificate
WHEN NEW.no <= (SELECT certificates FROM head)
BEGIN SELECT RAISE(ABORT, 'certificates are never changed'); END;

CREATE TRIGGER certificate_is_final BEFORE UPDATE ON certificate
BEGIN SELECT RAISE(ABORT, 'certificates are never changed'); END;

CREATE TRIGGER certificate_stays BEFORE DELETE ON certificate
BEGIN SELECT RAISE(ABORT, 'certificates are never deleted'); END;

-- What follows from the events, stored with them.

CREATE TABLE status (
    no INTEGER PRIMARY KEY,
    life INTEGER NOT NULL CHECK (life IN (0, 1, 2)),
    reason INTEGER CHECK (reason IN (0, 1, 2, 3, 4, 5, 9, 10)),
    state BLOB NOT NULL,
    CHECK ((life = 2) = (reason IS NOT NULL))
) STRICT;

-- Keeps INSERT OR REPLACE out, which fires no update trigger.
CREATE TRIGGER status_is_new BEFORE INSERT ON status
WHEN NEW.no > (SELECT certificates FROM head) OR EXISTS (SELECT 1 FROM status WHERE no = NEW.no)
BEGIN SELECT RAISE(ABORT, 'a certificate has one status'); END;

-- A reason may only give way to one that outweighs it.
CREATE TRIGGER status_is_final BEFORE UPDATE ON status
WHEN NEW.no <> OLD.no OR (OLD.life = 2 AND (NEW.life <> 2 OR (NEW.reason <> OLD.reason AND
    CASE NEW.reason WHEN 0 THEN 0 WHEN 1 THEN 2 WHEN 10 THEN 2 WHEN 2 THEN 3 ELSE 1 END <=
    CASE OLD.reason WHEN 0 THEN 0 WHEN 1 THEN 2 WHEN 10 THEN 2 WHEN 2 THEN 3 ELSE 1 END)))
BEGIN SELECT RAISE(ABORT, 'a revocation is final and its reason is never weakened'); END;

CREATE TRIGGER status_stays BEFORE DELETE ON status
BEGIN SELECT RAISE(ABORT, 'statuses are never deleted'); END;

CREATE TABLE book (position INTEGER PRIMARY KEY) STRICT;

CREATE TABLE timer (due INTEGER NOT NULL, no INTEGER NOT NULL, PRIMARY KEY (due, no)) STRICT, WITHOUT ROWID;

CREATE TABLE answer (
    key BLOB PRIMARY KEY CHECK (length(key) = 16),
    command BLOB NOT NULL CHECK (length(command) = 32),
    outcome INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- By hour of the day first, so that the same hour of four weeks is one short range.
CREATE TABLE budget (
    key TEXT NOT NULL,
    hour_of_day INTEGER NOT NULL,
    day INTEGER NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (key, hour_of_day, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE queue (position INTEGER PRIMARY KEY) STRICT;

-- Lists of listed sets: written in chunks, then named by one event and closed.

CREATE TABLE list (no INTEGER PRIMARY KEY, named_by INTEGER) STRICT;

CREATE TABLE list_member (list INTEGER NOT NULL, no INTEGER NOT NULL, PRIMARY KEY (list, no)) STRICT, WITHOUT ROWID;

CREATE TRIGGER list_member_is_final BEFORE UPDATE ON list_member
BEGIN SELECT RAISE(ABORT, 'members of a list are never changed'); END;

CREATE TRIGGER list_member_stays BEFORE DELETE ON list_member
BEGIN SELECT RAISE(ABORT, 'members of a list are never deleted'); END;

-- Signs of life.

CREATE TABLE heartbeat (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch INTEGER NOT NULL,
    position INTEGER NOT NULL,
    link BLOB NOT NULL CHECK (length(link) = 32),
    time INTEGER NOT NULL
) STRICT;

CREATE TABLE lease (name TEXT PRIMARY KEY, node BLOB NOT NULL CHECK (length(node) = 16), until INTEGER NOT NULL)
STRICT, WITHOUT ROWID;

-- The look-ups: hash of a key to the numbers of certificates. See lookup/mod.rs.

CREATE TABLE lookup (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    generation INTEGER NOT NULL,
    recent INTEGER NOT NULL,
    next_page INTEGER NOT NULL
) STRICT;

INSERT INTO lookup VALUES (1, 0, 0, 1);

CREATE TABLE recent (hash INTEGER NOT NULL, no INTEGER NOT NULL, PRIMARY KEY (hash, no)) STRICT, WITHOUT ROWID;

CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    state INTEGER NOT NULL CHECK (state IN (1, 2, 3)),
    entries INTEGER NOT NULL,
    pages INTEGER NOT NULL,
    base INTEGER NOT NULL,
    done INTEGER NOT NULL,
    target INTEGER
) STRICT;

CREATE TABLE page (id INTEGER PRIMARY KEY, entries BLOB NOT NULL) STRICT;

CREATE TABLE filter (id INTEGER PRIMARY KEY, bits BLOB NOT NULL) STRICT;
