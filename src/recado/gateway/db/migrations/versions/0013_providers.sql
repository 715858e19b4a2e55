-- The schema of 90_providers.sql, and what older functions have to know of it.
-- What proves who we are to a provider. `account` is what it calls the account (a number's id, an instance's), `hint`
-- what may be shown of it. With `is_shared` several mentorados are told of over one address of the operator's: of what
-- the provider has confirmed, `proven_at` for the account, `waba_proven_at` for the business account around it.
CREATE TABLE provider_credentials (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    provider      text NOT NULL CHECK (provider IN ('meta', 'zapi')),
    value         bytea NOT NULL,                        -- an envelope: see security.py
    key_id        integer NOT NULL,
    account       text NOT NULL,
    is_shared     boolean NOT NULL DEFAULT false,
    hint          jsonb NOT NULL DEFAULT '{}',
    updated_at    timestamptz NOT NULL DEFAULT now(),
    proven_at     timestamptz,
    waba_proven_at timestamptz,
    PRIMARY KEY (mentorado_id, provider)
);
CREATE UNIQUE INDEX provider_credentials_shared ON provider_credentials (provider, account)
    WHERE is_shared AND proven_at IS NOT NULL;

-- The secret end of the address a provider calls. Kept as a hash to be found by, and sealed to be shown again.
CREATE TABLE provider_hooks (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    provider      text NOT NULL CHECK (provider IN ('meta', 'zapi')),
    hash          bytea NOT NULL UNIQUE,
    value         bytea NOT NULL,
    key_id        integer NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (mentorado_id, provider)
);

-- What a provider calls a message of ours, whose own id was chosen when it was queued.
CREATE TABLE provider_message_ids (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    provider      text NOT NULL,
    external_id   text COLLATE "C" NOT NULL,
    message_id    text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (mentorado_id, provider, external_id)
);
CREATE INDEX provider_message_ids_ours ON provider_message_ids (mentorado_id, message_id);

-- What a provider told, as it came, in the transaction of what it meant. `people` are the addresses in it: by them it
-- is found when one of them is to be erased.
CREATE TABLE provider_payloads (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    id            uuid NOT NULL DEFAULT gen_random_uuid(),
    provider      text NOT NULL,
    received_at   timestamptz NOT NULL,
    sha256        bytea NOT NULL,
    people        text[] NOT NULL DEFAULT '{}',
    body          bytea NOT NULL,                        -- an envelope
    key_id        integer NOT NULL,
    is_unknown    boolean NOT NULL DEFAULT false,        -- something in it is of a kind this version does not know
    PRIMARY KEY (mentorado_id, id)
);
ALTER TABLE provider_payloads ALTER COLUMN body SET STORAGE EXTERNAL;  -- sealed bytes do not compress
CREATE INDEX provider_payloads_age ON provider_payloads (mentorado_id, received_at);

-- Which provider carries what is sent, when a person decided so.
CREATE TABLE provider_choices (
    mentorado_id  uuid PRIMARY KEY DEFAULT current_mentorado() REFERENCES mentorados,
    pin           text CHECK (pin IN ('meta', 'baileys', 'zapi')),
    updated_at    timestamptz NOT NULL DEFAULT now()
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['provider_credentials', 'provider_hooks', 'provider_message_ids', 'provider_payloads',
                                'provider_choices']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON %I TO recado_app, CURRENT_USER USING (mentorado_id = current_mentorado())',
                       name);
    END LOOP;
END $$;

GRANT SELECT, INSERT, UPDATE, DELETE ON provider_credentials, provider_hooks TO recado_app;
GRANT SELECT, INSERT, UPDATE ON provider_message_ids, provider_choices TO recado_app;
GRANT SELECT, INSERT ON provider_payloads TO recado_app;
GRANT UPDATE (body, key_id) ON provider_payloads TO recado_app;

-- Before anybody is known: whose secret address a provider called.
CREATE POLICY scans ON provider_hooks FOR SELECT TO CURRENT_USER USING (true);
CREATE FUNCTION find_hook(of_provider text, of_hash bytea) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    SELECT mentorado_id FROM public.provider_hooks WHERE provider = of_provider AND hash = of_hash
$$;

