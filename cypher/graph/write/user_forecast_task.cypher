// Write a batch of edges: what is forecast for users.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MATCH (a:User {id: row.start})
MATCH (b:Task {id: row.end})
MERGE (a)-[e:FORECAST {as_of_ms: row.as_of_ms}]->(b)
SET e.probability = row.probability,
    e.low = row.low,
    e.high = row.high,
    e.run_id = row.run_id
