-- Who a contact is and how we know, leads, and erasing a person.

-- Every address and name a contact ever had here: where it was learnt, and when first and last.
CREATE TABLE contact_identifiers (
    mentorado_id   uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    contact_id     uuid NOT NULL,
    kind           text NOT NULL
                   CHECK (kind IN ('phone', 'lid', 'bsuid', 'username', 'push_name', 'name', 'verified_name')),
    value          text NOT NULL,
    learnt_from    text NOT NULL,
    first_seen_at  timestamptz NOT NULL DEFAULT now(),
    last_seen_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (mentorado_id, contact_id, kind, value),
    FOREIGN KEY (mentorado_id, contact_id) REFERENCES whatsapp_contacts
);

-- Two contacts that turned out to be one; the loser is gone, so its id refers to nothing any more.
CREATE TABLE contact_merges (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    id            bigint GENERATED ALWAYS AS IDENTITY,
    winner_id     uuid NOT NULL,
    loser_id      uuid NOT NULL,
    at            timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (mentorado_id, id)
);
CREATE INDEX contact_merges_winner ON contact_merges (mentorado_id, winner_id, id);

-- A person was erased: what was taken away, and that nothing was found afterwards.
CREATE TABLE erasures (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    id            uuid NOT NULL DEFAULT gen_random_uuid(),
    contact_id    uuid NOT NULL,
    actor         text NOT NULL,
    reason        text NOT NULL,
    counts        jsonb NOT NULL,
    remaining     bigint NOT NULL,                       -- places where an address of theirs is still found
    at            timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (mentorado_id, id)
);

-- The key of the hashes below; the application cannot read it.
CREATE TABLE erasure_keys (
    mentorado_id  uuid PRIMARY KEY DEFAULT current_mentorado() REFERENCES mentorados,
    key           text NOT NULL DEFAULT gen_random_uuid()::text || gen_random_uuid()::text
);

-- What erased people asked not to be sent, by a keyed hash of each address: it counts again when the address returns.
CREATE TABLE erased_opt_outs (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    person        bytea NOT NULL,
    purpose       text NOT NULL,
    erasure_id    uuid NOT NULL,
    PRIMARY KEY (mentorado_id, person, purpose)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['contact_identifiers', 'contact_merges', 'erasures', 'erasure_keys', 'erased_opt_outs']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON %I TO recado_app, CURRENT_USER USING (mentorado_id = current_mentorado())',
                       name);
    END LOOP;
END $$;

GRANT SELECT, INSERT, UPDATE ON contact_identifiers TO recado_app;
GRANT SELECT ON contact_merges, erasures TO recado_app;
GRANT DELETE ON leads TO recado_app;

-- A hash of an address, with the mentorado's own key.
CREATE FUNCTION hash_person(address text) RETURNS bytea
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    SELECT sha256(convert_to(k.key, 'UTF8') || sha256(convert_to(k.key || address, 'UTF8')))
    FROM public.erasure_keys k WHERE k.mentorado_id = public.current_mentorado()
$$;

-- Somebody who was erased is back under an address of theirs: what they asked not to be sent still counts.
CREATE FUNCTION heed_erased(contact uuid, addresses text[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
BEGIN
    IF EXISTS (SELECT FROM public.erased_opt_outs WHERE mentorado_id = public.current_mentorado()) THEN
        INSERT INTO public.consents (contact_id, purpose, kind, at, source, actor, evidence)
        SELECT DISTINCT contact, o.purpose, 'out', now(), 'api', 'erasure', jsonb_build_object('erasure', o.erasure_id)
        FROM unnest(addresses) AS address
            JOIN public.erased_opt_outs o ON o.person = public.hash_person(address)
        WHERE o.mentorado_id = public.current_mentorado();
    END IF;
END $$;

-- Whoever writes a contact, and by whatever way: what is new about them is noted with where it was learnt.
CREATE FUNCTION note_identifiers() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO contact_identifiers AS i (mentorado_id, contact_id, kind, value, learnt_from)
    SELECT NEW.mentorado_id, NEW.id, said.kind, said.value, NEW.learnt_from
    FROM (VALUES ('phone', NEW.phone), ('lid', NEW.lid), ('bsuid', NEW.bsuid), ('username', NEW.username),
                 ('push_name', NEW.push_name), ('name', NEW.name),
                 ('verified_name', NEW.verified_name)) AS said (kind, value)
    WHERE said.value IS NOT NULL
    ON CONFLICT (mentorado_id, contact_id, kind, value) DO UPDATE SET last_seen_at = now();
    IF TG_OP = 'INSERT' OR (NEW.phone, NEW.lid, NEW.bsuid) IS DISTINCT FROM (OLD.phone, OLD.lid, OLD.bsuid)
    THEN
        PERFORM heed_erased(NEW.id, array_remove(ARRAY[NEW.phone, NEW.lid, NEW.bsuid], NULL));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER identifiers
    AFTER INSERT OR UPDATE OF phone, lid, bsuid, username, push_name, name, verified_name ON whatsapp_contacts
    FOR EACH ROW EXECUTE FUNCTION note_identifiers();

-- Every column that may hold words of or about a person, of the tables that belong to a mentorado. The audit may not be
-- changed, and holds no address; keys and the mentorado's own numbers are not the person's.
CREATE FUNCTION columns_with_words() RETURNS TABLE (of_table text, of_column text, of_type text)
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

-- How many values of the mentorado's still hold what the pattern finds; bytes as the text in them.
CREATE FUNCTION count_words(pattern text) RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
DECLARE
    place record;
    found bigint;
    total bigint := 0;
BEGIN
    FOR place IN SELECT * FROM public.columns_with_words() LOOP
        EXECUTE format('SELECT count(*) FROM public.%I WHERE mentorado_id = public.current_mentorado() AND %s ~ $1',
                       place.of_table,
                       CASE WHEN place.of_type = 'bytea' THEN format('encode(%I, ''escape'')', place.of_column)
                            ELSE format('%I::text', place.of_column) END)
            INTO found USING pattern;
        total := total + found;
    END LOOP;
    RETURN total;
END $$;

-- How an address is spelt inside ids that providers make of it: in base64, wherever in the bytes it stands, as patterns.
-- Of a character that a neighbour has a part in, only the address's part counts.
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

-- Take a person out of everything that is kept of the mentorado, in this transaction. What stays: a contact, a
-- conversation and messages that say nothing, the count of what was taken, and, by hash, what they asked not to be sent.
CREATE FUNCTION erase_contact(contact uuid, by_actor text, for_reason text) RETURNS uuid
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
        SET text = NULL, content = NULL, raw = NULL, quoted_text = NULL, media_reference = NULL, failure = NULL,
            original = NULL, content_type = 'erased'
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
            verified_name = NULL, erased_at = now(), updated_at = now()
        WHERE mentorado_id = me AND id = contact;
    DELETE FROM public.contact_identifiers WHERE mentorado_id = me AND contact_id = contact;
    DELETE FROM public.contact_numbers WHERE mentorado_id = me AND contact_id = contact;

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

REVOKE EXECUTE ON FUNCTION hash_person, heed_erased, count_words, erase_contact FROM PUBLIC;
GRANT EXECUTE ON FUNCTION heed_erased, erase_contact TO recado_app;
