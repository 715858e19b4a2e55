-- Backups, recovery, the doctor.

-- A recovery step that has an account in hand: what was wanted before it, to be wanted again after it. A row that stays
-- is a step that was interrupted; the doctor names it.
CREATE TABLE operations_under_way (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    provider      text NOT NULL,
    kind          text NOT NULL,
    actor         text NOT NULL,
    wanted        text,                                  -- NULL: there was no connection
    generation    bigint NOT NULL,
    started_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (mentorado_id, provider)
);
ALTER TABLE operations_under_way ENABLE ROW LEVEL SECURITY;
ALTER TABLE operations_under_way FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON operations_under_way TO recado_app, CURRENT_USER USING (mentorado_id = current_mentorado());
GRANT SELECT, INSERT, UPDATE, DELETE ON operations_under_way TO recado_app;

-- The browser a device said it was when it was linked, and the one it says it is now: a change looks like a theft.
CREATE TABLE browsers (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    provider      text NOT NULL,
    linked_as     text NOT NULL,
    says          text NOT NULL,
    changed_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (mentorado_id, provider)
);
ALTER TABLE browsers ENABLE ROW LEVEL SECURITY;
ALTER TABLE browsers FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON browsers TO recado_app, CURRENT_USER USING (mentorado_id = current_mentorado());
GRANT SELECT, INSERT, UPDATE ON browsers TO recado_app;

-- Whoever deletes the credentials of a device, by whatever way, has backed up these very ones.
CREATE FUNCTION refuse_delete_without_backup() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM baileys_backups b
                   WHERE b.mentorado_id = OLD.mentorado_id AND b.key = OLD.key AND b.value = OLD.value) THEN
        RAISE EXCEPTION 'a session is backed up before it is deleted' USING ERRCODE = 'RC002';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER backed_up_first BEFORE DELETE ON baileys_sessions
    FOR EACH ROW WHEN (OLD.key = 'creds') EXECUTE FUNCTION refuse_delete_without_backup();

-- Is it one mentorado, or everybody? Two numbers: connections that should be up, and those of them that are not.
CREATE FUNCTION count_troubled() RETURNS TABLE (wanted bigint, troubled bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    SELECT count(*), count(*) FILTER (WHERE c.state NOT IN ('connected', 'qr', 'code', 'passkey'))
    FROM public.connections c WHERE c.desired = 'connected' AND c.account_phone IS NOT NULL
$$;

REVOKE EXECUTE ON FUNCTION count_troubled FROM PUBLIC;
GRANT EXECUTE ON FUNCTION count_troubled TO recado_app;
