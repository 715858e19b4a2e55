-- The first schema. Read db/schema/ for the whole of it as it stands today; this file never changes once released.
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


-- ── mentorados and who may speak for them ────────────────────────────────────────────────────────────────────────────

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
    revoked_at    timestamptz
);
CREATE INDEX api_keys_mentorado ON api_keys (mentorado_id);

CREATE TABLE data_keys (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    key_id        integer NOT NULL,
    wrapped       bytea NOT NULL,                        -- sealed with the master key
    created_at    timestamptz NOT NULL DEFAULT now(),
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


-- ── connections, and who holds them ──────────────────────────────────────────────────────────────────────────────────

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
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (mentorado_id, provider)
);

CREATE TABLE workers (
    id            uuid PRIMARY KEY,
    name          text NOT NULL DEFAULT '',
    started_at    timestamptz NOT NULL DEFAULT now(),
    heartbeat_at  timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL
);

-- A lease is live while its worker's row is: renewing touches one row a worker and never waits for a commit that holds
-- the lease FOR SHARE. The epoch only grows; releasing empties worker_id and keeps it.
CREATE TABLE leases (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    provider      text NOT NULL,
    worker_id     uuid,
    epoch         bigint NOT NULL,
    taken_at      timestamptz NOT NULL DEFAULT now(),
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


-- ── people, conversations, messages ──────────────────────────────────────────────────────────────────────────────────

CREATE TABLE whatsapp_contacts (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    id            uuid NOT NULL DEFAULT gen_random_uuid(),
    phone         text,                                  -- digits
    lid           text,                                  -- the user part of the LID address
    bsuid         text,
    username      text,
    push_name     text,                                  -- what they call themselves
    name          text,                                  -- what the mentorado calls them
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (mentorado_id, id),
    UNIQUE (mentorado_id, phone),
    UNIQUE (mentorado_id, lid),
    UNIQUE (mentorado_id, bsuid)
);

CREATE TABLE leads (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    id            uuid NOT NULL DEFAULT gen_random_uuid(),
    name          text NOT NULL DEFAULT '',
    phone         text,
    contact_id    uuid,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (mentorado_id, id),
    UNIQUE (mentorado_id, phone),
    FOREIGN KEY (mentorado_id, contact_id) REFERENCES whatsapp_contacts
);

CREATE TABLE conversations (
    mentorado_id     uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    id               uuid NOT NULL DEFAULT gen_random_uuid(),
    kind             text NOT NULL CHECK (kind IN ('person', 'group', 'other')),
    contact_id       uuid,                               -- of a person
    chat             text,                               -- of anything else: its address
    title            text,
    lead_id          uuid,
    last_message_id  bigint,
    last_message_at  timestamptz,
    unread_count     integer NOT NULL DEFAULT 0,
    created_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (mentorado_id, id),
    UNIQUE (mentorado_id, contact_id),
    UNIQUE (mentorado_id, chat),
    FOREIGN KEY (mentorado_id, contact_id) REFERENCES whatsapp_contacts,
    FOREIGN KEY (mentorado_id, lead_id) REFERENCES leads,
    CHECK ((kind = 'person') = (contact_id IS NOT NULL)),
    CHECK ((kind = 'person') = (chat IS NULL))
);
CREATE INDEX conversations_recent
    ON conversations (mentorado_id, coalesce(last_message_at, created_at) DESC, id DESC);

CREATE TABLE whatsapp_messages (
    mentorado_id         uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    id                   bigint GENERATED ALWAYS AS IDENTITY,
    conversation_id      uuid NOT NULL,
    sender_id            uuid,                           -- the contact who wrote it; NULL: the mentorado
    provider             text NOT NULL,
    provider_message_id  text NOT NULL,
    direction            text NOT NULL CHECK (direction IN ('in', 'out')),
    content_type         text NOT NULL,                  -- text, unreadable, or the wire name of an unmodelled kind
    text                 text,
    media_reference      text,
    status               message_status,                 -- of what the mentorado wrote; NULL for what it received
    failure              text,
    source               text NOT NULL CHECK (source IN ('live', 'offline', 'history', 'echo', 'resend')),
    is_placeholder       boolean NOT NULL DEFAULT false,
    quoted_message_id    text,
    quoted_text          text,
    raw                  bytea,
    sent_at              timestamptz NOT NULL,
    created_at           timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (mentorado_id, id),
    CONSTRAINT whatsapp_messages_once
        UNIQUE NULLS NOT DISTINCT (mentorado_id, conversation_id, sender_id, provider_message_id),
    FOREIGN KEY (mentorado_id, conversation_id) REFERENCES conversations,
    FOREIGN KEY (mentorado_id, sender_id) REFERENCES whatsapp_contacts
);
CREATE INDEX whatsapp_messages_page ON whatsapp_messages (mentorado_id, conversation_id, sent_at, id);
CREATE INDEX whatsapp_messages_provider_id ON whatsapp_messages (mentorado_id, provider_message_id);


-- ── what leaves, and what is told ────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE outbox (
    mentorado_id     uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    id               bigint GENERATED ALWAYS AS IDENTITY,
    conversation_id  uuid NOT NULL,
    provider         text NOT NULL,
    chat             text NOT NULL,                      -- the address it goes to
    message_id       text NOT NULL,                      -- chosen here, once: a second try is the same message
    idempotency_key  text,
    request_hash     bytea,
    content          jsonb NOT NULL,
    quoting          text,
    state            message_status NOT NULL DEFAULT 'queued',
    error            text,
    attempts         integer NOT NULL DEFAULT 0,
    due_at           timestamptz NOT NULL DEFAULT now(),
    created_at       timestamptz NOT NULL DEFAULT now(),
    settled_at       timestamptz,
    PRIMARY KEY (mentorado_id, id),
    UNIQUE (mentorado_id, message_id),
    UNIQUE (mentorado_id, idempotency_key),
    FOREIGN KEY (mentorado_id, conversation_id) REFERENCES conversations
);
CREATE INDEX outbox_waiting ON outbox (mentorado_id, provider, id) WHERE settled_at IS NULL;

-- The row lock on the head is what makes the order of commits the order of numbers.
CREATE TABLE stream_heads (
    mentorado_id  uuid PRIMARY KEY DEFAULT current_mentorado() REFERENCES mentorados,
    seq           bigint NOT NULL DEFAULT 0
);

CREATE TABLE events (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    seq           bigint NOT NULL,
    provider      text NOT NULL,
    kind          text NOT NULL,
    body          jsonb NOT NULL,
    raw           bytea,                                 -- what neither text nor JSON can hold
    at            timestamptz NOT NULL,
    PRIMARY KEY (mentorado_id, seq)
);


-- ── row-level security ───────────────────────────────────────────────────────────────────────────────────────────────

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['api_keys', 'data_keys', 'audit_log', 'connections', 'leases', 'baileys_sessions',
                                'baileys_backups', 'whatsapp_contacts', 'leads', 'conversations',
                                'whatsapp_messages', 'outbox', 'stream_heads', 'events']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON %I TO recado_app, CURRENT_USER USING (mentorado_id = current_mentorado())',
                       name);
    END LOOP;
