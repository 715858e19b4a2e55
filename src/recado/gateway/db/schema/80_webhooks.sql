-- Where a mentorado's events are posted, and how that went.

-- One cursor over the stream each; what is claimed is the row, by a worker, for a time of the database's clock. The
-- epoch only grows, so a worker whose claim ran out settles nothing. Times of retries are the gateway's clock.
CREATE TABLE webhook_endpoints (
    mentorado_id      uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    id                uuid NOT NULL DEFAULT gen_random_uuid(),
    name              text NOT NULL DEFAULT '',
    url               text NOT NULL,
    kinds             text[] NOT NULL DEFAULT '{}',          -- which events, `message.*` for a family; none: all
    secret            bytea NOT NULL,                        -- an envelope: see security.py
    old_secret        bytea,                                 -- signs too, until then
    old_secret_until  timestamptz,
    state             text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'disabled')),
    state_reason      text,
    cursor_seq        bigint NOT NULL,                       -- everything up to here is settled
    attempt           integer NOT NULL DEFAULT 0,            -- how often the event behind the cursor was tried
    next_attempt_at   timestamptz,
    failures          integer NOT NULL DEFAULT 0,            -- in a row, whatever the event
    failing_since     timestamptz,
    is_slow           boolean NOT NULL DEFAULT false,        -- kept to a lane of its own
    has_redrive       boolean NOT NULL DEFAULT false,        -- some of its dead letters are to go again
    revision          integer NOT NULL DEFAULT 0,            -- one more each time a person changes it
    turn_at           timestamptz,                           -- when a worker last served it: who waited longest is next
    claimed_by        uuid,
    claimed_until     timestamptz,
    claim_epoch       bigint NOT NULL DEFAULT 0,
    created_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (mentorado_id, id)
);
CREATE INDEX webhook_endpoints_waiting ON webhook_endpoints (next_attempt_at) WHERE next_attempt_at IS NOT NULL;

CREATE TABLE webhook_attempts (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    id            bigint GENERATED ALWAYS AS IDENTITY,
    endpoint_id   uuid NOT NULL,
    seq           bigint,                                    -- of the event; NULL: a test
    attempt       integer NOT NULL,
    at            timestamptz NOT NULL,
    status        integer,                                   -- NULL: there was no answer
    milliseconds  integer NOT NULL,
    error         text,
    PRIMARY KEY (mentorado_id, id),
    FOREIGN KEY (mentorado_id, endpoint_id) REFERENCES webhook_endpoints
);
CREATE INDEX webhook_attempts_page ON webhook_attempts (mentorado_id, endpoint_id, id);
CREATE INDEX webhook_attempts_event ON webhook_attempts (mentorado_id, seq);

-- Events that an endpoint never took.
CREATE TABLE webhook_dead_letters (
    mentorado_id    uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    endpoint_id     uuid NOT NULL,
    seq             bigint NOT NULL,
    attempts        integer NOT NULL,
    status          integer,
    error           text,
    died_at         timestamptz NOT NULL,
    is_redriving    boolean NOT NULL DEFAULT false,
    PRIMARY KEY (mentorado_id, endpoint_id, seq),
    FOREIGN KEY (mentorado_id, endpoint_id) REFERENCES webhook_endpoints
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['webhook_endpoints', 'webhook_attempts', 'webhook_dead_letters']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON %I TO recado_app, CURRENT_USER USING (mentorado_id = current_mentorado())',
                       name);
    END LOOP;
END $$;

CREATE POLICY scans ON webhook_endpoints FOR SELECT TO CURRENT_USER USING (true);
CREATE POLICY scans ON stream_heads FOR SELECT TO CURRENT_USER USING (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_endpoints, webhook_dead_letters TO recado_app;
GRANT SELECT, INSERT, DELETE ON webhook_attempts TO recado_app;

-- What a worker may claim now, who waited longest first: as many of the quick and of the slow as it has room for. Ids
-- and flags only.
CREATE FUNCTION scan_webhooks(at timestamptz, most_quick integer, most_slow integer)
    RETURNS TABLE (mentorado_id uuid, endpoint_id uuid, is_slow boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    SELECT mentorado_id, id, is_slow FROM (
        SELECT e.mentorado_id, e.id, e.is_slow, e.turn_at,
               row_number() OVER (PARTITION BY e.is_slow ORDER BY e.turn_at NULLS FIRST, e.id) AS place
        FROM public.webhook_endpoints e JOIN public.stream_heads h ON h.mentorado_id = e.mentorado_id
        WHERE e.state = 'active' AND (e.cursor_seq < h.seq OR e.has_redrive)
          AND (e.next_attempt_at IS NULL OR e.next_attempt_at <= at)
          AND (e.claimed_until IS NULL OR e.claimed_until <= clock_timestamp())
    ) AS due
    WHERE place <= CASE WHEN is_slow THEN most_slow ELSE most_quick END
    ORDER BY turn_at NULLS FIRST, id
$$;

-- When the next retry comes after that time.
CREATE FUNCTION next_webhook_at(at timestamptz) RETURNS timestamptz
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    SELECT min(e.next_attempt_at) FROM public.webhook_endpoints e WHERE e.next_attempt_at > at AND e.state = 'active'
$$;

REVOKE EXECUTE ON FUNCTION scan_webhooks, next_webhook_at FROM PUBLIC;
GRANT EXECUTE ON FUNCTION scan_webhooks, next_webhook_at TO recado_app;
