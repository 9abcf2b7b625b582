// Write a batch of personas, new or changed.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MERGE (n:Persona {id: row.id})
SET n.current = row.current,
    n.run_id = row.run_id
