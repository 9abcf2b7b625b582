// Write a batch of edges: which persona versions users hold.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MATCH (a:User {id: row.start})
MATCH (b:PersonaVersion {id: row.end})
MERGE (a)-[e:HOLDS {valid_from_ms: row.valid_from_ms}]->(b)
SET e.weight = row.weight,
    e.low = row.low,
    e.high = row.high,
    e.intents = row.intents,
    e.valid_to_ms = row.valid_to_ms,
    e.run_id = row.run_id
