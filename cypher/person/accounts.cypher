// The accounts a user acts for, and how many people each has; longest known first.
// params:  user_id STRING
// returns: account_id STRING, role STRING, since_ms INT64, people INT64
MATCH (u:User {id: $user_id})-[m:MEMBER_OF]->(a:Account)
RETURN a.id AS account_id, m.role AS role, m.since_ms AS since_ms, a.people AS people
ORDER BY since_ms, account_id
