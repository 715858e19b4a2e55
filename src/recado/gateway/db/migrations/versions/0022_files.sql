ALTER TABLE media ADD COLUMN sealed_remote bytea;

CREATE OR REPLACE FUNCTION empty_media(ids uuid[], why text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
DECLARE
    gone bigint;
BEGIN
    UPDATE public.media
        SET state = 'erased', reason = why, key = NULL, remote = NULL, sealed_remote = NULL, message_id = NULL,
            people = '{}', mime_type = '', file_name = NULL, size = NULL, sha256 = NULL, uploaded_to = NULL,
            uploaded_id = NULL, uploaded_until = NULL, expires_at = NULL,
            due_at = CASE WHEN storage_key IS NOT NULL THEN greatest(due_at, now()) END
        WHERE mentorado_id = public.current_mentorado() AND id = ANY (ids) AND state <> 'erased';
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;
