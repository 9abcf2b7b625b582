// Write a batch of personas; one without a current version keeps what it has.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MERGE (n:Persona {id: row.id})
SET n.current = coalesce(row.current, n.current),
    n.run_id = row.run_id
