-- API keys and data keys that change.

ALTER TABLE api_keys ADD COLUMN expires_at timestamptz, ADD COLUMN replaced_by uuid, ADD COLUMN last_used_at timestamptz;
ALTER TABLE data_keys ADD COLUMN retired_at timestamptz;

DROP FUNCTION find_api_key(text);
CREATE FUNCTION find_api_key(of_prefix text)
    RETURNS TABLE (id uuid, mentorado_id uuid, hash bytea, scopes text[], is_long_unused boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    SELECT k.id, k.mentorado_id, k.hash, k.scopes, coalesce(k.last_used_at < now() - interval '1 hour', true)
    FROM public.api_keys k
    WHERE k.prefix = of_prefix AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
$$;
REVOKE EXECUTE ON FUNCTION find_api_key FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_api_key TO recado_app;

-- The newest data key, which stays in use to the end of the transaction: whoever seals asks here first, and a key is
-- retired only when nobody who began with it is still at work. An advisory lock, as it is taken at every commit.
CREATE FUNCTION hold_data_keys() RETURNS integer
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('recado data keys ' || current_mentorado(), 0));
    RETURN (SELECT max(key_id) FROM data_keys WHERE mentorado_id = current_mentorado());
END $$;

-- Fail when values were sealed with another key than the newest: they are sealed again, and the work done again.
CREATE FUNCTION check_data_key(of_key integer) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF hold_data_keys() IS DISTINCT FROM of_key THEN
        RAISE EXCEPTION 'there is a newer data key' USING ERRCODE = 'RC010';
    END IF;
END $$;

-- For who retires a key: is nobody sealing at this moment? Never waits, so nobody waits behind it.
CREATE FUNCTION try_data_keys() RETURNS boolean
    LANGUAGE sql
    AS $$
    SELECT pg_try_advisory_xact_lock(hashtextextended('recado data keys ' || current_mentorado(), 0))
$$;

GRANT UPDATE (wrapped, retired_at), DELETE ON data_keys TO recado_app;
GRANT UPDATE (value, key_id) ON baileys_backups TO recado_app;
