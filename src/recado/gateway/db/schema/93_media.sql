-- Files of messages. The bytes are in a storage beside the database, sealed with a key of the file's own; that key is
-- here, sealed with the mentorado's: a row that is emptied makes its file unreadable, wherever a copy of it is.
-- No file is ever where no row names it: the row says where before the first byte is written.
CREATE TABLE media (
    mentorado_id    uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    id              uuid NOT NULL DEFAULT gen_random_uuid(),
    provider        text,                                -- who has it; NULL for what was uploaded here
    message_id      text,
    people          text[] NOT NULL DEFAULT '{}',        -- who sent it, by every address: by them it is erased
    remote          text,                                -- where it is fetched from, until it was
    mime_type       text NOT NULL DEFAULT '',
    file_name       text,
    size            bigint,
    sha256          text,                                -- in hexadecimal: as it was told, then as it is
    state           text NOT NULL CHECK (state IN ('pending', 'receiving', 'stored', 'lost', 'erased')),
    reason          text,                                -- why it is not here, or not yet
    attempts        integer NOT NULL DEFAULT 0,
    due_at          timestamptz,                         -- when there is something to do; later while somebody does it
    expires_at      timestamptz,                         -- until when the provider has it
    stored_in       text,                                -- folder or s3
    storage_key     text,                                -- what it is called there; a new one at each attempt
    key             bytea,                               -- an envelope with the file's key
    uploaded_to     text,                                -- the account a provider keeps a copy for,
    uploaded_id     text,                                -- what it calls it,
    uploaded_until  timestamptz,                         -- and how long
    created_at      timestamptz NOT NULL,
    stored_at       timestamptz,
    sealed_remote   bytea,                               -- an envelope: where it is and what opens it there
    PRIMARY KEY (mentorado_id, id)
);
CREATE INDEX media_due ON media (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX media_age ON media (mentorado_id, created_at);
CREATE INDEX media_people ON media USING gin (people);

ALTER TABLE media ENABLE ROW LEVEL SECURITY;
ALTER TABLE media FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON media TO recado_app, CURRENT_USER USING (mentorado_id = current_mentorado());
CREATE POLICY scans ON media FOR SELECT TO CURRENT_USER USING (true);
GRANT SELECT, INSERT, UPDATE ON media TO recado_app;

-- Whose files have something to be done, the longest waiting first.
CREATE FUNCTION scan_media(at timestamptz, most integer) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    SELECT mentorado_id FROM public.media WHERE due_at <= at GROUP BY mentorado_id ORDER BY min(due_at) LIMIT most
$$;

-- When there is something to do next.
CREATE FUNCTION next_media_at(at timestamptz) RETURNS timestamptz
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    SELECT min(due_at) FROM public.media WHERE due_at > at
$$;

-- Empty the rows of these files. The bytes, which nobody can read from now on, are deleted once nobody writes them.
CREATE FUNCTION empty_media(ids uuid[], why text) RETURNS bigint
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

-- Before a person is erased (erase_contact): what they sent, and what was sent to nobody else.
CREATE FUNCTION erase_media(contact uuid) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    WITH theirs AS (
        SELECT m.id, m.sender_id, m.conversation_id, substring(named[1] FROM 7)::uuid AS media_id
        FROM public.whatsapp_messages m,
             regexp_matches(m.content::text, '(media:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})',
                            'g') AS named
        WHERE m.mentorado_id = public.current_mentorado()
    ), thread AS (
        SELECT id FROM public.conversations
        WHERE mentorado_id = public.current_mentorado() AND contact_id = contact
    ), named AS (
        SELECT media_id FROM theirs GROUP BY media_id
        HAVING bool_and(sender_id IS NOT DISTINCT FROM contact OR conversation_id IN (SELECT id FROM thread))
    ), sent AS (
        SELECT id FROM public.media
        WHERE mentorado_id = public.current_mentorado() AND people && ARRAY(
            SELECT value FROM public.contact_identifiers
            WHERE mentorado_id = public.current_mentorado() AND contact_id = contact
              AND kind IN ('phone', 'lid', 'bsuid'))
    )
    SELECT public.empty_media(ARRAY(SELECT media_id FROM named UNION SELECT id FROM sent), 'erased')
$$;

-- Files that old, up to `most`. A picture stays for as long as somebody writes where it is shown.
CREATE FUNCTION forget_media(before timestamptz, most integer) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    SELECT public.empty_media(ARRAY(
        SELECT id FROM public.media m
        WHERE mentorado_id = public.current_mentorado() AND created_at < before AND state IN ('stored', 'lost')
          AND NOT EXISTS (SELECT FROM public.conversations c
                          WHERE c.mentorado_id = m.mentorado_id AND c.picture_id = m.id AND c.last_message_at >= before)
        ORDER BY created_at LIMIT most), 'old')
$$;

REVOKE EXECUTE ON FUNCTION scan_media, next_media_at, empty_media, erase_media, forget_media FROM PUBLIC;
GRANT EXECUTE ON FUNCTION scan_media, next_media_at, empty_media, erase_media, forget_media TO recado_app;
