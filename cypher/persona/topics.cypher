// How many people have an intent on each topic, whatever persona it supports, if any.
// params:
// returns: topic STRING, people INT64
MATCH (u:User)-[:HAD]->(:Session)-[:EXPRESSED]->(i:Intent)
RETURN i.topic AS topic, count(DISTINCT u) AS people
ORDER BY people DESC, topic
