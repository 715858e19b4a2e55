-- Coming back is a word of its own: it undoes the stops before it, and agrees to nothing. Until now it was kept as
-- agreeing to every purpose, which nobody can say any other way.
ALTER TABLE consents DROP CONSTRAINT consents_kind_check;
ALTER TABLE consents ADD CONSTRAINT consents_kind_check CHECK (kind IN ('in', 'out', 'back'));
ALTER TABLE consents NO FORCE ROW LEVEL SECURITY;
UPDATE consents SET kind = 'back' WHERE kind = 'in' AND purpose = '*';
ALTER TABLE consents FORCE ROW LEVEL SECURITY;
