-- Who agreed to what; campaigns.

-- Who agreed to what. The ledger only grows: the application may read and add, nothing else. Merging two contacts moves
-- their entries to the one that stays (merge_contacts).

CREATE TABLE consents (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    id            bigint GENERATED ALWAYS AS IDENTITY,
    contact_id    uuid NOT NULL,
    purpose       text NOT NULL CHECK (purpose <> ''),   -- '*': whatever the purpose
    kind          text NOT NULL CHECK (kind IN ('in', 'out')),
    at            timestamptz NOT NULL,                  -- when the person said so: the newest entry counts
    text_shown    text,                                  -- what they were shown when they did
    source        text NOT NULL CHECK (source IN ('api', 'keyword', 'import', 'page')),
    evidence      jsonb NOT NULL DEFAULT '{}',
    message_id    text,                                  -- of a keyword: the message that was one
    actor         text NOT NULL,
    recorded_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (mentorado_id, id),
    FOREIGN KEY (mentorado_id, contact_id) REFERENCES whatsapp_contacts
);
CREATE INDEX consents_newest ON consents (mentorado_id, contact_id, at DESC, id DESC);
CREATE UNIQUE INDEX consents_once ON consents (mentorado_id, contact_id, message_id) WHERE message_id IS NOT NULL;

-- The messages of ours that say "you will get no more": the one thing that may go to who opted out.
CREATE TABLE consent_answers (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    message_id    text NOT NULL,
    answers       text NOT NULL,                         -- the message with the keyword
    at            timestamptz NOT NULL,
    PRIMARY KEY (mentorado_id, message_id)
);

CREATE TABLE consent_settings (
    mentorado_id  uuid PRIMARY KEY DEFAULT current_mentorado() REFERENCES mentorados,
    locale        text NOT NULL DEFAULT 'pt-BR' CHECK (locale IN ('pt-BR', 'en')),
    stop_words    text[],                                -- NULL: the usual ones
    return_words  text[],
    answer        text,                                  -- NULL: the usual one in that language
    is_answering  boolean NOT NULL DEFAULT true,
    updated_at    timestamptz NOT NULL DEFAULT now()
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['consents', 'consent_answers', 'consent_settings']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON %I TO recado_app, CURRENT_USER USING (mentorado_id = current_mentorado())',
                       name);
    END LOOP;
END $$;

GRANT SELECT, INSERT ON consents, consent_answers TO recado_app;
GRANT SELECT, INSERT, UPDATE ON consent_settings TO recado_app;

-- Campaigns: one text to many, fed into the outbox a few at a time.

CREATE TABLE campaigns (
    mentorado_id      uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    id                uuid NOT NULL DEFAULT gen_random_uuid(),
    name              text NOT NULL CHECK (name <> ''),
    text              text NOT NULL,                     -- {{name}}: a field of the recipient
    purpose           text NOT NULL DEFAULT 'marketing' CHECK (purpose NOT IN ('', '*')),
    state             text NOT NULL DEFAULT 'draft'
                      CHECK (state IN ('draft', 'running', 'paused', 'finished', 'cancelled')),
    revision          integer NOT NULL DEFAULT 1,        -- one more with each change of the text or the recipients
    provider          text,                              -- pinned at the start: it never goes another way
    risk_accepted_by  text,                              -- who said it may go on an unofficial provider
    risk_accepted_at  timestamptz,
    risk_text         text,                              -- and what they were told
    proven_link_at    timestamptz,                       -- the link on which a message was seen to come in
    waits_for         text,                              -- why nothing is fed just now
    due_at            timestamptz NOT NULL DEFAULT now(),
    claimed_by        uuid,
    claimed_until     timestamptz,
    created_by        text NOT NULL,
    created_at        timestamptz NOT NULL,
    started_at        timestamptz,
    ended_at          timestamptz,
    PRIMARY KEY (mentorado_id, id)
);
CREATE INDEX campaigns_running ON campaigns (due_at) WHERE state = 'running';

CREATE TABLE campaign_recipients (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    campaign_id   uuid NOT NULL,
    id            bigint GENERATED ALWAYS AS IDENTITY,
    contact_id    uuid,                                  -- NULL: the address was none
    address       text NOT NULL,                         -- as it was given
    fields        jsonb NOT NULL DEFAULT '{}',
    state         text NOT NULL DEFAULT 'waiting'
                  CHECK (state IN ('waiting', 'queued', 'skipped', 'sent', 'failed', 'unknown')),
    reason        text,
    attempt       integer NOT NULL DEFAULT 0,            -- one more each time it was called back before the wire
    message_id    text,
    at            timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (mentorado_id, campaign_id, id),
    FOREIGN KEY (mentorado_id, campaign_id) REFERENCES campaigns,
    FOREIGN KEY (mentorado_id, contact_id) REFERENCES whatsapp_contacts,
    CHECK (contact_id IS NOT NULL OR state = 'skipped'),
    CHECK (state NOT IN ('queued', 'sent', 'unknown') OR message_id IS NOT NULL)
);
CREATE INDEX campaign_recipients_state ON campaign_recipients (mentorado_id, campaign_id, state, id);
CREATE INDEX campaign_recipients_contact ON campaign_recipients (mentorado_id, contact_id);
CREATE UNIQUE INDEX campaign_recipients_message ON campaign_recipients (mentorado_id, message_id);

CREATE TABLE campaign_dry_runs (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    id            uuid NOT NULL DEFAULT gen_random_uuid(),
    campaign_id   uuid NOT NULL,
    revision      integer NOT NULL,
    provider      text,
    report        jsonb NOT NULL,
    made_by       text NOT NULL,
    at            timestamptz NOT NULL,
    PRIMARY KEY (mentorado_id, id),
    FOREIGN KEY (mentorado_id, campaign_id) REFERENCES campaigns
);
CREATE INDEX campaign_dry_runs_campaign ON campaign_dry_runs (mentorado_id, campaign_id);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['campaigns', 'campaign_recipients', 'campaign_dry_runs']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON %I TO recado_app, CURRENT_USER USING (mentorado_id = current_mentorado())',
                       name);
    END LOOP;
END $$;
CREATE POLICY scans ON campaigns FOR SELECT TO CURRENT_USER USING (true);

GRANT SELECT, INSERT, UPDATE ON campaigns, campaign_recipients TO recado_app;
GRANT SELECT, INSERT ON campaign_dry_runs TO recado_app;
GRANT DELETE ON campaign_recipients TO recado_app;

-- The campaigns that are due a step and that nobody is at work on. Ids only.
CREATE FUNCTION scan_campaigns(for_worker uuid, of_now timestamptz, most integer)
    RETURNS TABLE (mentorado_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    SELECT c.mentorado_id, c.id FROM public.campaigns c
    WHERE c.state = 'running' AND c.due_at <= of_now
      AND (c.claimed_by IS NULL OR c.claimed_by = for_worker OR c.claimed_until <= of_now)
    ORDER BY c.due_at LIMIT most
$$;

REVOKE EXECUTE ON FUNCTION scan_campaigns FROM PUBLIC;
GRANT EXECUTE ON FUNCTION scan_campaigns TO recado_app;

-- Merging two contacts moves what they agreed to, and their places in campaigns.
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
    DELETE FROM public.whatsapp_contacts WHERE mentorado_id = me AND id = loser;
END $$;

-- Since when the connection is linked: a new step to link empties it, being connected fills it.
ALTER TABLE connections ADD COLUMN IF NOT EXISTS linked_at timestamptz;
UPDATE connections SET linked_at = state_at WHERE state = 'connected';
