// Write a batch of edges: what is bought together.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MATCH (a:Item {id: row.start})
MATCH (b:Item {id: row.end})
MERGE (a)-[e:BOUGHT_WITH]->(b)
SET e.count = row.count,
    e.lift = row.lift,
    e.run_id = row.run_id
