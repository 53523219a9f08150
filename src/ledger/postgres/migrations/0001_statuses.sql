-- Changes of status: what the checks ask now and then.

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

-- A status with the set events since: what a change is made on.
CREATE FUNCTION tashika.after_sets(
    p_no bigint, p_row bytea, p_as_of bigint, p_before bigint,
    INOUT life int, INOUT was_reason int, INOUT open_holds int
) LANGUAGE plpgsql AS $$
DECLARE
    s record;
BEGIN
    FOR s IN SELECT * FROM tashika.sets_on(p_no, p_row, p_as_of, p_before) LOOP
        IF s.change = 3 AND (life < 2 OR tashika.weight(s.reason) > tashika.weight(was_reason)) THEN
            life := 2;
            was_reason := s.reason;
        ELSIF life < 2 THEN
            open_holds := CASE s.change WHEN 1 THEN open_holds + 1 END;
        END IF;
    END LOOP;
END $$;

-- The set events after `p_as_of` and before `p_before` that cover a certificate, in order.
CREATE FUNCTION tashika.sets_on(p_no bigint, p_row bytea, p_as_of bigint, p_before bigint)
RETURNS TABLE (change int, reason int) LANGUAGE sql STABLE AS $$
    SELECT x.change::int, x.reason::int FROM tashika.set_event x
    WHERE x.position > p_as_of AND x.position < p_before
      AND CASE x.target WHEN 1 THEN x.no = tashika.u16(p_row, 1)
                        WHEN 2 THEN x.no = tashika.u32(p_row, 38 + get_byte(p_row, 3))
                        ELSE EXISTS (SELECT FROM tashika.list_member m WHERE m.list = x.no AND m.certificate = p_no) END
    ORDER BY x.position
$$;

-- The conditions that rules on changes name.
CREATE FUNCTION tashika.fulfil(
    rule text, b bytea, t int, reason int, life int, cause bigint, p_at bigint, p_position bigint, p_events bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF (CASE rule
        WHEN 'affiliation' THEN reason = 3
        -- Only what was never delivered, and then without a reason.
        WHEN 'pending' THEN reason = 0 AND life = 0
        -- A carrier holds in its own name.
        WHEN 'own' THEN substr(b, 14, 2 + tashika.u16(b, 13)) = substr(b, t + 3, 2 + tashika.u16(b, t + 2))
        WHEN 'report' THEN tashika.kind_at(cause, p_at, p_events) = 7
    END) IS NOT TRUE THEN
        PERFORM tashika.refuse(format('event %s: its role may not make this change', p_position));
    END IF;
END $$;

-- A release names holds of this certificate: stored as open, opened earlier in this batch, or opened by a set event.
CREATE FUNCTION tashika.check_release(
    p_no bigint, stored bytea, b bytea, t int, p_at bigint, p_position bigint, p_events bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    hold bytea;
    opened_at bigint;
BEGIN
    FOR i IN 0 .. tashika.u16(b, t + 1) - 1 LOOP
        hold := substr(b, t + 4 + 8 * i, 8);
        opened_at := tashika.u64(hold, 0);
        CONTINUE WHEN position(hold IN stored) > 0;
        CONTINUE WHEN opened_at > p_at AND opened_at < p_position
            AND tashika.u16(p_events[opened_at - p_at], 1) = 5
            AND position(int8send(p_no) IN p_events[opened_at - p_at]) > 0;
        IF NOT EXISTS (SELECT FROM tashika.set_event x WHERE x.position = opened_at AND x.change = 1) THEN
            PERFORM tashika.refuse(format('event %s releases a hold that is not open', p_position));
        END IF;
    END LOOP;
END $$;

