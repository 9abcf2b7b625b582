// Write a batch of edges: which households users live in.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MATCH (a:User {id: row.start})
MATCH (b:Household {id: row.end})
MERGE (a)-[e:LIVES_IN]->(b)
SET e.since_ms = row.since_ms,
    e.run_id = row.run_id
