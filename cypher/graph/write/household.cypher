// Write a batch of households, new or changed.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MERGE (n:Household {id: row.id})
SET n.people = row.people,
    n.run_id = row.run_id
