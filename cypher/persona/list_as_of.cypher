// How many held each persona at a moment, those that are no more among them, most people first.
// params:  at_ms INT64
// returns: persona_id STRING, version INT64, name STRING?, people INT64
MATCH (u:User)-[h:HOLDS]->(v:PersonaVersion)
WHERE h.valid_from_ms <= $at_ms
WITH u, h, v
WHERE coalesce(h.valid_to_ms, $at_ms + 1) > $at_ms
RETURN v.persona_id AS persona_id, v.number AS version, v.name AS name,
       count(DISTINCT u.id) AS people
ORDER BY people DESC, persona_id
