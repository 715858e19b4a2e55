-- The way of each message, step by step, and what is to be told to WhatsApp beside messages.

-- Written beside what a step changes, for messages on their way out only; the application adds and reads, no more.
-- `detail` holds words of ours: no text, number or key.
CREATE TABLE message_steps (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    message_id    text NOT NULL,
    id            bigint GENERATED ALWAYS AS IDENTITY,
    at            timestamptz NOT NULL,
    step          text NOT NULL,
    worker_id     uuid,
    rule          text,
    detail        text,
    until         timestamptz,
    PRIMARY KEY (mentorado_id, message_id, id)
);

-- What WhatsApp is to be told once the row is committed, by whoever owns the account; deleted when it was.
CREATE TABLE errands (
    mentorado_id     uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    id               bigint GENERATED ALWAYS AS IDENTITY,
    provider         text NOT NULL,
    kind             text NOT NULL CONSTRAINT errands_kind_check
        CHECK (kind IN ('read', 'look_up', 'block', 'unblock', 'watch', 'about', 'reject_call', 'history')),
    conversation_id  uuid,
    chat             text NOT NULL,
    message_ids      text[] NOT NULL,
    attempts         integer NOT NULL DEFAULT 0,
    due_at           timestamptz NOT NULL,
    key              uuid NOT NULL DEFAULT gen_random_uuid(),
    words            text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (mentorado_id, id)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['message_steps', 'errands'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON %I TO recado_app, CURRENT_USER USING (mentorado_id = current_mentorado())',
                       name);
    END LOOP;
END $$;

GRANT SELECT, INSERT ON message_steps TO recado_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON errands TO recado_app;

-- Does this address speak for that conversation? A person's addresses may not be known to be one yet: then another
-- address is theirs as long as it contradicts nothing, and is nobody else's.
CREATE FUNCTION speaks_in(conversation uuid, of_phone text, of_lid text, of_bsuid text, of_chat text) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    SELECT EXISTS (
        SELECT FROM conversations c LEFT JOIN whatsapp_contacts p ON p.id = c.contact_id
        WHERE c.id = conversation
          AND (c.chat = of_chat OR p.phone = of_phone OR p.lid = of_lid OR p.bsuid = of_bsuid
               OR EXISTS (SELECT FROM contact_numbers n WHERE n.phone = of_phone AND n.contact_id = p.id)
               OR c.kind = 'person' AND of_chat IS NULL
                  AND (of_phone IS NULL OR p.phone IS NULL) AND (of_lid IS NULL OR p.lid IS NULL)
                  AND (of_bsuid IS NULL OR p.bsuid IS NULL)
                  AND NOT EXISTS (SELECT FROM whatsapp_contacts o
                                  WHERE o.phone = of_phone OR o.lid = of_lid OR o.bsuid = of_bsuid)
                  AND NOT EXISTS (SELECT FROM contact_numbers n WHERE n.phone = of_phone)))
$$;

-- The number of the first event at or after that time; the next one to come when there is none. Numbers are in the
-- order of commits and so, but for moments, of times: halving needs no index on the time.
CREATE FUNCTION find_event_at(since timestamptz) RETURNS bigint
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    low bigint;
    high bigint;
    middle bigint;
    found_at timestamptz;
BEGIN
    SELECT seq INTO low FROM events ORDER BY seq LIMIT 1;
    SELECT seq + 1 INTO high FROM events ORDER BY seq DESC LIMIT 1;
    WHILE low < high LOOP
        middle := (low + high) / 2;
        SELECT at INTO found_at FROM events WHERE seq >= middle ORDER BY seq LIMIT 1;
        IF found_at < since THEN
            low := middle + 1;
        ELSE
            high := middle;
        END IF;
    END LOOP;
    RETURN coalesce(low, 1);
END $$;
