-- Who agreed to what. The ledger only grows: the application may read and add, nothing else. Merging two contacts moves
-- their entries to the one that stays (merge_contacts).

CREATE TABLE consents (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    id            bigint GENERATED ALWAYS AS IDENTITY,
    contact_id    uuid NOT NULL,
    purpose       text NOT NULL CHECK (purpose <> ''),   -- '*': whatever the purpose
    kind          text NOT NULL CHECK (kind IN ('in', 'out', 'back')),   -- 'back': the stops before it are undone
    at            timestamptz NOT NULL,                  -- when the person said so: the newest entry counts
    text_shown    text,                                  -- what they were shown when they did
    source        text NOT NULL CHECK (source IN ('api', 'keyword', 'import', 'page', 'provider')),
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
