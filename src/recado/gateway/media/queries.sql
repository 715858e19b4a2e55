-- Files of messages: what is noted of them, who is at work on them, and what became of that.

-- add_pending --
-- Told again, it is noted once. What is not wanted yet waits until somebody asks for it.
INSERT INTO media (id, provider, message_id, people, remote, sealed_remote, mime_type, file_name, size, sha256, state,
                   due_at, expires_at, created_at)
SELECT id, %(provider)s, message_id, string_to_array(people, ' '), remote, sealed_remote, mime_type, file_name, size,
       sha256, 'pending', CASE WHEN is_wanted THEN %(now)s::timestamptz END,
       CASE WHEN is_wanted THEN %(expires_at)s::timestamptz END, %(now)s
FROM unnest(%(ids)s::uuid[], %(message_ids)s::text[], %(people)s::text[], %(remotes)s::text[],
            %(sealed_remotes)s::bytea[], %(wanteds)s::boolean[], %(mime_types)s::text[], %(file_names)s::text[],
            %(sizes)s::bigint[], %(sha256s)s::text[])
    AS given (id, message_id, people, remote, sealed_remote, is_wanted, mime_type, file_name, size, sha256)
ON CONFLICT DO NOTHING

-- add_receiving --
INSERT INTO media (id, mime_type, file_name, state, attempts, due_at, stored_in, storage_key, key, created_at)
VALUES (%(id)s, %(mime_type)s, %(file_name)s, 'receiving', 1, %(due_at)s, %(stored_in)s, %(storage_key)s, %(key)s,
        %(now)s)

-- ask_for --
-- Somebody wants what nobody wanted so far.
UPDATE media SET due_at = %(now)s, expires_at = %(expires_at)s
WHERE id = %(id)s AND state = 'pending' AND due_at IS NULL RETURNING id

-- sent_reference --
-- What we were told to send in that message, or with another version of a caption.
SELECT coalesce(nullif(m.content ->> 'reference', ''), m.content #>> '{content,reference}') FROM whatsapp_messages m
WHERE m.provider_message_id = %(message_id)s AND m.direction = 'out'
  AND coalesce(nullif(m.content ->> 'reference', ''), m.content #>> '{content,reference}') <> ''
LIMIT 1

-- scan --
SELECT scan_media(%(at)s, %(most)s)

-- next_at --
SELECT next_media_at(%(at)s)

-- claim --
-- Whoever moves the time on has it until then: others pass it over.
WITH free AS (
    SELECT id FROM media WHERE due_at <= %(now)s ORDER BY due_at LIMIT %(most)s FOR UPDATE SKIP LOCKED
)
UPDATE media m SET due_at = %(until)s FROM free WHERE m.id = free.id
RETURNING m.id, m.provider, m.message_id, m.remote, m.sealed_remote, m.sha256, m.state, m.attempts, m.expires_at, m.due_at, m.stored_in,
          m.storage_key

-- release --
UPDATE media SET due_at = %(now)s WHERE id = %(id)s AND due_at = %(due_at)s

-- begin --
-- Say where it will be, before it is there.
UPDATE media SET stored_in = %(stored_in)s, storage_key = %(storage_key)s, key = %(key)s, attempts = attempts + 1
WHERE id = %(id)s AND state = 'pending' AND due_at = %(due_at)s RETURNING attempts

-- settle_stored --
UPDATE media
SET state = 'stored', reason = NULL, remote = NULL, sealed_remote = NULL, due_at = NULL, expires_at = NULL, size = %(size)s,
    sha256 = %(sha256)s, mime_type = coalesce(nullif(mime_type, ''), %(mime_type)s), stored_at = %(now)s
WHERE id = %(id)s AND storage_key = %(storage_key)s AND state IN ('pending', 'receiving')
RETURNING id

-- settle_again --
-- Nothing is there, and it is tried again.
UPDATE media SET reason = %(reason)s, due_at = %(due_at)s, storage_key = NULL, stored_in = NULL, key = NULL
WHERE id = %(id)s AND storage_key = %(storage_key)s AND state = 'pending' RETURNING id

-- settle_lost --
UPDATE media
SET state = 'lost', reason = %(reason)s, remote = NULL, sealed_remote = NULL, due_at = NULL, storage_key = NULL,
    stored_in = NULL, key = NULL
WHERE id = %(id)s AND storage_key = %(storage_key)s AND state IN ('pending', 'receiving') RETURNING id

-- settle_gone --
-- The file of an earlier attempt, or of an emptied row, is deleted.
UPDATE media
SET storage_key = NULL, stored_in = NULL, key = NULL,
    state = CASE WHEN state = 'receiving' THEN 'lost' ELSE state END,
    reason = CASE WHEN state = 'receiving' THEN 'cut_short' ELSE reason END,
    due_at = CASE WHEN state = 'pending' THEN due_at END
WHERE id = %(id)s AND storage_key = %(storage_key)s AND due_at = %(due_at)s AND state <> 'stored'
RETURNING id

-- find --
SELECT id, provider, message_id, mime_type, file_name, size, sha256, state, reason, stored_in, storage_key, key,
       created_at, stored_at
FROM media WHERE id = %(id)s

-- find_shown_in --
-- At which conversation a picture is shown.
SELECT id FROM conversations WHERE picture_id = %(id)s

-- list_known --
SELECT id FROM media WHERE id = ANY (%(ids)s) AND state <> 'erased'

-- find_copy --
SELECT uploaded_id FROM media
WHERE id = %(id)s AND state = 'stored' AND uploaded_to = %(account)s AND uploaded_until > %(now)s

-- save_copy --
UPDATE media SET uploaded_to = %(account)s, uploaded_id = %(uploaded_id)s, uploaded_until = %(until)s
WHERE id = %(id)s AND state = 'stored'
