// Write a batch of traits, new or changed.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MERGE (n:Trait {id: row.id})
SET n.name = row.name,
    n.value = row.value,
    n.run_id = row.run_id
