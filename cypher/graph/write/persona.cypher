// Write a batch of personas; null keeps the current version, the empty text takes it away.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MERGE (n:Persona {id: row.id})
SET n.current = CASE WHEN row.current = '' THEN null
                     ELSE coalesce(row.current, n.current) END,
    n.run_id = row.run_id
