-- Pictures that people and groups show: each a file like any other (media), named by the conversation it is shown at.

-- find_picture --
-- Somebody nobody wrote with has no conversation, and no picture.
SELECT c.id AS conversation_id, m.id AS media_id, m.state, m.sha256
FROM (SELECT id FROM whatsapp_contacts WHERE id = %(id)s UNION SELECT id FROM conversations WHERE id = %(id)s) named
    LEFT JOIN conversations c ON c.id = named.id OR c.contact_id = named.id
    LEFT JOIN media m ON m.id = c.picture_id

-- want --
-- Asked for where it never was, where what there was grew too old, and where there was none a while ago. One a second,
-- as somebody looks who turns pages; what does not fit any more is asked for at the next look.
WITH waiting AS (
    SELECT count(*) AS already FROM media WHERE due_at IS NOT NULL AND state = 'pending' AND starts_with(remote, 'picture:')
), wanted AS (
    SELECT c.id, c.picture_id, coalesce(c.chat, p.lid || '@lid', p.phone || '@s.whatsapp.net') AS whose,
           array_remove(ARRAY[p.phone, p.lid], NULL) AS people
    FROM conversations c
        LEFT JOIN whatsapp_contacts p ON p.id = c.contact_id
        LEFT JOIN media m ON m.id = c.picture_id
    WHERE c.id = ANY (%(ids)s::uuid[]) AND c.kind <> 'other'
      AND coalesce(c.chat, p.lid, p.phone) IS NOT NULL
      AND (c.picture_id IS NULL OR (m.state = 'erased' AND m.reason = 'old')
           OR (m.state = 'lost' AND m.created_at < %(stale)s::timestamptz))
      AND EXISTS (SELECT FROM connections WHERE provider = 'baileys' AND desired = 'connected')
    ORDER BY c.last_message_at DESC NULLS LAST
    LIMIT greatest(0, %(most)s::bigint - (SELECT already FROM waiting))
    FOR UPDATE OF c SKIP LOCKED
), named AS (
    SELECT id, whose, people, gen_random_uuid() AS picture_id, row_number() OVER () AS place FROM wanted
), noted AS (
    INSERT INTO media (id, provider, people, remote, mime_type, state, due_at, expires_at, created_at)
    SELECT picture_id, 'baileys', people, 'picture:' || whose, 'image/jpeg', 'pending',
           %(now)s::timestamptz + (already + place - 1) * interval '1 second', %(now)s::timestamptz + interval '1 day', %(now)s::timestamptz
    FROM named, waiting
)
UPDATE conversations c SET picture_id = n.picture_id FROM named n WHERE c.id = n.id RETURNING c.id

-- list_shown_at --
-- The conversations where these people and groups are.
SELECT c.id FROM conversations c
WHERE c.chat = ANY (%(chats)s::text[]) OR c.contact_id IN (
    SELECT id FROM whatsapp_contacts WHERE lid = ANY (%(lids)s::text[]) OR phone = ANY (%(phones)s::text[]))

-- empty --
-- What was shown there is not any more.
SELECT empty_media(ARRAY(SELECT picture_id FROM conversations WHERE id = ANY (%(ids)s::uuid[])
                                                               AND picture_id IS NOT NULL), 'replaced')

-- forget --
-- Nothing was asked for yet.
UPDATE conversations SET picture_id = NULL WHERE id = ANY (%(ids)s::uuid[]) AND picture_id IS NOT NULL
