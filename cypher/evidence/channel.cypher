// A holder's first intent in the channel.
// params:  asked LIST<MAP>
// returns: claim_id STRING, user_id STRING, labels LIST<STRING>, nodes LIST<STRING>
UNWIND $asked AS a
MATCH (u:User {id: a.user_id})
MATCH (u)-[h:HOLDS]->(v:PersonaVersion {id: a.version})
WHERE h.valid_to_ms IS NULL
MATCH (u)-[:HAD]->(s:Session)-[:EXPRESSED]->(i:Intent)
WITH a, u, v, s, i
WHERE i.channel = a.subject AND i.kept_out IS NULL
WITH a, u, [v.id, u.id, s.id, i.id] AS path, i.started_at_ms AS sooner
ORDER BY a.claim_id, a.user_id, sooner, path
WITH a.claim_id AS claim_id, a.user_id AS user_id, collect(path) AS paths
RETURN claim_id, user_id,
       ['PersonaVersion', 'User', 'Session', 'Intent'] AS labels,
       head(paths) AS nodes
ORDER BY claim_id, user_id
