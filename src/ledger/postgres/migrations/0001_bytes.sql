-- Reading canonical bytes (docs/EVENTS.md). Arguments are to be plain columns, or these functions are not inlined.

CREATE FUNCTION tashika.u16(b bytea, o int) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT get_byte(b, o) << 8 | get_byte(b, o + 1) $$;

-- << and | have one precedence and are read from the left: each octet is taken in behind those before it.
CREATE FUNCTION tashika.u32(b bytea, o int) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT get_byte(b, o)::bigint << 8 | get_byte(b, o + 1) << 8 | get_byte(b, o + 2) << 8 | get_byte(b, o + 3) $$;

CREATE FUNCTION tashika.u64(b bytea, o int) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT get_byte(b, o)::bigint << 8 | get_byte(b, o + 1) << 8 | get_byte(b, o + 2) << 8 | get_byte(b, o + 3)
        << 8 | get_byte(b, o + 4) << 8 | get_byte(b, o + 5) << 8 | get_byte(b, o + 6) << 8 | get_byte(b, o + 7) $$;

-- How bad a reason is: a final reason is only ever replaced by a heavier one.
CREATE FUNCTION tashika.weight(reason int) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE reason WHEN 0 THEN 0 WHEN 3 THEN 1 WHEN 4 THEN 1 WHEN 5 THEN 1 WHEN 9 THEN 1
                      WHEN 1 THEN 2 WHEN 10 THEN 2 WHEN 2 THEN 3 END $$;

-- The envelopes of events that are to follow position `p_at`; `body` is where each one's body begins.
CREATE FUNCTION tashika.parsed(p_at bigint, p_events bytea[], p_links bytea[] DEFAULT NULL)
RETURNS TABLE ("position" bigint, bytes bytea, link bytea, kind int, "time" bigint, role int, issuer int, cause bigint,
               body int)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 64 AS $$
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

-- How many holds are open in a status; a revoked one has none.
CREATE FUNCTION tashika.holds(state bytea) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE get_byte(state, 9) WHEN 2 THEN 0 ELSE tashika.u16(state, 11 + 4 * get_byte(state, 10)) END $$;
