-- add_lead --
INSERT INTO leads (name, phone, contact_id, notes) VALUES (%(name)s, %(phone)s, %(contact_id)s, %(notes)s)
ON CONFLICT (mentorado_id, phone) DO NOTHING
RETURNING id, name, phone, notes, contact_id, created_at, updated_at

-- list_leads --
SELECT id, name, phone, notes, contact_id, created_at, updated_at FROM leads
WHERE (created_at, id) < (coalesce(%(before_at)s::timestamptz, 'infinity'),
                          coalesce(%(before_id)s::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
ORDER BY created_at DESC, id DESC LIMIT %(limit)s

-- find_lead --
SELECT id, name, phone, notes, contact_id, created_at, updated_at FROM leads WHERE id = %(id)s

-- save_lead --
UPDATE leads SET name = coalesce(%(name)s, name), notes = coalesce(%(notes)s, notes), updated_at = now()
WHERE id = %(id)s RETURNING id, name, phone, notes, contact_id, created_at, updated_at

-- untie_conversations --
UPDATE conversations SET lead_id = NULL WHERE lead_id = %(id)s

-- delete_lead --
DELETE FROM leads WHERE id = %(id)s RETURNING id

-- tie_lead --
UPDATE leads l SET contact_id = p.id FROM whatsapp_contacts p
WHERE l.id = %(lead_id)s AND l.contact_id IS NULL AND p.phone = l.phone

-- link_orphan_messages --
-- A lead's conversation may be older than the lead: tie it.
UPDATE conversations c SET lead_id = l.id
FROM leads l JOIN whatsapp_contacts p ON p.phone = l.phone OR p.id = l.contact_id
WHERE l.id = %(lead_id)s AND c.contact_id = p.id AND c.lead_id IS NULL
