-- What the guardrails read, book and learn.

-- lock_head --
-- Whoever else books on this connection waits here until this unit ends; what is read behind it is settled.
INSERT INTO pacing_heads (provider) VALUES (%(provider)s)
ON CONFLICT (mentorado_id, provider) DO UPDATE SET provider = excluded.provider

-- find_circumstances --
SELECT
    (SELECT changes FROM pacing_settings) AS changes,
    (SELECT purpose FROM campaigns WHERE id = %(campaign_id)s) AS purpose,
    h.last_sent_at, coalesce(h.spread, 0) AS spread, h.key,
    (SELECT l.linked_at FROM pacing_links l JOIN connections c USING (mentorado_id, provider)
     WHERE l.provider = %(provider)s AND l.phone = c.account_phone) AS linked_at,
    (SELECT account_phone FROM connections WHERE provider = %(provider)s) AS phone,
    c.kind = 'person'
        AND NOT EXISTS (
            SELECT FROM whatsapp_messages m
            WHERE m.conversation_id = c.id AND m.provider_message_id <> %(message_id)s
              AND (m.direction = 'in' OR m.status >= 'server_ack'))
        AND NOT EXISTS (
            SELECT FROM pacing_sends s WHERE s.conversation_id = c.id AND s.message_id <> %(message_id)s)
        AS is_new_chat,
    (SELECT m.sent_at FROM whatsapp_messages m WHERE m.conversation_id = c.id AND m.direction = 'in'
     ORDER BY m.sent_at DESC LIMIT 1) AS last_inbound_at,
    t.conversation_id IS NOT NULL AS is_taken, t.until AS taken_until,
    EXISTS (SELECT FROM pacing_sends s WHERE s.message_id = %(message_id)s) AS is_booked,
    array_remove(ARRAY[p.push_name, p.name], NULL) AS names
FROM conversations c
LEFT JOIN pacing_heads h ON h.provider = %(provider)s
LEFT JOIN whatsapp_contacts p ON p.id = c.contact_id
LEFT JOIN pacing_takeovers t ON t.conversation_id = c.id
WHERE c.id = %(conversation_id)s

-- list_holding --
SELECT code, scope, until, passes FROM pacing_restrictions
WHERE provider = %(provider)s AND lifted_at IS NULL AND (until IS NULL OR until > %(now)s)

-- find_full --
-- For each budget the send that must leave its window before there is room again; none while there is room.
SELECT (
    SELECT s.at FROM pacing_sends s
    WHERE s.provider = %(provider)s AND s.at > %(now)s::timestamptz - w.seconds * interval '1 second'
      AND (w.counted <> 'recipient' OR s.conversation_id = %(conversation_id)s)
      AND (w.counted <> 'new' OR s.is_new_chat)
    ORDER BY s.at DESC OFFSET greatest(w.most, 1) - 1 LIMIT 1)
FROM unnest(%(counted)s::text[], %(most)s::bigint[], %(seconds)s::float8[])
    WITH ORDINALITY AS w (counted, most, seconds, place)
ORDER BY place

-- count_used --
SELECT (
    SELECT count(*) FROM pacing_sends s
    WHERE s.provider = %(provider)s AND s.at > %(now)s::timestamptz - w.seconds * interval '1 second'
      AND (w.counted <> 'new' OR s.is_new_chat))
FROM unnest(%(counted)s::text[], %(seconds)s::float8[]) WITH ORDINALITY AS w (counted, seconds, place)
ORDER BY place

-- list_fingerprints --
SELECT conversation_id, at, fingerprint FROM pacing_sends
WHERE provider = %(provider)s AND at > %(now)s::timestamptz - %(seconds)s * interval '1 second' AND fingerprint IS NOT NULL
  AND conversation_id <> %(conversation_id)s
ORDER BY at DESC LIMIT %(limit)s

-- add_send --
INSERT INTO pacing_sends (message_id, provider, conversation_id, origin, is_new_chat, fingerprint, at)
VALUES (%(message_id)s, %(provider)s, %(conversation_id)s, %(origin)s, %(is_new_chat)s, %(fingerprint)s, %(now)s)
ON CONFLICT DO NOTHING

-- save_head --
UPDATE pacing_heads SET last_sent_at = %(now)s, spread = %(spread)s WHERE provider = %(provider)s

-- forget_sends --
-- A few at a time; what is older than every window is in nobody's way.
DELETE FROM pacing_sends WHERE message_id IN (
    SELECT message_id FROM pacing_sends WHERE provider = %(provider)s AND at < %(before)s ORDER BY at LIMIT 20)

-- add_link --
INSERT INTO pacing_links (provider, phone, linked_at) VALUES (%(provider)s, %(phone)s, %(now)s) ON CONFLICT DO NOTHING

-- find_linked_at --
SELECT l.linked_at FROM pacing_links l JOIN connections c USING (mentorado_id, provider)
WHERE l.provider = %(provider)s AND l.phone = c.account_phone

-- find_changes --
SELECT changes, version, updated_by, updated_at FROM pacing_settings

-- lock_changes --
SELECT changes, version, updated_by, updated_at FROM pacing_settings FOR UPDATE

-- save_changes --
INSERT INTO pacing_settings AS s (changes, updated_by, updated_at) VALUES (%(changes)s, %(by)s, %(now)s)
ON CONFLICT (mentorado_id) DO UPDATE
SET changes = excluded.changes, version = s.version + 1, updated_by = excluded.updated_by,
    updated_at = excluded.updated_at
