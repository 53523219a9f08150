-- Roles, and what each may do. They belong to the whole cluster and may exist already.

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['tashika_server', 'tashika_reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', name);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- Another ledger of this cluster was faster.
            END;
        END IF;
    END LOOP;
END $$;

-- By default everybody may execute every function.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA tashika FROM PUBLIC;
REVOKE ALL ON SCHEMA tashika FROM PUBLIC;

GRANT USAGE ON SCHEMA tashika TO tashika_server, tashika_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA tashika TO tashika_server, tashika_reader;

GRANT EXECUTE ON FUNCTION tashika.named, tashika.registered TO tashika_server, tashika_reader;
GRANT EXECUTE ON FUNCTION
    tashika.append, tashika.take_turn, tashika.new_list, tashika.add_to_list, tashika.beat, tashika.take_lease,
    tashika.release_lease, tashika.upkeep
TO tashika_server;

-- Lets a login role stand for an issuer; only the owner may. The role gets the inbox and nothing else.
CREATE FUNCTION tashika.grant_ca(role regrole, issuer int) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO tashika.ca VALUES (role, issuer);
    EXECUTE format('GRANT USAGE ON SCHEMA tashika TO %s', role);
    EXECUTE format('GRANT EXECUTE ON FUNCTION tashika.submit_registration, tashika.submit_revocation,
                    tashika.submit_acknowledgement, tashika.submission TO %s', role);
END $$;

CREATE FUNCTION tashika.revoke_ca(role regrole) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM tashika.ca c WHERE c.role = revoke_ca.role;
    EXECUTE format('REVOKE ALL ON FUNCTION tashika.submit_registration, tashika.submit_revocation,
                    tashika.submit_acknowledgement, tashika.submission FROM %s', role);
    EXECUTE format('REVOKE USAGE ON SCHEMA tashika FROM %s', role);
END $$;

REVOKE ALL ON FUNCTION tashika.grant_ca, tashika.revoke_ca FROM PUBLIC;
