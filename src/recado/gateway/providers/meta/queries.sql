-- Meta's webhooks, templates and windows.

-- claim_told --
-- Which of these items nobody has told before; told by two at once, the second waits and then knows. With each body go
-- some that are past the time for which Meta repeats.
WITH old AS (
    DELETE FROM meta_told WHERE digest IN (
        SELECT digest FROM meta_told WHERE told_at < %(before)s ORDER BY told_at LIMIT 50)
)
INSERT INTO meta_told (digest, told_at) SELECT digest, %(now)s FROM unnest(%(digests)s::bytea[]) AS g (digest)
ON CONFLICT DO NOTHING RETURNING digest

-- find_ours --
-- Messages of ours, held: who answered the request and who tells of it by webhook may meet here.
SELECT o.message_id, o.state::text AS state, o.chat, o.content,
       (SELECT m.status::text FROM whatsapp_messages m
        WHERE m.provider_message_id = o.message_id AND m.conversation_id = o.conversation_id AND m.direction = 'out')
           AS status
FROM outbox o WHERE o.provider = 'meta' AND o.message_id = ANY (%(ids)s) ORDER BY o.id FOR UPDATE OF o

-- fail_taken --
-- Meta takes a message first, and may say later that it goes nowhere; what was delivered was delivered.
WITH given AS (
    SELECT * FROM unnest(%(ids)s::text[], %(failures)s::text[]) AS g (id, failure)
), shown AS (
    UPDATE whatsapp_messages m SET status = 'failed', failure = given.failure FROM given
    WHERE m.provider_message_id = given.id AND m.direction = 'out' AND m.status = 'server_ack'
), settled AS (
    UPDATE outbox o SET state = 'failed', error = given.failure, held_by = NULL,
                        settled_at = coalesce(o.settled_at, %(now)s)
    FROM given WHERE o.message_id = given.id AND o.state = 'server_ack'
    RETURNING o.message_id, given.failure
)
INSERT INTO message_steps (message_id, at, step, worker_id, detail)
SELECT message_id, %(now)s, 'refused', NULL, failure FROM settled

-- save_external_ids --
INSERT INTO provider_message_ids (provider, external_id, message_id)
SELECT 'meta', * FROM unnest(%(external_ids)s::text[], %(message_ids)s::text[]) ON CONFLICT DO NOTHING

-- save_names --
-- As the app's address book calls them, where the mentorado has called them nothing here.
UPDATE whatsapp_contacts c SET name = g.name, learnt_from = 'address book', updated_at = now()
FROM unnest(%(phones)s::text[], %(names)s::text[]) AS g (phone, name)
WHERE c.phone = g.phone AND c.name IS NULL AND c.erased_at IS NULL

-- save_usernames --
-- A user id says more of who it is than a number, which may be somebody else's by now.
UPDATE whatsapp_contacts c SET username = g.username, updated_at = now()
FROM unnest(%(phones)s::text[], %(bsuids)s::text[], %(usernames)s::text[]) AS g (phone, bsuid, username)
WHERE (c.bsuid = g.bsuid OR g.bsuid IS NULL AND c.phone = g.phone)
  AND c.username IS DISTINCT FROM g.username AND c.erased_at IS NULL

-- list_running_campaigns --
SELECT id FROM campaigns WHERE state = 'running' AND provider = 'meta' ORDER BY id

-- find_window --
-- When the other side last wrote over the Cloud API; what was brought over from the past opens nothing.
SELECT max(m.sent_at) FROM whatsapp_messages m
WHERE m.conversation_id = %(conversation_id)s AND m.direction = 'in' AND m.provider = 'meta' AND m.source <> 'history'
  AND m.sent_at > %(since)s

-- find_last_inbound --
SELECT m.provider_message_id FROM whatsapp_messages m JOIN conversations c ON c.id = m.conversation_id
WHERE speaks_in(c.id, %(phone)s, %(lid)s, %(bsuid)s, NULL) AND m.direction = 'in' AND m.provider = 'meta'
  AND m.source <> 'history' AND m.sent_at > %(since)s
  AND c.id IN (SELECT k.id FROM conversations k JOIN whatsapp_contacts p ON p.id = k.contact_id
               WHERE p.phone = %(phone)s OR p.bsuid = %(bsuid)s
                  OR p.id = (SELECT contact_id FROM contact_numbers WHERE phone = %(phone)s AND NOT is_former))
ORDER BY m.sent_at DESC, m.id DESC LIMIT 1

-- is_spelt --
SELECT EXISTS (
    SELECT FROM whatsapp_contacts p JOIN contact_numbers n ON n.contact_id = p.id AND NOT n.is_former
    WHERE p.phone = %(dialled)s AND n.phone = %(other)s OR p.phone = %(other)s AND n.phone = %(dialled)s)

-- list_approved --
SELECT name, language, category, body, places, header, header_text, header_places, buttons FROM meta_templates WHERE status = 'APPROVED'
ORDER BY name, language LIMIT %(limit)s

-- find_template --
SELECT status FROM meta_templates WHERE name = %(name)s AND language = %(language)s

-- save_templates --
-- All there are, as Meta lists them.
INSERT INTO meta_templates AS t (name, language, status, category, quality, reason, body, places, header, header_text,
                                 header_places, buttons, told_at)
SELECT *, %(now)s FROM unnest(%(names)s::text[], %(languages)s::text[], %(statuses)s::text[], %(categories)s::text[],
                              %(qualities)s::text[], %(reasons)s::text[], %(bodies)s::text[], %(places)s::integer[],
                              %(headers)s::text[], %(header_texts)s::text[], %(header_places)s::integer[],
                              %(buttons)s::jsonb[])
ON CONFLICT (mentorado_id, name, language) DO UPDATE
SET status = excluded.status, category = excluded.category, quality = excluded.quality, reason = excluded.reason,
    body = excluded.body, places = excluded.places, header = excluded.header, header_text = excluded.header_text,
    header_places = excluded.header_places, buttons = excluded.buttons, told_at = excluded.told_at

-- forget_templates --
DELETE FROM meta_templates WHERE told_at < %(now)s

-- change_template --
-- One word of Meta's on one template; an older word changes nothing.
INSERT INTO meta_templates AS t (name, language, status, category, quality, reason, told_at)
VALUES (%(name)s, %(language)s, coalesce(%(status)s, 'UNKNOWN'), %(category)s, %(quality)s, %(reason)s, %(at)s)
ON CONFLICT (mentorado_id, name, language) DO UPDATE
SET status = coalesce(%(status)s, t.status), category = coalesce(%(category)s, t.category),
    quality = coalesce(%(quality)s, t.quality),
    reason = CASE WHEN %(status)s::text IS NULL THEN t.reason ELSE %(reason)s END, told_at = excluded.told_at
WHERE t.told_at <= excluded.told_at

-- find_shared_wabas --
SELECT waba_id, mentorado_id FROM find_shared_wabas(%(wabas)s)
