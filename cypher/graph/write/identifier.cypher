// Write a batch of identifiers, new or changed.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MERGE (n:Identifier {id: row.id})
SET n.namespace = row.namespace,
    n.value = row.value,
    n.run_id = row.run_id