RETURNING changes, version, updated_by, updated_at

-- find_conversation --
SELECT id FROM conversations WHERE id = %(conversation_id)s

-- take_over --
-- A person's longer hold is never shortened by what happens by itself.
INSERT INTO pacing_takeovers AS t (conversation_id, taken_by, taken_at, until)
VALUES (%(conversation_id)s, %(by)s, %(now)s, %(until)s)
ON CONFLICT (mentorado_id, conversation_id) DO UPDATE
SET taken_by = excluded.taken_by, taken_at = excluded.taken_at, until = excluded.until
WHERE %(is_asked)s OR t.until < excluded.until

-- take_over_by_phone --
-- What the mentorado wrote on another device: out, and nothing that was queued here.
INSERT INTO pacing_takeovers AS t (conversation_id, taken_by, taken_at, until)
SELECT m.conversation_id, 'phone', %(now)s, max(m.sent_at) + %(seconds)s * interval '1 second'
FROM whatsapp_messages m
WHERE m.provider_message_id = ANY (%(message_ids)s) AND m.direction = 'out'
  AND NOT EXISTS (SELECT FROM outbox o WHERE o.message_id = m.provider_message_id)
GROUP BY m.conversation_id
ON CONFLICT (mentorado_id, conversation_id) DO UPDATE
SET taken_by = excluded.taken_by, taken_at = excluded.taken_at, until = excluded.until
WHERE t.until < excluded.until

-- find_takeover --
SELECT conversation_id, taken_by, taken_at, until FROM pacing_takeovers
WHERE conversation_id = %(conversation_id)s AND (until IS NULL OR until > %(now)s)

-- release --
DELETE FROM pacing_takeovers WHERE conversation_id = %(conversation_id)s RETURNING conversation_id

-- save_restriction --
INSERT INTO pacing_restrictions AS r (provider, code, scope, passes, learnt_at, until)
VALUES (%(provider)s, %(code)s, %(scope)s, %(passes)s, %(at)s, %(until)s)
ON CONFLICT (mentorado_id, provider, code) DO UPDATE
SET scope = excluded.scope, passes = excluded.passes, learnt_at = excluded.learnt_at, lifted_at = NULL, lifted_by = NULL,
    until = CASE WHEN r.lifted_at IS NULL THEN greatest(r.until, excluded.until) ELSE excluded.until END

-- list_restrictions --
SELECT id, provider, code, scope, passes, learnt_at, until, lifted_at, lifted_by FROM pacing_restrictions
ORDER BY learnt_at DESC, id

-- lift_restriction --
UPDATE pacing_restrictions SET lifted_at = %(now)s, lifted_by = %(by)s WHERE id = %(id)s AND lifted_at IS NULL
RETURNING id, provider, code, scope, passes, learnt_at, until, lifted_at, lifted_by

-- lift_all --
-- WhatsApp has let the connection in again: what kept it from sending anything is over.
UPDATE pacing_restrictions SET lifted_at = %(now)s, lifted_by = 'whatsapp'
WHERE provider = %(provider)s AND scope = 'everything' AND NOT passes AND lifted_at IS NULL AND learnt_at < %(now)s

-- end_restriction --
-- WhatsApp's own word on one code: until then, or (NULL) over now.
UPDATE pacing_restrictions
SET until = coalesce(%(until)s, until),
    lifted_at = CASE WHEN %(until)s::timestamptz IS NULL THEN %(now)s ELSE lifted_at END,
    lifted_by = CASE WHEN %(until)s::timestamptz IS NULL THEN 'whatsapp' ELSE lifted_by END
WHERE provider = %(provider)s AND code = %(code)s AND lifted_at IS NULL

-- add_attention --
INSERT INTO pacing_attention AS a (conversation_id, kind, code, rule, message_id, at)
SELECT DISTINCT ON (conversation_id, kind) conversation_id, kind, code, rule, message_id, %(at)s
FROM (
    SELECT m.conversation_id, given.kind, given.code, given.rule, given.message_id
    FROM unnest(%(message_ids)s::text[], %(kinds)s::text[], %(codes)s::integer[], %(rules)s::text[])
        AS given (message_id, kind, code, rule)
    JOIN whatsapp_messages m ON m.provider_message_id = given.message_id AND m.direction = 'out'
) AS told
ON CONFLICT (mentorado_id, conversation_id, kind) WHERE resolved_at IS NULL DO UPDATE
SET code = excluded.code, rule = excluded.rule, message_id = excluded.message_id, at = excluded.at, times = a.times + 1

-- list_attention --
SELECT id, conversation_id, kind, code, rule, message_id, times, at, resolved_at, resolved_by FROM pacing_attention
WHERE (resolved_at IS NULL OR %(resolved)s)
  AND (%(before_at)s::timestamptz IS NULL OR (at, id) < (%(before_at)s, %(before_id)s::uuid))
ORDER BY at DESC, id DESC LIMIT %(limit)s

-- resolve_attention --
UPDATE pacing_attention SET resolved_at = %(now)s, resolved_by = %(by)s WHERE id = %(id)s AND resolved_at IS NULL
RETURNING id, conversation_id, kind, code, rule, message_id, times, at, resolved_at, resolved_by
