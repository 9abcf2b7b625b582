// Write a batch of edges: which persona versions a claim cites, by path and position.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MATCH (a:Claim {id: row.start})
MATCH (b:PersonaVersion {id: row.end})
MERGE (a)-[e:CITES {path: row.path, position: row.position}]->(b)
SET e.run_id = row.run_id
