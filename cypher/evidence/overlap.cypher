// A holder who holds the other version as well.
// params:  asked LIST<MAP>
// returns: claim_id STRING, user_id STRING, labels LIST<STRING>, nodes LIST<STRING>
UNWIND $asked AS a
MATCH (u:User {id: a.user_id})
MATCH (u)-[h:HOLDS]->(v:PersonaVersion {id: a.version})
WHERE h.valid_to_ms IS NULL
MATCH (u)-[g:HOLDS]->(w:PersonaVersion {id: a.subject})
WHERE g.valid_to_ms IS NULL
WITH a, u, [v.id, u.id, w.id] AS path, 0 AS sooner
ORDER BY a.claim_id, a.user_id, sooner, path
WITH a.claim_id AS claim_id, a.user_id AS user_id, collect(path) AS paths
RETURN claim_id, user_id,
       ['PersonaVersion', 'User', 'PersonaVersion'] AS labels,
       head(paths) AS nodes
ORDER BY claim_id, user_id
