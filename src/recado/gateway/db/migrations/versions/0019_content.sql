-- What messages say of one another, more numbers of one contact, and templates with headers and buttons.

ALTER TABLE whatsapp_messages
    ADD COLUMN about_id text,
    ADD COLUMN original jsonb,
    ADD COLUMN edited_at timestamptz,
    ADD COLUMN revoked_at timestamptz,
    ADD COLUMN is_starred boolean NOT NULL DEFAULT false,
    ADD COLUMN forwarded integer NOT NULL DEFAULT 0,
    ADD COLUMN expires_at timestamptz;
CREATE INDEX whatsapp_messages_about ON whatsapp_messages (mentorado_id, conversation_id, about_id)
    WHERE about_id IS NOT NULL;
UPDATE whatsapp_messages SET about_id = content ->> 'to' WHERE content_type = 'reaction' AND content ? 'to';

ALTER TABLE meta_templates
    ADD COLUMN header text,
    ADD COLUMN header_text text,
    ADD COLUMN header_places integer NOT NULL DEFAULT 0,
    ADD COLUMN buttons jsonb NOT NULL DEFAULT '[]';

-- Other numbers of a contact: Brazilian ones are dialled with a ninth digit that the account may not have, and who
-- changed their number had another before. One number is one person's; a former one may be given to somebody new.
CREATE TABLE contact_numbers (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    phone         text NOT NULL,                         -- digits
    contact_id    uuid NOT NULL,
    is_former     boolean NOT NULL DEFAULT false,        -- theirs no more: receipts may still name it
    learnt_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (mentorado_id, phone),
    FOREIGN KEY (mentorado_id, contact_id) REFERENCES whatsapp_contacts
);
CREATE INDEX contact_numbers_contact ON contact_numbers (mentorado_id, contact_id);

ALTER TABLE contact_numbers ENABLE ROW LEVEL SECURITY;
ALTER TABLE contact_numbers FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON contact_numbers TO recado_app, CURRENT_USER USING (mentorado_id = current_mentorado());
GRANT SELECT, INSERT, UPDATE ON contact_numbers TO recado_app;

-- Another number is an address like any: noted with the contact's, and what was asked under it before counts again.
CREATE FUNCTION note_number() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO contact_identifiers (mentorado_id, contact_id, kind, value, learnt_from)
    VALUES (NEW.mentorado_id, NEW.contact_id, 'phone', NEW.phone, 'number')
    ON CONFLICT (mentorado_id, contact_id, kind, value) DO UPDATE SET last_seen_at = now();
    PERFORM heed_erased(NEW.contact_id, ARRAY[NEW.phone]);
    RETURN NULL;
END $$;
CREATE TRIGGER numbers AFTER INSERT OR UPDATE ON contact_numbers FOR EACH ROW EXECUTE FUNCTION note_number();

-- Does this address speak for that conversation? A person's addresses may not be known to be one yet: then another
-- address is theirs as long as it contradicts nothing, and is nobody else's.
CREATE OR REPLACE FUNCTION speaks_in(conversation uuid, of_phone text, of_lid text, of_bsuid text, of_chat text) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    SELECT EXISTS (
        SELECT FROM conversations c LEFT JOIN whatsapp_contacts p ON p.id = c.contact_id
        WHERE c.id = conversation
          AND (c.chat = of_chat OR p.phone = of_phone OR p.lid = of_lid OR p.bsuid = of_bsuid
               OR EXISTS (SELECT FROM contact_numbers n WHERE n.phone = of_phone AND n.contact_id = p.id)
               OR c.kind = 'person' AND of_chat IS NULL
                  AND (of_phone IS NULL OR p.phone IS NULL) AND (of_lid IS NULL OR p.lid IS NULL)
                  AND (of_bsuid IS NULL OR p.bsuid IS NULL)
                  AND NOT EXISTS (SELECT FROM whatsapp_contacts o
                                  WHERE o.phone = of_phone OR o.lid = of_lid OR o.bsuid = of_bsuid)
                  AND NOT EXISTS (SELECT FROM contact_numbers n WHERE n.phone = of_phone)))
$$;

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
    UPDATE public.contact_numbers SET contact_id = winner WHERE mentorado_id = me AND contact_id = loser;
    INSERT INTO public.contact_merges (winner_id, loser_id) VALUES (winner, loser);
    UPDATE public.contact_merges SET winner_id = winner WHERE mentorado_id = me AND winner_id = loser;
    DELETE FROM public.whatsapp_contacts WHERE mentorado_id = me AND id = loser;
END $$;

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
            erased_at = now(), updated_at = now()
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
