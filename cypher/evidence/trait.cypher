// A holder with the trait.
// params:  asked LIST<MAP>
// returns: claim_id STRING, user_id STRING, labels LIST<STRING>, nodes LIST<STRING>
UNWIND $asked AS a
MATCH (u:User {id: a.user_id})
MATCH (u)-[h:HOLDS]->(v:PersonaVersion {id: a.version})
WHERE h.valid_to_ms IS NULL
MATCH (u)-[:HAS]->(t:Trait {id: a.subject})
WITH a, u, [v.id, u.id, t.id] AS path, 0 AS sooner
ORDER BY a.claim_id, a.user_id, sooner, path
WITH a.claim_id AS claim_id, a.user_id AS user_id, collect(path) AS paths
RETURN claim_id, user_id,
       ['PersonaVersion', 'User', 'Trait'] AS labels,
       head(paths) AS nodes
ORDER BY claim_id, user_id
