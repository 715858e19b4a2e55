-- Functions.

-- Fail unless this worker still holds the lease with this epoch; held to the end of the transaction.
CREATE FUNCTION check_lease(of_provider text, of_worker uuid, of_epoch bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM FROM leases
        WHERE mentorado_id = current_mentorado() AND provider = of_provider
          AND worker_id = of_worker AND epoch = of_epoch
        FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another worker owns this account now' USING ERRCODE = 'RC001';
    END IF;
END $$;

-- Before anybody is known: the key a token's prefix names. The caller compares the hash.
CREATE FUNCTION find_api_key(of_prefix text)
    RETURNS TABLE (id uuid, mentorado_id uuid, hash bytea, scopes text[], is_long_unused boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    SELECT k.id, k.mentorado_id, k.hash, k.scopes, coalesce(k.last_used_at < now() - interval '1 hour', true)
    FROM public.api_keys k
    WHERE k.prefix = of_prefix AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
$$;

-- What placement looks at: every connection that is wanted or held, and who holds it. Ids and flags only. A state that
-- only a person can end (logged out, replaced, restricted, failed) is not wanted until somebody asks again.
CREATE FUNCTION scan_connections(for_worker uuid)
    RETURNS TABLE (mentorado_id uuid, provider text, is_wanted boolean, is_unlinking boolean, state text,
                   generation bigint, is_mine boolean, is_free boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    SELECT * FROM (
        SELECT c.mentorado_id, c.provider,
               c.desired = 'unlinked'
                   OR c.desired = 'connected' AND c.state NOT IN ('logged_out', 'replaced', 'restricted', 'failed')
                   AS is_wanted,
               c.desired = 'unlinked' AS is_unlinking, c.state, c.generation,
               coalesce(l.worker_id = for_worker, false) AS is_mine,
               w.id IS NULL OR w.expires_at <= clock_timestamp() AS is_free
        FROM public.connections c
        LEFT JOIN public.leases l ON l.mentorado_id = c.mentorado_id AND l.provider = c.provider
        LEFT JOIN public.workers w ON w.id = l.worker_id
        ORDER BY c.created_at, c.mentorado_id
    ) AS scanned
    WHERE is_wanted OR is_mine
$$;

-- Two contacts turned out to be one: everything of `loser` becomes `winner`'s, in this transaction. A message that was
-- kept under both is kept once, and the one that could be read is the one that stays.
CREATE FUNCTION merge_contacts(winner uuid, loser uuid) RETURNS void
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

REVOKE EXECUTE ON FUNCTION find_api_key, scan_connections, merge_contacts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_api_key, scan_connections, merge_contacts TO recado_app;
