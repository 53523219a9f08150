-- Roles: 1 auditor, 2 CA, 3 call centre, 4 carrier, 5 holder, 6 operations, 7 registry, 8 download manager, 9 the system,
-- 10 window. Auditors write nothing; operations neither report nor revoke; carriers and the call centre never revoke what
-- was delivered.

INSERT INTO tashika.rule (kind, role, detail)
-- The ledger's first event; issuers and scopes; what waits for a second person.
SELECT k, 6, 0 FROM unnest('{1,2,3}'::int[]) k
UNION ALL SELECT 4, 2, 0
UNION ALL SELECT 6, r, d FROM unnest('{2,6}'::int[]) r, unnest('{1,2,3}'::int[]) d
UNION ALL SELECT 8, r, 0 FROM unnest('{2,3,4,5,6,7,8,10}'::int[]) r
UNION ALL SELECT 9, r, 0 FROM unnest('{3,4,6,7,10}'::int[]) r
UNION ALL SELECT 10, 6, 0
UNION ALL SELECT 11, r, 0 FROM unnest('{2,9}'::int[]) r
UNION ALL SELECT 12, 6, 0
-- Reports: 1 card lost, 2 card found, 4 phone lost, 5 phone found, 7 SIM swapped, 8 SIM disposed, 9 contract ended,
-- 10 moved, 11 renamed, 12 died, 15 holder applies, 16 delivered, 17 not delivered. Windows send every kind.
UNION ALL SELECT 7, 10, d FROM generate_series(1, 17) d
UNION ALL SELECT 7, 3, d FROM unnest('{1,4}'::int[]) d
UNION ALL SELECT 7, 4, d FROM unnest('{4,5,7,8,9}'::int[]) d
UNION ALL SELECT 7, 5, d FROM unnest('{1,2,4,5,15}'::int[]) d
UNION ALL SELECT 7, 7, d FROM unnest('{10,11,12}'::int[]) d
UNION ALL SELECT 7, 8, d FROM unnest('{16,17}'::int[]) d;

-- Changes.
INSERT INTO tashika.rule (kind, role, detail, only_if)
SELECT 5, c.role, c.tag * 16 + c.hold, c.only_if FROM (VALUES
    -- Acknowledged: CA, download manager, window.
    (2, 1, 0, ''), (8, 1, 0, ''), (10, 1, 0, ''),
    -- Held, each in its own name: call centre, carrier, holder, registry, review by operations, window; found on import.
    (3, 2, 1, ''), (4, 2, 2, 'own'), (5, 2, 3, ''), (7, 2, 5, ''), (6, 2, 6, ''), (10, 2, 9, ''),
    (2, 2, 4, ''), (10, 2, 4, ''),
    -- Rule X follows from a report that the card is lost.
    (3, 2, 7, 'report'), (5, 2, 7, 'report'), (10, 2, 7, 'report'),
    -- Released.
    (4, 3, 0, ''), (5, 3, 0, ''), (6, 3, 0, ''), (7, 3, 0, ''), (10, 3, 0, ''),
    -- Revoked.
    (2, 4, 0, ''), (5, 4, 0, ''), (9, 4, 0, ''), (10, 4, 0, ''),
    (3, 4, 0, 'pending'), (8, 4, 0, 'pending'), (7, 4, 0, 'affiliation'),
    -- A worse reason.
    (2, 5, 0, ''), (5, 5, 0, ''), (9, 5, 0, ''), (10, 5, 0, ''), (7, 5, 0, 'affiliation'),
    -- An earlier time of loss.
    (2, 6, 0, ''), (3, 6, 0, ''), (4, 6, 0, ''), (5, 6, 0, ''), (6, 6, 0, ''), (7, 6, 0, ''), (10, 6, 0, ''),
    -- Handed over.
    (7, 7, 0, ''), (10, 7, 0, '')
) c (role, tag, hold, only_if);
