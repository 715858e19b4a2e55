-- The data keys of a mentorado.

-- hold_data_keys --
-- The newest one's number; it is not retired before this transaction ends.
SELECT hold_data_keys()

-- list_data_keys --
SELECT key_id, wrapped FROM data_keys ORDER BY key_id

-- add_data_key --
-- Two may try at once: the first one counts, and both read it back.
INSERT INTO data_keys (key_id, wrapped) VALUES (%(key_id)s, %(wrapped)s) ON CONFLICT DO NOTHING

-- save_wrapped --
UPDATE data_keys SET wrapped = %(wrapped)s WHERE key_id = %(key_id)s AND wrapped = %(before)s

-- try_data_keys --
SELECT try_data_keys()

-- retire_data_keys --
-- All but the newest, when nobody seals and nothing is sealed with them.
UPDATE data_keys SET retired_at = now() WHERE key_id < %(newest)s AND retired_at IS NULL RETURNING key_id

-- delete_retired --
-- A day later, so that whoever read a value just before still opens it.
DELETE FROM data_keys WHERE key_id < %(newest)s AND retired_at < now() - interval '1 day' RETURNING key_id
