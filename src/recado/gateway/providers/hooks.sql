-- The secret ends of the addresses providers call.

-- save_hook --
INSERT INTO provider_hooks (provider, hash, value, key_id) VALUES (%(provider)s, %(hash)s, %(value)s, %(key_id)s)
ON CONFLICT (mentorado_id, provider) DO UPDATE
SET hash = excluded.hash, value = excluded.value, key_id = excluded.key_id, created_at = now()

-- show_hook --
SELECT value FROM provider_hooks WHERE provider = %(provider)s

-- delete_hook --
DELETE FROM provider_hooks WHERE provider = %(provider)s

-- find_hook --
SELECT find_hook(%(provider)s, %(hash)s)

-- find_shared_accounts --
SELECT account, mentorado_id FROM find_shared_accounts(%(provider)s, %(accounts)s)
