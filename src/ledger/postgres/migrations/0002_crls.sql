-- Who numbers rounds of CRLs (kind 13): operations, and the system by the clock.

INSERT INTO tashika.rule (kind, role, detail) SELECT 13, r, 0 FROM unnest('{6,9}'::int[]) r;
