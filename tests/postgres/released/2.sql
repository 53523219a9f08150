--
-- PostgreSQL database dump
--

\restrict OTl7WymfL8KTtw4z3rOiPEO3WvQVLoV5TWpm4kejedx5U512jl91sOsgsY7ccDo

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: tashika; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA tashika;


--
-- Name: add_to_list(bigint, bigint[]); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.add_to_list(p_list bigint, p_members bigint[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    l tashika.list%ROWTYPE;
    added bigint;
    issuers int[];
BEGIN
    SELECT * INTO l FROM tashika.list y WHERE y.no = p_list FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM tashika.refuse(format('there is no list %s', p_list));
    ELSIF l.named_by IS NOT NULL THEN
        PERFORM tashika.refuse(format('list %s is complete: event %s names it', p_list, l.named_by));
    END IF;
    SELECT array_agg(DISTINCT c.issuer) INTO issuers
      FROM (SELECT coalesce(x.issuer, 0) AS issuer FROM unnest(p_members) m (no)
            LEFT JOIN LATERAL (SELECT y.issuer FROM tashika.certificate y WHERE y.no = m.no LIMIT 1) x ON true) c;
    IF 0 = ANY (issuers) THEN
        PERFORM tashika.refuse('a list names registered certificates only');
    END IF;
    INSERT INTO tashika.list_member SELECT p_list, m.no FROM unnest(p_members) m (no) ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS added = ROW_COUNT;
    UPDATE tashika.list y
       SET members = y.members + added,
           issuer = CASE WHEN issuers IS NULL THEN y.issuer
                         WHEN cardinality(issuers) = 1 AND coalesce(y.issuer, issuers[1]) = issuers[1] THEN issuers[1]
                         ELSE -1 END
     WHERE y.no = p_list;
END $$;


--
-- Name: after_sets(bigint, bytea, bigint, bigint, integer, integer, integer); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.after_sets(p_no bigint, p_row bytea, p_as_of bigint, p_before bigint, INOUT life integer, INOUT was_reason integer, INOUT open_holds integer) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    s record;
BEGIN
    FOR s IN SELECT * FROM tashika.sets_on(p_no, p_row, p_as_of, p_before) LOOP
        IF s.change = 3 AND (life < 2 OR tashika.weight(s.reason) > tashika.weight(was_reason)) THEN
            life := 2;
            was_reason := s.reason;
        ELSIF life < 2 THEN
            open_holds := CASE s.change WHEN 1 THEN open_holds + 1 END;
        END IF;
    END LOOP;
END $$;


--
-- Name: append(bigint, bigint, bytea, bigint, bigint, bigint, bigint, bigint, bytea, bytea, bigint, bigint, bigint, bytea[], bytea[], bytea[], bigint[], bytea[], integer[], bigint[], bigint[], bigint[], bigint[], bytea[], bytea[], smallint[], bigint[], bigint[], text[], bigint[], bigint[], bigint[], bigint[], bigint[], text[]); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.append(p_at_epoch bigint, p_at bigint, p_at_link bytea, p_at_time bigint, p_at_book bigint, p_at_certificates bigint, p_epoch bigint, p_position bigint, p_link bytea, p_tree bytea, p_time bigint, p_book bigint, p_certificates bigint, p_events bytea[], p_links bytea[], p_rows bytea[], p_nos bigint[], p_states bytea[], p_changed integer[], p_timer_at bigint[], p_timer_nos bigint[], p_done_at bigint[], p_done_nos bigint[], p_answer_keys bytea[], p_answer_commands bytea[], p_answer_outcomes smallint[], p_answer_firsts bigint[], p_answer_lasts bigint[], p_budget_keys text[], p_budget_hours bigint[], p_budget_used bigint[], p_inbox_nos bigint[], p_inbox_firsts bigint[], p_inbox_lasts bigint[], p_inbox_whys text[]) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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


--
-- Name: beat(bigint); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.beat(p_now bigint, OUT epoch bigint, OUT at bigint, OUT link bytea, OUT "time" bigint) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    h tashika.head%ROWTYPE;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    SELECT * INTO STRICT h FROM tashika.head y ORDER BY y.position DESC, y."time" DESC LIMIT 1 FOR UPDATE;
    epoch := h.epoch;
    at := h.position;
    link := h.link;
    "time" := greatest(p_now, h."time");
    IF "time" > h."time" THEN
        UPDATE tashika.head y SET "time" = beat."time" WHERE y.position = h.position AND y."time" = h."time";
    END IF;
    UPDATE tashika.heartbeat y
       SET beat = y.beat + 1, epoch = h.epoch, position = h.position, link = h.link, "time" = beat."time"
     WHERE y.beat = (SELECT x.beat FROM tashika.heartbeat x ORDER BY x.beat DESC LIMIT 1);
    IF NOT FOUND THEN
        INSERT INTO tashika.heartbeat VALUES (1, h.epoch, h.position, h.link, "time");
    END IF;
END $$;


--
-- Name: body_behind(bytea, integer); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.body_behind(b bytea, role integer) RETURNS integer
    LANGUAGE plpgsql IMMUTABLE
    AS $$
BEGIN
    RETURN 38 + CASE role WHEN 2 THEN 2
                          WHEN 4 THEN 2 + tashika.u16(b, 13)
                          WHEN 5 THEN 1 + 16 * get_byte(b, 13)
                          WHEN 10 THEN 1 + 4 * get_byte(b, 13) END;
END $$;


--
-- Name: check_events(bigint, bytea, bigint, bigint, bigint, bigint, bigint, bytea[], bytea[], bigint[], bytea[], integer[]); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.check_events(p_at bigint, p_at_link bytea, p_at_time bigint, p_at_book bigint, p_at_epoch bigint, p_book bigint, p_epoch bigint, p_events bytea[], p_links bytea[], p_nos bigint[], p_states bytea[], p_changed integer[]) RETURNS integer
    LANGUAGE plpgsql
    AS $$
DECLARE
    kinds int := 0;
    link bytea := p_at_link;
    dated bytea := int8send(p_at_time);
    epoch bigint := p_at_epoch;
    book bigint := p_at_book;
    -- The event at hand; `o` is where its body begins.
    b bytea;
    kind int;
    this_role int;
    o int;
    -- A change, and what it is made on.
    k int;
    t int;
    tag int;
    this_detail int;
    this_reason int;
    this_row bytea;
    stored bytea;
    rule text;
    any_sets boolean;
    life int;
    was_reason int;
    open_holds int;
    -- Each certificate of p_nos as its last change so far leaves it. `holds` is NULL where it can't be told from here: a
    -- set's hold was lifted that may have been lifted before.
    lives int[];
    reasons int[];
    holds int[];
    lasts bigint[];
BEGIN
    FOR i IN 1 .. cardinality(p_events) LOOP
        b := p_events[i];
        link := sha256('\x02'::bytea || link || sha256('\x00'::bytea || b));
        kind := get_byte(b, 1) << 8 | get_byte(b, 2);
        this_role := get_byte(b, 12);
        -- Behind the role come the person, the channel and the cause.
        o := CASE WHEN this_role IN (2, 4, 5, 10) THEN tashika.body_behind(b, this_role) ELSE 38 END;
        IF link <> p_links[i] OR substr(b, 5, 8) NOT BETWEEN dated AND '\x7fffffffffffffff'::bytea
           OR substr(b, o - 7, 8) > int8send(p_at + i) THEN
            PERFORM tashika.refuse(format('event %s %s', p_at + i, CASE
                WHEN link <> p_links[i] THEN 'does not continue the history'
                WHEN substr(b, o - 7, 8) > int8send(p_at + i) THEN 'has a cause that comes later'
                ELSE 'is dated before its predecessor' END));
        END IF;
        dated := substr(b, 5, 8);
        IF kind <> 5 OR get_byte(b, 0) <> 1 OR get_byte(b, 3) <> 1 THEN
            kinds := kinds | (1 << kind);
            IF tashika.may_write(b, o, kind, this_role, p_at + i, epoch) IS NOT TRUE THEN
                PERFORM tashika.refuse(format(
                    'event %s is of a kind that its role may not write, or that this schema does not know', p_at + i));
            END IF;
            IF kind = 12 THEN
                epoch := tashika.u32(b, o);
            ELSIF kind IN (2, 3, 6) THEN
                book := p_at + i;
            END IF;
            CONTINUE;
        END IF;

        kinds := kinds | 32;
        k := p_changed[i];
        t := o + 11 + get_byte(b, o + 10);
        tag := get_byte(b, t);
        this_detail := CASE tag WHEN 2 THEN 32 + get_byte(b, t + 1) ELSE tag * 16 END;
        this_reason := CASE WHEN tag IN (4, 5) THEN get_byte(b, t + 1) END;
        SELECT c."row", s.state, r.only_if, EXISTS (SELECT FROM tashika.set_event)
          INTO this_row, stored, rule, any_sets
          FROM tashika.certificate c
               LEFT JOIN tashika.status s ON s.no = c.no
               LEFT JOIN tashika.rule r ON r.kind = 5 AND r.role = this_role AND r.detail = this_detail
         WHERE c.no = p_nos[k];
        IF int8send(p_nos[k]) || substr(this_row, 2, t - o - 8) IS DISTINCT FROM substr(b, o + 1, t - o) THEN
            PERFORM tashika.refuse(CASE WHEN p_nos[k] IS NULL
                THEN 'a status is stored for each certificate that an event named, and for no other'
                ELSE format('event %s: no such certificate has this number', p_at + i) END);
        END IF;
        IF lives[k] IS NOT NULL THEN
            life := lives[k];
            was_reason := reasons[k];
            open_holds := holds[k];
        ELSIF stored IS NULL THEN
            life := 1 - get_byte(this_row, 68 + get_byte(this_row, 3));
            was_reason := NULL;
            open_holds := 0;
        ELSE
            life := get_byte(stored, 9);
            was_reason := CASE life WHEN 2 THEN get_byte(stored, 10) END;
            open_holds := tashika.holds(stored);
        END IF;
        IF any_sets THEN
            SELECT * INTO life, was_reason, open_holds FROM tashika.after_sets(
                p_nos[k], this_row, coalesce(lasts[k], tashika.u64(stored, 1), 0), p_at + i, life, was_reason, open_holds);
        END IF;
        IF rule IS NULL OR this_role = 2 AND substr(b, 14, 2) <> substr(this_row, 2, 2) THEN
            PERFORM tashika.refuse(format('event %s: its role may not make this change', p_at + i));
        ELSIF rule <> '' THEN
            PERFORM tashika.fulfil(rule, b, t, this_reason, life, tashika.u64(b, o - 8), p_at, p_at + i, p_events);
        END IF;
        -- Holding is what comes by the thousand.
        IF tag <> 2 OR life >= 2 THEN
            IF tashika.may_follow(tag, this_reason, life, tashika.weight(was_reason)) IS NOT TRUE THEN
                PERFORM tashika.refuse(format('event %s: such a change can not follow the status', p_at + i));
            END IF;
            IF tag = 3 THEN
                PERFORM tashika.check_release(p_nos[k], stored, b, t, p_at, p_at + i, p_events);
            END IF;
        END IF;
        lives[k] := CASE tag WHEN 1 THEN 1 WHEN 4 THEN 2 ELSE life END;
        reasons[k] := coalesce(this_reason, was_reason);
        holds[k] := CASE tag WHEN 2 THEN open_holds + 1 WHEN 3 THEN open_holds - tashika.u16(b, t + 1) ELSE open_holds END;
        lasts[k] := p_at + i;
    END LOOP;
    IF p_epoch <> epoch OR p_book <> book THEN
        PERFORM tashika.refuse('epoch and book change by their own events only');
    END IF;
    IF cardinality(p_nos) <> cardinality(p_states) THEN
        PERFORM tashika.refuse('a status is stored for each certificate that an event named, and for no other');
    END IF;
    FOR k IN 1 .. cardinality(p_nos) LOOP
        b := p_states[k];
        IF (get_byte(b, 0) = 1 AND substr(b, 2, 8) = int8send(lasts[k]) AND get_byte(b, 9) = lives[k]
            AND CASE lives[k] WHEN 2 THEN get_byte(b, 10) = reasons[k]
                              ELSE holds[k] IS NULL OR tashika.holds(b) = holds[k] END) IS NOT TRUE THEN
            PERFORM tashika.refuse(CASE WHEN lasts[k] IS NULL
                THEN 'a status is stored for each certificate that an event named, and for no other'
                ELSE format('event %s: the status stored with it does not follow from it', lasts[k]) END);
        END IF;
    END LOOP;
    RETURN kinds;
END $$;


--
-- Name: check_release(bigint, bytea, bytea, integer, bigint, bigint, bytea[]); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.check_release(p_no bigint, stored bytea, b bytea, t integer, p_at bigint, p_position bigint, p_events bytea[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    hold bytea;
    opened_at bigint;
BEGIN
    FOR i IN 0 .. tashika.u16(b, t + 1) - 1 LOOP
        hold := substr(b, t + 4 + 8 * i, 8);
        opened_at := tashika.u64(hold, 0);
        CONTINUE WHEN position(hold IN stored) > 0;
        CONTINUE WHEN opened_at > p_at AND opened_at < p_position
            AND tashika.u16(p_events[opened_at - p_at], 1) = 5
            AND position(int8send(p_no) IN p_events[opened_at - p_at]) > 0;
        IF NOT EXISTS (SELECT FROM tashika.set_event x WHERE x.position = opened_at AND x.change = 1) THEN
            PERFORM tashika.refuse(format('event %s releases a hold that is not open', p_position));
        END IF;
    END LOOP;
END $$;


--
-- Name: close_lists(bigint, bytea[]); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.close_lists(p_at bigint, p_events bytea[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
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


--
-- Name: fulfil(text, bytea, integer, integer, integer, bigint, bigint, bigint, bytea[]); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.fulfil(rule text, b bytea, t integer, reason integer, life integer, cause bigint, p_at bigint, p_position bigint, p_events bytea[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF (CASE rule
        WHEN 'affiliation' THEN reason = 3
        -- Only what was never delivered, and then without a reason.
        WHEN 'pending' THEN reason = 0 AND life = 0
        -- A carrier holds in its own name.
        WHEN 'own' THEN substr(b, 14, 2 + tashika.u16(b, 13)) = substr(b, t + 3, 2 + tashika.u16(b, t + 2))
        WHEN 'report' THEN tashika.kind_at(cause, p_at, p_events) = 7
    END) IS NOT TRUE THEN
        PERFORM tashika.refuse(format('event %s: its role may not make this change', p_position));
    END IF;
END $$;


--
-- Name: grant_ca(regrole, integer); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.grant_ca(role regrole, issuer integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    INSERT INTO tashika.ca VALUES (role, issuer);
    EXECUTE format('GRANT USAGE ON SCHEMA tashika TO %s', role);
    EXECUTE format('GRANT EXECUTE ON FUNCTION tashika.submit_registration, tashika.submit_revocation,
                    tashika.submit_acknowledgement, tashika.submission TO %s', role);
END $$;


--
-- Name: holds(bytea); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.holds(state bytea) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CASE get_byte(state, 9) WHEN 2 THEN 0 ELSE tashika.u16(state, 11 + 4 * get_byte(state, 10)) END $$;


--
-- Name: kind_at(bigint, bigint, bytea[]); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.kind_at(p_position bigint, p_at bigint, p_events bytea[]) RETURNS integer
    LANGUAGE plpgsql
    AS $$
DECLARE
    b bytea;
BEGIN
    IF p_position > p_at THEN
        b := p_events[p_position - p_at];
    ELSE
        SELECT e.bytes INTO b FROM tashika.event e WHERE e.position = p_position;
    END IF;
    RETURN tashika.u16(b, 1);
END $$;


--
-- Name: may_follow(integer, integer, integer, integer); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.may_follow(tag integer, reason integer, life_was integer, weight_was integer) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT CASE tag WHEN 1 THEN life_was = 0
                    WHEN 2 THEN life_was < 2
                    WHEN 3 THEN life_was < 2
                    WHEN 4 THEN life_was < 2 AND tashika.weight(reason) IS NOT NULL
                    WHEN 5 THEN life_was = 2 AND tashika.weight(reason) > weight_was
                    ELSE tag IN (6, 7) END
$$;


--
-- Name: may_write(bytea, integer, integer, integer, bigint, bigint); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.may_write(b bytea, o integer, p_kind integer, p_role integer, at bigint, epoch bigint) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
DECLARE
    this_detail int := CASE p_kind
        WHEN 6 THEN get_byte(b, o + CASE get_byte(b, o) WHEN 1 THEN 3 WHEN 2 THEN 5 ELSE 45 END)
        WHEN 7 THEN get_byte(b, o)
        ELSE 0 END;
    rule text := (SELECT r.only_if FROM tashika.rule r
                  WHERE r.kind = p_kind AND r.role = p_role AND r.detail = this_detail);
BEGIN
    RETURN rule = '' AND get_byte(b, 0) = 1 AND get_byte(b, 3) = 1 AND p_kind <> 5
        -- The ledger's creation is its first event, and nothing else is.
        AND (p_kind = 1) = (at = 1)
        AND (p_kind <> 1 OR substr(b, o + 1) = (SELECT h.ledger FROM tashika.head h ORDER BY h.position DESC, h."time" DESC LIMIT 1))
        -- A CA names its own generation as a set, or a list of its own certificates; a chip batch may hold another's.
        AND (p_kind <> 6 OR p_role <> 2 OR get_byte(b, o) = 3
             OR get_byte(b, o) = 1 AND substr(b, o + 2, 2) = substr(b, 14, 2))
        AND (p_kind <> 12 OR tashika.u32(b, o) > epoch);
END $$;


--
-- Name: named(integer[], bytea[], bigint[], bytea[], text[], bytea[], bytea[], boolean); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.named(p_issuers integer[], p_serials bytea[], p_numbers bigint[], p_media bytea[], p_operators text[], p_sims bytea[], p_holders bytea[], p_families boolean) RETURNS SETOF bigint
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    nos bigint[] := p_numbers;
    holders bytea[] := p_holders;
BEGIN
    IF cardinality(p_serials) > 0 THEN
        nos := nos || ARRAY(
            SELECT c.no FROM unnest(p_issuers, p_serials) k (issuer, serial),
                LATERAL (SELECT y.no FROM tashika.certificate y
                         WHERE y.issuer = k.issuer AND y.serial = k.serial LIMIT 1) c);
    END IF;
    IF cardinality(p_media) > 0 THEN
        nos := nos || ARRAY(SELECT c.no FROM tashika.certificate c WHERE c.medium = ANY (p_media));
    END IF;
    IF cardinality(p_sims) > 0 THEN
        nos := nos || ARRAY(
            SELECT c.no FROM unnest(p_operators, p_sims) k (operator, sim),
                LATERAL (SELECT y.no FROM tashika.certificate y
                         WHERE y.sim = k.sim AND y.operator = k.operator OFFSET 0) c);
    END IF;
    IF p_families AND cardinality(nos) > 0 THEN
        holders := holders || ARRAY(
            SELECT DISTINCT c.holder FROM unnest(nos) k (no),
                LATERAL (SELECT y.holder FROM tashika.certificate y WHERE y.no = k.no LIMIT 1) c);
    END IF;
    IF cardinality(holders) > 0 THEN
        nos := nos || ARRAY(SELECT c.no FROM tashika.certificate c WHERE c.holder = ANY (holders));
    END IF;
    RETURN QUERY SELECT DISTINCT u.no FROM unnest(nos) u (no) ORDER BY u.no;
END $$;


--
-- Name: new_list(); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.new_list() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ INSERT INTO tashika.list DEFAULT VALUES RETURNING no $$;


--
-- Name: own_issuer(); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.own_issuer() RETURNS integer
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    own int;
BEGIN
    SELECT c.issuer INTO own FROM tashika.ca c JOIN pg_roles r ON r.oid = c.role WHERE r.rolname = session_user;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = format('%I stands for no issuer', session_user),
            HINT = 'The owner of the ledger grants it: SELECT tashika.grant_ca(role, issuer number).';
    END IF;
    RETURN own;
END $$;


--
-- Name: parsed(bigint, bytea[], bytea[]); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.parsed(p_at bigint, p_events bytea[], p_links bytea[] DEFAULT NULL::bytea[]) RETURNS TABLE("position" bigint, bytes bytea, link bytea, kind integer, "time" bigint, role integer, issuer integer, cause bigint, body integer)
    LANGUAGE sql IMMUTABLE ROWS 64 PARALLEL SAFE
    AS $$
    SELECT x.at, x.b, x.l, tashika.u16(x.b, 1), tashika.u64(x.b, 4), get_byte(x.b, 12),
           CASE get_byte(x.b, 12) WHEN 2 THEN tashika.u16(x.b, 13) END,
           tashika.u64(x.b, x.a + 17), x.a + 25
    FROM (
        SELECT p_at + e.o AS at, e.b, e.l,
               13 + CASE get_byte(e.b, 12)
                        WHEN 2 THEN 2
                        WHEN 4 THEN 2 + tashika.u16(e.b, 13)
                        WHEN 5 THEN 1 + 16 * get_byte(e.b, 13)
                        WHEN 10 THEN 1 + 4 * get_byte(e.b, 13)
                        ELSE 0
                    END AS a
        FROM unnest(p_events, p_links) WITH ORDINALITY e (b, l, o)
        OFFSET 0
    ) x
$$;


--
-- Name: refuse(text); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.refuse(why text) RETURNS void
    LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'TK001', MESSAGE = why; END $$;


--
-- Name: registered(integer[], bytea[]); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.registered(p_issuers integer[], p_serials bytea[]) RETURNS TABLE(no bigint)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    RETURN QUERY
    SELECT c.no FROM unnest(p_issuers, p_serials) WITH ORDINALITY k (issuer, serial, o)
    LEFT JOIN LATERAL (SELECT y.no FROM tashika.certificate y
                       WHERE y.issuer = k.issuer AND y.serial = k.serial LIMIT 1) c ON true
    ORDER BY k.o;
END $$;


--
-- Name: release_lease(text, bytea); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.release_lease(p_name text, p_node bytea) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ DELETE FROM tashika.lease l WHERE l.name = p_name AND l.node = p_node $$;


--
-- Name: revoke_ca(regrole); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.revoke_ca(role regrole) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    DELETE FROM tashika.ca c WHERE c.role = revoke_ca.role;
    EXECUTE format('REVOKE ALL ON FUNCTION tashika.submit_registration, tashika.submit_revocation,
                    tashika.submit_acknowledgement, tashika.submission FROM %s', role);
    EXECUTE format('REVOKE USAGE ON SCHEMA tashika FROM %s', role);
END $$;


--
-- Name: sets_on(bigint, bytea, bigint, bigint); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.sets_on(p_no bigint, p_row bytea, p_as_of bigint, p_before bigint) RETURNS TABLE(change integer, reason integer)
    LANGUAGE sql STABLE
    AS $$
    SELECT x.change::int, x.reason::int FROM tashika.set_event x
    WHERE x.position > p_as_of AND x.position < p_before
      AND CASE x.target WHEN 1 THEN x.no = tashika.u16(p_row, 1)
                        WHEN 2 THEN x.no = tashika.u32(p_row, 38 + get_byte(p_row, 3))
                        ELSE EXISTS (SELECT FROM tashika.list_member m WHERE m.list = x.no AND m.certificate = p_no) END
    ORDER BY x.position
$$;


--
-- Name: stands_at(bigint, bytea, bigint, bigint); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.stands_at(p_at bigint, p_at_link bytea, p_at_epoch bigint, p_at_time bigint) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    h tashika.head%ROWTYPE;
BEGIN
    SELECT * INTO STRICT h FROM tashika.head y ORDER BY y.position DESC, y."time" DESC LIMIT 1;
    IF h.position = p_at AND h.link = p_at_link AND h.epoch = p_at_epoch AND h."time" = p_at_time THEN
        PERFORM tashika.refuse('the batch names a head that never was: positions are numbered without gaps');
    END IF;
    RETURN h.position;
END $$;


--
-- Name: submission(bigint); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.submission(number bigint, OUT state text, OUT first_position bigint, OUT last_position bigint, OUT why text) RETURNS record
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    SELECT CASE i.state WHEN 0 THEN 'waiting' WHEN 1 THEN 'done' ELSE 'refused' END, i.first, i.last, i.why
      INTO submission.state, first_position, last_position, submission.why
      FROM tashika.inbox i WHERE i.no = number AND i.issuer = tashika.own_issuer();
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = '02000', MESSAGE = format('no submission %s of this issuer', number);
    END IF;
END $$;


--
-- Name: submit(jsonb); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.submit(p_command jsonb) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    own int := tashika.own_issuer();
    oldest bigint;
    number bigint;
BEGIN
    IF octet_length(p_command::text) > 1048576 THEN
        RAISE EXCEPTION USING ERRCODE = '54000', MESSAGE = 'a command has at most 1 MiB';
    END IF;
    INSERT INTO tashika.inbox (issuer, command) VALUES (own, p_command::text) RETURNING no INTO number;
    -- Numbers between the oldest that waits and this one: at least as many as wait.
    SELECT i.no INTO oldest FROM tashika.inbox i WHERE i.state = 0 ORDER BY i.no LIMIT 1;
    IF number - oldest > 1000000 THEN
        RAISE EXCEPTION USING ERRCODE = '54000', MESSAGE = 'too many commands wait in the inbox',
            HINT = 'Is a tashika server running on this ledger? Try again later.';
    END IF;
    PERFORM pg_notify('tashika', 'inbox');
    RETURN number;
END $$;


--
-- Name: submit_acknowledgement(text); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.submit_acknowledgement(serial text) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    SELECT tashika.submit(jsonb_build_object('acknowledge', jsonb_build_object('serial', serial)))
$$;


--
-- Name: submit_registration(jsonb); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.submit_registration(certificates jsonb) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    IF jsonb_typeof(certificates) = 'object' THEN
        certificates := jsonb_build_array(certificates);
    END IF;
    IF jsonb_typeof(certificates) IS DISTINCT FROM 'array'
       OR jsonb_array_length(certificates) NOT BETWEEN 1 AND 1000 THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'one certificate, or an array of 1 to 1000';
    END IF;
    RETURN tashika.submit(jsonb_build_object('register', certificates));
END $$;


--
-- Name: submit_revocation(text, text, text); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.submit_revocation(serial text, reason text, lost_at text DEFAULT NULL::text) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    SELECT tashika.submit(jsonb_build_object('revoke', jsonb_strip_nulls(
        jsonb_build_object('serial', serial, 'reason', reason, 'lost_at', lost_at))))
$$;


--
-- Name: take_lease(text, bytea, bigint, bigint); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.take_lease(p_name text, p_node bytea, p_now_ms bigint, p_until_ms bigint, OUT node bytea, OUT until_ms bigint) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    INSERT INTO tashika.lease AS l VALUES (p_name, p_node, p_until_ms)
    ON CONFLICT (name) DO UPDATE SET node = excluded.node, until_ms = excluded.until_ms
        WHERE l.node = excluded.node OR l.until_ms <= p_now_ms
    RETURNING l.node, l.until_ms INTO take_lease.node, take_lease.until_ms;
    IF NOT FOUND THEN
        SELECT l.node, l.until_ms INTO STRICT take_lease.node, take_lease.until_ms
        FROM tashika.lease l WHERE l.name = p_name;
    END IF;
END $$;


--
-- Name: take_turn(); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.take_turn() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ BEGIN PERFORM FROM tashika.head h ORDER BY h.position DESC, h."time" DESC LIMIT 1 FOR UPDATE; END $$;


--
-- Name: u16(bytea, integer); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.u16(b bytea, o integer) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT get_byte(b, o) << 8 | get_byte(b, o + 1) $$;


--
-- Name: u32(bytea, integer); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.u32(b bytea, o integer) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT get_byte(b, o)::bigint << 8 | get_byte(b, o + 1) << 8 | get_byte(b, o + 2) << 8 | get_byte(b, o + 3) $$;


--
-- Name: u64(bytea, integer); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.u64(b bytea, o integer) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT get_byte(b, o)::bigint << 8 | get_byte(b, o + 1) << 8 | get_byte(b, o + 2) << 8 | get_byte(b, o + 3)
        << 8 | get_byte(b, o + 4) << 8 | get_byte(b, o + 5) << 8 | get_byte(b, o + 6) << 8 | get_byte(b, o + 7) $$;


--
-- Name: upkeep(integer); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.upkeep(p_limit integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    done bigint;
BEGIN
    DELETE FROM tashika.budget b
     WHERE b.ctid = ANY (ARRAY(
         SELECT y.ctid FROM tashika.budget y
          WHERE y.hour < (SELECT (h."time" + 9 * 3600) / 3600 - 24 * 30
                          FROM tashika.head h ORDER BY h.position DESC, h."time" DESC LIMIT 1)
          LIMIT p_limit));
    GET DIAGNOSTICS done = ROW_COUNT;
    RETURN done;
END $$;


--
-- Name: weight(integer); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.weight(reason integer) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CASE reason WHEN 0 THEN 0 WHEN 3 THEN 1 WHEN 4 THEN 1 WHEN 5 THEN 1 WHEN 9 THEN 1
                      WHEN 1 THEN 2 WHEN 10 THEN 2 WHEN 2 THEN 3 END $$;


--
-- Name: write_answers(bytea[], bytea[], smallint[], bigint[], bigint[]); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.write_answers(p_keys bytea[], p_commands bytea[], p_outcomes smallint[], p_firsts bigint[], p_lasts bigint[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
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


--
-- Name: write_book(bigint, bytea[]); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.write_book(p_at bigint, p_events bytea[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
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


--
-- Name: write_inbox(bigint, bigint[], bigint[], bigint[], text[]); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.write_inbox(p_position bigint, p_nos bigint[], p_firsts bigint[], p_lasts bigint[], p_whys text[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
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


--
-- Name: write_queue(bigint, bytea[]); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.write_queue(p_at bigint, p_events bytea[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
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


--
-- Name: write_rarer(bigint, bigint, bigint, bigint, integer, bytea[], bytea[]); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.write_rarer(p_at bigint, p_at_book bigint, p_book bigint, p_at_certificates bigint, kinds integer, p_events bytea[], p_rows bytea[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
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


--
-- Name: write_rows(bigint, bigint, bytea[], bytea[]); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.write_rows(p_at bigint, p_at_certificates bigint, p_events bytea[], p_rows bytea[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    firsts bigint[];
    issuers int[];
    digests bytea[];
    counts bigint[];
    wrong bigint;
BEGIN
    SELECT array_agg(tashika.u64(e.bytes, e.body) ORDER BY e.position), array_agg(e.issuer ORDER BY e.position),
           array_agg(substr(e.bytes, e.body + 13, 32) ORDER BY e.position),
           array_agg(tashika.u32(e.bytes, e.body + 8) ORDER BY e.position)
      INTO firsts, issuers, digests, counts
      FROM tashika.parsed(p_at, p_events) e WHERE e.kind = 4;
    IF firsts IS NULL OR firsts[1] <> p_at_certificates + 1
       OR (SELECT sum(c) FROM unnest(counts) c) <> cardinality(p_rows) THEN
        PERFORM tashika.refuse('registration events name exactly the certificates that come with them');
    END IF;
    SELECT count(*) INTO wrong FROM (
        SELECT g.event, sha256(string_agg(int4send(octet_length(g.r)) || g.r, ''::bytea ORDER BY g.o)) AS digest,
               count(*) AS counted,
               bool_and(tashika.u16(g.r, 1) = issuers[g.event] AND s.issuer = issuers[g.event]
                        AND get_byte(g.r, 0) = 1) AS fits
        FROM (SELECT width_bucket(p_at_certificates + u.o, firsts) AS event, u.r, u.o, get_byte(u.r, 3) AS n
              FROM unnest(p_rows) WITH ORDINALITY u (r, o) OFFSET 0) g
        LEFT JOIN LATERAL (
            SELECT x.issuer FROM tashika.scope x WHERE x.no = tashika.u32(g.r, g.n + 58) LIMIT 1) s ON true
        GROUP BY g.event
    ) d
    WHERE d.digest <> digests[d.event] OR d.counted <> counts[d.event] OR d.fits IS NOT TRUE;
    IF wrong > 0 THEN
        PERFORM tashika.refuse('rows differ from their event, or are not of its issuer and scope');
    END IF;
    INSERT INTO tashika.certificate
    SELECT x.no, tashika.u16(x.r, 1), substr(x.r, 5, x.n), substr(x.r, x.n + 23, 16), substr(x.r, x.n + 7, 16),
           CASE get_byte(x.r, x.n + 69) WHEN 1 THEN convert_from(substr(x.r, x.n + 73, x.m), 'UTF8') END,
           CASE get_byte(x.r, x.n + 69) WHEN 1 THEN substr(x.r, x.n + x.m + 73, 16) END,
           x.r
    FROM (SELECT p_at_certificates + y.o AS no, y.r, y.n,
                 CASE get_byte(y.r, y.n + 69) WHEN 1 THEN tashika.u16(y.r, y.n + 70) END AS m
          FROM (SELECT u.o, u.r, get_byte(u.r, 3) AS n FROM unnest(p_rows) WITH ORDINALITY u (r, o) OFFSET 0) y
          OFFSET 0) x;
END $$;


--
-- Name: write_timers(bigint[], bigint[], bigint[], bigint[]); Type: FUNCTION; Schema: tashika; Owner: -
--

CREATE FUNCTION tashika.write_timers(p_timer_at bigint[], p_timer_nos bigint[], p_done_at bigint[], p_done_nos bigint[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
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


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: answer; Type: TABLE; Schema: tashika; Owner: -
--

CREATE TABLE tashika.answer (
    key bytea NOT NULL,
    command bytea NOT NULL,
    outcome smallint NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    CONSTRAINT answer_command_check CHECK ((octet_length(command) = 32)),
    CONSTRAINT answer_key_check CHECK ((octet_length(key) = 16))
);


--
-- Name: budget; Type: TABLE; Schema: tashika; Owner: -
--

CREATE TABLE tashika.budget (
    key text NOT NULL,
    hour bigint NOT NULL,
    used bigint NOT NULL
)
WITH (fillfactor='50', autovacuum_vacuum_threshold='1000', autovacuum_vacuum_scale_factor='0');


--
-- Name: ca; Type: TABLE; Schema: tashika; Owner: -
--

CREATE TABLE tashika.ca (
    role regrole NOT NULL,
    issuer integer NOT NULL
);


--
-- Name: certificate; Type: TABLE; Schema: tashika; Owner: -
--

CREATE TABLE tashika.certificate (
    no bigint NOT NULL,
    issuer integer NOT NULL,
    serial bytea NOT NULL,
    holder bytea NOT NULL,
    medium bytea NOT NULL,
    operator text,
    sim bytea,
    "row" bytea NOT NULL
)
WITH (autovacuum_vacuum_insert_scale_factor='0.05');
ALTER TABLE ONLY tashika.certificate ALTER COLUMN "row" SET STORAGE EXTERNAL;


--
-- Name: event; Type: TABLE; Schema: tashika; Owner: -
--

CREATE TABLE tashika.event (
    "position" bigint NOT NULL,
    bytes bytea NOT NULL,
    link bytea NOT NULL
);
ALTER TABLE ONLY tashika.event ALTER COLUMN bytes SET STORAGE EXTERNAL;


--
-- Name: head; Type: TABLE; Schema: tashika; Owner: -
--

CREATE TABLE tashika.head (
    "position" bigint NOT NULL,
    ledger bytea NOT NULL,
    epoch bigint NOT NULL,
    link bytea NOT NULL,
    tree bytea NOT NULL,
    "time" bigint NOT NULL,
    book bigint NOT NULL,
    certificates bigint NOT NULL
)
WITH (fillfactor='10', autovacuum_vacuum_threshold='1000', autovacuum_vacuum_scale_factor='0');


--
-- Name: heartbeat; Type: TABLE; Schema: tashika; Owner: -
--

CREATE TABLE tashika.heartbeat (
    beat bigint NOT NULL,
    epoch bigint NOT NULL,
    "position" bigint NOT NULL,
    link bytea NOT NULL,
    "time" bigint NOT NULL
)
WITH (fillfactor='10');


--
-- Name: inbox; Type: TABLE; Schema: tashika; Owner: -
--

CREATE TABLE tashika.inbox (
    no bigint NOT NULL,
    issuer integer NOT NULL,
    command text NOT NULL,
    submitted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    submitted_by name DEFAULT SESSION_USER NOT NULL,
    state smallint DEFAULT 0 NOT NULL,
    first bigint,
    last bigint,
    why text,
    CONSTRAINT inbox_state_check CHECK ((state = ANY (ARRAY[0, 1, 2])))
)
WITH (fillfactor='80');


--
-- Name: inbox_no_seq; Type: SEQUENCE; Schema: tashika; Owner: -
--

ALTER TABLE tashika.inbox ALTER COLUMN no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME tashika.inbox_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: issuer; Type: TABLE; Schema: tashika; Owner: -
--

CREATE TABLE tashika.issuer (
    no integer NOT NULL,
    "position" bigint NOT NULL
);


--
-- Name: lease; Type: TABLE; Schema: tashika; Owner: -
--

CREATE TABLE tashika.lease (
    name text NOT NULL,
    node bytea NOT NULL,
    until_ms bigint NOT NULL,
    CONSTRAINT lease_node_check CHECK ((octet_length(node) = 16))
)
WITH (fillfactor='10');


--
-- Name: list; Type: TABLE; Schema: tashika; Owner: -
--

CREATE TABLE tashika.list (
    no bigint NOT NULL,
    members bigint DEFAULT 0 NOT NULL,
    issuer integer,
    named_by bigint
);


--
-- Name: list_member; Type: TABLE; Schema: tashika; Owner: -
--

CREATE TABLE tashika.list_member (
    list bigint NOT NULL,
    certificate bigint NOT NULL
);


--
-- Name: list_no_seq; Type: SEQUENCE; Schema: tashika; Owner: -
--

ALTER TABLE tashika.list ALTER COLUMN no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME tashika.list_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: queue; Type: TABLE; Schema: tashika; Owner: -
--

CREATE TABLE tashika.queue (
    "position" bigint NOT NULL
);


--
-- Name: rule; Type: TABLE; Schema: tashika; Owner: -
--

CREATE TABLE tashika.rule (
    kind smallint NOT NULL,
    role smallint NOT NULL,
    detail smallint NOT NULL,
    only_if text DEFAULT ''::text NOT NULL
);


--
-- Name: schema_version; Type: TABLE; Schema: tashika; Owner: -
--

CREATE TABLE tashika.schema_version (
    version integer NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: scope; Type: TABLE; Schema: tashika; Owner: -
--

CREATE TABLE tashika.scope (
    no bigint NOT NULL,
    issuer integer NOT NULL,
    "position" bigint NOT NULL
);


--
-- Name: set_event; Type: TABLE; Schema: tashika; Owner: -
--

CREATE TABLE tashika.set_event (
    "position" bigint NOT NULL,
    target smallint NOT NULL,
    no bigint NOT NULL,
    change smallint NOT NULL,
    reason smallint
);


--
-- Name: status; Type: TABLE; Schema: tashika; Owner: -
--

CREATE TABLE tashika.status (
    no bigint NOT NULL,
    life smallint NOT NULL,
    reason smallint,
    holds smallint NOT NULL,
    state bytea NOT NULL
)
WITH (fillfactor='70');
ALTER TABLE ONLY tashika.status ALTER COLUMN state SET STORAGE EXTERNAL;


--
-- Name: timer; Type: TABLE; Schema: tashika; Owner: -
--

CREATE TABLE tashika.timer (
    at bigint NOT NULL,
    certificate bigint NOT NULL
);


--
-- Data for Name: answer; Type: TABLE DATA; Schema: tashika; Owner: -
--

COPY tashika.answer (key, command, outcome, first, last) FROM stdin;
\\x03030303030303030303030303030303	\\x0404040404040404040404040404040404040404040404040404040404040404	1	9	10
\.


--
-- Data for Name: budget; Type: TABLE DATA; Schema: tashika; Owner: -
--

COPY tashika.budget (key, hour, used) FROM stdin;
call-centre hold	498660	3
\.


--
-- Data for Name: ca; Type: TABLE DATA; Schema: tashika; Owner: -
--

COPY tashika.ca (role, issuer) FROM stdin;
\.


--
-- Data for Name: certificate; Type: TABLE DATA; Schema: tashika; Owner: -
--

COPY tashika.certificate (no, issuer, serial, holder, medium, operator, sim, "row") FROM stdin;
1	1	\\x01	\\x01010101010101010000000000000001	\\x02020202020202020000000000000001	\N	\N	\\x01000101010101020202020202020200000000000000010101010101010101000000000000000100000001000000006ad82ab0000000007465b930000000010000332e01010000000000
2	1	\\x02	\\x01010101010101010000000000000002	\\x02020202020202020000000000000002	\N	\N	\\x01000101020101020202020202020200000000000000020101010101010101000000000000000200000002000000006ad82ab0000000007465b930000000010000332d01010000000000
3	1	\\x03	\\x01010101010101010000000000000003	\\x02020202020202020000000000000003	\N	\N	\\x01000101030101020202020202020200000000000000030101010101010101000000000000000300000000000000006ad82ab0000000007465b930000000010000332e01010000000000
4	1	\\x04	\\x01010101010101010000000000000004	\\x02020202020202020000000000000004	\N	\N	\\x01000101040101020202020202020200000000000000040101010101010101000000000000000400000001000000006ad82ab0000000007465b930000000010000332d01010000000000
5	2	\\x05	\\x01010101010101010000000000000005	\\x02020202020202020000000000000005	\N	\N	\\x01000201050101020202020202020200000000000000050101010101010101000000000000000500000002000000006ad82ab0000000007465b930000000020000332e01010000000000
6	1	\\x06	\\x01010101010101010000000000000006	\\x02020202020202020000000000000006	\N	\N	\\x01000101060101020202020202020200000000000000060101010101010101000000000000000600000000000000006ad82ab0000000007465b930000000010000332d01010100000000
\.


--
-- Data for Name: event; Type: TABLE DATA; Schema: tashika; Owner: -
--

COPY tashika.event ("position", bytes, link) FROM stdin;
1	\\x01000101000000006affb7b0060606060606060606000000000000000101000000000000000009090909090909090000000000000001	\\x755c63853aa1016d241ee80442022fef4ec26d5e4ff629fe3120fa4420898320
2	\\x01000201000000006affb7b00606060606060606060000000000000001010000000000000000000100086973737565722d31000230010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101	\\x5f83e5f3b4ca2a544970749346562b36183244df4dac8726cc182ec29f17a02c
3	\\x01000301000000006affb7b006060606060606060600000000000000010100000000000000000000000100010002a001000b73636f70652d312e63726c	\\xd42a65f81fc55c249523f947f21d05e42e1b891709c112e07478d13be1ab3fb3
4	\\x01000201000000006affb7b00606060606060606060000000000000001010000000000000000000200086973737565722d32000230020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202	\\xfebd2f0b75a46f8aa909a555672c4f0d60029d766ba626d0448c8070640e77fa
5	\\x01000301000000006affb7b006060606060606060600000000000000010100000000000000000000000200020002a002000b73636f70652d322e63726c	\\xf419b73dce93bdd8cfaca3e560d0184b6937edcfa941fdb0defdafd489217902
6	\\x01000401000000006affb7b102000106060606060606060000000000000001010000000000000000000000000000000100000004ae20c69b6624c2a047d216a37c834573c073c583c70c9e5ea8ea5a00d6d51abf	\\x526a0eef109c73ba66e094607ba25fa61e4a70b38ce152a0bced285fb86e6abd
7	\\x01000401000000006affb7b1020002060606060606060600000000000000010100000000000000000000000000000005000000014e687e31e063d7114f72f27802c820d38648fd43ae9f5c630536c33049716e84	\\xe80721751030f264354a682148d7a4e74a1496eac74cb4968676f0469c23a515
8	\\x01000401000000006affb7b102000106060606060606060000000000000001010000000000000000000000000000000600000001468d54a7361c23d12c3e3821a44888dcc7ff11a955287e7eedbff2655e09d71a	\\x7103bef2a156d1ca7520595c9f4daf003479199eaa611903fefcd32acaa1f2df
9	\\x01000501000000006affb8140306060606060606060000000000000001010000000000000000000000000000000100010101020101000000006affb7b500	\\x755a6122949eabc821ae90a6db099c42c024eebe34f5d319760067130413a1a5
10	\\x01000501000000006affb8140a00060606060606060600000000000000010100000000000000000000000000000002000101020404000000006affb81400	\\x35dad2c43bfa3e1d0b768283c9ca8d3371562e0768a9c9b679fad7ead707f714
\.


--
-- Data for Name: head; Type: TABLE DATA; Schema: tashika; Owner: -
--

COPY tashika.head ("position", ledger, epoch, link, tree, "time", book, certificates) FROM stdin;
10	\\x09090909090909090000000000000001	0	\\x35dad2c43bfa3e1d0b768283c9ca8d3371562e0768a9c9b679fad7ead707f714	\\x9f2450371d6b2d6afa8e635836b3898ac46f533c593938cc5217511c87916624b58c7ab293b536ce71d4eec660b322fc931d73101cd09f69df38aaaf508defe4	1795143800	5	6
\.


--
-- Data for Name: heartbeat; Type: TABLE DATA; Schema: tashika; Owner: -
--

COPY tashika.heartbeat (beat, epoch, "position", link, "time") FROM stdin;
1	0	10	\\x35dad2c43bfa3e1d0b768283c9ca8d3371562e0768a9c9b679fad7ead707f714	1795143800
\.


--
-- Data for Name: inbox; Type: TABLE DATA; Schema: tashika; Owner: -
--

COPY tashika.inbox (no, issuer, command, submitted_at, submitted_by, state, first, last, why) FROM stdin;
\.


--
-- Data for Name: issuer; Type: TABLE DATA; Schema: tashika; Owner: -
--

COPY tashika.issuer (no, "position") FROM stdin;
1	2
2	4
\.


--
-- Data for Name: lease; Type: TABLE DATA; Schema: tashika; Owner: -
--

COPY tashika.lease (name, node, until_ms) FROM stdin;
\.


--
-- Data for Name: list; Type: TABLE DATA; Schema: tashika; Owner: -
--

COPY tashika.list (no, members, issuer, named_by) FROM stdin;
\.


--
-- Data for Name: list_member; Type: TABLE DATA; Schema: tashika; Owner: -
--

COPY tashika.list_member (list, certificate) FROM stdin;
\.


--
-- Data for Name: queue; Type: TABLE DATA; Schema: tashika; Owner: -
--

COPY tashika.queue ("position") FROM stdin;
\.


--
-- Data for Name: rule; Type: TABLE DATA; Schema: tashika; Owner: -
--

COPY tashika.rule (kind, role, detail, only_if) FROM stdin;
1	6	0	
2	6	0	
3	6	0	
4	2	0	
6	2	1	
6	2	2	
6	2	3	
6	6	1	
6	6	2	
6	6	3	
8	2	0	
8	3	0	
8	4	0	
8	5	0	
8	6	0	
8	7	0	
8	8	0	
8	10	0	
9	3	0	
9	4	0	
9	6	0	
9	7	0	
9	10	0	
10	6	0	
11	2	0	
11	9	0	
12	6	0	
7	10	1	
7	10	2	
7	10	3	
7	10	4	
7	10	5	
7	10	6	
7	10	7	
7	10	8	
7	10	9	
7	10	10	
7	10	11	
7	10	12	
7	10	13	
7	10	14	
7	10	15	
7	10	16	
7	10	17	
7	3	1	
7	3	4	
7	4	4	
7	4	5	
7	4	7	
7	4	8	
7	4	9	
7	5	1	
7	5	2	
7	5	4	
7	5	5	
7	5	15	
7	7	10	
7	7	11	
7	7	12	
7	8	16	
7	8	17	
5	2	16	
5	8	16	
5	10	16	
5	3	33	
5	4	34	own
5	5	35	
5	7	37	
5	6	38	
5	10	41	
5	2	36	
5	10	36	
5	3	39	report
5	5	39	report
5	10	39	report
5	4	48	
5	5	48	
5	6	48	
5	7	48	
5	10	48	
5	2	64	
5	5	64	
5	9	64	
5	10	64	
5	3	64	pending
5	8	64	pending
5	7	64	affiliation
5	2	80	
5	5	80	
5	9	80	
5	10	80	
5	7	80	affiliation
5	2	96	
5	3	96	
5	4	96	
5	5	96	
5	6	96	
5	7	96	
5	10	96	
5	7	112	
5	10	112	
13	6	0	
13	9	0	
\.


--
-- Data for Name: schema_version; Type: TABLE DATA; Schema: tashika; Owner: -
--

COPY tashika.schema_version (version, applied_at) FROM stdin;
1	2026-11-21 01:12:02.04941+00
2	2026-11-21 01:12:02.04941+00
\.


--
-- Data for Name: scope; Type: TABLE DATA; Schema: tashika; Owner: -
--

COPY tashika.scope (no, issuer, "position") FROM stdin;
1	1	3
2	2	5
\.


--
-- Data for Name: set_event; Type: TABLE DATA; Schema: tashika; Owner: -
--

COPY tashika.set_event ("position", target, no, change, reason) FROM stdin;
\.


--
-- Data for Name: status; Type: TABLE DATA; Schema: tashika; Owner: -
--

COPY tashika.status (no, life, reason, holds, state) FROM stdin;
1	1	\N	1	\\x01000000000000000901000001000000000000000901000000006affb814000000000000000901000000006affb7b500
2	2	4	0	\\x01000000000000000a0204000000006affb81400000000000000000a000000
\.


--
-- Data for Name: timer; Type: TABLE DATA; Schema: tashika; Owner: -
--

COPY tashika.timer (at, certificate) FROM stdin;
1795144100	1
\.


--
-- Name: inbox_no_seq; Type: SEQUENCE SET; Schema: tashika; Owner: -
--

SELECT pg_catalog.setval('tashika.inbox_no_seq', 1, false);


--
-- Name: list_no_seq; Type: SEQUENCE SET; Schema: tashika; Owner: -
--

SELECT pg_catalog.setval('tashika.list_no_seq', 1, false);


--
-- Name: answer answer_pkey; Type: CONSTRAINT; Schema: tashika; Owner: -
--

ALTER TABLE ONLY tashika.answer
    ADD CONSTRAINT answer_pkey PRIMARY KEY (key);


--
-- Name: budget budget_pkey; Type: CONSTRAINT; Schema: tashika; Owner: -
--

ALTER TABLE ONLY tashika.budget
    ADD CONSTRAINT budget_pkey PRIMARY KEY (hour, key, used);


--
-- Name: ca ca_pkey; Type: CONSTRAINT; Schema: tashika; Owner: -
--

ALTER TABLE ONLY tashika.ca
    ADD CONSTRAINT ca_pkey PRIMARY KEY (role);


--
-- Name: certificate certificate_pkey; Type: CONSTRAINT; Schema: tashika; Owner: -
--

ALTER TABLE ONLY tashika.certificate
    ADD CONSTRAINT certificate_pkey PRIMARY KEY (no);


--
-- Name: event event_pkey; Type: CONSTRAINT; Schema: tashika; Owner: -
--

ALTER TABLE ONLY tashika.event
    ADD CONSTRAINT event_pkey PRIMARY KEY ("position");


--
-- Name: head head_pkey; Type: CONSTRAINT; Schema: tashika; Owner: -
--

ALTER TABLE ONLY tashika.head
    ADD CONSTRAINT head_pkey PRIMARY KEY ("position", "time");


--
-- Name: heartbeat heartbeat_pkey; Type: CONSTRAINT; Schema: tashika; Owner: -
--

ALTER TABLE ONLY tashika.heartbeat
    ADD CONSTRAINT heartbeat_pkey PRIMARY KEY (beat);


--
-- Name: inbox inbox_pkey; Type: CONSTRAINT; Schema: tashika; Owner: -
--

ALTER TABLE ONLY tashika.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (no);


--
-- Name: issuer issuer_pkey; Type: CONSTRAINT; Schema: tashika; Owner: -
--

ALTER TABLE ONLY tashika.issuer
    ADD CONSTRAINT issuer_pkey PRIMARY KEY (no);


--
-- Name: issuer issuer_position_key; Type: CONSTRAINT; Schema: tashika; Owner: -
--

ALTER TABLE ONLY tashika.issuer
    ADD CONSTRAINT issuer_position_key UNIQUE ("position");


--
-- Name: lease lease_pkey; Type: CONSTRAINT; Schema: tashika; Owner: -
--

ALTER TABLE ONLY tashika.lease
    ADD CONSTRAINT lease_pkey PRIMARY KEY (name);


--
-- Name: list_member list_member_pkey; Type: CONSTRAINT; Schema: tashika; Owner: -
--

ALTER TABLE ONLY tashika.list_member
    ADD CONSTRAINT list_member_pkey PRIMARY KEY (list, certificate);


--
-- Name: list list_pkey; Type: CONSTRAINT; Schema: tashika; Owner: -
--

ALTER TABLE ONLY tashika.list
    ADD CONSTRAINT list_pkey PRIMARY KEY (no);


--
-- Name: queue queue_pkey; Type: CONSTRAINT; Schema: tashika; Owner: -
--

ALTER TABLE ONLY tashika.queue
    ADD CONSTRAINT queue_pkey PRIMARY KEY ("position");


--
-- Name: rule rule_pkey; Type: CONSTRAINT; Schema: tashika; Owner: -
--

ALTER TABLE ONLY tashika.rule
    ADD CONSTRAINT rule_pkey PRIMARY KEY (kind, role, detail);


--
-- Name: schema_version schema_version_pkey; Type: CONSTRAINT; Schema: tashika; Owner: -
--

ALTER TABLE ONLY tashika.schema_version
    ADD CONSTRAINT schema_version_pkey PRIMARY KEY (version);


--
-- Name: scope scope_pkey; Type: CONSTRAINT; Schema: tashika; Owner: -
--

ALTER TABLE ONLY tashika.scope
    ADD CONSTRAINT scope_pkey PRIMARY KEY (no);


--
-- Name: scope scope_position_key; Type: CONSTRAINT; Schema: tashika; Owner: -
--

ALTER TABLE ONLY tashika.scope
    ADD CONSTRAINT scope_position_key UNIQUE ("position");


--
-- Name: set_event set_event_pkey; Type: CONSTRAINT; Schema: tashika; Owner: -
--

ALTER TABLE ONLY tashika.set_event
    ADD CONSTRAINT set_event_pkey PRIMARY KEY ("position");


--
-- Name: status status_pkey; Type: CONSTRAINT; Schema: tashika; Owner: -
--

ALTER TABLE ONLY tashika.status
    ADD CONSTRAINT status_pkey PRIMARY KEY (no);


--
-- Name: timer timer_pkey; Type: CONSTRAINT; Schema: tashika; Owner: -
--

ALTER TABLE ONLY tashika.timer
    ADD CONSTRAINT timer_pkey PRIMARY KEY (at, certificate);


--
-- Name: certificate_holder; Type: INDEX; Schema: tashika; Owner: -
--

CREATE INDEX certificate_holder ON tashika.certificate USING btree (holder);


--
-- Name: certificate_medium; Type: INDEX; Schema: tashika; Owner: -
--

CREATE INDEX certificate_medium ON tashika.certificate USING btree (medium);


--
-- Name: certificate_serial; Type: INDEX; Schema: tashika; Owner: -
--

CREATE UNIQUE INDEX certificate_serial ON tashika.certificate USING btree (issuer, serial);


--
-- Name: certificate_sim; Type: INDEX; Schema: tashika; Owner: -
--

CREATE INDEX certificate_sim ON tashika.certificate USING btree (sim) WHERE (sim IS NOT NULL);


--
-- Name: inbox_waiting; Type: INDEX; Schema: tashika; Owner: -
--

CREATE INDEX inbox_waiting ON tashika.inbox USING btree (no) WHERE (state = 0);


--
-- Name: list_member_certificate; Type: INDEX; Schema: tashika; Owner: -
--

CREATE INDEX list_member_certificate ON tashika.list_member USING btree (certificate, list);


--
-- Name: ca ca_issuer_fkey; Type: FK CONSTRAINT; Schema: tashika; Owner: -
--

ALTER TABLE ONLY tashika.ca
    ADD CONSTRAINT ca_issuer_fkey FOREIGN KEY (issuer) REFERENCES tashika.issuer(no);


--
-- Name: list_member list_member_list_fkey; Type: FK CONSTRAINT; Schema: tashika; Owner: -
--

ALTER TABLE ONLY tashika.list_member
    ADD CONSTRAINT list_member_list_fkey FOREIGN KEY (list) REFERENCES tashika.list(no);


--
-- Name: scope scope_issuer_fkey; Type: FK CONSTRAINT; Schema: tashika; Owner: -
--

ALTER TABLE ONLY tashika.scope
    ADD CONSTRAINT scope_issuer_fkey FOREIGN KEY (issuer) REFERENCES tashika.issuer(no);


--
-- Name: SCHEMA tashika; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA tashika TO tashika_server;
GRANT USAGE ON SCHEMA tashika TO tashika_reader;


--
-- Name: FUNCTION add_to_list(p_list bigint, p_members bigint[]); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.add_to_list(p_list bigint, p_members bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION tashika.add_to_list(p_list bigint, p_members bigint[]) TO tashika_server;


--
-- Name: FUNCTION after_sets(p_no bigint, p_row bytea, p_as_of bigint, p_before bigint, INOUT life integer, INOUT was_reason integer, INOUT open_holds integer); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.after_sets(p_no bigint, p_row bytea, p_as_of bigint, p_before bigint, INOUT life integer, INOUT was_reason integer, INOUT open_holds integer) FROM PUBLIC;


--
-- Name: FUNCTION append(p_at_epoch bigint, p_at bigint, p_at_link bytea, p_at_time bigint, p_at_book bigint, p_at_certificates bigint, p_epoch bigint, p_position bigint, p_link bytea, p_tree bytea, p_time bigint, p_book bigint, p_certificates bigint, p_events bytea[], p_links bytea[], p_rows bytea[], p_nos bigint[], p_states bytea[], p_changed integer[], p_timer_at bigint[], p_timer_nos bigint[], p_done_at bigint[], p_done_nos bigint[], p_answer_keys bytea[], p_answer_commands bytea[], p_answer_outcomes smallint[], p_answer_firsts bigint[], p_answer_lasts bigint[], p_budget_keys text[], p_budget_hours bigint[], p_budget_used bigint[], p_inbox_nos bigint[], p_inbox_firsts bigint[], p_inbox_lasts bigint[], p_inbox_whys text[]); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.append(p_at_epoch bigint, p_at bigint, p_at_link bytea, p_at_time bigint, p_at_book bigint, p_at_certificates bigint, p_epoch bigint, p_position bigint, p_link bytea, p_tree bytea, p_time bigint, p_book bigint, p_certificates bigint, p_events bytea[], p_links bytea[], p_rows bytea[], p_nos bigint[], p_states bytea[], p_changed integer[], p_timer_at bigint[], p_timer_nos bigint[], p_done_at bigint[], p_done_nos bigint[], p_answer_keys bytea[], p_answer_commands bytea[], p_answer_outcomes smallint[], p_answer_firsts bigint[], p_answer_lasts bigint[], p_budget_keys text[], p_budget_hours bigint[], p_budget_used bigint[], p_inbox_nos bigint[], p_inbox_firsts bigint[], p_inbox_lasts bigint[], p_inbox_whys text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION tashika.append(p_at_epoch bigint, p_at bigint, p_at_link bytea, p_at_time bigint, p_at_book bigint, p_at_certificates bigint, p_epoch bigint, p_position bigint, p_link bytea, p_tree bytea, p_time bigint, p_book bigint, p_certificates bigint, p_events bytea[], p_links bytea[], p_rows bytea[], p_nos bigint[], p_states bytea[], p_changed integer[], p_timer_at bigint[], p_timer_nos bigint[], p_done_at bigint[], p_done_nos bigint[], p_answer_keys bytea[], p_answer_commands bytea[], p_answer_outcomes smallint[], p_answer_firsts bigint[], p_answer_lasts bigint[], p_budget_keys text[], p_budget_hours bigint[], p_budget_used bigint[], p_inbox_nos bigint[], p_inbox_firsts bigint[], p_inbox_lasts bigint[], p_inbox_whys text[]) TO tashika_server;


--
-- Name: FUNCTION beat(p_now bigint, OUT epoch bigint, OUT at bigint, OUT link bytea, OUT "time" bigint); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.beat(p_now bigint, OUT epoch bigint, OUT at bigint, OUT link bytea, OUT "time" bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tashika.beat(p_now bigint, OUT epoch bigint, OUT at bigint, OUT link bytea, OUT "time" bigint) TO tashika_server;


--
-- Name: FUNCTION body_behind(b bytea, role integer); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.body_behind(b bytea, role integer) FROM PUBLIC;


--
-- Name: FUNCTION check_events(p_at bigint, p_at_link bytea, p_at_time bigint, p_at_book bigint, p_at_epoch bigint, p_book bigint, p_epoch bigint, p_events bytea[], p_links bytea[], p_nos bigint[], p_states bytea[], p_changed integer[]); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.check_events(p_at bigint, p_at_link bytea, p_at_time bigint, p_at_book bigint, p_at_epoch bigint, p_book bigint, p_epoch bigint, p_events bytea[], p_links bytea[], p_nos bigint[], p_states bytea[], p_changed integer[]) FROM PUBLIC;


--
-- Name: FUNCTION check_release(p_no bigint, stored bytea, b bytea, t integer, p_at bigint, p_position bigint, p_events bytea[]); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.check_release(p_no bigint, stored bytea, b bytea, t integer, p_at bigint, p_position bigint, p_events bytea[]) FROM PUBLIC;


--
-- Name: FUNCTION close_lists(p_at bigint, p_events bytea[]); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.close_lists(p_at bigint, p_events bytea[]) FROM PUBLIC;


--
-- Name: FUNCTION fulfil(rule text, b bytea, t integer, reason integer, life integer, cause bigint, p_at bigint, p_position bigint, p_events bytea[]); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.fulfil(rule text, b bytea, t integer, reason integer, life integer, cause bigint, p_at bigint, p_position bigint, p_events bytea[]) FROM PUBLIC;


--
-- Name: FUNCTION grant_ca(role regrole, issuer integer); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.grant_ca(role regrole, issuer integer) FROM PUBLIC;


--
-- Name: FUNCTION holds(state bytea); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.holds(state bytea) FROM PUBLIC;


--
-- Name: FUNCTION kind_at(p_position bigint, p_at bigint, p_events bytea[]); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.kind_at(p_position bigint, p_at bigint, p_events bytea[]) FROM PUBLIC;


--
-- Name: FUNCTION may_follow(tag integer, reason integer, life_was integer, weight_was integer); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.may_follow(tag integer, reason integer, life_was integer, weight_was integer) FROM PUBLIC;


--
-- Name: FUNCTION may_write(b bytea, o integer, p_kind integer, p_role integer, at bigint, epoch bigint); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.may_write(b bytea, o integer, p_kind integer, p_role integer, at bigint, epoch bigint) FROM PUBLIC;


--
-- Name: FUNCTION named(p_issuers integer[], p_serials bytea[], p_numbers bigint[], p_media bytea[], p_operators text[], p_sims bytea[], p_holders bytea[], p_families boolean); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.named(p_issuers integer[], p_serials bytea[], p_numbers bigint[], p_media bytea[], p_operators text[], p_sims bytea[], p_holders bytea[], p_families boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION tashika.named(p_issuers integer[], p_serials bytea[], p_numbers bigint[], p_media bytea[], p_operators text[], p_sims bytea[], p_holders bytea[], p_families boolean) TO tashika_server;
GRANT ALL ON FUNCTION tashika.named(p_issuers integer[], p_serials bytea[], p_numbers bigint[], p_media bytea[], p_operators text[], p_sims bytea[], p_holders bytea[], p_families boolean) TO tashika_reader;


--
-- Name: FUNCTION new_list(); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.new_list() FROM PUBLIC;
GRANT ALL ON FUNCTION tashika.new_list() TO tashika_server;


--
-- Name: FUNCTION own_issuer(); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.own_issuer() FROM PUBLIC;


--
-- Name: FUNCTION parsed(p_at bigint, p_events bytea[], p_links bytea[]); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.parsed(p_at bigint, p_events bytea[], p_links bytea[]) FROM PUBLIC;


--
-- Name: FUNCTION refuse(why text); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.refuse(why text) FROM PUBLIC;


--
-- Name: FUNCTION registered(p_issuers integer[], p_serials bytea[]); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.registered(p_issuers integer[], p_serials bytea[]) FROM PUBLIC;
GRANT ALL ON FUNCTION tashika.registered(p_issuers integer[], p_serials bytea[]) TO tashika_server;
GRANT ALL ON FUNCTION tashika.registered(p_issuers integer[], p_serials bytea[]) TO tashika_reader;


--
-- Name: FUNCTION release_lease(p_name text, p_node bytea); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.release_lease(p_name text, p_node bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION tashika.release_lease(p_name text, p_node bytea) TO tashika_server;


--
-- Name: FUNCTION revoke_ca(role regrole); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.revoke_ca(role regrole) FROM PUBLIC;


--
-- Name: FUNCTION sets_on(p_no bigint, p_row bytea, p_as_of bigint, p_before bigint); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.sets_on(p_no bigint, p_row bytea, p_as_of bigint, p_before bigint) FROM PUBLIC;


--
-- Name: FUNCTION stands_at(p_at bigint, p_at_link bytea, p_at_epoch bigint, p_at_time bigint); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.stands_at(p_at bigint, p_at_link bytea, p_at_epoch bigint, p_at_time bigint) FROM PUBLIC;


--
-- Name: FUNCTION submission(number bigint, OUT state text, OUT first_position bigint, OUT last_position bigint, OUT why text); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.submission(number bigint, OUT state text, OUT first_position bigint, OUT last_position bigint, OUT why text) FROM PUBLIC;


--
-- Name: FUNCTION submit(p_command jsonb); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.submit(p_command jsonb) FROM PUBLIC;


--
-- Name: FUNCTION submit_acknowledgement(serial text); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.submit_acknowledgement(serial text) FROM PUBLIC;


--
-- Name: FUNCTION submit_registration(certificates jsonb); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.submit_registration(certificates jsonb) FROM PUBLIC;


--
-- Name: FUNCTION submit_revocation(serial text, reason text, lost_at text); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.submit_revocation(serial text, reason text, lost_at text) FROM PUBLIC;


--
-- Name: FUNCTION take_lease(p_name text, p_node bytea, p_now_ms bigint, p_until_ms bigint, OUT node bytea, OUT until_ms bigint); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.take_lease(p_name text, p_node bytea, p_now_ms bigint, p_until_ms bigint, OUT node bytea, OUT until_ms bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tashika.take_lease(p_name text, p_node bytea, p_now_ms bigint, p_until_ms bigint, OUT node bytea, OUT until_ms bigint) TO tashika_server;


--
-- Name: FUNCTION take_turn(); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.take_turn() FROM PUBLIC;
GRANT ALL ON FUNCTION tashika.take_turn() TO tashika_server;


--
-- Name: FUNCTION u16(b bytea, o integer); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.u16(b bytea, o integer) FROM PUBLIC;


--
-- Name: FUNCTION u32(b bytea, o integer); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.u32(b bytea, o integer) FROM PUBLIC;


--
-- Name: FUNCTION u64(b bytea, o integer); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.u64(b bytea, o integer) FROM PUBLIC;


--
-- Name: FUNCTION upkeep(p_limit integer); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.upkeep(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION tashika.upkeep(p_limit integer) TO tashika_server;


--
-- Name: FUNCTION weight(reason integer); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.weight(reason integer) FROM PUBLIC;


--
-- Name: FUNCTION write_answers(p_keys bytea[], p_commands bytea[], p_outcomes smallint[], p_firsts bigint[], p_lasts bigint[]); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.write_answers(p_keys bytea[], p_commands bytea[], p_outcomes smallint[], p_firsts bigint[], p_lasts bigint[]) FROM PUBLIC;


--
-- Name: FUNCTION write_book(p_at bigint, p_events bytea[]); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.write_book(p_at bigint, p_events bytea[]) FROM PUBLIC;


--
-- Name: FUNCTION write_inbox(p_position bigint, p_nos bigint[], p_firsts bigint[], p_lasts bigint[], p_whys text[]); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.write_inbox(p_position bigint, p_nos bigint[], p_firsts bigint[], p_lasts bigint[], p_whys text[]) FROM PUBLIC;


--
-- Name: FUNCTION write_queue(p_at bigint, p_events bytea[]); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.write_queue(p_at bigint, p_events bytea[]) FROM PUBLIC;


--
-- Name: FUNCTION write_rarer(p_at bigint, p_at_book bigint, p_book bigint, p_at_certificates bigint, kinds integer, p_events bytea[], p_rows bytea[]); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.write_rarer(p_at bigint, p_at_book bigint, p_book bigint, p_at_certificates bigint, kinds integer, p_events bytea[], p_rows bytea[]) FROM PUBLIC;


--
-- Name: FUNCTION write_rows(p_at bigint, p_at_certificates bigint, p_events bytea[], p_rows bytea[]); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.write_rows(p_at bigint, p_at_certificates bigint, p_events bytea[], p_rows bytea[]) FROM PUBLIC;


--
-- Name: FUNCTION write_timers(p_timer_at bigint[], p_timer_nos bigint[], p_done_at bigint[], p_done_nos bigint[]); Type: ACL; Schema: tashika; Owner: -
--

REVOKE ALL ON FUNCTION tashika.write_timers(p_timer_at bigint[], p_timer_nos bigint[], p_done_at bigint[], p_done_nos bigint[]) FROM PUBLIC;


--
-- Name: TABLE answer; Type: ACL; Schema: tashika; Owner: -
--

GRANT SELECT ON TABLE tashika.answer TO tashika_server;
GRANT SELECT ON TABLE tashika.answer TO tashika_reader;


--
-- Name: TABLE budget; Type: ACL; Schema: tashika; Owner: -
--

GRANT SELECT ON TABLE tashika.budget TO tashika_server;
GRANT SELECT ON TABLE tashika.budget TO tashika_reader;


--
-- Name: TABLE ca; Type: ACL; Schema: tashika; Owner: -
--

GRANT SELECT ON TABLE tashika.ca TO tashika_server;
GRANT SELECT ON TABLE tashika.ca TO tashika_reader;


--
-- Name: TABLE certificate; Type: ACL; Schema: tashika; Owner: -
--

GRANT SELECT ON TABLE tashika.certificate TO tashika_server;
GRANT SELECT ON TABLE tashika.certificate TO tashika_reader;


--
-- Name: TABLE event; Type: ACL; Schema: tashika; Owner: -
--

GRANT SELECT ON TABLE tashika.event TO tashika_server;
GRANT SELECT ON TABLE tashika.event TO tashika_reader;


--
-- Name: TABLE head; Type: ACL; Schema: tashika; Owner: -
--

GRANT SELECT ON TABLE tashika.head TO tashika_server;
GRANT SELECT ON TABLE tashika.head TO tashika_reader;


--
-- Name: TABLE heartbeat; Type: ACL; Schema: tashika; Owner: -
--

GRANT SELECT ON TABLE tashika.heartbeat TO tashika_server;
GRANT SELECT ON TABLE tashika.heartbeat TO tashika_reader;


--
-- Name: TABLE inbox; Type: ACL; Schema: tashika; Owner: -
--

GRANT SELECT ON TABLE tashika.inbox TO tashika_server;
GRANT SELECT ON TABLE tashika.inbox TO tashika_reader;


--
-- Name: TABLE issuer; Type: ACL; Schema: tashika; Owner: -
--

GRANT SELECT ON TABLE tashika.issuer TO tashika_server;
GRANT SELECT ON TABLE tashika.issuer TO tashika_reader;


--
-- Name: TABLE lease; Type: ACL; Schema: tashika; Owner: -
--

GRANT SELECT ON TABLE tashika.lease TO tashika_server;
GRANT SELECT ON TABLE tashika.lease TO tashika_reader;


--
-- Name: TABLE list; Type: ACL; Schema: tashika; Owner: -
--

GRANT SELECT ON TABLE tashika.list TO tashika_server;
GRANT SELECT ON TABLE tashika.list TO tashika_reader;


--
-- Name: TABLE list_member; Type: ACL; Schema: tashika; Owner: -
--

GRANT SELECT ON TABLE tashika.list_member TO tashika_server;
GRANT SELECT ON TABLE tashika.list_member TO tashika_reader;


--
-- Name: TABLE queue; Type: ACL; Schema: tashika; Owner: -
--

GRANT SELECT ON TABLE tashika.queue TO tashika_server;
GRANT SELECT ON TABLE tashika.queue TO tashika_reader;


--
-- Name: TABLE rule; Type: ACL; Schema: tashika; Owner: -
--

GRANT SELECT ON TABLE tashika.rule TO tashika_server;
GRANT SELECT ON TABLE tashika.rule TO tashika_reader;


--
-- Name: TABLE schema_version; Type: ACL; Schema: tashika; Owner: -
--

GRANT SELECT ON TABLE tashika.schema_version TO tashika_server;
GRANT SELECT ON TABLE tashika.schema_version TO tashika_reader;


--
-- Name: TABLE scope; Type: ACL; Schema: tashika; Owner: -
--

GRANT SELECT ON TABLE tashika.scope TO tashika_server;
GRANT SELECT ON TABLE tashika.scope TO tashika_reader;


--
-- Name: TABLE set_event; Type: ACL; Schema: tashika; Owner: -
--

GRANT SELECT ON TABLE tashika.set_event TO tashika_server;
GRANT SELECT ON TABLE tashika.set_event TO tashika_reader;


--
-- Name: TABLE status; Type: ACL; Schema: tashika; Owner: -
--

GRANT SELECT ON TABLE tashika.status TO tashika_server;
GRANT SELECT ON TABLE tashika.status TO tashika_reader;


--
-- Name: TABLE timer; Type: ACL; Schema: tashika; Owner: -
--

GRANT SELECT ON TABLE tashika.timer TO tashika_server;
GRANT SELECT ON TABLE tashika.timer TO tashika_reader;


--
-- PostgreSQL database dump complete
--

\unrestrict OTl7WymfL8KTtw4z3rOiPEO3WvQVLoV5TWpm4kejedx5U512jl91sOsgsY7ccDo

