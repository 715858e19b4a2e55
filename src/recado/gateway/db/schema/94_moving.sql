-- Moving people between providers: a plan for a cohort, and how far each of them is.

-- An administrator's: what was asked for, who approved it, and whether the first one was looked at.
CREATE TABLE moves (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    to_provider   text NOT NULL CHECK (to_provider IN ('meta', 'baileys', 'zapi')),
    options       jsonb NOT NULL DEFAULT '{}',
    made_by       text NOT NULL,
    made_at       timestamptz NOT NULL,
    approved_by   text,                                  -- who said so; NULL: a dry run and no more
    approved_at   timestamptz,
    confirmed_at  timestamptz                            -- the first one is well: the others may follow
);

-- One mentorado of a plan. A step is one transaction that begins and ends in this row, so who dies in one did nothing.
CREATE TABLE move_people (
    mentorado_id   uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    move_id        uuid NOT NULL REFERENCES moves,
    position       integer NOT NULL,
    from_provider  text,                                 -- which road carried what was sent when the plan was made
    to_provider    text NOT NULL,
    test_to        text,                                 -- the number the test goes to; NULL: the mentorado's own
    options        jsonb NOT NULL DEFAULT '{}',
    report         jsonb NOT NULL,
    fingerprint    bytea NOT NULL,                       -- of all that the report rests on
    is_ready       boolean NOT NULL,
    state          text NOT NULL DEFAULT 'planned' CHECK (state IN (
                       'planned', 'skipped', 'waiting', 'connecting', 'testing', 'settling', 'done', 'failed',
                       'rolling_back', 'restoring', 'rolled_back')),
    state_at       timestamptz NOT NULL,
    deadline       timestamptz,
    reason         text,
    pin_before     text,
    pin_after      text,
    wanted_before  text,                                 -- what was wanted of the new connection before
    test_message   text,                                 -- the id of the message that tests the new connection
    carried_over   integer NOT NULL DEFAULT 0,           -- queued messages that changed roads
    PRIMARY KEY (mentorado_id, move_id)
);
CREATE INDEX move_people_of ON move_people (move_id, position);
-- One move of a mentorado at a time.
CREATE UNIQUE INDEX move_people_under_way ON move_people (mentorado_id)
    WHERE state IN ('waiting', 'connecting', 'testing', 'settling', 'rolling_back', 'restoring');

ALTER TABLE moves ENABLE ROW LEVEL SECURITY;
ALTER TABLE moves FORCE ROW LEVEL SECURITY;
CREATE POLICY admin ON moves TO recado_app USING (is_admin());
CREATE POLICY scans ON moves FOR SELECT TO CURRENT_USER USING (true);
ALTER TABLE move_people ENABLE ROW LEVEL SECURITY;
ALTER TABLE move_people FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON move_people TO recado_app, CURRENT_USER USING (mentorado_id = current_mentorado());
CREATE POLICY admin ON move_people TO recado_app USING (is_admin());
CREATE POLICY scans ON move_people FOR SELECT TO CURRENT_USER USING (true);

GRANT SELECT, INSERT, UPDATE ON moves, move_people TO recado_app;

-- Whose step is due. Of each approved plan: whoever is on the way back or settles; and of those before the switch the
-- first one, unless somebody failed, or the first of all is well and nobody has said so yet.
CREATE FUNCTION scan_moves() RETURNS TABLE (mentorado_id uuid, move_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    SELECT p.mentorado_id, p.move_id FROM public.move_people p
    WHERE p.state IN ('settling', 'rolling_back', 'restoring')
    UNION ALL
    SELECT p.mentorado_id, p.move_id
    FROM public.moves m
    CROSS JOIN LATERAL (SELECT * FROM public.move_people q
                        WHERE q.move_id = m.id AND q.state IN ('waiting', 'connecting', 'testing')
                        ORDER BY q.position LIMIT 1) p
    WHERE m.approved_at IS NOT NULL
      AND NOT EXISTS (SELECT FROM public.move_people f
                      WHERE f.move_id = m.id AND f.state IN ('failed', 'rolling_back', 'restoring', 'rolled_back'))
      AND (m.confirmed_at IS NOT NULL
           OR NOT EXISTS (SELECT FROM public.move_people d WHERE d.move_id = m.id AND d.state IN ('settling', 'done')))
$$;
REVOKE EXECUTE ON FUNCTION scan_moves FROM PUBLIC;
GRANT EXECUTE ON FUNCTION scan_moves TO recado_app;
