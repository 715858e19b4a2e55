-- Roads beside WhatsApp Web: what connects them, what they call our messages, and what they told as it came.

-- What proves who we are to a provider. `account` is what it calls the account (a number's id, an instance's), `hint`
-- what may be shown of it. With `is_shared` several mentorados are told of over one address of the operator's: of what
-- the provider has confirmed, `proven_at` for the account, `waba_proven_at` for the business account around it.
CREATE TABLE provider_credentials (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    provider      text NOT NULL CHECK (provider IN ('meta', 'zapi')),
    value         bytea NOT NULL,                        -- an envelope: see security.py
    key_id        integer NOT NULL,
    account       text NOT NULL,
    is_shared     boolean NOT NULL DEFAULT false,
    hint          jsonb NOT NULL DEFAULT '{}',
    updated_at    timestamptz NOT NULL DEFAULT now(),
    proven_at     timestamptz,
    waba_proven_at timestamptz,
    PRIMARY KEY (mentorado_id, provider)
);
CREATE UNIQUE INDEX provider_credentials_shared ON provider_credentials (provider, account)
    WHERE is_shared AND proven_at IS NOT NULL;

-- The secret end of the address a provider calls. Kept as a hash to be found by, and sealed to be shown again.
CREATE TABLE provider_hooks (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    provider      text NOT NULL CHECK (provider IN ('meta', 'zapi')),
    hash          bytea NOT NULL UNIQUE,
    value         bytea NOT NULL,
    key_id        integer NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (mentorado_id, provider)
);

-- What a provider calls a message of ours, whose own id was chosen when it was queued.
CREATE TABLE provider_message_ids (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    provider      text NOT NULL,
    external_id   text COLLATE "C" NOT NULL,
    message_id    text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (mentorado_id, provider, external_id)
);
CREATE INDEX provider_message_ids_ours ON provider_message_ids (mentorado_id, message_id);

-- What a provider told, as it came, in the transaction of what it meant. `people` are the addresses in it: by them it
-- is found when one of them is to be erased.
CREATE TABLE provider_payloads (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    id            uuid NOT NULL DEFAULT gen_random_uuid(),
    provider      text NOT NULL,
    received_at   timestamptz NOT NULL,
    sha256        bytea NOT NULL,
    people        text[] NOT NULL DEFAULT '{}',
    body          bytea NOT NULL,                        -- an envelope
    key_id        integer NOT NULL,
    is_unknown    boolean NOT NULL DEFAULT false,        -- something in it is of a kind this version does not know
    PRIMARY KEY (mentorado_id, id)
);
ALTER TABLE provider_payloads ALTER COLUMN body SET STORAGE EXTERNAL;  -- sealed bytes do not compress
CREATE INDEX provider_payloads_age ON provider_payloads (mentorado_id, received_at);

-- Which provider carries what is sent, when a person decided so.
CREATE TABLE provider_choices (
    mentorado_id  uuid PRIMARY KEY DEFAULT current_mentorado() REFERENCES mentorados,
    pin           text CHECK (pin IN ('meta', 'baileys', 'zapi')),
    updated_at    timestamptz NOT NULL DEFAULT now()
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['provider_credentials', 'provider_hooks', 'provider_message_ids', 'provider_payloads',
                                'provider_choices']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON %I TO recado_app, CURRENT_USER USING (mentorado_id = current_mentorado())',
                       name);
    END LOOP;
END $$;

GRANT SELECT, INSERT, UPDATE, DELETE ON provider_credentials, provider_hooks TO recado_app;
GRANT SELECT, INSERT, UPDATE ON provider_message_ids, provider_choices TO recado_app;
GRANT SELECT, INSERT ON provider_payloads TO recado_app;
GRANT UPDATE (body, key_id) ON provider_payloads TO recado_app;

-- Before anybody is known: whose secret address a provider called.
CREATE POLICY scans ON provider_hooks FOR SELECT TO CURRENT_USER USING (true);
CREATE FUNCTION find_hook(of_provider text, of_hash bytea) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    SELECT mentorado_id FROM public.provider_hooks WHERE provider = of_provider AND hash = of_hash
$$;

-- Whose are these accounts, of those told of over the operator's own address?
CREATE POLICY scans ON provider_credentials FOR SELECT TO CURRENT_USER USING (true);
CREATE FUNCTION find_shared_accounts(of_provider text, of_accounts text[])
    RETURNS TABLE (account text, mentorado_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS $$
    SELECT c.account, c.mentorado_id FROM public.provider_credentials c
    WHERE c.provider = of_provider AND c.account = ANY (of_accounts) AND c.is_shared
      AND c.proven_at IS NOT NULL
$$;

REVOKE EXECUTE ON FUNCTION find_hook, find_shared_accounts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_hook, find_shared_accounts TO recado_app;
