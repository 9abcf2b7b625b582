// The items that most holders of a persona version have an intent about that supports it, and how
// many people at all have an intent about them.
// params:  version_id STRING, count INT64
// returns: item_id STRING, title STRING?, people INT64, everybody INT64
MATCH (u:User)-[h:HOLDS]->(:PersonaVersion {id: $version_id})
WHERE h.valid_to_ms IS NULL
WITH DISTINCT u
MATCH (u)-[:HAD]->(:Session)-[:EXPRESSED]->(i:Intent)-[:SUPPORTS]->(v:PersonaVersion)
WHERE v.id = $version_id
WITH u, i
MATCH (i)-[:ABOUT]->(x:Item)
WITH x, count(DISTINCT u) AS people
ORDER BY people DESC, x.id
LIMIT $count
MATCH (x)<-[:ABOUT]-(j:Intent)<-[:EXPRESSED]-(:Session)<-[:HAD]-(w:User)
WHERE j.kept_out IS NULL
RETURN x.id AS item_id, x.title AS title, people, count(DISTINCT w) AS everybody
ORDER BY people DESC, item_id
