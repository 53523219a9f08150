-- What is read by a name that leads to more than one row, or to others. With the snapshot of its caller: what the whole
-- statement returns is of one position.

-- The numbers of the certificates that bear these names, each once; with families, of all that their holders have.
CREATE FUNCTION tashika.named(
    p_issuers int[], p_serials bytea[], p_numbers bigint[], p_media bytea[], p_operators text[], p_sims bytea[],
    p_holders bytea[], p_families boolean
) RETURNS SETOF bigint LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
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
