-- What providers told, as it came.

-- add_payload --
INSERT INTO provider_payloads (id, provider, received_at, sha256, people, body, key_id, is_unknown)
VALUES (%(id)s, %(provider)s, %(received_at)s, %(sha256)s, %(people)s, %(body)s, %(key_id)s, %(is_unknown)s)

-- add_payloads --
INSERT INTO provider_payloads (id, provider, received_at, sha256, people, body, key_id, is_unknown)
SELECT id, %(provider)s, %(received_at)s, sha256, string_to_array(people, E'\n'), body, %(key_id)s, is_unknown
FROM unnest(%(ids)s::uuid[], %(sha256s)s::bytea[], %(people)s::text[], %(bodies)s::bytea[], %(unknowns)s::boolean[])
    AS g (id, sha256, people, body, is_unknown)

-- list_payloads --
SELECT id, provider, received_at, is_unknown, body FROM provider_payloads
WHERE provider = %(provider)s AND (NOT %(only_unknown)s OR is_unknown)
ORDER BY received_at DESC, id DESC LIMIT %(limit)s
