-- list_contacts --
-- The newest first; with `like`, those who ever had an address or a name that fits it.
SELECT c.id, c.phone, c.lid, c.bsuid, c.username, c.push_name, c.name, c.verified_name, c.created_at, c.updated_at, c.erased_at,
       t.id AS conversation_id
FROM whatsapp_contacts c LEFT JOIN conversations t ON t.contact_id = c.id
WHERE c.erased_at IS NULL
  AND (c.created_at, c.id) < (coalesce(%(before_at)s::timestamptz, 'infinity'),
                              coalesce(%(before_id)s::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
  AND (%(like)s::text IS NULL
       OR EXISTS (SELECT FROM contact_identifiers i WHERE i.contact_id = c.id AND i.value ILIKE %(like)s))
ORDER BY c.created_at DESC, c.id DESC LIMIT %(limit)s

-- find_contact --
SELECT c.id, c.phone, c.lid, c.bsuid, c.username, c.push_name, c.name, c.verified_name, c.created_at, c.updated_at, c.erased_at,
       t.id AS conversation_id
FROM whatsapp_contacts c LEFT JOIN conversations t ON t.contact_id = c.id
WHERE c.id = %(id)s

-- list_identifiers --
SELECT kind, value, learnt_from, first_seen_at, last_seen_at FROM contact_identifiers
WHERE contact_id = %(contact_id)s ORDER BY kind, first_seen_at, value

-- save_name --
UPDATE whatsapp_contacts SET name = %(name)s, learnt_from = 'mentorado', updated_at = now()
WHERE id = %(id)s AND erased_at IS NULL RETURNING id

-- merge_contacts --
SELECT merge_contacts(%(winner)s, %(loser)s)

-- complete_contact --
UPDATE whatsapp_contacts
SET phone = coalesce(phone, %(phone)s), lid = coalesce(lid, %(lid)s), bsuid = coalesce(bsuid, %(bsuid)s),
    username = coalesce(username, %(username)s), learnt_from = 'merge', updated_at = now()
WHERE id = %(id)s

-- list_merges --
SELECT id, winner_id, loser_id, at FROM contact_merges
WHERE winner_id = %(contact_id)s AND id < coalesce(%(before)s::bigint, 9223372036854775807)
ORDER BY id DESC LIMIT %(limit)s

-- erase_traces --
SELECT erase_traces(%(id)s)

-- erase_asked --
SELECT erase_asked(%(id)s)

-- erase_media --
SELECT erase_media(%(id)s)

-- erase_contact --
SELECT erase_contact(%(id)s, %(actor)s, %(reason)s)

-- find_erasure --
SELECT id, contact_id, actor, reason, counts, remaining, at FROM erasures WHERE id = %(id)s

-- list_erasures --
SELECT id, contact_id, actor, reason, counts, remaining, at FROM erasures
WHERE (at, id) < (coalesce(%(before_at)s::timestamptz, 'infinity'),
                  coalesce(%(before_id)s::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
ORDER BY at DESC, id DESC LIMIT %(limit)s
