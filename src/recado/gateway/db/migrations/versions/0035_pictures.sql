-- What people and groups show of themselves: a file like any other, named by the conversation it is shown at.
ALTER TABLE conversations ADD COLUMN picture_id uuid;
CREATE INDEX conversations_picture ON conversations (mentorado_id, picture_id) WHERE picture_id IS NOT NULL;
GRANT EXECUTE ON FUNCTION empty_media TO recado_app;
CREATE OR REPLACE FUNCTION forget_media(before timestamptz, most integer) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    SELECT public.empty_media(ARRAY(
        SELECT id FROM public.media m
        WHERE mentorado_id = public.current_mentorado() AND created_at < before AND state IN ('stored', 'lost')
          AND NOT EXISTS (SELECT FROM public.conversations c
                          WHERE c.mentorado_id = m.mentorado_id AND c.picture_id = m.id AND c.last_message_at >= before)
        ORDER BY created_at LIMIT most), 'old')
$$;
