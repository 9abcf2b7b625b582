// Write a batch of edges: which session follows which.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MATCH (a:Session {id: row.start})
MATCH (b:Session {id: row.end})
MERGE (a)-[e:NEXT]->(b)
SET e.run_id = row.run_id
