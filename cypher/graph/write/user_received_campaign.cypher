// Write a batch of edges: who received which campaign.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MATCH (a:User {id: row.start})
MATCH (b:Campaign {id: row.end})
MERGE (a)-[e:RECEIVED {at_ms: row.at_ms}]->(b)
SET e.arm = row.arm,
    e.run_id = row.run_id
