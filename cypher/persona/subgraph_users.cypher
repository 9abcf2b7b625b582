// The people of a persona's subgraph: who holds the version now, with which weight.
// params:  version_id STRING
// returns: user_id STRING, weight FLOAT, low FLOAT, high FLOAT
MATCH (u:User)-[h:HOLDS]->(:PersonaVersion {id: $version_id})
WHERE h.valid_to_ms IS NULL
RETURN u.id AS user_id, h.weight AS weight, h.low AS low, h.high AS high
ORDER BY user_id
