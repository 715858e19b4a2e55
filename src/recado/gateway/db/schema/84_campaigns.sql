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
