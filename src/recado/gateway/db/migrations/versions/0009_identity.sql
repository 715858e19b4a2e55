-- Who a contact is and how we know, leads, and erasing a person.

ALTER TABLE whatsapp_contacts ADD COLUMN learnt_from text NOT NULL DEFAULT 'message', ADD COLUMN erased_at timestamptz;
ALTER TABLE leads ADD COLUMN notes text NOT NULL DEFAULT '', ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();

-- Every address and name a contact ever had here: where it was learnt, and when first and last.
CREATE TABLE contact_identifiers (
    mentorado_id   uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    contact_id     uuid NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('phone', 'lid', 'bsuid', 'username', 'push_name', 'name')),
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
                 ('push_name', NEW.push_name), ('name', NEW.name)) AS said (kind, value)
    WHERE said.value IS NOT NULL
    ON CONFLICT (mentorado_id, contact_id, kind, value) DO UPDATE SET last_seen_at = now();
    IF TG_OP = 'INSERT' OR (NEW.phone, NEW.lid) IS DISTINCT FROM (OLD.phone, OLD.lid) THEN
        PERFORM heed_erased(NEW.id, array_remove(ARRAY[NEW.phone, NEW.lid], NULL));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER identifiers AFTER INSERT OR UPDATE OF phone, lid, bsuid, username, push_name, name ON whatsapp_contacts
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
      AND c.relname NOT IN ('api_keys', 'data_keys', 'connections', 'erasure_keys')
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
                                       FROM unnest(addresses) AS a) || ')(?![[:alnum:]])';
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
        SET text = NULL, raw = NULL, quoted_text = NULL, media_reference = NULL, failure = NULL, content_type = 'erased'
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

REVOKE EXECUTE ON FUNCTION hash_person, heed_erased, count_words, erase_contact FROM PUBLIC;
GRANT EXECUTE ON FUNCTION heed_erased, erase_contact TO recado_app;

-- What is known already was told by messages. The owner of the tables sees all of them for a moment.
ALTER TABLE whatsapp_contacts NO FORCE ROW LEVEL SECURITY;
ALTER TABLE contact_identifiers NO FORCE ROW LEVEL SECURITY;
INSERT INTO contact_identifiers (mentorado_id, contact_id, kind, value, learnt_from, first_seen_at, last_seen_at)
SELECT c.mentorado_id, c.id, said.kind, said.value, c.learnt_from, c.created_at, c.updated_at
FROM whatsapp_contacts c
    CROSS JOIN LATERAL (VALUES ('phone', c.phone), ('lid', c.lid), ('bsuid', c.bsuid), ('username', c.username),
                               ('push_name', c.push_name), ('name', c.name)) AS said (kind, value)
WHERE said.value IS NOT NULL;
ALTER TABLE whatsapp_contacts FORCE ROW LEVEL SECURITY;
ALTER TABLE contact_identifiers FORCE ROW LEVEL SECURITY;

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
    INSERT INTO public.contact_merges (winner_id, loser_id) VALUES (winner, loser);
    UPDATE public.contact_merges SET winner_id = winner WHERE mentorado_id = me AND winner_id = loser;
    DELETE FROM public.whatsapp_contacts WHERE mentorado_id = me AND id = loser;
END $$;
