-- What the API asks of WhatsApp and wants to know the answer of, done by whoever owns the account. `seq` is their order.
-- What was asked goes with the answer: then `body` is empty. `scope` is what a key needs to be told the answer.
CREATE TABLE requests (
    mentorado_id     uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    id               uuid NOT NULL DEFAULT gen_random_uuid(),
    seq              bigint GENERATED ALWAYS AS IDENTITY,
    provider         text NOT NULL,
    verb             text NOT NULL,
    chat             text NOT NULL DEFAULT '',
    body             jsonb NOT NULL DEFAULT '{}',
    scope            text NOT NULL,
    state            text NOT NULL DEFAULT 'queued'
        CONSTRAINT requests_state_check CHECK (state IN ('queued', 'started', 'done', 'refused', 'failed', 'unknown')),
    answer           jsonb,
    code             integer,
    problem          text,
    attempts         integer NOT NULL DEFAULT 0,
    due_at           timestamptz NOT NULL,
    asked_by         text NOT NULL,
    asked_at         timestamptz NOT NULL,
    answered_at      timestamptz,
    idempotency_key  text,
    request_hash     bytea,
    PRIMARY KEY (mentorado_id, id),
    UNIQUE (mentorado_id, idempotency_key)
);

CREATE INDEX requests_due ON requests (mentorado_id, provider, seq) WHERE answered_at IS NULL;

ALTER TABLE requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE requests FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON requests TO recado_app, CURRENT_USER USING (mentorado_id = current_mentorado());
GRANT SELECT, INSERT, UPDATE ON requests TO recado_app;
