// Every type of intent, whatever persona it supports, if any: how many people have how many such
// intents, of how many events; what the business keeps out is not counted.
// params:
// returns: verb STRING, topic STRING, people INT64, intents INT64, events INT64
MATCH (u:User)-[:HAD]->(:Session)-[:EXPRESSED]->(i:Intent)
WHERE i.kept_out IS NULL
RETURN i.verb AS verb, i.topic AS topic, count(DISTINCT u) AS people, count(*) AS intents,
       sum(i.event_count) AS events
ORDER BY people DESC, verb, topic
