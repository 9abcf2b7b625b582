// Write a batch of edges: which accounts users act for.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MATCH (a:User {id: row.start})
MATCH (b:Account {id: row.end})
MERGE (a)-[e:MEMBER_OF]->(b)
SET e.role = row.role,
    e.since_ms = row.since_ms,
    e.run_id = row.run_id
