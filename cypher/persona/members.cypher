// Who holds a version of a persona now: one page by user id, after the last of the page before.
// params:  version_id STRING, after STRING, count INT64
// returns: user_id STRING, weight FLOAT, low FLOAT, high FLOAT
MATCH (u:User)-[h:HOLDS]->(v:PersonaVersion {id: $version_id})
WHERE h.valid_to_ms IS NULL
WITH u, h
WHERE u.id > $after
RETURN u.id AS user_id, h.weight AS weight, h.low AS low, h.high AS high
ORDER BY user_id
LIMIT $count
