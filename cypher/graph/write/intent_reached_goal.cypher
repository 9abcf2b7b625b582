// Write a batch of edges: which intents reach a goal.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MATCH (a:Intent {id: row.start})
MATCH (b:Goal {id: row.end})
MERGE (a)-[e:REACHED]->(b)
SET e.run_id = row.run_id
