-- Groups nobody was ever told of whole.

-- list_unknown --
-- Whoever was told a group whole knows what the account itself is there, were it nothing.
SELECT c.id FROM conversations c LEFT JOIN group_rules g ON g.group_id = c.id
WHERE c.id = ANY (%(ids)s::uuid[]) AND NOT coalesce(g.rules ? 'own_role', false)
ORDER BY c.id
