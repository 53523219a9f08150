-- The one way in. Everything is checked again here: a server's role can execute this and write nothing by itself.
--
-- Sessions of the program plan without sequential scans and once for all parameters, and look-ups stand in LATERAL (...
-- LIMIT 1): a plan that was made while a table was empty must do for a hundred million rows.

CREATE FUNCTION tashika.refuse(why text) RETURNS void LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION USING ERRCODE = 'TK001', MESSAGE = why; END $$;

-- Returns NULL if the batch was written, else the position where the ledger stands now.
--
-- What one change costs is the number of statements, functions and expressions in its way: PL/pgSQL sets up each of them anew
-- in every transaction, a statement for 10 us and more. Hence one UPDATE that finds, compares and locks the head;
-- conditions gathered into few; calls written as assignments, since PERFORM is a statement.
CREATE FUNCTION tashika.append(
    p_at_epoch bigint, p_at bigint, p_at_link bytea, p_at_time bigint, p_at_book bigint, p_at_certificates bigint,
    p_epoch bigint, p_position bigint, p_link bytea, p_tree bytea, p_time bigint, p_book bigint, p_certificates bigint,
    p_events bytea[], p_links bytea[], p_rows bytea[], p_nos bigint[], p_states bytea[], p_changed int[],
    p_timer_at bigint[], p_timer_nos bigint[], p_done_at bigint[], p_done_nos bigint[],
    p_answer_keys bytea[], p_answer_commands bytea[], p_answer_outcomes smallint[],
    p_answer_firsts bigint[], p_answer_lasts bigint[],
    p_budget_keys text[], p_budget_hours bigint[], p_budget_used bigint[],
    p_inbox_nos bigint[], p_inbox_firsts bigint[], p_inbox_lasts bigint[], p_inbox_whys text[]
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    count int := cardinality(p_events);
    -- The kinds of the events, each a bit.
    kinds int := 0;
BEGIN
    UPDATE tashika.head h
       SET position = p_position, epoch = p_epoch, link = p_link, tree = p_tree, "time" = p_time, book = p_book,
           certificates = p_certificates
     WHERE h.position = p_at AND h.link = p_at_link AND h.epoch = p_at_epoch AND h."time" = p_at_time
           AND h.book = p_at_book AND h.certificates = p_at_certificates;
    IF NOT FOUND THEN
        RETURN tashika.stands_at(p_at, p_at_link, p_at_epoch, p_at_time);
    END IF;
    IF p_position <> p_at + count OR cardinality(p_links) <> count
       OR p_link <> coalesce(p_links[count], p_at_link)
       OR octet_length(p_tree) <> 32 * bit_count(int8send(p_position))
       OR p_certificates <> p_at_certificates + cardinality(p_rows) OR p_time < p_at_time
       OR count = 0 AND (p_time <> p_at_time OR p_epoch <> p_at_epoch OR p_book <> p_at_book
                         OR cardinality(p_rows) + cardinality(p_nos) > 0) THEN
        PERFORM tashika.refuse(CASE
            WHEN p_position <> p_at + count OR cardinality(p_links) <> count THEN 'positions are contiguous'
            WHEN p_certificates <> p_at_certificates + cardinality(p_rows) THEN
                'certificates are numbered without gaps'
            WHEN octet_length(p_tree) <> 32 * bit_count(int8send(p_position)) THEN
                'the hash tree does not fit the position'
            WHEN p_link <> coalesce(p_links[count], p_at_link) THEN 'the head is the last event'
            ELSE 'the head moves with events only, and never back in time' END);
    END IF;
    IF count > 0 THEN
        kinds := tashika.check_events(p_at, p_at_link, p_at_time, p_at_book, p_at_epoch, p_book, p_epoch,
                                      p_events, p_links, p_nos, p_states, p_changed);
        INSERT INTO tashika.event
        SELECT p_at + x.o, x.b, x.l FROM unnest(p_events, p_links) WITH ORDINALITY x (b, l, o);
    END IF;
    IF cardinality(p_nos) > 0 THEN
        INSERT INTO tashika.status
        SELECT n.no, get_byte(n.state, 9), CASE get_byte(n.state, 9) WHEN 2 THEN get_byte(n.state, 10) END,
               tashika.holds(n.state), n.state
        FROM unnest(p_nos, p_states) n (no, state)
        ON CONFLICT (no) DO UPDATE
           SET life = excluded.life, reason = excluded.reason, holds = excluded.holds, state = excluded.state;
    END IF;
    IF cardinality(p_budget_keys) > 0 THEN
        IF 0 > ANY (p_budget_used) THEN
            PERFORM tashika.refuse('what was used of a budget is never given back');
        END IF;
        FOR i IN 1 .. cardinality(p_budget_keys) LOOP
            UPDATE tashika.budget b SET used = b.used + p_budget_used[i]
             WHERE b.hour = p_budget_hours[i] AND b.key = p_budget_keys[i] AND b.used = (
                   SELECT y.used FROM tashika.budget y WHERE y.hour = p_budget_hours[i] AND y.key = p_budget_keys[i]
                   ORDER BY y.used DESC LIMIT 1);
            IF NOT FOUND THEN
                INSERT INTO tashika.budget VALUES (p_budget_keys[i], p_budget_hours[i], p_budget_used[i]);
            END IF;
        END LOOP;
    END IF;
    -- Beside changes and reports, which are kinds 5 and 7.
    IF (kinds & ~(32 | 128)) <> 0 OR cardinality(p_rows) > 0 THEN
        PERFORM tashika.write_rarer(p_at, p_at_book, p_book, p_at_certificates, kinds, p_events, p_rows);
    END IF;
    IF cardinality(p_timer_at) + cardinality(p_done_at) > 0 THEN
        PERFORM tashika.write_timers(p_timer_at, p_timer_nos, p_done_at, p_done_nos);
    END IF;
    IF cardinality(p_answer_keys) > 0 THEN
        PERFORM tashika.write_answers(
            p_answer_keys, p_answer_commands, p_answer_outcomes, p_answer_firsts, p_answer_lasts);
    END IF;
    IF cardinality(p_inbox_nos) > 0 THEN
        PERFORM tashika.write_inbox(p_position, p_inbox_nos, p_inbox_firsts, p_inbox_lasts, p_inbox_whys);
    END IF;
    -- As a condition it is an expression; it is never null.
    IF count > 0 AND pg_notify('tashika', p_position::text) IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN NULL;
END $$;

-- Why the head could not be moved: the position it has meanwhile; the same if a heartbeat has moved its time.
CREATE FUNCTION tashika.stands_at(p_at bigint, p_at_link bytea, p_at_epoch bigint, p_at_time bigint)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    h tashika.head%ROWTYPE;
BEGIN
    SELECT * INTO STRICT h FROM tashika.head y ORDER BY y.position DESC, y."time" DESC LIMIT 1;
    IF h.position = p_at AND h.link = p_at_link AND h.epoch = p_at_epoch AND h."time" = p_at_time THEN
        PERFORM tashika.refuse('the batch names a head that never was: positions are numbered without gaps');
    END IF;
    RETURN h.position;
END $$;

-- What events other than changes and reports bring with them.
CREATE FUNCTION tashika.write_rarer(
    p_at bigint, p_at_book bigint, p_book bigint, p_at_certificates bigint, kinds int, p_events bytea[], p_rows bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_book > p_at_book THEN
        PERFORM tashika.write_book(p_at, p_events);
    END IF;
    IF (kinds & 16) <> 0 OR cardinality(p_rows) > 0 THEN
        PERFORM tashika.write_rows(p_at, p_at_certificates, p_events, p_rows);
    END IF;
    IF (kinds & (256 | 512)) <> 0 THEN
        PERFORM tashika.write_queue(p_at, p_events);
    END IF;
END $$;

CREATE FUNCTION tashika.write_timers(
    p_timer_at bigint[], p_timer_nos bigint[], p_done_at bigint[], p_done_nos bigint[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    done record;
BEGIN
    FOR done IN SELECT u.at, u.no FROM unnest(p_done_at, p_done_nos) u (at, no) LOOP
        DELETE FROM tashika.timer t WHERE t.at = done.at AND t.certificate = done.no;
    END LOOP;
    -- After those that are done: what is done and set again in one batch is set.
    INSERT INTO tashika.timer SELECT t.at, t.no FROM unnest(p_timer_at, p_timer_nos) t (at, no)
    ON CONFLICT DO NOTHING;
END $$;

CREATE FUNCTION tashika.write_answers(
    p_keys bytea[], p_commands bytea[], p_outcomes smallint[], p_firsts bigint[], p_lasts bigint[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    answers bigint;
BEGIN
    INSERT INTO tashika.answer SELECT * FROM unnest(p_keys, p_commands, p_outcomes, p_firsts, p_lasts)
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS answers = ROW_COUNT;
    -- An answer without an event leaves the head as it is, so here is where a second writer is noticed.
    IF answers <> cardinality(p_keys) THEN
        RAISE EXCEPTION USING ERRCODE = 'TK002', MESSAGE = 'a command of that name was answered meanwhile';
    END IF;
END $$;

-- A set event's target number, change and reason; an issuer's number; a scope's number and issuer.
CREATE FUNCTION tashika.write_book(p_at bigint, p_events bytea[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tashika.issuer
    SELECT tashika.u16(e.bytes, e.body), e.position FROM tashika.parsed(p_at, p_events) e WHERE e.kind = 2;
    INSERT INTO tashika.scope
    SELECT tashika.u32(e.bytes, e.body), tashika.u16(e.bytes, e.body + 4), e.position
    FROM tashika.parsed(p_at, p_events) e WHERE e.kind = 3;
    INSERT INTO tashika.set_event
    SELECT e.position, e.target, e.no, get_byte(e.bytes, e.c),
           CASE get_byte(e.bytes, e.c) WHEN 3 THEN get_byte(e.bytes, e.c + 1) END
    FROM (
        SELECT s.*, get_byte(s.bytes, s.body) AS target,
               CASE get_byte(s.bytes, s.body)
                   WHEN 1 THEN tashika.u16(s.bytes, s.body + 1) ELSE tashika.u32(s.bytes, s.body + 1) END AS no,
               s.body + CASE get_byte(s.bytes, s.body) WHEN 1 THEN 3 WHEN 2 THEN 5 ELSE 45 END AS c
        FROM tashika.parsed(p_at, p_events) s WHERE s.kind = 6
    ) e;
    -- Numbers are given without gaps: readers find an issuer or a scope by counting.
    IF (SELECT coalesce(max(i.no), 0) <> count(*) FROM tashika.issuer i)
       OR (SELECT coalesce(max(s.no), 0) <> count(*) FROM tashika.scope s) THEN
        PERFORM tashika.refuse('issuers and scopes are numbered from 1 without gaps');
    END IF;
    PERFORM tashika.close_lists(p_at, p_events);
END $$;

-- A list that an event names is complete and takes no more members.
CREATE FUNCTION tashika.close_lists(p_at bigint, p_events bytea[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    e record;
    members_now bigint;
BEGIN
    FOR e IN SELECT s.position, s.role, s.issuer, tashika.u32(s.bytes, s.body + 1) AS list,
                    tashika.u64(s.bytes, s.body + 5) AS members
             FROM tashika.parsed(p_at, p_events) s WHERE s.kind = 6 AND get_byte(s.bytes, s.body) = 3
    LOOP
        -- A later event may name the list again: to release it, or to revoke what was held.
        UPDATE tashika.list l SET named_by = coalesce(l.named_by, e.position)
        WHERE l.no = e.list AND (e.role <> 2 OR l.issuer = e.issuer)
        RETURNING l.members INTO members_now;
        IF members_now IS DISTINCT FROM e.members THEN
            PERFORM tashika.refuse(format('event %s does not fit list %s', e.position, e.list));
        END IF;
    END LOOP;
END $$;

CREATE FUNCTION tashika.write_queue(p_at bigint, p_events bytea[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    decisions bigint[];
    decided bigint;
BEGIN
    INSERT INTO tashika.queue SELECT e.position FROM tashika.parsed(p_at, p_events) e WHERE e.kind = 8;
    SELECT array_agg(tashika.u64(e.bytes, e.body)) INTO decisions
    FROM tashika.parsed(p_at, p_events) e WHERE e.kind = 9;
    IF decisions IS NOT NULL THEN
        DELETE FROM tashika.queue q WHERE q.position = ANY (decisions);
        GET DIAGNOSTICS decided = ROW_COUNT;
        IF decided <> cardinality(decisions) THEN
            PERFORM tashika.refuse('a decision about something that does not wait');
        END IF;
    END IF;
END $$;

CREATE FUNCTION tashika.write_inbox(
    p_position bigint, p_nos bigint[], p_firsts bigint[], p_lasts bigint[], p_whys text[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    d record;
BEGIN
    FOR d IN SELECT * FROM unnest(p_nos, p_firsts, p_lasts, p_whys) u (no, first, last, why) LOOP
        UPDATE tashika.inbox i
           SET state = CASE WHEN d.why IS NULL THEN 1 ELSE 2 END, first = d.first, last = d.last, why = d.why
         WHERE i.no = d.no AND i.state = 0 AND d.first <= d.last AND d.last <= p_position;
        IF NOT FOUND THEN
            PERFORM tashika.refuse(format('item %s of the inbox does not wait', d.no));
        END IF;
    END LOOP;
END $$;
