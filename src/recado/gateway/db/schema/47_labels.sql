-- The labels of a business account, as its own devices keep them; conversations and messages name those they carry. One
-- may be named before it is told itself.

CREATE TABLE labels (
    mentorado_id  uuid NOT NULL DEFAULT current_mentorado() REFERENCES mentorados,
    label_id      text NOT NULL,                         -- as the account's devices call it
    name          text NOT NULL,
    color         integer NOT NULL,                      -- 0 to 19, a place among WhatsApp's colours
    changed_at    timestamptz NOT NULL,
    PRIMARY KEY (mentorado_id, label_id)
);

ALTER TABLE labels ENABLE ROW LEVEL SECURITY;
ALTER TABLE labels FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON labels TO recado_app, CURRENT_USER USING (mentorado_id = current_mentorado());
GRANT SELECT, INSERT, UPDATE, DELETE ON labels TO recado_app;
