// A holder's first intent that reaches the goal.
// params:  asked LIST<MAP>
// returns: claim_id STRING, user_id STRING, labels LIST<STRING>, nodes LIST<STRING>
UNWIND $asked AS a
MATCH (u:User {id: a.user_id})
MATCH (u)-[h:HOLDS]->(v:PersonaVersion {id: a.version})
WHERE h.valid_to_ms IS NULL
MATCH (u)-[:HAD]->(s:Session)-[:EXPRESSED]->(i:Intent)
MATCH (i)-[:REACHED]->(g:Goal {id: a.subject})
WITH a, u, [v.id, u.id, s.id, i.id, g.id] AS path, i.started_at_ms AS sooner
ORDER BY a.claim_id, a.user_id, sooner, path
WITH a.claim_id AS claim_id, a.user_id AS user_id, collect(path) AS paths
RETURN claim_id, user_id,
       ['PersonaVersion', 'User', 'Session', 'Intent', 'Goal'] AS labels,
       head(paths) AS nodes
ORDER BY claim_id, user_id
