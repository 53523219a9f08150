-- The ledger's tables. Everybody but the owner reaches them through functions or by SELECT.

CREATE SCHEMA tashika;

CREATE TABLE tashika.schema_version (
    version int PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- One row. `position` and `time` are the key although there is only one: an update then leaves the dead version *behind* the
-- live one in the index, and whoever reads with ORDER BY position DESC, time DESC LIMIT 1 meets the live one first,
-- however long somebody's open transaction keeps dead versions from being vacuumed. `time` is that of the last event or
-- the last heartbeat, whichever is later. No CHECK: it would be read anew at every update, and `append` compares the whole
-- head with what the events lead to.
CREATE TABLE tashika.head (
    position bigint NOT NULL,
    ledger bytea NOT NULL,
    epoch bigint NOT NULL,
    link bytea NOT NULL,
    tree bytea NOT NULL,
    "time" bigint NOT NULL,
    book bigint NOT NULL,
    certificates bigint NOT NULL,
    PRIMARY KEY (position, "time")
) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

CREATE TABLE tashika.event (
    position bigint PRIMARY KEY,
    bytes bytea NOT NULL,
    link bytea NOT NULL
);
ALTER TABLE tashika.event ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- Every column is read out of `row`, the canonical bytes, by `append` itself: they can't disagree.
CREATE TABLE tashika.certificate (
    no bigint PRIMARY KEY,
    issuer int NOT NULL,
    serial bytea NOT NULL,
    holder bytea NOT NULL,
    medium bytea NOT NULL,
    operator text,
    sim bytea,
    "row" bytea NOT NULL
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05);
ALTER TABLE tashika.certificate ALTER COLUMN "row" SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX certificate_serial ON tashika.certificate (issuer, serial);
CREATE INDEX certificate_holder ON tashika.certificate (holder);
CREATE INDEX certificate_medium ON tashika.certificate (medium);
CREATE INDEX certificate_sim ON tashika.certificate (sim) WHERE sim IS NOT NULL;

-- Only certificates that an event has named have a row here.
CREATE TABLE tashika.status (
    no bigint PRIMARY KEY,
    life smallint NOT NULL,
    reason smallint,
    holds smallint NOT NULL,
    state bytea NOT NULL
) WITH (fillfactor = 70);
ALTER TABLE tashika.status ALTER COLUMN state SET STORAGE EXTERNAL;

-- The book: which events it is read from, and what the checks need of them.
CREATE TABLE tashika.issuer (
    no int PRIMARY KEY,
    position bigint NOT NULL UNIQUE
);
CREATE TABLE tashika.scope (
    no bigint PRIMARY KEY,
    issuer int NOT NULL REFERENCES tashika.issuer,
    position bigint NOT NULL UNIQUE
);
CREATE TABLE tashika.set_event (
    position bigint PRIMARY KEY,
    target smallint NOT NULL,
    no bigint NOT NULL,
    change smallint NOT NULL,
    reason smallint
);

-- Members are written beforehand, in chunks. `issuer` is the one issuer of all members, or -1 if there are several.
CREATE TABLE tashika.list (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    members bigint NOT NULL DEFAULT 0,
    issuer int,
    named_by bigint
);
CREATE TABLE tashika.list_member (
    list bigint NOT NULL REFERENCES tashika.list,
    certificate bigint NOT NULL,
    PRIMARY KEY (list, certificate)
);
CREATE INDEX list_member_certificate ON tashika.list_member (certificate, list);

CREATE TABLE tashika.timer (
    at bigint NOT NULL,
    certificate bigint NOT NULL,
    PRIMARY KEY (at, certificate)
);

CREATE TABLE tashika.answer (
    key bytea PRIMARY KEY CHECK (octet_length(key) = 16),
    command bytea NOT NULL CHECK (octet_length(command) = 32),
    outcome smallint NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL
);

-- `used` only grows and stands in the key for the same reason as the head's position.
CREATE TABLE tashika.budget (
    key text NOT NULL,
    hour bigint NOT NULL,
    used bigint NOT NULL,
    PRIMARY KEY (hour, key, used)
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

CREATE TABLE tashika.queue (
    position bigint PRIMARY KEY
);

CREATE TABLE tashika.heartbeat (
    beat bigint PRIMARY KEY,
    epoch bigint NOT NULL,
    position bigint NOT NULL,
    link bytea NOT NULL,
    "time" bigint NOT NULL
) WITH (fillfactor = 10);

CREATE TABLE tashika.lease (
    name text PRIMARY KEY,
    node bytea NOT NULL CHECK (octet_length(node) = 16),
    until_ms bigint NOT NULL
) WITH (fillfactor = 10);

-- What is undecided is what waits, whatever its number: a row that commits late is not missed.
CREATE TABLE tashika.inbox (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    issuer int NOT NULL,
    command text NOT NULL,
    submitted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    submitted_by name NOT NULL DEFAULT session_user,
    state smallint NOT NULL DEFAULT 0 CHECK (state IN (0, 1, 2)),
    first bigint,
    last bigint,
    why text
) WITH (fillfactor = 80);
CREATE INDEX inbox_waiting ON tashika.inbox (no) WHERE state = 0;

-- Which database role stands for which issuer.
CREATE TABLE tashika.ca (
    role regrole PRIMARY KEY,
    issuer int NOT NULL REFERENCES tashika.issuer
);

-- Who may write what: a part of the program's own table, held against the program by a test.
-- For changes `detail` is tag * 16 (+ the kind of hold, for holds); for reports and sets their tag; else 0. `only_if` is
-- empty, or the name of a condition that stands where the rule is applied.
CREATE TABLE tashika.rule (
    kind smallint NOT NULL,
    role smallint NOT NULL,
    detail smallint NOT NULL,
    only_if text NOT NULL DEFAULT '',
    PRIMARY KEY (kind, role, detail)
);
