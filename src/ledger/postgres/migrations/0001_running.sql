-- What a running server does beside appending: lists, heartbeat, leases, upkeep. None of it touches what is recorded.

CREATE FUNCTION tashika.new_list() RETURNS bigint LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS
$$ INSERT INTO tashika.list DEFAULT VALUES RETURNING no $$;

CREATE FUNCTION tashika.add_to_list(p_list bigint, p_members bigint[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
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

-- The writer's turn: others wait until the transaction ends.
CREATE FUNCTION tashika.take_turn() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS
$$ BEGIN PERFORM FROM tashika.head h ORDER BY h.position DESC, h."time" DESC LIMIT 1 FOR UPDATE; END $$;

-- Waits for an append in flight: a heartbeat must not say less than what was acknowledged before it, and no event that
-- follows may be dated before it. Its own durability is that of the next commit; a heartbeat lost in a crash is only an
-- older one found.
CREATE FUNCTION tashika.beat(p_now bigint, OUT epoch bigint, OUT at bigint, OUT link bytea, OUT "time" bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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

-- Whoever holds the lease afterwards.
CREATE FUNCTION tashika.take_lease(
    p_name text, p_node bytea, p_now_ms bigint, p_until_ms bigint, OUT node bytea, OUT until_ms bigint
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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

CREATE FUNCTION tashika.release_lease(p_name text, p_node bytea) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS
$$ DELETE FROM tashika.lease l WHERE l.name = p_name AND l.node = p_node $$;

-- Forgets budgets that no search looks back to any more. The last event's time is the clock: it decides what is old.
CREATE FUNCTION tashika.upkeep(p_limit int) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
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
