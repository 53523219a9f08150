-- What is read in one round trip. Each of these runs with the snapshot of its caller: what it returns is of one position.

-- Kinds of rows: 0 the head, 1 a certificate, 2 an answer, 3 a budget (`no` is its index in p_budgets).
CREATE FUNCTION tashika.find(
    p_issuers int[], p_serials bytea[], p_numbers bigint[], p_media bytea[], p_operators text[], p_sims bytea[],
    p_holders bytea[], p_families boolean, p_answers bytea[], p_budgets text[], p_hour bigint
) RETURNS TABLE (kind smallint, no bigint, a bytea, b bytea, numbers bigint[])
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    nos bigint[] := p_numbers;
    holders bytea[] := p_holders;
BEGIN
    RETURN QUERY
    SELECT 0::smallint, h.position, h.ledger || h.link, h.tree, ARRAY[h.epoch, h."time", h.book, h.certificates]
    FROM tashika.head h ORDER BY h.position DESC LIMIT 1;
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
    IF cardinality(nos) > 0 THEN
        RETURN QUERY
        SELECT 1::smallint, c.no, c."row", s.state,
               ARRAY(SELECT m.list FROM tashika.list_member m WHERE m.certificate = c.no)
        FROM (SELECT DISTINCT u.no FROM unnest(nos) u (no)) k,
             LATERAL (SELECT y.no, y."row" FROM tashika.certificate y WHERE y.no = k.no LIMIT 1) c
             LEFT JOIN LATERAL (SELECT y.state FROM tashika.status y WHERE y.no = c.no LIMIT 1) s ON true
        ORDER BY c.no;
    END IF;
    IF cardinality(p_answers) > 0 THEN
        RETURN QUERY
        SELECT 2::smallint, 0::bigint, x.key, x.command, ARRAY[x.outcome, x.first, x.last]
        FROM unnest(p_answers) k (key),
             LATERAL (SELECT y.* FROM tashika.answer y WHERE y.key = k.key LIMIT 1) x;
    END IF;
    IF cardinality(p_budgets) > 0 THEN
        RETURN QUERY
        SELECT 3::smallint, k.o, NULL::bytea, NULL::bytea,
               ARRAY[coalesce(max(x.used) FILTER (WHERE d.day = 0), 0), coalesce(max(x.used) FILTER (WHERE d.day > 0), 0)]
        FROM unnest(p_budgets) WITH ORDINALITY k (key, o), generate_series(0, 28) d (day),
             LATERAL (SELECT y.used FROM tashika.budget y
                      WHERE y.key = k.key AND y.hour = p_hour - 24 * d.day ORDER BY y.used DESC LIMIT 1) x
        GROUP BY k.o;
    END IF;
END $$;

CREATE FUNCTION tashika.registered(p_issuers int[], p_serials bytea[])
RETURNS TABLE (no bigint) LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT c.no FROM unnest(p_issuers, p_serials) WITH ORDINALITY k (issuer, serial, o)
    LEFT JOIN LATERAL (SELECT y.no FROM tashika.certificate y
                       WHERE y.issuer = k.issuer AND y.serial = k.serial LIMIT 1) c ON true
    ORDER BY k.o;
END $$;
