-- Changes of status: whether each may follow what was, whether its role may make it, and whether the status stored
-- afterwards is what follows. What a set event did to a certificate counts as what was.

-- Lives: 0 pending, 1 active, 2 revoked. Changes: 1 acknowledged, 2 held, 3 released, 4 revoked, 5 reason changed,
-- 6 loss dated, 7 handed over.
CREATE FUNCTION tashika.may_follow(tag int, reason int, life_was int, weight_was int)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE tag WHEN 1 THEN life_was = 0
                    WHEN 2 THEN life_was < 2
                    WHEN 3 THEN life_was < 2
                    WHEN 4 THEN life_was < 2 AND tashika.weight(reason) IS NOT NULL
                    WHEN 5 THEN life_was = 2 AND tashika.weight(reason) > weight_was
                    ELSE tag IN (6, 7) END
$$;

-- Whether a status is what a certificate's last change in a batch leaves behind.
CREATE FUNCTION tashika.fits(
    state bytea, at bigint, tag int, reason int, opened int, life_was int, weight_was int, reason_was int, holds_were int
) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT get_byte(state, 0) = 1 AND substr(state, 2, 8) = int8send(at)
       AND get_byte(state, 9) = CASE tag WHEN 4 THEN 2 WHEN 1 THEN 1 ELSE life_was END
       AND CASE get_byte(state, 9)
               WHEN 2 THEN tashika.weight(get_byte(state, 10)) = greatest(weight_was, tashika.weight(reason))
                           AND get_byte(state, 10) = coalesce(reason, reason_was, get_byte(state, 10))
               ELSE holds_were IS NULL OR tashika.holds(state) = holds_were + opened
           END
$$;

-- The only free join, of changes with the statuses that came with them, must not become a nested loop.
CREATE FUNCTION tashika.write_statuses(p_at bigint, p_events bytea[], p_nos bigint[], p_states bytea[])
RETURNS void LANGUAGE plpgsql SET enable_nestloop = off AS $$
DECLARE
    wrong text;
    changed bigint;
    releases boolean;
