-- Z-API tells how far a message got by its own name of it, sometimes before it was learnt whose message that is (the
-- answer to the request was lost, the echo comes later): kept until then, and for a week at most.
CREATE TABLE zapi_early_statuses (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    external_id   text COLLATE "C" NOT NULL,
    word          text NOT NULL CHECK (word IN ('delivered', 'read', 'played', 'failed')),
    by_me         boolean NOT NULL,
    chat          text NOT NULL,
    at            timestamptz NOT NULL,
    told_at       timestamptz NOT NULL,
    PRIMARY KEY (mentorado_id, external_id, word, by_me)
);
CREATE INDEX zapi_early_statuses_age ON zapi_early_statuses (mentorado_id, told_at);

ALTER TABLE zapi_early_statuses ENABLE ROW LEVEL SECURITY;
ALTER TABLE zapi_early_statuses FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON zapi_early_statuses TO recado_app, CURRENT_USER USING (mentorado_id = current_mentorado());
GRANT SELECT, INSERT, UPDATE, DELETE ON zapi_early_statuses TO recado_app;
