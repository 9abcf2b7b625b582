// What a user wanted, newest first, and which persona version each intent speaks for.
// params:  user_id STRING, count INT64
// returns: intent_id STRING, session_id STRING, verb STRING, topic STRING,
//          started_at_ms INT64, persona_version STRING?
MATCH (u:User {id: $user_id})-[:HAD]->(s:Session)-[:EXPRESSED]->(i:Intent)
WITH s, i
ORDER BY i.started_at_ms DESC, i.id
LIMIT $count
OPTIONAL MATCH (i)-[:SUPPORTS]->(v:PersonaVersion)
RETURN i.id AS intent_id, s.id AS session_id, i.verb AS verb, i.topic AS topic,
       i.started_at_ms AS started_at_ms, v.id AS persona_version
ORDER BY started_at_ms DESC, intent_id, persona_version
