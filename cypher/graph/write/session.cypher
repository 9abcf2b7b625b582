// Write a batch of sessions, new or changed.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MERGE (n:Session {id: row.id})
SET n.channel = row.channel,
    n.number = row.number,
    n.started_at_ms = row.started_at_ms,
    n.ended_at_ms = row.ended_at_ms,
    n.event_count = row.event_count,
    n.value = row.value,
    n.run_id = row.run_id
