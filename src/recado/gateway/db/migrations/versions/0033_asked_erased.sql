-- Who is erased goes out of groups, and out of what WhatsApp was asked.

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