-- Whose are these accounts, of those told of over the operator's own address?
CREATE POLICY scans ON provider_credentials FOR SELECT TO CURRENT_USER USING (true);
CREATE FUNCTION find_shared_accounts(of_provider text, of_accounts text[])
    RETURNS TABLE (account text, mentorado_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    SELECT c.account, c.mentorado_id FROM public.provider_credentials c
    WHERE c.provider = of_provider AND c.account = ANY (of_accounts) AND c.is_shared
      AND c.proven_at IS NOT NULL
$$;

REVOKE EXECUTE ON FUNCTION find_hook, find_shared_accounts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_hook, find_shared_accounts TO recado_app;

ALTER TABLE whatsapp_messages ADD COLUMN content jsonb;

-- An address more to speak by.
DROP FUNCTION speaks_in(uuid, text, text, text);
CREATE FUNCTION speaks_in(conversation uuid, of_phone text, of_lid text, of_bsuid text, of_chat text) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    SELECT EXISTS (
        SELECT FROM conversations c LEFT JOIN whatsapp_contacts p ON p.id = c.contact_id
        WHERE c.id = conversation
          AND (c.chat = of_chat OR p.phone = of_phone OR p.lid = of_lid OR p.bsuid = of_bsuid
               OR c.kind = 'person' AND of_chat IS NULL
                  AND (of_phone IS NULL OR p.phone IS NULL) AND (of_lid IS NULL OR p.lid IS NULL)
                  AND (of_bsuid IS NULL OR p.bsuid IS NULL)
                  AND NOT EXISTS (SELECT FROM whatsapp_contacts o
                                  WHERE o.phone = of_phone OR o.lid = of_lid OR o.bsuid = of_bsuid)))
$$;

-- A connection is as its row says only while somebody runs it, whatever the provider.
CREATE OR REPLACE FUNCTION shown_state(c connections) RETURNS text
    LANGUAGE sql STABLE
    AS $$
    SELECT CASE
        WHEN c.state NOT IN ('connected', 'qr', 'code', 'passkey')
            OR is_run(c.mentorado_id, c.provider) THEN c.state
        WHEN c.desired <> 'connected' THEN 'disconnected'
        WHEN c.state = 'connected' THEN 'reconnecting'
        ELSE 'connecting'
    END
$$;

-- Who was erased is known again by the third address too.
CREATE OR REPLACE FUNCTION note_identifiers() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO contact_identifiers AS i (mentorado_id, contact_id, kind, value, learnt_from)
    SELECT NEW.mentorado_id, NEW.id, said.kind, said.value, NEW.learnt_from
    FROM (VALUES ('phone', NEW.phone), ('lid', NEW.lid), ('bsuid', NEW.bsuid), ('username', NEW.username),
                 ('push_name', NEW.push_name), ('name', NEW.name)) AS said (kind, value)
    WHERE said.value IS NOT NULL
    ON CONFLICT (mentorado_id, contact_id, kind, value) DO UPDATE SET last_seen_at = now();
    IF TG_OP = 'INSERT' OR (NEW.phone, NEW.lid, NEW.bsuid) IS DISTINCT FROM (OLD.phone, OLD.lid, OLD.bsuid)
    THEN
        PERFORM heed_erased(NEW.id, array_remove(ARRAY[NEW.phone, NEW.lid, NEW.bsuid], NULL));
    END IF;
    RETURN NULL;
END $$;

-- Erasing: credentials are the mentorado's own; the person goes out of what providers told, and out of ids made of them.
CREATE OR REPLACE FUNCTION columns_with_words() RETURNS TABLE (of_table text, of_column text, of_type text)
    LANGUAGE sql STABLE
    AS $$
    SELECT c.relname::text, a.attname::text, format_type(a.atttypid, NULL)
    FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
      AND format_type(a.atttypid, NULL) IN ('text', 'text[]', 'jsonb', 'bytea')
      AND EXISTS (SELECT FROM pg_attribute m
                  WHERE m.attrelid = c.oid AND m.attname = 'mentorado_id' AND NOT m.attisdropped)
      AND c.relname NOT IN ('api_keys', 'data_keys', 'connections', 'erasure_keys', 'provider_credentials')
$$;

CREATE FUNCTION hidden_spellings(address text) RETURNS SETOF text
    LANGUAGE sql IMMUTABLE
    AS $$
    WITH alphabet AS (
        SELECT 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/' AS letters
    ), spelt AS (
        SELECT before, (before + octet_length(address)) % 3 AS beyond,
               rtrim(translate(encode(convert_to(repeat(' ', before) || address, 'UTF8'), 'base64'), E'\n', ''), '=')
                   AS word
        FROM generate_series(0, 2) AS before
    )
    SELECT CASE WHEN before > 0 THEN '[' || (
               SELECT string_agg(substr(letters, 1 + (strpos(letters, substr(word, before + 1, 1)) - 1) % step
                                                   + step * part, 1), '')
               FROM (SELECT CASE before WHEN 1 THEN 16 ELSE 4 END AS step) AS by,
                    generate_series(0, 64 / step - 1) AS part) || ']' ELSE '' END
        || replace(substr(word, start, length(word) - start + CASE beyond WHEN 0 THEN 1 ELSE 0 END), '+', '\+')
        || CASE WHEN beyond > 0 THEN '[' || substr(letters, strpos(letters, right(word, 1)),
                                                   CASE beyond WHEN 1 THEN 16 ELSE 4 END) || ']' ELSE '' END
    FROM alphabet, spelt, LATERAL (SELECT (ARRAY[1, 3, 4])[1 + before] AS start) AS full_from
$$;

CREATE OR REPLACE FUNCTION erase_contact(contact uuid, by_actor text, for_reason text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
DECLARE
    me uuid := public.current_mentorado();
    erasure uuid := gen_random_uuid();
    thread uuid;
    addresses text[];
    pattern text;
    ids text[];
    place record;
    n bigint;
    counts jsonb := '{}';
BEGIN
    PERFORM FROM public.whatsapp_contacts WHERE mentorado_id = me AND id = contact AND erased_at IS NULL FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT id INTO thread FROM public.conversations WHERE mentorado_id = me AND contact_id = contact FOR UPDATE;
    addresses := ARRAY(SELECT DISTINCT value FROM public.contact_identifiers
                       WHERE mentorado_id = me AND contact_id = contact
                         AND kind IN ('phone', 'lid', 'bsuid', 'username') AND length(value) >= 5);
    pattern := '(?<![[:alnum:]])(' || (SELECT string_agg(regexp_replace(a, '([^[:alnum:]])', '\\\1', 'g'), '|')
                                       FROM unnest(addresses) AS a) || ')(?![[:alnum:]])'
        || coalesce((SELECT '|' || string_agg(hidden, '|')
                     FROM unnest(addresses) AS a, public.hidden_spellings(a) AS hidden WHERE length(a) >= 8), '');
    INSERT INTO public.erasure_keys (mentorado_id) VALUES (me) ON CONFLICT DO NOTHING;
    INSERT INTO public.erased_opt_outs (person, purpose, erasure_id)
    SELECT public.hash_person(a), newest.purpose, erasure
    FROM unnest(addresses) AS a, (
        SELECT DISTINCT ON (purpose) purpose, kind FROM public.consents
        WHERE mentorado_id = me AND contact_id = contact ORDER BY purpose, at DESC, id DESC) AS newest
    WHERE newest.kind = 'out'
    ON CONFLICT DO NOTHING;

    ids := ARRAY(SELECT DISTINCT provider_message_id FROM public.whatsapp_messages
                 WHERE mentorado_id = me AND (conversation_id = thread OR sender_id = contact));
    UPDATE public.whatsapp_messages
        SET text = NULL, content = NULL, raw = NULL, quoted_text = NULL, media_reference = NULL, failure = NULL, content_type = 'erased'
        WHERE mentorado_id = me AND (conversation_id = thread OR sender_id = contact);
    GET DIAGNOSTICS n = ROW_COUNT;
    counts := counts || jsonb_build_object('messages', n);
    UPDATE public.whatsapp_messages SET quoted_text = NULL WHERE mentorado_id = me AND quoted_message_id = ANY (ids);
    UPDATE public.outbox
        SET content = '{}', request_hash = NULL,
            error = CASE WHEN settled_at IS NULL THEN 'erased' END,
            state = CASE WHEN settled_at IS NULL THEN 'failed' ELSE state END,
            settled_at = coalesce(settled_at, now())
        WHERE mentorado_id = me AND conversation_id = thread;
    GET DIAGNOSTICS n = ROW_COUNT;
    counts := counts || jsonb_build_object('outbox', n);
    UPDATE public.events SET kind = 'erased', body = '{}', raw = NULL
        WHERE mentorado_id = me
          AND ((body - 'quoted' - 'content')::text ~ pattern OR body ->> 'id' = ANY (ids) OR body -> 'ids' ?| ids);
    GET DIAGNOSTICS n = ROW_COUNT;
    counts := counts || jsonb_build_object('events', n);
    UPDATE public.events SET body = jsonb_set(body, '{quoted}', 'null')
        WHERE mentorado_id = me AND body -> 'quoted' ->> 'id' = ANY (ids);
    DELETE FROM public.baileys_sessions
        WHERE mentorado_id = me AND (key ~ pattern OR key = ANY (SELECT 'sent-' || id FROM unnest(ids) AS id));
    GET DIAGNOSTICS n = ROW_COUNT;
    counts := counts || jsonb_build_object('session_keys', n);
    DELETE FROM public.baileys_backups
        WHERE mentorado_id = me AND (key ~ pattern OR key = ANY (SELECT 'sent-' || id FROM unnest(ids) AS id));
    GET DIAGNOSTICS n = ROW_COUNT;
    counts := counts || jsonb_build_object('backup_keys', n);
    DELETE FROM public.provider_message_ids WHERE mentorado_id = me AND message_id = ANY (ids);
    DELETE FROM public.provider_payloads WHERE mentorado_id = me AND people && addresses;
    GET DIAGNOSTICS n = ROW_COUNT;
    counts := counts || jsonb_build_object('payloads', n);
    UPDATE public.leads SET name = '', phone = NULL, notes = '', updated_at = now()
        WHERE mentorado_id = me AND (contact_id = contact OR phone = ANY (addresses));
    GET DIAGNOSTICS n = ROW_COUNT;
    counts := counts || jsonb_build_object('leads', n);
    UPDATE public.consents SET evidence = '{}' WHERE mentorado_id = me AND contact_id = contact;
    UPDATE public.campaign_recipients SET fields = '{}', address = '' WHERE mentorado_id = me AND contact_id = contact;
    UPDATE public.conversations SET title = NULL, unread_count = 0 WHERE mentorado_id = me AND id = thread;
    UPDATE public.whatsapp_contacts
        SET phone = NULL, lid = NULL, bsuid = NULL, username = NULL, push_name = NULL, name = NULL,
            erased_at = now(), updated_at = now()
        WHERE mentorado_id = me AND id = contact;
    DELETE FROM public.contact_identifiers WHERE mentorado_id = me AND contact_id = contact;

    -- And wherever else an address of theirs stands, in tables of today and of tomorrow.
    n := 0;
    IF pattern IS NOT NULL THEN
        FOR place IN SELECT * FROM public.columns_with_words() WHERE of_type <> 'bytea' AND of_table <> 'audit_log' LOOP
            EXECUTE format('WITH changed AS (UPDATE public.%1$I SET %2$I = regexp_replace(%2$I::text, $1, $2, ''g'')::%3$s'
                           ' WHERE mentorado_id = $3 AND %2$I::text ~ $1 RETURNING 1)'
                           ' SELECT count(*) + $4 FROM changed', place.of_table, place.of_column, place.of_type)
                INTO n USING pattern, 'erased-' || left(erasure::text, 8), me, n;
        END LOOP;
    END IF;
    counts := counts || jsonb_build_object('elsewhere', n);
    INSERT INTO public.erasures (id, contact_id, actor, reason, counts, remaining)
    VALUES (erasure, contact, by_actor, for_reason, counts, coalesce(public.count_words(pattern), 0));
    RETURN erasure;
END $$;

-- What providers told goes with the other raw bytes.
CREATE OR REPLACE FUNCTION forget_payloads(before timestamptz, most integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
DECLARE
    me uuid := public.current_mentorado();
    events_gone bigint;
    messages_gone bigint;
    payloads_gone bigint;
BEGIN
    UPDATE public.events e SET raw = NULL FROM (
        SELECT seq FROM public.events WHERE mentorado_id = me AND raw IS NOT NULL AND at < before
        ORDER BY seq LIMIT most) AS old
    WHERE e.mentorado_id = me AND e.seq = old.seq;
    GET DIAGNOSTICS events_gone = ROW_COUNT;
    UPDATE public.whatsapp_messages m SET raw = NULL FROM (
        SELECT id FROM public.whatsapp_messages
        WHERE mentorado_id = me AND raw IS NOT NULL AND NOT is_placeholder AND created_at < before
        ORDER BY id LIMIT most) AS old
    WHERE m.mentorado_id = me AND m.id = old.id;
    GET DIAGNOSTICS messages_gone = ROW_COUNT;
    DELETE FROM public.provider_payloads p USING (
        SELECT id FROM public.provider_payloads WHERE mentorado_id = me AND received_at < before
        ORDER BY received_at LIMIT most) AS old
    WHERE p.mentorado_id = me AND p.id = old.id;
    GET DIAGNOSTICS payloads_gone = ROW_COUNT;
    RETURN events_gone + messages_gone + payloads_gone;
END $$;
