-- What proves who we are to a provider.

-- find_credentials --
SELECT value FROM provider_credentials WHERE provider = %(provider)s

-- find_hint --
SELECT provider, account, is_shared, hint, updated_at FROM provider_credentials WHERE provider = %(provider)s

-- list_kept --
SELECT provider FROM provider_credentials

-- save_credentials --
-- What was proven of another account, or of another way to be told of it, is not proven of this one.
INSERT INTO provider_credentials AS c (provider, value, key_id, account, is_shared, hint)
VALUES (%(provider)s, %(value)s, %(key_id)s, %(account)s, %(is_shared)s, %(hint)s)
ON CONFLICT (mentorado_id, provider) DO UPDATE
SET value = excluded.value, key_id = excluded.key_id, account = excluded.account, is_shared = excluded.is_shared,
    hint = excluded.hint, updated_at = now(),
    proven_at = CASE WHEN (c.account, c.is_shared) = (excluded.account, excluded.is_shared) THEN c.proven_at END,
    waba_proven_at = CASE WHEN (c.hint ->> 'waba_id', c.is_shared) = (excluded.hint ->> 'waba_id', excluded.is_shared)
                          THEN c.waba_proven_at END

-- is_account_free --
-- May this account be told of over the operator's own address? Not when another mentorado has proven it theirs.
SELECT NOT EXISTS (SELECT FROM find_shared_accounts(%(provider)s, ARRAY[%(account)s::text]) AS f
                   WHERE f.mentorado_id <> current_mentorado())

-- note_proven --
-- Credentials that were replaced meanwhile prove nothing.
UPDATE provider_credentials SET proven_at = %(now)s
WHERE provider = %(provider)s AND account = %(account)s AND proven_at IS NULL

-- note_waba_proven --
UPDATE provider_credentials SET waba_proven_at = %(now)s
WHERE provider = 'meta' AND hint ->> 'waba_id' = %(waba_id)s AND waba_proven_at IS NULL

-- delete_credentials --
DELETE FROM provider_credentials WHERE provider = %(provider)s RETURNING provider
