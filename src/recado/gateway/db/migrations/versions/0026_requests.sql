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

-- Groups: who is in them, their rules, and how far each of their people is with what was written to them. `group_id` is
-- the group's conversation. The account itself is not among its members: its own role is one of the rules.

CREATE TABLE group_rules (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    group_id      uuid NOT NULL,
    rules         jsonb NOT NULL DEFAULT '{}',           -- as the API tells them
    PRIMARY KEY (mentorado_id, group_id),
    FOREIGN KEY (mentorado_id, group_id) REFERENCES conversations
);

CREATE TABLE conversation_members (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    group_id      uuid NOT NULL,
    contact_id    uuid NOT NULL,
    role          text NOT NULL DEFAULT 'member' CHECK (role IN ('member', 'admin', 'owner')),
    joined_at     timestamptz,                           -- NULL: was there when the group was first told
    PRIMARY KEY (mentorado_id, group_id, contact_id),
    FOREIGN KEY (mentorado_id, group_id) REFERENCES conversations,
    FOREIGN KEY (mentorado_id, contact_id) REFERENCES whatsapp_contacts
);
CREATE INDEX conversation_members_contact ON conversation_members (mentorado_id, contact_id);

CREATE TABLE message_receipts (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    message_id    bigint NOT NULL,
    contact_id    uuid NOT NULL,
    delivered_at  timestamptz NOT NULL,
    read_at       timestamptz,
    played_at     timestamptz,
    PRIMARY KEY (mentorado_id, message_id, contact_id),
    FOREIGN KEY (mentorado_id, message_id) REFERENCES whatsapp_messages,
    FOREIGN KEY (mentorado_id, contact_id) REFERENCES whatsapp_contacts
);
CREATE INDEX message_receipts_contact ON message_receipts (mentorado_id, contact_id);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['group_rules', 'conversation_members', 'message_receipts'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON %I TO recado_app, CURRENT_USER USING (mentorado_id = current_mentorado())',
                       name);
    END LOOP;
END $$;

GRANT SELECT, INSERT, UPDATE ON group_rules, message_receipts TO recado_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON conversation_members TO recado_app;

