// Write a batch of edges: which goals a claim cites, by path and position.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MATCH (a:Claim {id: row.start})
MATCH (b:Goal {id: row.end})
MERGE (a)-[e:CITES {path: row.path, position: row.position}]->(b)
SET e.run_id = row.run_id
