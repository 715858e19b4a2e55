-- Before a person is erased (erase_contact): what they said, where it stands in what others answered. A quoted text, the
-- raw bytes of an answer that quotes, and the plaintext of an answer of ours that is kept for resends are copies of it,
-- also where their own message never was here. How many messages and events were changed.
CREATE FUNCTION erase_traces(contact uuid) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
DECLARE
    me uuid := public.current_mentorado();
    pattern text;
    said text[];
    answers text[];
    n bigint;
    total bigint := 0;
BEGIN
    SELECT '(?<![[:alnum:]])(' || string_agg(regexp_replace(value, '([^[:alnum:]])', '\\\1', 'g'), '|') || ')(?![[:alnum:]])'
        INTO pattern FROM public.contact_identifiers
        WHERE mentorado_id = me AND contact_id = contact
          AND kind IN ('phone', 'lid', 'bsuid', 'username') AND length(value) >= 5;
    said := ARRAY(SELECT provider_message_id FROM public.whatsapp_messages m
                  WHERE mentorado_id = me AND (sender_id = contact OR conversation_id = (
                      SELECT id FROM public.conversations WHERE mentorado_id = me AND contact_id = contact))
                  UNION SELECT body -> 'quoted' ->> 'id' FROM public.events
                  WHERE mentorado_id = me AND body -> 'quoted' ->> 'sender' ~ pattern);
    answers := ARRAY(SELECT DISTINCT provider_message_id FROM public.whatsapp_messages
                     WHERE mentorado_id = me AND quoted_message_id = ANY (said));
    UPDATE public.whatsapp_messages
        SET raw = NULL, quoted_text = CASE WHEN quoted_message_id = ANY (said) THEN NULL ELSE quoted_text END
        WHERE mentorado_id = me AND (quoted_message_id = ANY (said) OR encode(raw, 'escape') ~ pattern);
    GET DIAGNOSTICS n = ROW_COUNT;
    total := total + n;
    UPDATE public.events
        SET raw = NULL, body = CASE WHEN body -> 'quoted' ->> 'id' = ANY (said)
                                    THEN jsonb_set(body, '{quoted}', 'null') ELSE body END
        WHERE mentorado_id = me AND (body -> 'quoted' ->> 'id' = ANY (said) OR encode(raw, 'escape') ~ pattern);
    GET DIAGNOSTICS n = ROW_COUNT;
    total := total + n;
    DELETE FROM public.baileys_sessions
        WHERE mentorado_id = me AND key = ANY (SELECT 'sent-' || id FROM unnest(answers) AS id);
    DELETE FROM public.baileys_backups
        WHERE mentorado_id = me AND key = ANY (SELECT 'sent-' || id FROM unnest(answers) AS id);
    RETURN total;
END $$;

REVOKE EXECUTE ON FUNCTION erase_traces FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_traces TO recado_app;

DROP FUNCTION forget_events(timestamptz, integer);

-- The oldest events of the mentorado of this transaction, up to `most`: older than `before`, and told to every webhook
-- that is to have them; one that is paused or switched off is waited for while they are not older than `owed_before`.
-- With an event goes what is kept about telling it.
CREATE FUNCTION forget_events(before timestamptz, most integer, owed_before timestamptz) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
DECLARE
    me uuid := public.current_mentorado();
    gone bigint;
BEGIN
    DELETE FROM public.events e USING (
        SELECT o.seq FROM public.events o
        WHERE o.mentorado_id = me AND o.at < before AND NOT EXISTS (
            SELECT FROM public.webhook_endpoints w
            WHERE w.mentorado_id = me AND w.cursor_seq < o.seq AND (w.state = 'active' OR o.at >= owed_before))
        ORDER BY o.seq LIMIT most) AS old
    WHERE e.mentorado_id = me AND e.seq = old.seq;
    GET DIAGNOSTICS gone = ROW_COUNT;
    DELETE FROM public.webhook_dead_letters d WHERE d.mentorado_id = me AND d.died_at < before
        AND NOT EXISTS (SELECT FROM public.events e WHERE e.mentorado_id = me AND e.seq = d.seq);
    RETURN gone;
END $$;

REVOKE EXECUTE ON FUNCTION forget_events FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_events TO recado_app;
