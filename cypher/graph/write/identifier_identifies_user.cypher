// Write a batch of edges: which user an identifier names.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MATCH (a:Identifier {id: row.start})
MATCH (b:User {id: row.end})
MERGE (a)-[e:IDENTIFIES]->(b)
SET e.probability = row.probability,
    e.reason = row.reason,
    e.run_id = row.run_id
