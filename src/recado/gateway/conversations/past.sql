-- More of a conversation's past.

-- find_oldest --
SELECT provider, provider_message_id, direction = 'out' AS from_me, sent_at FROM whatsapp_messages
WHERE conversation_id = %(conversation_id)s AND provider = ANY (%(providers)s) AND about_id IS NULL
ORDER BY sent_at, id LIMIT 1

-- has_messages --
SELECT EXISTS (SELECT FROM whatsapp_messages WHERE conversation_id = %(conversation_id)s)

-- add_errand --
INSERT INTO errands (provider, kind, conversation_id, chat, message_ids, words, due_at)
VALUES (%(provider)s, 'history', %(conversation_id)s, %(chat)s, %(message_ids)s, %(words)s, %(now)s)
