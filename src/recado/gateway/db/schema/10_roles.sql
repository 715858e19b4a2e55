-- The schema as it stands today, in the order of the files of this folder; the migrations make the same (a test holds
-- them equal).
--
-- Who sees what: every table with a mentorado_id has row-level security enabled and forced. The application works as
-- recado_app, which owns nothing and cannot bypass it; a unit of work sets recado.mentorado for its transaction.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'recado_app') THEN
        CREATE ROLE recado_app NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;
    END IF;
    IF NOT pg_has_role(current_user, 'recado_app', 'MEMBER') THEN
        EXECUTE format('GRANT recado_app TO %I', current_user);
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;  -- another database of this cluster is migrated right now
END $$;

GRANT USAGE ON SCHEMA public TO recado_app;

-- Whose transaction this is; NULL outside one, and NULL equals no row.
CREATE FUNCTION current_mentorado() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('recado.mentorado', true), '')::uuid $$;

CREATE FUNCTION is_admin() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT coalesce(current_setting('recado.admin', true) = 'on', false) $$;

-- In the order a message may move: a status is only ever replaced by a greater one. A receipt is proof, so it outranks
-- "failed" and "unknown", which are only what we believed.
CREATE TYPE message_status AS ENUM
    ('queued', 'on_wire', 'unknown', 'failed', 'server_ack', 'delivered', 'read', 'played');
