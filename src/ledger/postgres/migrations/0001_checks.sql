-- What `append` refuses. The program has decided by the same rules already; a refusal here is an attempt, or a bug.

CREATE FUNCTION tashika.check_head(
    was tashika.head, p_epoch bigint, p_position bigint, p_link bytea, p_tree bytea, p_time bigint,
    p_certificates bigint, p_events bytea[], p_links bytea[], p_rows bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_position <> was.position + cardinality(p_events) OR cardinality(p_links) <> cardinality(p_events) THEN
        PERFORM tashika.refuse('positions are contiguous');
    END IF;
    IF p_certificates <> was.certificates + cardinality(p_rows) THEN
        PERFORM tashika.refuse('certificates are numbered without gaps');
    END IF;
    IF octet_length(p_tree) % 32 <> 0
       OR bit_count(int8send(p_position)) <> octet_length(p_tree) / 32 THEN
        PERFORM tashika.refuse('the hash tree does not fit the position');
    END IF;
    IF p_link <> coalesce(p_links[cardinality(p_links)], was.link) THEN
        PERFORM tashika.refuse('the head is the last event');
    END IF;
    IF p_time < was."time" OR cardinality(p_events) = 0
       AND (p_time, p_epoch, p_certificates) <> (was."time", was.epoch, was.certificates) THEN
        PERFORM tashika.refuse('the head moves with events only, and never back in time');
    END IF;
END $$;

-- Every event: its link, its time, its kind, and whether its role may write it. Hands out what the envelopes say.
--
-- Written as a loop of plain expressions, not as a query: setting up a query of this size costs more than checking sixty
-- events.
CREATE FUNCTION tashika.check_events(
    was tashika.head, p_epoch bigint, p_book bigint, p_events bytea[], p_links bytea[],
    OUT kinds int[], OUT roles int[], OUT causes bigint[], OUT bodies int[]
) LANGUAGE plpgsql AS $$
DECLARE
    b bytea;
    link bytea := was.link;
    dated bigint := was."time";
    this_dated bigint;
    at bigint := was.position;
    this_kind int;
    this_role int;
    o int;
    this_detail int;
    rule text;
    epoch bigint := was.epoch;
    book bigint := was.book;
BEGIN
    kinds := '{}';
    roles := '{}';
    causes := '{}';
    bodies := '{}';
    FOR i IN 1 .. cardinality(p_events) LOOP
        b := p_events[i];
        at := at + 1;
        link := sha256('\x02'::bytea || link || sha256('\x00'::bytea || b));
        IF link <> p_links[i] THEN
            PERFORM tashika.refuse(format('event %s does not continue the history', at));
        END IF;
        this_dated := tashika.u64(b, 4);
        IF this_dated < dated THEN
            PERFORM tashika.refuse(format('event %s is dated before its predecessor', at));
        END IF;
        dated := this_dated;
        this_kind := tashika.u16(b, 1);
        this_role := get_byte(b, 12);
        -- Behind the role come the person, the channel and the cause.
        o := 30 + CASE this_role WHEN 2 THEN 2
                                 WHEN 4 THEN 2 + tashika.u16(b, 13)
                                 WHEN 5 THEN 1 + 16 * get_byte(b, 13)
                                 WHEN 10 THEN 1 + 4 * get_byte(b, 13)
                                 ELSE 0 END;
        kinds[i] := this_kind;
        roles[i] := this_role;
        causes[i] := tashika.u64(b, o);
        o := o + 8;
        bodies[i] := o;
        IF causes[i] > at THEN
            PERFORM tashika.refuse(format('event %s has a cause that comes later', at));
        END IF;
        -- Who may make which change is checked with the certificate at hand.
        CONTINUE WHEN this_kind = 5 AND get_byte(b, 0) = 1 AND get_byte(b, 3) = 1;
        this_detail := CASE this_kind
                      WHEN 6 THEN get_byte(b, o + CASE get_byte(b, o) WHEN 1 THEN 3 WHEN 2 THEN 5 ELSE 45 END)
                      WHEN 7 THEN get_byte(b, o)
                      ELSE 0 END;
        rule := (SELECT r.only_if FROM tashika.rule r WHERE r.kind = this_kind AND r.role = this_role AND r.detail = this_detail);
        IF rule IS NULL OR get_byte(b, 0) <> 1 OR get_byte(b, 3) <> 1 OR this_kind = 5
           OR rule <> ''
           -- The ledger's creation is its first event, and nothing else is.
           OR (this_kind = 1) <> (at = 1) OR this_kind = 1 AND substr(b, o + 1) <> was.ledger
           -- A CA names its own generation as a set, or a list of its own certificates; a chip batch may hold another's.
           OR this_kind = 6 AND this_role = 2 AND (get_byte(b, o) = 2 OR get_byte(b, o) = 1 AND
                                                   tashika.u16(b, o + 1) <> tashika.u16(b, 13))
           OR this_kind = 12 AND tashika.u32(b, o) <= epoch THEN
            PERFORM tashika.refuse(
                format('event %s is of a kind that its role may not write, or that this schema does not know', at));
        END IF;
        IF this_kind = 12 THEN
            epoch := tashika.u32(b, o);
        ELSIF this_kind IN (2, 3, 6) THEN
            book := at;
        END IF;
    END LOOP;
    IF p_epoch <> epoch OR p_book <> book THEN
        PERFORM tashika.refuse('epoch and book change by their own events only');
    END IF;
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
CREATE FUNCTION tashika.write_rows(was tashika.head, p_events bytea[], p_rows bytea[])
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
      FROM tashika.parsed(was.position, p_events) e WHERE e.kind = 4;
    IF firsts IS NULL OR firsts[1] <> was.certificates + 1
       OR (SELECT sum(c) FROM unnest(counts) c) <> cardinality(p_rows) THEN
        PERFORM tashika.refuse('registration events name exactly the certificates that come with them');
    END IF;
    SELECT count(*) INTO wrong FROM (
        SELECT g.event, sha256(string_agg(int4send(octet_length(g.r)) || g.r, ''::bytea ORDER BY g.o)) AS digest,
               count(*) AS counted,
               bool_and(tashika.u16(g.r, 1) = issuers[g.event] AND s.issuer = issuers[g.event]
                        AND get_byte(g.r, 0) = 1) AS fits
        FROM (SELECT width_bucket(was.certificates + u.o, firsts) AS event, u.r, u.o, get_byte(u.r, 3) AS n
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
    FROM (SELECT was.certificates + y.o AS no, y.r, y.n,
                 CASE get_byte(y.r, y.n + 69) WHEN 1 THEN tashika.u16(y.r, y.n + 70) END AS m
          FROM (SELECT u.o, u.r, get_byte(u.r, 3) AS n FROM unnest(p_rows) WITH ORDINALITY u (r, o) OFFSET 0) y
          OFFSET 0) x;
END $$;
