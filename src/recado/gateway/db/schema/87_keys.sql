-- Sealing and changing keys at the same time.

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
