-- What WhatsApp is asked and told of people, by whoever owns the account.

-- add_errand --
INSERT INTO errands (provider, kind, chat, message_ids, due_at, key, words)
VALUES (%(provider)s, %(kind)s, %(chat)s, '{}', %(now)s, %(key)s, %(words)s)
