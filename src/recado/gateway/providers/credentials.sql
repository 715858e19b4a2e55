-- What proves who we are to a provider.

-- find_credentials --
SELECT value FROM provider_credentials WHERE provider = %(provider)s

-- find_hint --
SELECT provider, account, is_shared, hint, updated_at FROM provider_credentials WHERE provider = %(provider)s

-- list_kept --
SELECT provider FROM provider_credentials

-- save_credentials --
INSERT INTO provider_credentials (provider, value, key_id, account, is_shared, hint)
VALUES (%(provider)s, %(value)s, %(key_id)s, %(account)s, %(is_shared)s, %(hint)s)
ON CONFLICT (mentorado_id, provider) DO UPDATE
SET value = excluded.value, key_id = excluded.key_id, account = excluded.account, is_shared = excluded.is_shared,
    hint = excluded.hint, updated_at = now()

-- is_account_free --
-- May this account be told of over the operator's own address? Not when another mentorado's is.
SELECT NOT EXISTS (SELECT FROM find_shared_accounts(%(provider)s, ARRAY[%(account)s::text]) AS f
                   WHERE f.mentorado_id <> current_mentorado())

-- delete_credentials --
DELETE FROM provider_credentials WHERE provider = %(provider)s RETURNING provider
