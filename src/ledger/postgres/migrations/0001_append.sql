-- The one way in. Everything is checked again here: a server's role can execute this and write nothing by itself.
--
-- Sessions of the program plan without sequential scans and once for all parameters, and look-ups stand in LATERAL (...
-- LIMIT 1): a plan that was made while a table was empty must do for a hundred million rows.

CREATE FUNCTION tashika.refuse(why text) RETURNS void LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION USING ERRCODE = 'TK001', MESSAGE = why; END $$;

-- Returns NULL if the batch was written, else the position where the ledger stands now.
CREATE FUNCTION tashika.append(
    p_at_epoch bigint, p_at bigint, p_at_link bytea,
    p_epoch bigint, p_position bigint, p_link bytea, p_tree bytea, p_time bigint, p_book bigint, p_certificates bigint,
    p_events bytea[], p_links bytea[], p_rows bytea[], p_nos bigint[], p_states bytea[],
    p_timer_at bigint[], p_timer_nos bigint[], p_done_at bigint[], p_done_nos bigint[],
    p_answer_keys bytea[], p_answer_commands bytea[], p_answer_outcomes smallint[],
    p_answer_firsts bigint[], p_answer_lasts bigint[],
    p_budget_keys text[], p_budget_hours bigint[], p_budget_used bigint[],
    p_inbox_nos bigint[], p_inbox_firsts bigint[], p_inbox_lasts bigint[], p_inbox_whys text[]
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    was tashika.head%ROWTYPE;
    e record;
    done record;
    answers bigint;
BEGIN
    SELECT * INTO STRICT was FROM tashika.head h ORDER BY h.position DESC LIMIT 1 FOR UPDATE;
    IF was.position <> p_at OR was.link <> p_at_link OR was.epoch <> p_at_epoch THEN
        RETURN was.position;
    END IF;
    UPDATE tashika.head h
       SET position = p_position, epoch = p_epoch, link = p_link, tree = p_tree, "time" = p_time, book = p_book,
           certificates = p_certificates
     WHERE h.position = was.position;
    PERFORM tashika.check_head(was, p_epoch, p_position, p_link, p_tree, p_time, p_certificates,
                               p_events, p_links, p_rows);
    IF cardinality(p_events) > 0 THEN
        SELECT * INTO e FROM tashika.check_events(was, p_epoch, p_book, p_events, p_links);
        INSERT INTO tashika.event
        SELECT p_at + x.o, x.b, x.l FROM unnest(p_events, p_links) WITH ORDINALITY x (b, l, o);
        IF p_book > was.book THEN
            PERFORM tashika.write_book(p_at, p_events);
        END IF;
        IF 4 = ANY (e.kinds) OR cardinality(p_rows) > 0 THEN
            PERFORM tashika.write_rows(was, p_events, p_rows);
        END IF;
        IF 5 = ANY (e.kinds) OR cardinality(p_nos) > 0 THEN
            PERFORM tashika.write_statuses(p_at, p_events, e.kinds, e.roles, e.causes, e.bodies, p_nos, p_states);
        END IF;
        IF 8 = ANY (e.kinds) OR 9 = ANY (e.kinds) THEN
            PERFORM tashika.write_queue(p_at, p_events);
        END IF;
    ELSIF cardinality(p_rows) > 0 OR cardinality(p_nos) > 0 THEN
        PERFORM tashika.refuse('a status is stored for each certificate that an event named, and for no other');
    END IF;
    IF cardinality(p_done_at) > 0 THEN
        FOR done IN SELECT u.at, u.no FROM unnest(p_done_at, p_done_nos) u (at, no) LOOP
            DELETE FROM tashika.timer t WHERE t.at = done.at AND t.certificate = done.no;
        END LOOP;
    END IF;
    -- After those that are done: what is done and set again in one batch is set.
    IF cardinality(p_timer_at) > 0 THEN
        INSERT INTO tashika.timer SELECT t.at, t.no FROM unnest(p_timer_at, p_timer_nos) t (at, no)
        ON CONFLICT DO NOTHING;
    END IF;
    IF cardinality(p_answer_keys) > 0 THEN
        INSERT INTO tashika.answer
        SELECT * FROM unnest(p_answer_keys, p_answer_commands, p_answer_outcomes, p_answer_firsts, p_answer_lasts)
        ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS answers = ROW_COUNT;
        -- An answer without an event leaves the head as it is, so here is where a second writer is noticed.
        IF answers <> cardinality(p_answer_keys) THEN
            RAISE EXCEPTION USING ERRCODE = 'TK002', MESSAGE = 'a command of that name was answered meanwhile';
        END IF;
    END IF;
    IF cardinality(p_budget_keys) > 0 THEN
        PERFORM tashika.write_budgets(p_budget_keys, p_budget_hours, p_budget_used);
    END IF;
    IF cardinality(p_inbox_nos) > 0 THEN
        PERFORM tashika.write_inbox(p_position, p_inbox_nos, p_inbox_firsts, p_inbox_lasts, p_inbox_whys);
    END IF;
    IF p_position > p_at THEN
        PERFORM pg_notify('tashika', p_position::text);
    END IF;
    RETURN NULL;
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

CREATE FUNCTION tashika.write_budgets(p_keys text[], p_hours bigint[], p_used bigint[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    this_key text;
    this_hour bigint;
    newest bigint;
BEGIN
    FOR i IN 1 .. cardinality(p_keys) LOOP
        this_key := p_keys[i];
        this_hour := p_hours[i];
        SELECT b.used INTO newest FROM tashika.budget b WHERE b.key = this_key AND b.hour = this_hour
        ORDER BY b.used DESC LIMIT 1;
        IF NOT FOUND THEN
            INSERT INTO tashika.budget VALUES (this_key, this_hour, p_used[i]);
        ELSIF p_used[i] > 0 THEN
            UPDATE tashika.budget b SET used = newest + p_used[i]
            WHERE b.key = this_key AND b.hour = this_hour AND b.used = newest;
        END IF;
    END LOOP;
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
