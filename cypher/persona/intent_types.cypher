// The types of intent that the holders of a persona version have for it: how many of them have how
// many such intents, of how many events.
// params:  version_id STRING
// returns: verb STRING, topic STRING, people INT64, intents INT64, events INT64
MATCH (u:User)-[h:HOLDS]->(:PersonaVersion {id: $version_id})
WHERE h.valid_to_ms IS NULL
WITH DISTINCT u
MATCH (u)-[:HAD]->(:Session)-[:EXPRESSED]->(i:Intent)-[:SUPPORTS]->(v:PersonaVersion)
WHERE v.id = $version_id
RETURN i.verb AS verb, i.topic AS topic, count(DISTINCT u) AS people, count(*) AS intents,
       sum(i.event_count) AS events
ORDER BY people DESC, verb, topic
