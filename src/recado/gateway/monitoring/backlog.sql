-- What an operator watches: counts and ages over all mentorados, and the version of the schema.

-- count_backlog --
SELECT outbox_waiting, outbox_oldest_seconds, placeholders_waiting, connections_by_state FROM count_backlog()

-- schema_version --
SELECT schema_version()
