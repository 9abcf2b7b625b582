// The latest sessions of a user, newest first.
// params:  user_id STRING, count INT64
// returns: session_id STRING, channel STRING, started_at_ms INT64, ended_at_ms INT64,
//          event_count INT64, value FLOAT?
MATCH (u:User {id: $user_id})-[:HAD]->(s:Session)
RETURN s.id AS session_id, s.channel AS channel, s.started_at_ms AS started_at_ms,
       s.ended_at_ms AS ended_at_ms, s.event_count AS event_count, s.value AS value
ORDER BY started_at_ms DESC, session_id
LIMIT $count
