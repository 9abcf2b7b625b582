// How many people have an intent on each topic, whatever persona it supports, if any; what the
// business keeps out is not counted.
// params:
// returns: topic STRING, people INT64
MATCH (u:User)-[:HAD]->(:Session)-[:EXPRESSED]->(i:Intent)
WHERE i.kept_out IS NULL
RETURN i.topic AS topic, count(DISTINCT u) AS people
ORDER BY people DESC, topic
