// What the intents that support each persona version in force come to, of those who hold it: how
// many people have how many of them, of how many events.
// params:
// returns: version STRING, people INT64, intents INT64, events INT64
MATCH (u:User)-[h:HOLDS]->(w:PersonaVersion)
WHERE h.valid_to_ms IS NULL
WITH DISTINCT u, w.id AS held
MATCH (u)-[:HAD]->(:Session)-[:EXPRESSED]->(i:Intent)-[:SUPPORTS]->(v:PersonaVersion)
WHERE v.id = held
RETURN held AS version, count(DISTINCT u) AS people, count(DISTINCT i) AS intents,
       sum(i.event_count) AS events
ORDER BY people DESC, version
