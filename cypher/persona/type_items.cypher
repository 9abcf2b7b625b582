// The items that intents of one type are about, the most often first; what the business keeps out
// is not counted.
// params:  verb STRING, topic STRING, count INT64
// returns: item_id STRING, title STRING?, people INT64, intents INT64
MATCH (u:User)-[:HAD]->(:Session)-[:EXPRESSED]->(i:Intent)
WHERE i.verb = $verb AND i.topic = $topic AND i.kept_out IS NULL
WITH u, i
MATCH (i)-[:ABOUT]->(x:Item)
WITH x, count(DISTINCT u) AS people, count(DISTINCT i) AS intents
RETURN x.id AS item_id, x.title AS title, people, intents
ORDER BY intents DESC, item_id
LIMIT $count
