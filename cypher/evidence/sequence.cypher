// A holder's first intent on the one topic, and one on the other in the next session. The step to
// the next session is made once for each session, not for each of its intents (may be very many).
// params:  asked LIST<MAP>
// returns: claim_id STRING, user_id STRING, labels LIST<STRING>, nodes LIST<STRING>
UNWIND $asked AS a
MATCH (u:User {id: a.user_id})
MATCH (u)-[h:HOLDS]->(v:PersonaVersion {id: a.version})
WHERE h.valid_to_ms IS NULL
MATCH (u)-[:HAD]->(s:Session)-[:EXPRESSED]->(i:Intent)
WITH a, u, v, s, i
WHERE i.topic = a.first AND i.kept_out IS NULL
WITH a, u, v, s, i
ORDER BY i.started_at_ms, i.id
WITH a, u, v, s, head(collect(i)) AS i
MATCH (s)-[:NEXT]->(t:Session)-[:EXPRESSED]->(j:Intent)
WITH a, u, v, s, i, t, j
WHERE j.topic = a.second AND j.kept_out IS NULL
WITH a, u, [v.id, u.id, s.id, i.id, t.id, j.id] AS path, i.started_at_ms AS sooner
ORDER BY a.claim_id, a.user_id, sooner, path
WITH a.claim_id AS claim_id, a.user_id AS user_id, collect(path) AS paths
RETURN claim_id, user_id,
       ['PersonaVersion', 'User', 'Session', 'Intent', 'Session', 'Intent'] AS labels,
       head(paths) AS nodes
ORDER BY claim_id, user_id
