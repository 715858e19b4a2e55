-- What may be sent, and when. No text, and no number beyond the mentorado's own. conversation_id has no foreign key here:
-- these rows are about the past of a conversation that a merge may take away.

-- A mentorado's own changes to the guardrails, over the operator's.
CREATE TABLE pacing_settings (
    mentorado_id  uuid PRIMARY KEY DEFAULT current_mentorado() REFERENCES mentorados,
    changes       jsonb NOT NULL DEFAULT '{}',
    version       integer NOT NULL DEFAULT 1,
    updated_by    text NOT NULL,
    updated_at    timestamptz NOT NULL
);

-- When each number was first linked on each provider. Never moved: neither reconnecting nor linking again makes it young.
CREATE TABLE pacing_links (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    provider      text NOT NULL,
    phone         text NOT NULL,
    linked_at     timestamptz NOT NULL,
    PRIMARY KEY (mentorado_id, provider, phone)
);

-- The row whose lock makes bookings on one connection wait for each other.
CREATE TABLE pacing_heads (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    provider      text NOT NULL,
    last_sent_at  timestamptz,
    spread        double precision NOT NULL DEFAULT 0,   -- the dice of the pause after the last message, -1 to 1
    key           uuid NOT NULL DEFAULT gen_random_uuid(),  -- of the fingerprints
    PRIMARY KEY (mentorado_id, provider)
);

-- What was let through to the wire: one row a message, however often it is tried; kept for a while.
CREATE TABLE pacing_sends (
    mentorado_id     uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    message_id       text NOT NULL,
    provider         text NOT NULL,
    conversation_id  uuid NOT NULL,
    origin           text NOT NULL CHECK (origin IN ('person', 'automation', 'campaign')),
    is_new_chat      boolean NOT NULL,
    fingerprint      bytea,                              -- what the text is like, hashed with a key
    at               timestamptz NOT NULL,
    PRIMARY KEY (mentorado_id, message_id)
);
CREATE INDEX pacing_sends_recent ON pacing_sends (mentorado_id, provider, at);
CREATE INDEX pacing_sends_conversation ON pacing_sends (mentorado_id, conversation_id, at);
CREATE INDEX pacing_sends_new ON pacing_sends (mentorado_id, provider, at) WHERE is_new_chat;

CREATE TABLE pacing_takeovers (
    mentorado_id     uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    conversation_id  uuid NOT NULL,
    taken_by         text NOT NULL,
    taken_at         timestamptz NOT NULL,
    until            timestamptz,                        -- NULL: until it is given back
    PRIMARY KEY (mentorado_id, conversation_id)
);

-- What WhatsApp itself has forbidden; a code has one row a connection, which each report renews.
CREATE TABLE pacing_restrictions (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    id            uuid NOT NULL DEFAULT gen_random_uuid(),
    provider      text NOT NULL,
    code          integer NOT NULL,
    scope         text NOT NULL CHECK (scope IN ('everything', 'new_chats')),
    passes        boolean NOT NULL,                      -- what waits goes by itself when it is over
    learnt_at     timestamptz NOT NULL,
    until         timestamptz,                           -- NULL: nobody knows
    lifted_at     timestamptz,
    lifted_by     text,
    PRIMARY KEY (mentorado_id, id),
    UNIQUE (mentorado_id, provider, code)
);

-- Conversations a person should look at: blocked, or where messages failed.
CREATE TABLE pacing_attention (
    mentorado_id     uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    id               uuid NOT NULL DEFAULT gen_random_uuid(),
    conversation_id  uuid NOT NULL,
    kind             text NOT NULL CHECK (kind IN ('blocked', 'failed', 'refused')),
    code             integer,                            -- WhatsApp's, when it said one
    rule             text,                               -- ours, when it was ours
    message_id       text NOT NULL,                      -- the latest
    times            integer NOT NULL DEFAULT 1,
    at               timestamptz NOT NULL,
    resolved_at      timestamptz,
    resolved_by      text,
    PRIMARY KEY (mentorado_id, id)
);
CREATE UNIQUE INDEX pacing_attention_open ON pacing_attention (mentorado_id, conversation_id, kind)
    WHERE resolved_at IS NULL;
CREATE INDEX pacing_attention_page ON pacing_attention (mentorado_id, at, id);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['pacing_settings', 'pacing_links', 'pacing_heads', 'pacing_sends', 'pacing_takeovers',
                                'pacing_restrictions', 'pacing_attention']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON %I TO recado_app, CURRENT_USER USING (mentorado_id = current_mentorado())',
                       name);
    END LOOP;
END $$;

GRANT SELECT, INSERT, UPDATE ON pacing_settings, pacing_heads, pacing_takeovers, pacing_restrictions,
    pacing_attention TO recado_app;
GRANT SELECT, INSERT ON pacing_links, pacing_sends TO recado_app;
GRANT DELETE ON pacing_settings, pacing_sends, pacing_takeovers TO recado_app;
