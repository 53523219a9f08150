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

-- What each change is made on (the stored status, the set events since, the changes before it in the same batch), whether
-- it may be made and by whom; then the statuses themselves.
CREATE FUNCTION tashika.write_statuses(
    p_at bigint, p_events bytea[], kinds int[], roles int[], causes bigint[], bodies int[],
    p_nos bigint[], p_states bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    -- The certificates changed, by their first change, each as its last change leaves it. `holds` is NULL where it can't
    -- be told from here: a set's hold was lifted that may have been lifted before.
    nos bigint[] := '{}';
    lives int[] := '{}';
    reasons int[] := '{}';
    holds int[] := '{}';
    lasts bigint[] := '{}';
    -- The change at hand, and what it is made on.
    b bytea;
    body int;
    t int;
    tag int;
    reason int;
    changed bigint;
    this_role int;
    this_detail int;
    this_row bytea;
    stored bytea;
    rule text;
    k int;
    life int;
    was_reason int;
    open_holds int;
    as_of bigint;
    any_sets boolean := EXISTS (SELECT FROM tashika.set_event);
    s record;
BEGIN
    FOR i IN 1 .. cardinality(p_events) LOOP
        CONTINUE WHEN kinds[i] <> 5;
        b := p_events[i];
        body := bodies[i];
        changed := tashika.u64(b, body);
        t := body + 11 + get_byte(b, body + 10);
        tag := get_byte(b, t);
        reason := CASE WHEN tag IN (4, 5) THEN get_byte(b, t + 1) END;
        this_role := roles[i];
        this_detail := tag * 16 + CASE tag WHEN 2 THEN get_byte(b, t + 1) ELSE 0 END;
        SELECT c."row", y.state, (SELECT r.only_if FROM tashika.rule r
                                  WHERE r.kind = 5 AND r.role = this_role AND r.detail = this_detail)
          INTO this_row, stored, rule
          FROM tashika.certificate c LEFT JOIN tashika.status y ON y.no = c.no WHERE c.no = changed;
        IF NOT FOUND OR substr(b, body + 9, t - body - 8) <> substr(this_row, 2, t - body - 8) THEN
            PERFORM tashika.refuse(format('event %s: no such certificate has this number', p_at + i));
        END IF;
        k := array_position(nos, changed);
        IF k IS NOT NULL THEN
            life := lives[k];
            was_reason := reasons[k];
            open_holds := holds[k];
            as_of := lasts[k];
        ELSE
            k := cardinality(nos) + 1;
            IF stored IS NULL THEN
                life := 1 - get_byte(this_row, 68 + get_byte(this_row, 3));
                was_reason := NULL;
                open_holds := 0;
                as_of := 0;
            ELSE
                life := get_byte(stored, 9);
                was_reason := CASE life WHEN 2 THEN get_byte(stored, 10) END;
                open_holds := tashika.holds(stored);
                as_of := tashika.u64(stored, 1);
            END IF;
        END IF;
        IF any_sets THEN
            FOR s IN SELECT * FROM tashika.sets_on(changed, this_row, as_of, p_at + i) LOOP
                IF s.change = 3 AND (life < 2 OR tashika.weight(s.reason) > tashika.weight(was_reason)) THEN
                    life := 2;
                    was_reason := s.reason;
                ELSIF life < 2 THEN
                    open_holds := CASE s.change WHEN 1 THEN open_holds + 1 END;
                END IF;
            END LOOP;
        END IF;
        IF rule IS NULL
           OR this_role = 2 AND tashika.u16(b, 13) <> tashika.u16(this_row, 1)
           OR rule <> '' AND NOT tashika.fulfilled(rule, b, t, reason, life, causes[i], p_at, p_events) THEN
            PERFORM tashika.refuse(format('event %s: its role may not make this change', p_at + i));
        END IF;
        IF tashika.may_follow(tag, reason, life, tashika.weight(was_reason)) IS NOT TRUE THEN
            PERFORM tashika.refuse(format('event %s: such a change can not follow the status', p_at + i));
        END IF;
        IF tag = 3 THEN
            PERFORM tashika.check_release(changed, stored, b, t, p_at, p_at + i, p_events);
        END IF;
        nos[k] := changed;
        lives[k] := CASE tag WHEN 1 THEN 1 WHEN 4 THEN 2 ELSE life END;
        reasons[k] := coalesce(reason, was_reason);
        holds[k] := open_holds + CASE tag WHEN 2 THEN 1 WHEN 3 THEN -tashika.u16(b, t + 1) ELSE 0 END;
        lasts[k] := p_at + i;
    END LOOP;
    IF cardinality(nos) = 0 AND cardinality(p_nos) = 0 THEN
        RETURN;
    END IF;
    PERFORM tashika.check_statuses(nos, lives, reasons, holds, lasts, p_nos, p_states);
    INSERT INTO tashika.status
    SELECT n.no, get_byte(n.state, 9), CASE get_byte(n.state, 9) WHEN 2 THEN get_byte(n.state, 10) END,
           tashika.holds(n.state), n.state
    FROM unnest(p_nos, p_states) n (no, state)
    ON CONFLICT (no) DO UPDATE
       SET life = excluded.life, reason = excluded.reason, holds = excluded.holds, state = excluded.state;
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
CREATE FUNCTION tashika.fulfilled(
    rule text, b bytea, t int, reason int, life int, cause bigint, p_at bigint, p_events bytea[]
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RETURN coalesce(CASE rule
        WHEN 'affiliation' THEN reason = 3
        -- Only what was never delivered, and then without a reason.
        WHEN 'pending' THEN reason = 0 AND life = 0
        -- A carrier holds in its own name.
        WHEN 'own' THEN substr(b, 14, 2 + tashika.u16(b, 13)) = substr(b, t + 3, 2 + tashika.u16(b, t + 2))
        WHEN 'report' THEN tashika.kind_at(cause, p_at, p_events) = 7
    END, false);
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

-- The statuses to be stored are those of the certificates changed, each as its last change leaves it.
CREATE FUNCTION tashika.check_statuses(
    nos bigint[], lives int[], reasons int[], holds int[], lasts bigint[], p_nos bigint[], p_states bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    k int;
    state bytea;
BEGIN
    IF cardinality(nos) <> cardinality(p_nos) OR cardinality(nos) <> cardinality(p_states) THEN
        PERFORM tashika.refuse('a status is stored for each certificate that an event named, and for no other');
    END IF;
    FOR i IN 1 .. cardinality(p_nos) LOOP
        k := CASE WHEN nos[i] = p_nos[i] THEN i ELSE array_position(nos, p_nos[i]) END;
        IF k IS NULL THEN
            PERFORM tashika.refuse('a status is stored for each certificate that an event named, and for no other');
        END IF;
        state := p_states[i];
        IF get_byte(state, 0) <> 1 OR substr(state, 2, 8) <> int8send(lasts[k]) OR get_byte(state, 9) <> lives[k]
           OR lives[k] = 2 AND get_byte(state, 10) <> reasons[k]
           OR lives[k] < 2 AND tashika.holds(state) <> coalesce(holds[k], tashika.holds(state)) THEN
            PERFORM tashika.refuse(format('event %s: the status stored with it does not follow from it', lasts[k]));
        END IF;
    END LOOP;
END $$;