BEGIN
    WITH parsed AS MATERIALIZED (
        SELECT e.position, e.bytes, e.role, e.issuer, e.cause, e.body, e.body + 11 + get_byte(e.bytes, e.body + 10) AS t,
               tashika.u64(e.bytes, e.body) AS no
        FROM tashika.parsed(p_at, p_events) e WHERE e.kind = 5
    ), change AS MATERIALIZED (
        SELECT p.*, get_byte(p.bytes, p.t) AS tag,
               CASE WHEN get_byte(p.bytes, p.t) IN (4, 5) THEN get_byte(p.bytes, p.t + 1) END AS reason,
               CASE get_byte(p.bytes, p.t) WHEN 2 THEN 1 WHEN 3 THEN -tashika.u16(p.bytes, p.t + 1) ELSE 0 END AS opened,
               CASE get_byte(p.bytes, p.t) WHEN 2 THEN get_byte(p.bytes, p.t + 1) ELSE 0 END AS hold_kind
        FROM parsed p
    ), known AS MATERIALIZED (
        SELECT c.*, k."row", r.only_if, x.sets, x.revoked_by_set, x.set_weight,
               CASE WHEN s.state IS NULL THEN 1 - get_byte(k."row", 68 + get_byte(k."row", 3))
                    ELSE get_byte(s.state, 9) END AS stored_life,
               CASE WHEN get_byte(s.state, 9) = 2 THEN get_byte(s.state, 10) END AS stored_reason,
               coalesce(tashika.holds(s.state), 0) AS stored_holds
        FROM change c
        LEFT JOIN LATERAL (SELECT y."row" FROM tashika.certificate y WHERE y.no = c.no LIMIT 1) k ON true
        LEFT JOIN LATERAL (SELECT y.state FROM tashika.status y WHERE y.no = c.no LIMIT 1) s ON true
        LEFT JOIN LATERAL (SELECT y.only_if FROM tashika.rule y
                           WHERE y.kind = 5 AND y.role = c.role AND y.detail = c.tag * 16 + c.hold_kind LIMIT 1) r ON true
        LEFT JOIN LATERAL (
            SELECT count(*) AS sets, bool_or(y.change = 3) AS revoked_by_set, max(tashika.weight(y.reason)) AS set_weight
            FROM tashika.set_event y
            WHERE y.position > CASE WHEN s.state IS NULL THEN 0 ELSE tashika.u64(s.state, 1) END
              AND y.position < c.position
              AND CASE y.target WHEN 1 THEN y.no = tashika.u16(k."row", 1)
                                WHEN 2 THEN y.no = tashika.u32(k."row", 38 + get_byte(k."row", 3))
                                ELSE EXISTS (SELECT FROM tashika.list_member m
                                             WHERE m.list = y.no AND m.certificate = c.no) END
        ) x ON true
    ), before AS MATERIALIZED (
        SELECT n.*,
               CASE WHEN n.revoked_by_set THEN 2
                    ELSE greatest(n.stored_life, max(CASE n.tag WHEN 1 THEN 1 WHEN 4 THEN 2 ELSE 0 END) OVER earlier)
               END AS life_was,
               greatest(tashika.weight(n.stored_reason), n.set_weight, max(tashika.weight(n.reason)) OVER earlier)
                   AS weight_was,
               CASE WHEN n.sets = 0 AND max(n.reason) OVER earlier IS NULL THEN n.stored_reason END AS reason_was,
               CASE WHEN n.sets = 0 THEN n.stored_holds + coalesce(sum(n.opened) OVER earlier, 0)::int END AS holds_were,
               lead(n.position) OVER (PARTITION BY n.no ORDER BY n.position) IS NULL AS is_last
        FROM known n
        WINDOW earlier AS (PARTITION BY n.no ORDER BY n.position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ), judged AS MATERIALIZED (
        SELECT b.*, s.state,
               CASE b.only_if
                   WHEN '' THEN true
                   WHEN 'affiliation' THEN b.reason = 3
                   -- Only what was never delivered, and then without a reason.
                   WHEN 'pending' THEN b.reason = 0 AND b.life_was = 0
                   -- A carrier holds in its own name.
                   WHEN 'own' THEN substr(b.bytes, 14, 2 + tashika.u16(b.bytes, 13))
                                 = substr(b.bytes, b.t + 3, 2 + tashika.u16(b.bytes, b.t + 2))
                   WHEN 'report' THEN (SELECT tashika.u16(y.bytes, 1) = 7 FROM tashika.event y WHERE y.position = b.cause)
                   WHEN 'undo' THEN (SELECT tashika.u16(y.bytes, 1) = 10 FROM tashika.event y WHERE y.position = b.cause)
                   ELSE false
               END AS allowed
        FROM before b
        LEFT JOIN unnest(p_nos, p_states) s (no, state) ON s.no = b.no
    ), verdict AS MATERIALIZED (
        SELECT j.position, j.tag, j.is_last, CASE
                   WHEN j."row" IS NULL THEN 'there is no such certificate'
                   -- Issuer and serial, as they stand in the row.
                   WHEN substr(j.bytes, j.body + 9, j.t - j.body - 8) <> substr(j."row", 2, j.t - j.body - 8)
                       THEN 'another certificate has this number'
                   WHEN j.allowed IS NOT TRUE OR j.role = 2 AND j.issuer <> tashika.u16(j."row", 1)
                       THEN 'its role may not make this change'
                   WHEN tashika.may_follow(j.tag, j.reason, j.life_was, j.weight_was) IS NOT TRUE
                       THEN 'such a change can not follow the status'
                   WHEN j.is_last AND tashika.fits(j.state, j.position, j.tag, j.reason, j.opened, j.life_was,
                                                   j.weight_was, j.reason_was, j.holds_were) IS NOT TRUE
                       THEN 'the status stored with it does not follow from it'
               END AS why
        FROM judged j
    )
    SELECT min(format('event %s: %s', v.position, v.why)) FILTER (WHERE v.why IS NOT NULL),
           count(*) FILTER (WHERE v.is_last), bool_or(v.tag = 3)
      INTO wrong, changed, releases
      FROM verdict v;
    IF wrong IS NOT NULL THEN
        PERFORM tashika.refuse(wrong);
    END IF;
    IF changed <> cardinality(p_nos) THEN
        PERFORM tashika.refuse('a status is stored for each certificate that an event named, and for no other');
    END IF;
    IF releases THEN
        PERFORM tashika.check_releases(p_at, p_events);
    END IF;
    INSERT INTO tashika.status
    SELECT s.no, get_byte(s.state, 9), CASE get_byte(s.state, 9) WHEN 2 THEN get_byte(s.state, 10) END,
           tashika.holds(s.state), s.state
    FROM unnest(p_nos, p_states) s (no, state)
    ON CONFLICT (no) DO UPDATE
       SET life = excluded.life, reason = excluded.reason, holds = excluded.holds, state = excluded.state;
END $$;

-- A release names holds of this certificate: stored as open, opened earlier in this batch, or opened by a set event.
CREATE FUNCTION tashika.check_releases(p_at bigint, p_events bytea[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    wrong bigint;
BEGIN
    SELECT r.position INTO wrong
      FROM (SELECT c.position, c.bytes, c.body, c.t, g.i, substr(c.bytes, c.t + 4 + 8 * g.i, 8) AS hold
            FROM (SELECT e.position, e.bytes, e.body, e.body + 11 + get_byte(e.bytes, e.body + 10) AS t
                  FROM tashika.parsed(p_at, p_events) e WHERE e.kind = 5 OFFSET 0) c,
                 LATERAL generate_series(0, tashika.u16(c.bytes, c.t + 1) - 1) g (i)
            WHERE get_byte(c.bytes, c.t) = 3 OFFSET 0) r
     WHERE NOT EXISTS (SELECT FROM tashika.status s
                       WHERE s.no = tashika.u64(r.bytes, r.body) AND position(r.hold IN s.state) > 0)
       AND NOT EXISTS (SELECT FROM tashika.event o
                       WHERE o.position = tashika.u64(r.hold, 0) AND o.position > p_at AND o.position < r.position
                         AND tashika.u16(o.bytes, 1) = 5
                         AND position(int8send(tashika.u64(r.bytes, r.body)) IN o.bytes) > 0)
       AND NOT EXISTS (SELECT FROM tashika.set_event x
                       WHERE x.position = tashika.u64(r.hold, 0) AND x.change = 1)
     LIMIT 1;
    IF wrong IS NOT NULL THEN
        PERFORM tashika.refuse(format('event %s releases a hold that is not open', wrong));
    END IF;
END $$;
