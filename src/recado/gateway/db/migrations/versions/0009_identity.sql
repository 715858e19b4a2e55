-- Contacts with provenance, leads, erasure.
SELECT;
