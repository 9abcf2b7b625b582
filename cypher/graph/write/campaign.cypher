// Write a batch of campaigns, new or changed.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MERGE (n:Campaign {id: row.id})
SET n.title = row.title,
    n.starts_at_ms = row.starts_at_ms,
    n.ends_at_ms = row.ends_at_ms,
    n.run_id = row.run_id
