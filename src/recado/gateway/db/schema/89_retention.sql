-- What is thrown away when its time is over, and what an operator watches. The application may not delete events or
-- messages' raw bytes by itself: these functions do, never more than asked for, and never what is still owed.

-- How much waits, over all mentorados: counts and ages only.
CREATE FUNCTION count_backlog()
    RETURNS TABLE (outbox_waiting bigint, outbox_oldest_seconds double precision, placeholders_waiting bigint,
                   connections_by_state jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    SELECT (SELECT count(*) FROM public.outbox WHERE settled_at IS NULL AND due_at <= now()),
           coalesce((SELECT extract(epoch FROM now() - min(due_at)) FROM public.outbox
                     WHERE settled_at IS NULL AND due_at <= now()), 0)::float8,
           (SELECT count(*) FROM public.whatsapp_messages
            WHERE is_placeholder AND created_at > now() - interval '1 day'),
           (SELECT coalesce(jsonb_object_agg(state, number), '{}') FROM (
                SELECT state, count(*) AS number FROM public.connections GROUP BY state) AS counted)
$$;

-- The functions here run as the owner of the tables, whom FORCE holds too unless a superuser: these policies let it see
-- what it counts, and delete what is old.
CREATE POLICY counts ON outbox FOR SELECT TO CURRENT_USER USING (true);
CREATE POLICY counts ON whatsapp_messages FOR SELECT TO CURRENT_USER USING (true);

-- The version of the schema, for who asks whether this process fits it.
CREATE FUNCTION schema_version() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
BEGIN
    RETURN (SELECT version_num FROM public.alembic_version);
END $$;

-- Which chores are due: who moves the time on does it, so that one worker of many does.
CREATE TABLE chores (
    name     text PRIMARY KEY,
    next_at  timestamptz NOT NULL DEFAULT '-infinity'
);
GRANT SELECT, INSERT, UPDATE ON chores TO recado_app;

-- The oldest events of the mentorado of this transaction, up to `most`: older than `before`, and told to every webhook
-- that is to have them; one that is paused or switched off is waited for while they are not older than `owed_before`.
-- With an event goes what is kept about telling it.
CREATE FUNCTION forget_events(before timestamptz, most integer, owed_before timestamptz) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
DECLARE
    me uuid := public.current_mentorado();
    gone bigint;
BEGIN
    DELETE FROM public.events e USING (
        SELECT o.seq FROM public.events o
        WHERE o.mentorado_id = me AND o.at < before AND NOT EXISTS (
            SELECT FROM public.webhook_endpoints w
            WHERE w.mentorado_id = me AND w.cursor_seq < o.seq AND (w.state = 'active' OR o.at >= owed_before))
        ORDER BY o.seq LIMIT most) AS old
    WHERE e.mentorado_id = me AND e.seq = old.seq;
    GET DIAGNOSTICS gone = ROW_COUNT;
    DELETE FROM public.webhook_dead_letters d WHERE d.mentorado_id = me AND d.died_at < before
        AND NOT EXISTS (SELECT FROM public.events e WHERE e.mentorado_id = me AND e.seq = d.seq);
    RETURN gone;
END $$;

-- The raw bytes beside messages and events that old, and what providers told as it came: what they said stays, how it
-- was spelt goes.
CREATE FUNCTION forget_payloads(before timestamptz, most integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
DECLARE
    me uuid := public.current_mentorado();
    events_gone bigint;
    messages_gone bigint;
    payloads_gone bigint;
BEGIN
    UPDATE public.events e SET raw = NULL FROM (
        SELECT seq FROM public.events WHERE mentorado_id = me AND raw IS NOT NULL AND at < before
        ORDER BY seq LIMIT most) AS old
    WHERE e.mentorado_id = me AND e.seq = old.seq;
    GET DIAGNOSTICS events_gone = ROW_COUNT;
    UPDATE public.whatsapp_messages m SET raw = NULL FROM (
        SELECT id FROM public.whatsapp_messages
        WHERE mentorado_id = me AND raw IS NOT NULL AND NOT is_placeholder AND created_at < before
        ORDER BY id LIMIT most) AS old
    WHERE m.mentorado_id = me AND m.id = old.id;
    GET DIAGNOSTICS messages_gone = ROW_COUNT;
    DELETE FROM public.provider_payloads p USING (
        SELECT id FROM public.provider_payloads WHERE mentorado_id = me AND received_at < before
        ORDER BY received_at LIMIT most) AS old
    WHERE p.mentorado_id = me AND p.id = old.id;
    GET DIAGNOSTICS payloads_gone = ROW_COUNT;
    RETURN events_gone + messages_gone + payloads_gone;
END $$;

-- Settled rows of the outbox: the messages themselves stay.
CREATE FUNCTION forget_settled(before timestamptz, most integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
DECLARE
    me uuid := public.current_mentorado();
    gone bigint;
BEGIN
    DELETE FROM public.outbox o USING (
        SELECT id FROM public.outbox WHERE mentorado_id = me AND settled_at < before ORDER BY id LIMIT most) AS old
    WHERE o.mentorado_id = me AND o.id = old.id;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;

-- The steps of messages on their way out; how far each got stays on the message.
CREATE FUNCTION forget_steps(before timestamptz, most integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
DECLARE
    me uuid := public.current_mentorado();
    gone bigint;
BEGIN
    DELETE FROM public.message_steps s USING (
        SELECT message_id, id FROM public.message_steps WHERE mentorado_id = me AND at < before LIMIT most) AS old
    WHERE s.mentorado_id = me AND s.message_id = old.message_id AND s.id = old.id;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;

-- Old copies of session keys; the newest one always stays.
CREATE FUNCTION forget_backups(before timestamptz, most integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
DECLARE
    me uuid := public.current_mentorado();
    gone bigint;
BEGIN
    DELETE FROM public.baileys_backups b USING (
        SELECT backup_id, key FROM public.baileys_backups
        WHERE mentorado_id = me AND made_at < before AND backup_id <> (
            SELECT backup_id FROM public.baileys_backups WHERE mentorado_id = me ORDER BY made_at DESC LIMIT 1)
        LIMIT most) AS old
    WHERE b.mentorado_id = me AND b.backup_id = old.backup_id AND b.key = old.key;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;

-- What was of use for a while only: errands nobody can do any more, requests and their answers, open matters that were seen to, dry runs too old to
-- start from, and which message of ours confirmed an opt-out, once that message went or failed.
CREATE FUNCTION forget_leftovers(before timestamptz, most integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
DECLARE
    me uuid := public.current_mentorado();
    gone bigint;
    total bigint := 0;
BEGIN
    DELETE FROM public.errands e USING (
        SELECT id FROM public.errands WHERE mentorado_id = me AND due_at < before ORDER BY id LIMIT most) AS old
    WHERE e.mentorado_id = me AND e.id = old.id;
    GET DIAGNOSTICS gone = ROW_COUNT;
    total := total + gone;
    DELETE FROM public.requests r USING (
        SELECT id FROM public.requests WHERE mentorado_id = me AND asked_at < before LIMIT most) AS old
    WHERE r.mentorado_id = me AND r.id = old.id;
    GET DIAGNOSTICS gone = ROW_COUNT;
    total := total + gone;
    DELETE FROM public.pacing_attention a USING (
        SELECT id FROM public.pacing_attention WHERE mentorado_id = me AND resolved_at < before LIMIT most) AS old
    WHERE a.mentorado_id = me AND a.id = old.id;
    GET DIAGNOSTICS gone = ROW_COUNT;
    total := total + gone;
    DELETE FROM public.campaign_dry_runs d USING (
        SELECT id FROM public.campaign_dry_runs WHERE mentorado_id = me AND at < before LIMIT most) AS old
    WHERE d.mentorado_id = me AND d.id = old.id;
    GET DIAGNOSTICS gone = ROW_COUNT;
    total := total + gone;
    DELETE FROM public.consent_answers c USING (
        SELECT a.message_id FROM public.consent_answers a
        WHERE a.mentorado_id = me AND a.at < before AND NOT EXISTS (
            SELECT FROM public.outbox o
            WHERE o.mentorado_id = me AND o.message_id = a.message_id AND o.settled_at IS NULL)
        LIMIT most) AS old
    WHERE c.mentorado_id = me AND c.message_id = old.message_id;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN total + gone;
END $$;

REVOKE EXECUTE ON FUNCTION count_backlog, schema_version, forget_events, forget_payloads, forget_settled, forget_steps,
    forget_backups, forget_leftovers FROM PUBLIC;
GRANT EXECUTE ON FUNCTION count_backlog, schema_version, forget_events, forget_payloads, forget_settled, forget_steps,
    forget_backups, forget_leftovers TO recado_app;
