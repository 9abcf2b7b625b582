// How many holders of a persona version have an intent that supports it, by topic.
// params:  version_id STRING
// returns: topic STRING, people INT64
MATCH (u:User)-[h:HOLDS]->(:PersonaVersion {id: $version_id})
WHERE h.valid_to_ms IS NULL
WITH DISTINCT u
MATCH (u)-[:HAD]->(:Session)-[:EXPRESSED]->(i:Intent)-[:SUPPORTS]->(v:PersonaVersion)
WHERE v.id = $version_id
RETURN i.topic AS topic, count(DISTINCT u) AS people
ORDER BY people DESC, topic
