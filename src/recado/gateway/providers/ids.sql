-- What providers call our messages.

-- save_external_id --
INSERT INTO provider_message_ids (provider, external_id, message_id)
VALUES (%(provider)s, %(external_id)s, %(message_id)s) ON CONFLICT DO NOTHING

-- find_message_ids --
SELECT external_id, message_id FROM provider_message_ids
WHERE provider = %(provider)s AND external_id = ANY (%(external_ids)s)

-- find_sent --
-- With the addresses of whom they went to.
SELECT i.external_id, i.message_id, p.phone, p.lid, p.bsuid
FROM provider_message_ids i
JOIN whatsapp_messages m ON m.provider_message_id = i.message_id AND m.direction = 'out'
JOIN conversations c ON c.id = m.conversation_id
JOIN whatsapp_contacts p ON p.id = c.contact_id
WHERE i.provider = %(provider)s AND i.external_id = ANY (%(external_ids)s)

-- find_external_id --
-- A message that came keeps the provider's own id, and has no row.
SELECT coalesce(
    (SELECT external_id FROM provider_message_ids WHERE provider = %(provider)s AND message_id = %(message_id)s
     ORDER BY created_at, external_id LIMIT 1),
    (SELECT provider_message_id FROM whatsapp_messages
     WHERE provider = %(provider)s AND provider_message_id = %(message_id)s AND direction = 'in' LIMIT 1))
