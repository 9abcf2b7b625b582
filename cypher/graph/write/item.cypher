// Write a batch of items, new or changed.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MERGE (n:Item {id: row.id})
SET n.title = row.title,
    n.price = row.price,
    n.run_id = row.run_id
