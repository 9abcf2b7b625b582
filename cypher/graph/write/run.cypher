// Write a batch of runs, new or changed.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MERGE (n:Run {id: row.id})
SET n.step = row.step,
    n.run_id = row.run_id
