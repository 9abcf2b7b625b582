// The persona versions that a user holds now, heaviest first.
// params:  user_id STRING
// returns: persona_id STRING, version INT64, name STRING?, weight FLOAT, low FLOAT, high FLOAT
MATCH (u:User {id: $user_id})-[h:HOLDS]->(v:PersonaVersion)
WHERE h.valid_to_ms IS NULL
MATCH (v)-[:VERSION_OF]->(p:Persona)
WITH h, v, p
WHERE p.current = v.id
RETURN p.id AS persona_id, v.number AS version, v.name AS name,
       h.weight AS weight, h.low AS low, h.high AS high
ORDER BY weight DESC, persona_id
