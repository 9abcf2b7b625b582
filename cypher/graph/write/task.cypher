// Write a batch of tasks, new or changed.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MERGE (n:Task {id: row.id})
SET n.horizon_days = row.horizon_days,
    n.run_id = row.run_id
