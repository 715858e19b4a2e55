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

-- Before a person is erased (erase_contact): where they stand in groups, and what WhatsApp was asked of them. An answer may
-- say things that no address of theirs stands beside, so one that names them goes whole. How many requests were emptied.
CREATE FUNCTION erase_asked(contact uuid) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
DECLARE
    me uuid := public.current_mentorado();
    pattern text;
    n bigint;
BEGIN
    DELETE FROM public.conversation_members WHERE mentorado_id = me AND contact_id = contact;
    DELETE FROM public.message_receipts WHERE mentorado_id = me AND contact_id = contact;
    SELECT '(?<![[:alnum:]])(' || string_agg(regexp_replace(value, '([^[:alnum:]])', '\\\1', 'g'), '|') || ')(?![[:alnum:]])'
        INTO pattern FROM public.contact_identifiers
        WHERE mentorado_id = me AND contact_id = contact
          AND kind IN ('phone', 'lid', 'bsuid', 'username') AND length(value) >= 5;
    UPDATE public.requests
        SET chat = '', body = '{}', answer = NULL, idempotency_key = NULL, request_hash = NULL,
            state = CASE WHEN answered_at IS NULL THEN 'failed' ELSE state END,
            problem = CASE WHEN answered_at IS NULL THEN 'erased' ELSE problem END,
            answered_at = coalesce(answered_at, now())
        WHERE mentorado_id = me
          AND (chat ~ pattern OR body::text ~ pattern OR answer::text ~ pattern OR idempotency_key ~ pattern);
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;

REVOKE EXECUTE ON FUNCTION erase_asked FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_asked TO recado_app;
