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

-- Whose accounts, of those a worker has, something is due to be sent for, an errand or a request: a hint may be lost, and
-- this is the look from time to time, one for all of them. Ids only.
CREATE OR REPLACE FUNCTION scan_outbox(for_worker uuid, of_now timestamptz) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    SELECT DISTINCT l.mentorado_id FROM public.leases l
    WHERE l.worker_id = for_worker
      AND (EXISTS (SELECT FROM public.outbox o
                   WHERE o.mentorado_id = l.mentorado_id AND o.provider = l.provider
                     AND o.settled_at IS NULL AND o.due_at <= of_now)
           OR EXISTS (SELECT FROM public.errands e
                      WHERE e.mentorado_id = l.mentorado_id AND e.provider = l.provider AND e.due_at <= of_now)
           OR EXISTS (SELECT FROM public.requests r
                      WHERE r.mentorado_id = l.mentorado_id AND r.provider = l.provider
                        AND r.answered_at IS NULL AND r.due_at <= of_now))
$$;

-- What was of use for a while only: errands nobody can do any more, requests and their answers, open matters that were seen to, dry runs too old to
-- start from, and which message of ours confirmed an opt-out, once that message went or failed.
CREATE OR REPLACE FUNCTION forget_leftovers(before timestamptz, most integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
DECLARE
    me uuid := public.current_mentorado();
    gone bigint;
    total bigint := 0;
BEGIN
    DELETE FROM public.errands e USING (
        SELECT id FROM public.errands WHERE mentorado_id = me AND due_at < before ORDER BY id LIMIT most) AS old
    WHERE e.mentorado_id = me AND e.id = old.id;
    GET DIAGNOSTICS gone = ROW_COUNT;
    total := total + gone;
    DELETE FROM public.requests r USING (
        SELECT id FROM public.requests WHERE mentorado_id = me AND asked_at < before LIMIT most) AS old
    WHERE r.mentorado_id = me AND r.id = old.id;
    GET DIAGNOSTICS gone = ROW_COUNT;
    total := total + gone;
    DELETE FROM public.pacing_attention a USING (
        SELECT id FROM public.pacing_attention WHERE mentorado_id = me AND resolved_at < before LIMIT most) AS old
    WHERE a.mentorado_id = me AND a.id = old.id;
    GET DIAGNOSTICS gone = ROW_COUNT;
    total := total + gone;
    DELETE FROM public.campaign_dry_runs d USING (
        SELECT id FROM public.campaign_dry_runs WHERE mentorado_id = me AND at < before LIMIT most) AS old
    WHERE d.mentorado_id = me AND d.id = old.id;
    GET DIAGNOSTICS gone = ROW_COUNT;
    total := total + gone;
    DELETE FROM public.consent_answers c USING (
        SELECT a.message_id FROM public.consent_answers a
        WHERE a.mentorado_id = me AND a.at < before AND NOT EXISTS (
            SELECT FROM public.outbox o
            WHERE o.mentorado_id = me AND o.message_id = a.message_id AND o.settled_at IS NULL)
        LIMIT most) AS old
    WHERE c.mentorado_id = me AND c.message_id = old.message_id;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN total + gone;
END $$;
