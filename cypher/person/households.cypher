// Who lives with a user: the other people of each of their households.
// params:  user_id STRING
// returns: household_id STRING, since_ms INT64, people INT64, with_user_id STRING
MATCH (u:User {id: $user_id})-[l:LIVES_IN]->(h:Household)<-[:LIVES_IN]-(other:User)
WHERE other.id <> $user_id
RETURN h.id AS household_id, l.since_ms AS since_ms, h.people AS people,
       other.id AS with_user_id
ORDER BY since_ms, household_id, with_user_id
