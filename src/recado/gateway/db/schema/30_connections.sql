-- Connections, and who holds them.

CREATE TABLE connections (
    mentorado_id     uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    provider         text NOT NULL CHECK (provider IN ('meta', 'baileys', 'zapi')),
    desired          text NOT NULL DEFAULT 'disconnected' CHECK (desired IN ('connected', 'disconnected', 'unlinked')),
    generation       bigint NOT NULL DEFAULT 0,          -- one more each time a person asks for a connection
    state            text NOT NULL DEFAULT 'disconnected',
    state_at         timestamptz NOT NULL DEFAULT now(),
    reason           text,
    retry_at         timestamptz,
    account_phone    text,                               -- the number this history belongs to, digits only
    account_lid      text,
    push_name        text,
    step_kind        text,                               -- qr, code or passkey: what a person is to do now
    step             bytea,                              -- sealed: a QR carries a secret
    step_expires_at  timestamptz,
    step_answer      bytea,                              -- sealed: what a person answered (a passkey, a decision)
    link_phone       text,                               -- the next link is by a code for this number, not by a QR
    history_progress smallint CHECK (history_progress BETWEEN 0 AND 100),  -- how far the phone says its past is told
    history_at       timestamptz,                        -- when its last part was recorded
    linked_at        timestamptz,                        -- first connected since a step to link was last shown
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (mentorado_id, provider)
);

CREATE TABLE workers (
    id            uuid PRIMARY KEY,
    name          text NOT NULL DEFAULT '',
    started_at    timestamptz NOT NULL DEFAULT now(),
    heartbeat_at  timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL,
    weight        numeric NOT NULL DEFAULT 1 CHECK (weight > 0),  -- its share of the accounts, against the others'
    leaving_at    timestamptz                            -- since when it hands over what it has, and takes no more
);

-- A lease is live while its worker's row is: renewing touches one row a worker and never waits for a commit that holds
-- the lease FOR SHARE. The epoch only grows; releasing empties worker_id and keeps it.
CREATE TABLE leases (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    provider      text NOT NULL,
    worker_id     uuid,
    epoch         bigint NOT NULL,
    taken_at      timestamptz NOT NULL DEFAULT now(),
    rests_until   timestamptz,                           -- it broke at once: nobody takes it before
    is_linking    boolean NOT NULL DEFAULT false,        -- the one that shows a code now, where one may at a time
    PRIMARY KEY (mentorado_id, provider)
);

-- One row a key; read by key or by prefix, never all of it.
CREATE TABLE baileys_sessions (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    key           text COLLATE "C" NOT NULL,
    value         bytea NOT NULL,                        -- an envelope: see security.py
    key_id        integer NOT NULL,
    expires_at    timestamptz,
    updated_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (mentorado_id, key)
);
ALTER TABLE baileys_sessions ALTER COLUMN value SET STORAGE EXTERNAL;  -- sealed bytes do not compress
CREATE INDEX baileys_sessions_expiring ON baileys_sessions (mentorado_id, expires_at) WHERE expires_at IS NOT NULL;

-- A copy of the rows above, made before any of them is deleted; the values stay sealed as they were.
CREATE TABLE baileys_backups (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    backup_id     uuid NOT NULL,
    key           text COLLATE "C" NOT NULL,
    value         bytea NOT NULL,
    key_id        integer NOT NULL,
    expires_at    timestamptz,
    reason        text NOT NULL,
    made_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (mentorado_id, backup_id, key)
);
ALTER TABLE baileys_backups ALTER COLUMN value SET STORAGE EXTERNAL;
