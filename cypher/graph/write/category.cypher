// Write a batch of categories, new or changed.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MERGE (n:Category {id: row.id})
SET n.name = row.name,
    n.path = row.path,
    n.level = row.level,
    n.run_id = row.run_id
