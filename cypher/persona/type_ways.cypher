// Through which channel and at which hour the intents of one type came, by the clock of the
// workspace; what the business keeps out is not counted.
// params:  verb STRING, topic STRING
// returns: channel STRING, hour INT64?, people INT64, intents INT64
MATCH (u:User)-[:HAD]->(:Session)-[:EXPRESSED]->(i:Intent)
WHERE i.verb = $verb AND i.topic = $topic AND i.kept_out IS NULL
RETURN i.channel AS channel, i.hour AS hour, count(DISTINCT u) AS people, count(*) AS intents
ORDER BY intents DESC, channel, hour