-- Two contacts turned out to be one: everything of `loser` becomes `winner`'s, in this transaction. A message that was
-- kept under both is kept once, and the one that could be read is the one that stays.
CREATE OR REPLACE FUNCTION merge_contacts(winner uuid, loser uuid) RETURNS void
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
    DELETE FROM public.message_receipts WHERE mentorado_id = me AND message_id = ANY (doubles);
    DELETE FROM public.whatsapp_messages WHERE mentorado_id = me AND id = ANY (doubles);
    UPDATE public.whatsapp_messages SET sender_id = winner WHERE mentorado_id = me AND sender_id = loser;
    IF gone IS NOT NULL AND kept IS NULL THEN
        UPDATE public.conversations SET contact_id = winner WHERE mentorado_id = me AND id = gone;
    ELSIF gone IS NOT NULL THEN
        UPDATE public.whatsapp_messages SET conversation_id = kept WHERE mentorado_id = me AND conversation_id = gone;
        UPDATE public.outbox SET conversation_id = kept WHERE mentorado_id = me AND conversation_id = gone;
        UPDATE public.errands SET conversation_id = kept WHERE mentorado_id = me AND conversation_id = gone;
        UPDATE public.pacing_sends SET conversation_id = kept WHERE mentorado_id = me AND conversation_id = gone;
        -- Taken over by two people: by the one who has it longer.
        INSERT INTO public.pacing_takeovers AS k (conversation_id, taken_by, taken_at, until)
            SELECT kept, taken_by, taken_at, until FROM public.pacing_takeovers
            WHERE mentorado_id = me AND conversation_id = gone
            ON CONFLICT (mentorado_id, conversation_id) DO UPDATE
            SET taken_by = excluded.taken_by, taken_at = excluded.taken_at, until = excluded.until
            WHERE coalesce(excluded.until, 'infinity') > coalesce(k.until, 'infinity');
        DELETE FROM public.pacing_takeovers WHERE mentorado_id = me AND conversation_id = gone;
        -- One open matter of a kind: the latest, as often as both together.
        UPDATE public.pacing_attention k
            SET times = k.times + g.times, at = greatest(k.at, g.at),
                code = CASE WHEN g.at > k.at THEN g.code ELSE k.code END,
                rule = CASE WHEN g.at > k.at THEN g.rule ELSE k.rule END,
                message_id = CASE WHEN g.at > k.at THEN g.message_id ELSE k.message_id END
            FROM public.pacing_attention g
            WHERE k.mentorado_id = me AND k.conversation_id = kept AND k.resolved_at IS NULL
              AND g.mentorado_id = me AND g.conversation_id = gone AND g.resolved_at IS NULL AND g.kind = k.kind;
        DELETE FROM public.pacing_attention g USING public.pacing_attention k
            WHERE k.mentorado_id = me AND k.conversation_id = kept AND k.resolved_at IS NULL
              AND g.mentorado_id = me AND g.conversation_id = gone AND g.resolved_at IS NULL AND g.kind = k.kind;
        UPDATE public.pacing_attention SET conversation_id = kept WHERE mentorado_id = me AND conversation_id = gone;
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
    -- What either agreed to is one person's word, and a message that was one entry under each stays one.
    DELETE FROM public.consents l USING public.consents w
        WHERE l.mentorado_id = me AND l.contact_id = loser AND w.mentorado_id = me AND w.contact_id = winner
          AND l.message_id = w.message_id;
    UPDATE public.consents SET contact_id = winner WHERE mentorado_id = me AND contact_id = loser;
    UPDATE public.campaign_recipients SET contact_id = winner WHERE mentorado_id = me AND contact_id = loser;
    UPDATE public.whatsapp_contacts w
        SET push_name = coalesce(w.push_name, l.push_name), name = coalesce(w.name, l.name),
            username = coalesce(w.username, l.username), updated_at = now()
        FROM public.whatsapp_contacts l
        WHERE w.mentorado_id = me AND w.id = winner AND l.mentorado_id = me AND l.id = loser;
    -- Where each of their addresses and names was learnt stays known.
    INSERT INTO public.contact_identifiers (contact_id, kind, value, learnt_from, first_seen_at, last_seen_at)
        SELECT winner, kind, value, learnt_from, first_seen_at, last_seen_at FROM public.contact_identifiers
        WHERE mentorado_id = me AND contact_id = loser
        ON CONFLICT DO NOTHING;
    DELETE FROM public.contact_identifiers WHERE mentorado_id = me AND contact_id = loser;
    UPDATE public.contact_numbers SET contact_id = winner WHERE mentorado_id = me AND contact_id = loser;
    INSERT INTO public.conversation_members (group_id, contact_id, role, joined_at)
        SELECT group_id, winner, role, joined_at FROM public.conversation_members
        WHERE mentorado_id = me AND contact_id = loser
        ON CONFLICT DO NOTHING;
    DELETE FROM public.conversation_members WHERE mentorado_id = me AND contact_id = loser;
    INSERT INTO public.message_receipts AS k (message_id, contact_id, delivered_at, read_at, played_at)
        SELECT message_id, winner, delivered_at, read_at, played_at FROM public.message_receipts
        WHERE mentorado_id = me AND contact_id = loser
        ON CONFLICT (mentorado_id, message_id, contact_id) DO UPDATE
        SET delivered_at = least(k.delivered_at, excluded.delivered_at), read_at = least(k.read_at, excluded.read_at),
            played_at = least(k.played_at, excluded.played_at);
    DELETE FROM public.message_receipts WHERE mentorado_id = me AND contact_id = loser;
    INSERT INTO public.contact_merges (winner_id, loser_id) VALUES (winner, loser);
    UPDATE public.contact_merges SET winner_id = winner WHERE mentorado_id = me AND winner_id = loser;
    DELETE FROM public.whatsapp_contacts WHERE mentorado_id = me AND id = loser;
END $$;
