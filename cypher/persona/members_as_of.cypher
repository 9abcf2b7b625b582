// Who held a version of a persona at a moment: one page by user id, after the last of the one before.
// params:  version_id STRING, at_ms INT64, after STRING, count INT64
// returns: user_id STRING, weight FLOAT, low FLOAT, high FLOAT, valid_from_ms INT64,
//          valid_to_ms INT64?
MATCH (u:User)-[h:HOLDS]->(v:PersonaVersion {id: $version_id})
WHERE h.valid_from_ms <= $at_ms
WITH u, h
WHERE u.id > $after AND coalesce(h.valid_to_ms, $at_ms + 1) > $at_ms
RETURN u.id AS user_id, h.weight AS weight, h.low AS low, h.high AS high,
       h.valid_from_ms AS valid_from_ms, h.valid_to_ms AS valid_to_ms
ORDER BY user_id
LIMIT $count
