-- What leaves, and what is told.

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
    may_have_left    boolean NOT NULL DEFAULT false,     -- it was on the wire, and nobody said what became of it
    origin           text NOT NULL DEFAULT 'automation' CHECK (origin IN ('person', 'automation', 'campaign')),
    campaign_id      uuid,
    send_at          timestamptz,                        -- not before then, because its sender said so
    held_by          text,                               -- the rule that moved due_at, while it does
    first_hold       jsonb,                              -- what its sender was told of that, for the same answer again
    due_at           timestamptz NOT NULL DEFAULT now(),
    created_at       timestamptz NOT NULL DEFAULT now(),
    settled_at       timestamptz,
    forwarded        integer NOT NULL DEFAULT 0,         -- how often it will have been passed on
    expires_in       integer,                            -- seconds after which the phones drop it
    PRIMARY KEY (mentorado_id, id),
    UNIQUE (mentorado_id, message_id),
    UNIQUE (mentorado_id, idempotency_key),
    FOREIGN KEY (mentorado_id, conversation_id) REFERENCES conversations
);
CREATE INDEX outbox_waiting ON outbox (mentorado_id, conversation_id, id) WHERE settled_at IS NULL;
CREATE INDEX outbox_due ON outbox (mentorado_id, provider, due_at, id) WHERE settled_at IS NULL;

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
