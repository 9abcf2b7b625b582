// Write a batch of accounts, new or changed.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MERGE (n:Account {id: row.id})
SET n.people = row.people,
    n.run_id = row.run_id
