// The sessions of a persona's subgraph, and whose they are; null: of somebody who does not hold it.
// params:  version_id STRING
// returns: session_id STRING, channel STRING, started_at_ms INT64, user_id STRING?
MATCH (s:Session)-[:EXPRESSED]->(:Intent)-[:SUPPORTS]->(v:PersonaVersion {id: $version_id})
WITH DISTINCT s, v
OPTIONAL MATCH (u:User)-[:HAD]->(s)
OPTIONAL MATCH (u)-[h:HOLDS]->(v)
WHERE h.valid_to_ms IS NULL
RETURN s.id AS session_id, s.channel AS channel, s.started_at_ms AS started_at_ms,
       CASE WHEN h IS NULL THEN null ELSE u.id END AS user_id
ORDER BY session_id
