-- Mentorados and who may speak for them.

CREATE TABLE mentorados (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name        text NOT NULL CHECK (name <> ''),
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE api_keys (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    mentorado_id  uuid DEFAULT current_mentorado() REFERENCES mentorados,  -- NULL: an administrator's key
    name          text NOT NULL DEFAULT '',
    prefix        text NOT NULL UNIQUE,
    hash          bytea NOT NULL,
    scopes        text[] NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    revoked_at    timestamptz,
    expires_at    timestamptz,                           -- it opens nothing from then on
    replaced_by   uuid,                                  -- the key that was made in its place
    last_used_at  timestamptz                            -- to the hour
);
CREATE INDEX api_keys_mentorado ON api_keys (mentorado_id);

CREATE TABLE data_keys (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    key_id        integer NOT NULL,
    wrapped       bytea NOT NULL,                        -- sealed with the master key
    created_at    timestamptz NOT NULL DEFAULT now(),
    retired_at    timestamptz,                           -- nothing is sealed with it any more
    PRIMARY KEY (mentorado_id, key_id)
);

CREATE TABLE audit_log (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mentorado_id  uuid DEFAULT current_mentorado() REFERENCES mentorados,
    actor         text NOT NULL,
    action        text NOT NULL,
    detail        jsonb NOT NULL DEFAULT '{}',
    at            timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX audit_log_mentorado ON audit_log (mentorado_id, id);
