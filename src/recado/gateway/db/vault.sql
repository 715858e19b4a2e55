-- The data keys of a mentorado.

-- list_data_keys --
SELECT key_id, wrapped FROM data_keys ORDER BY key_id

-- add_data_key --
-- Two may try at once: the first one counts, and both read it back.
INSERT INTO data_keys (key_id, wrapped) VALUES (%(key_id)s, %(wrapped)s) ON CONFLICT DO NOTHING
