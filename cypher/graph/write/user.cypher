// Write a batch of users, new or changed.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MERGE (n:User {id: row.id})
SET n.half = row.half,
    n.activity = row.activity,
    n.first_seen_ms = row.first_seen_ms,
    n.last_seen_ms = row.last_seen_ms,
    n.event_count = row.event_count,
    n.run_id = row.run_id
