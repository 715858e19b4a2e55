-- Links by a code, and what a person answers to a step.

ALTER TABLE connections
    ADD COLUMN step_answer bytea,
    ADD COLUMN link_phone text;
