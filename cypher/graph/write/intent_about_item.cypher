// Write a batch of edges: which items an intent is about.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MATCH (a:Intent {id: row.start})
MATCH (b:Item {id: row.end})
MERGE (a)-[e:ABOUT]->(b)
SET e.count = row.count,
    e.value = row.value,
    e.run_id = row.run_id
