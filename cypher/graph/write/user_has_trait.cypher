// Write a batch of edges: which traits users have.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MATCH (a:User {id: row.start})
MATCH (b:Trait {id: row.end})
MERGE (a)-[e:HAS]->(b)
SET e.at_ms = row.at_ms,
    e.run_id = row.run_id
