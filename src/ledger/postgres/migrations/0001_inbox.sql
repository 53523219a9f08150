-- How an outside CA writes commands within its own transaction (docs/INTEGRATING.md). A submission takes no lock that
-- anybody waits for: a transaction left open stalls nobody, one rolled back leaves nothing.

-- The issuer that the session's login stands for. SET ROLE doesn't change who logged in.
CREATE FUNCTION tashika.own_issuer() RETURNS int LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
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

CREATE FUNCTION tashika.submit(p_command jsonb) RETURNS bigint LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
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

CREATE FUNCTION tashika.submit_registration(certificates jsonb) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
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

CREATE FUNCTION tashika.submit_revocation(serial text, reason text, lost_at text DEFAULT NULL)
RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT tashika.submit(jsonb_build_object('revoke', jsonb_strip_nulls(
        jsonb_build_object('serial', serial, 'reason', reason, 'lost_at', lost_at))))
$$;

CREATE FUNCTION tashika.submit_acknowledgement(serial text)
RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT tashika.submit(jsonb_build_object('acknowledge', jsonb_build_object('serial', serial)))
$$;

-- What became of a submission: `waiting`, `done` with its first and last position, or `refused` with the reason.
CREATE FUNCTION tashika.submission(
    number bigint, OUT state text, OUT first_position bigint, OUT last_position bigint, OUT why text
) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    SELECT CASE i.state WHEN 0 THEN 'waiting' WHEN 1 THEN 'done' ELSE 'refused' END, i.first, i.last, i.why
      INTO submission.state, first_position, last_position, submission.why
      FROM tashika.inbox i WHERE i.no = number AND i.issuer = tashika.own_issuer();
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = '02000', MESSAGE = format('no submission %s of this issuer', number);
    END IF;
END $$;
