// Write a batch of goals, new or changed.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MERGE (n:Goal {id: row.id})
SET n.definition = row.definition,
    n.before_ms = row.before_ms,
    n.run_id = row.run_id
