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

-- Links, times, kinds, and who may write which kind.
CREATE FUNCTION tashika.check_events(
    was tashika.head, p_epoch bigint, p_book bigint, p_events bytea[], p_links bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    wrong text;
    last_epoch bigint;
    last_book bigint;
BEGIN
    SELECT CASE
               WHEN x.link <> sha256('\x02' || x.link_before || sha256('\x00' || x.bytes))
                   THEN format('event %s does not continue the history', x.position)
               WHEN x."time" < x.time_before THEN format('event %s is dated before its predecessor', x.position)
               WHEN x.cause > x.position THEN format('event %s has a cause that comes later', x.position)
               ELSE format('event %s is of a kind that its role may not write, or that this schema does not know',
                           x.position)
           END
      INTO wrong
      FROM (
          SELECT e.*,
                 lag(e.link, 1, was.link) OVER (ORDER BY e.position) AS link_before,
                 lag(e."time", 1, was."time") OVER (ORDER BY e.position) AS time_before,
                 CASE e.kind
                     WHEN 6 THEN get_byte(e.bytes, e.body + CASE get_byte(e.bytes, e.body)
                                                               WHEN 1 THEN 3 WHEN 2 THEN 5 ELSE 45 END)
                     WHEN 7 THEN get_byte(e.bytes, e.body)
                     ELSE 0
                 END AS detail
          FROM tashika.parsed(was.position, p_events, p_links) e
      ) x
     WHERE x.link <> sha256('\x02' || x.link_before || sha256('\x00' || x.bytes))
        OR x."time" < x.time_before OR x.cause > x.position
        OR get_byte(x.bytes, 0) <> 1 OR get_byte(x.bytes, 3) <> 1
        -- Changes have their rules checked with the certificate at hand.
        OR x.kind <> 5 AND NOT EXISTS (
            SELECT FROM tashika.rule r WHERE r.kind = x.kind AND r.role = x.role AND r.detail = x.detail
               AND (r.only_if = '' OR r.only_if = 'undo' AND EXISTS (
                   SELECT FROM tashika.event y WHERE y.position = x.cause AND tashika.u16(y.bytes, 1) = 10)))
        -- The ledger's creation is its first event, and nothing else is.
        OR (x.kind = 1) <> (x.position = 1) OR x.kind = 1 AND substr(x.bytes, x.body + 1) <> was.ledger
        -- A CA names its own generation as a set, or a list of its own certificates; a chip batch may hold another's.
        OR x.kind = 6 AND x.role = 2 AND CASE get_byte(x.bytes, x.body)
               WHEN 1 THEN tashika.u16(x.bytes, x.body + 1) <> x.issuer WHEN 2 THEN true ELSE false END
        OR x.kind = 12 AND tashika.u32(x.bytes, x.body) <= was.epoch
     LIMIT 1;
    IF wrong IS NOT NULL THEN
        PERFORM tashika.refuse(wrong);
    END IF;
    SELECT max(CASE e.kind WHEN 12 THEN tashika.u32(e.bytes, e.body) END),
           max(CASE WHEN e.kind IN (2, 3, 6) THEN e.position END)
      INTO last_epoch, last_book
      FROM tashika.parsed(was.position, p_events) e;
    IF p_epoch <> coalesce(last_epoch, was.epoch) OR p_book <> coalesce(last_book, was.book) THEN
        PERFORM tashika.refuse('epoch and book change by their own events only');
    END IF;
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
    IF firsts IS NULL AND cardinality(p_rows) = 0 THEN
        RETURN;
    END IF;
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
