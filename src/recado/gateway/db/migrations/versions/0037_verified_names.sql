-- What WhatsApp certifies that a business is called, kept beside what it calls itself.

ALTER TABLE whatsapp_contacts ADD COLUMN verified_name text;
ALTER TABLE contact_identifiers DROP CONSTRAINT contact_identifiers_kind_check;
ALTER TABLE contact_identifiers ADD CONSTRAINT contact_identifiers_kind_check
    CHECK (kind IN ('phone', 'lid', 'bsuid', 'username', 'push_name', 'name', 'verified_name'));

CREATE OR REPLACE FUNCTION note_identifiers() RETURNS trigger
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
DROP TRIGGER identifiers ON whatsapp_contacts;
CREATE TRIGGER identifiers
    AFTER INSERT OR UPDATE OF phone, lid, bsuid, username, push_name, name, verified_name ON whatsapp_contacts
    FOR EACH ROW EXECUTE FUNCTION note_identifiers();

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
                lead_id = coalesce(k.lead_id, g.lead_id),
                picture_id = coalesce(k.picture_id, g.picture_id),
                label_ids = ARRAY(SELECT unnest(k.label_ids) UNION SELECT unnest(g.label_ids) ORDER BY 1)
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
            username = coalesce(w.username, l.username), verified_name = coalesce(w.verified_name, l.verified_name),
            updated_at = now()
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