END $$;

ALTER TABLE mentorados ENABLE ROW LEVEL SECURITY;
ALTER TABLE mentorados FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON mentorados TO recado_app USING (id = current_mentorado());

-- What an administrator's unit adds: the list of mentorados, their keys and the audit, and the state of connections.
-- Conversations, messages and sessions are seen only from inside a mentorado's own unit, an administrator's too.
CREATE POLICY admin ON mentorados TO recado_app USING (is_admin());
CREATE POLICY admin ON api_keys TO recado_app USING (is_admin());
CREATE POLICY admin ON audit_log TO recado_app USING (is_admin());
CREATE POLICY admin ON stream_heads FOR INSERT TO recado_app WITH CHECK (is_admin());
CREATE POLICY admin_reads ON connections FOR SELECT TO recado_app USING (is_admin());

-- The functions at the end run as the owner of the tables, who is held by FORCE too unless a superuser: the policy
-- `own` is the owner's too, and the scans see the rows of all.
CREATE POLICY scans ON api_keys FOR SELECT TO CURRENT_USER USING (true);
CREATE POLICY scans ON connections FOR SELECT TO CURRENT_USER USING (true);
CREATE POLICY scans ON leases FOR SELECT TO CURRENT_USER USING (true);

GRANT SELECT, INSERT, UPDATE ON mentorados, api_keys, connections, workers, leases, leads, conversations,
    whatsapp_messages, outbox, stream_heads TO recado_app;
GRANT SELECT, INSERT, UPDATE ON whatsapp_contacts TO recado_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON baileys_sessions TO recado_app;
GRANT SELECT, INSERT ON data_keys, audit_log, events, baileys_backups TO recado_app;
GRANT DELETE ON workers TO recado_app;


-- ── functions ────────────────────────────────────────────────────────────────────────────────────────────────────────

