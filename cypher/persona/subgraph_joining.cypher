// The topics that join two personas: how many people hold both, and have on that topic an intent
// that supports the one and an intent that supports the other. Subjects are ids of other versions.
// params:  version_id STRING, subjects LIST<STRING>
// returns: subject STRING, topic STRING, people INT64
MATCH (u:User)-[h:HOLDS]->(:PersonaVersion {id: $version_id})
WHERE h.valid_to_ms IS NULL
WITH DISTINCT u
MATCH (u)-[:HAD]->(:Session)-[:EXPRESSED]->(i:Intent)-[:SUPPORTS]->(v:PersonaVersion)
WHERE v.id = $version_id
WITH DISTINCT u, i.topic AS topic
MATCH (u)-[g:HOLDS]->(w:PersonaVersion)
WHERE g.valid_to_ms IS NULL
WITH DISTINCT u, topic, w
WHERE w.id IN $subjects
MATCH (u)-[:HAD]->(:Session)-[:EXPRESSED]->(j:Intent)-[:SUPPORTS]->(w)
WITH u, topic, w, j
WHERE j.topic = topic
RETURN w.id AS subject, topic, count(DISTINCT u) AS people
ORDER BY subject, people DESC, topic
