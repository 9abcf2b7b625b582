// One user in figures; nothing that names the person.
// params:  user_id STRING
// returns: user_id STRING, half STRING, first_seen_ms INT64?, last_seen_ms INT64?,
//          event_count INT64, identifier_count INT64, session_count INT64
MATCH (u:User {id: $user_id})
RETURN u.id AS user_id, u.half AS half, u.first_seen_ms AS first_seen_ms,
       u.last_seen_ms AS last_seen_ms, u.event_count AS event_count,
       COUNT { MATCH (:Identifier)-[:IDENTIFIES]->(u) } AS identifier_count,
       COUNT { MATCH (u)-[:HAD]->(:Session) } AS session_count