-- Fail unless this worker still holds the lease with this epoch; held to the end of the transaction.
CREATE FUNCTION check_lease(of_provider text, of_worker uuid, of_epoch bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM FROM leases
        WHERE mentorado_id = current_mentorado() AND provider = of_provider
          AND worker_id = of_worker AND epoch = of_epoch
        FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another worker owns this account now' USING ERRCODE = 'RC001';
    END IF;
END $$;

-- Before anybody is known: the key a token's prefix names. The caller compares the hash.
CREATE FUNCTION find_api_key(of_prefix text)
    RETURNS TABLE (id uuid, mentorado_id uuid, hash bytea, scopes text[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    SELECT k.id, k.mentorado_id, k.hash, k.scopes FROM public.api_keys k
    WHERE k.prefix = of_prefix AND k.revoked_at IS NULL
$$;

-- What placement looks at: every connection that is wanted or held, and who holds it. Ids and flags only. A state that
-- only a person can end (logged out, replaced, restricted, failed) is not wanted until somebody asks again.
CREATE FUNCTION scan_connections(for_worker uuid)
    RETURNS TABLE (mentorado_id uuid, provider text, is_wanted boolean, is_unlinking boolean, state text,
                   generation bigint, is_mine boolean, is_free boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    SELECT * FROM (
        SELECT c.mentorado_id, c.provider,
               c.desired = 'unlinked'
                   OR c.desired = 'connected' AND c.state NOT IN ('logged_out', 'replaced', 'restricted', 'failed')
                   AS is_wanted,
               c.desired = 'unlinked' AS is_unlinking, c.state, c.generation,
               coalesce(l.worker_id = for_worker, false) AS is_mine,
               w.id IS NULL OR w.expires_at <= clock_timestamp() AS is_free
        FROM public.connections c
        LEFT JOIN public.leases l ON l.mentorado_id = c.mentorado_id AND l.provider = c.provider
        LEFT JOIN public.workers w ON w.id = l.worker_id
        ORDER BY c.created_at, c.mentorado_id
    ) AS scanned
    WHERE is_wanted OR is_mine
$$;

-- Two contacts turned out to be one: everything of `loser` becomes `winner`'s, in this transaction. A message that was
-- kept under both is kept once, and the one that could be read is the one that stays.
CREATE FUNCTION merge_contacts(winner uuid, loser uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
DECLARE
    me uuid := public.current_mentorado();
    kept uuid;
    gone uuid;
    doubles bigint[];
BEGIN
    SELECT id INTO kept FROM public.conversations WHERE mentorado_id = me AND contact_id = winner FOR UPDATE;
    SELECT id INTO gone FROM public.conversations WHERE mentorado_id = me AND contact_id = loser FOR UPDATE;
    doubles := ARRAY(
        SELECT unnest((array_agg(m.id ORDER BY m.is_placeholder, m.status DESC NULLS LAST, m.id))[2:])
        FROM public.whatsapp_messages m
        WHERE m.mentorado_id = me AND (m.conversation_id IN (kept, gone) OR m.sender_id IN (winner, loser))
        GROUP BY CASE WHEN m.conversation_id = gone THEN coalesce(kept, gone) ELSE m.conversation_id END,
                 CASE WHEN m.sender_id = loser THEN winner ELSE m.sender_id END, m.provider_message_id);
    DELETE FROM public.whatsapp_messages WHERE mentorado_id = me AND id = ANY (doubles);
    UPDATE public.whatsapp_messages SET sender_id = winner WHERE mentorado_id = me AND sender_id = loser;
    IF gone IS NOT NULL AND kept IS NULL THEN
        UPDATE public.conversations SET contact_id = winner WHERE mentorado_id = me AND id = gone;
    ELSIF gone IS NOT NULL THEN
        UPDATE public.whatsapp_messages SET conversation_id = kept WHERE mentorado_id = me AND conversation_id = gone;
        UPDATE public.outbox SET conversation_id = kept WHERE mentorado_id = me AND conversation_id = gone;
        UPDATE public.conversations k
            SET unread_count = k.unread_count + g.unread_count,
                title = coalesce(k.title, g.title),
                lead_id = coalesce(k.lead_id, g.lead_id)
            FROM public.conversations g
            WHERE k.mentorado_id = me AND k.id = kept AND g.mentorado_id = me AND g.id = gone;
        UPDATE public.conversations k SET last_message_id = m.id, last_message_at = m.sent_at
            FROM (SELECT id, sent_at FROM public.whatsapp_messages
                  WHERE mentorado_id = me AND conversation_id = kept ORDER BY sent_at DESC, id DESC LIMIT 1) m
            WHERE k.mentorado_id = me AND k.id = kept;
        DELETE FROM public.conversations WHERE mentorado_id = me AND id = gone;
    END IF;
    UPDATE public.leads SET contact_id = winner WHERE mentorado_id = me AND contact_id = loser;
    UPDATE public.whatsapp_contacts w
        SET push_name = coalesce(w.push_name, l.push_name), name = coalesce(w.name, l.name),
            username = coalesce(w.username, l.username), updated_at = now()
        FROM public.whatsapp_contacts l
        WHERE w.mentorado_id = me AND w.id = winner AND l.mentorado_id = me AND l.id = loser;
    DELETE FROM public.whatsapp_contacts WHERE mentorado_id = me AND id = loser;
END $$;

REVOKE EXECUTE ON FUNCTION find_api_key, scan_connections, merge_contacts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_api_key, scan_connections, merge_contacts TO recado_app;
