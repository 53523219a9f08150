-- What `append` refuses. The program has decided by the same rules already; a refusal here is an attempt, or a bug.

-- Every event: its link, its time, its kind, and whether its role may write it; of a change, whether it may follow what
-- was, and whether the status to be stored follows from it. What a set event did to a certificate counts as what was.
-- Returns the kinds that there are, each as a bit.
--
-- A loop of plain expressions, not a query: setting up a query of this size costs more than checking sixty events. Numbers
-- of eight octets are compared as octets, whose order is theirs: reading them costs more than all the rest.
CREATE FUNCTION tashika.check_events(
    p_at bigint, p_at_link bytea, p_at_time bigint, p_at_book bigint, p_at_epoch bigint, p_book bigint, p_epoch bigint,
    p_events bytea[], p_links bytea[], p_nos bigint[], p_states bytea[], p_changed int[]
) RETURNS int LANGUAGE plpgsql AS $$
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

-- Where the body begins in an event whose role says more than itself.
CREATE FUNCTION tashika.body_behind(b bytea, role int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN 38 + CASE role WHEN 2 THEN 2
                          WHEN 4 THEN 2 + tashika.u16(b, 13)
                          WHEN 5 THEN 1 + 16 * get_byte(b, 13)
                          WHEN 10 THEN 1 + 4 * get_byte(b, 13) END;
END $$;

-- Whether an event other than a change may be written by its role, here and now.
CREATE FUNCTION tashika.may_write(b bytea, o int, p_kind int, p_role int, at bigint, epoch bigint)
RETURNS boolean LANGUAGE plpgsql AS $$
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

-- The kind of an event that is stored, or is among those that are being written.
CREATE FUNCTION tashika.kind_at(p_position bigint, p_at bigint, p_events bytea[]) RETURNS int LANGUAGE plpgsql AS $$
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

-- Stores registered certificates; every column is read from the row, and every row is covered by its event's digest.
CREATE FUNCTION tashika.write_rows(p_at bigint, p_at_certificates bigint, p_events bytea[], p_rows bytea[])
RETURNS void LANGUAGE plpgsql AS $$
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
