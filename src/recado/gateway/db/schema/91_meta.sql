-- The official Cloud API: what was told already, and the templates that Meta approved.

-- Which items of webhooks were taken: Meta repeats bodies, and parts of them in others. Old rows go with new ones.
CREATE TABLE meta_told (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    digest        bytea NOT NULL,                        -- of what makes an item the same
    told_at       timestamptz NOT NULL,
    PRIMARY KEY (mentorado_id, digest)
);
CREATE INDEX meta_told_age ON meta_told (mentorado_id, told_at);

-- The business account's templates, as Meta last told of them. `told_at` is Meta's time, where it says one.
CREATE TABLE meta_templates (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    name          text NOT NULL,
    language      text NOT NULL,
    status        text NOT NULL,                         -- APPROVED, PAUSED, REJECTED, …
    category      text,
    quality       text,
    reason        text,
    body          text,                                  -- its words, with {{1}} for the values
    places        integer NOT NULL DEFAULT 0,            -- how many values the body wants
    header        text,                                  -- TEXT, IMAGE, VIDEO, DOCUMENT
    header_text   text,
    header_places integer NOT NULL DEFAULT 0,
    buttons       jsonb NOT NULL DEFAULT '[]',           -- those that want a value: kind, index, text
    told_at       timestamptz NOT NULL,
    PRIMARY KEY (mentorado_id, name, language)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['meta_told', 'meta_templates']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON %I TO recado_app, CURRENT_USER USING (mentorado_id = current_mentorado())',
                       name);
    END LOOP;
END $$;

GRANT SELECT, INSERT, DELETE ON meta_told TO recado_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON meta_templates TO recado_app;

-- Who shares a business account that is told of over the operator's own address? Templates are the account's.
CREATE FUNCTION find_shared_wabas(of_wabas text[])
    RETURNS TABLE (waba_id text, mentorado_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    SELECT c.hint ->> 'waba_id', c.mentorado_id FROM public.provider_credentials c
    WHERE c.provider = 'meta' AND c.hint ->> 'waba_id' = ANY (of_wabas) AND c.is_shared
      AND c.waba_proven_at IS NOT NULL
$$;
REVOKE EXECUTE ON FUNCTION find_shared_wabas FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_shared_wabas TO recado_app;
