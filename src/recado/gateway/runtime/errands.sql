-- What WhatsApp is to be told beside messages, by whoever owns the account.

-- list_due --
SELECT id, kind, chat, message_ids, attempts, key, words FROM errands
WHERE provider = %(provider)s AND due_at <= %(now)s ORDER BY id LIMIT %(most)s

-- delete_done --
DELETE FROM errands WHERE id = ANY (%(ids)s)

-- put_off --
UPDATE errands SET due_at = %(due_at)s, attempts = attempts + 1 WHERE id = %(id)s
