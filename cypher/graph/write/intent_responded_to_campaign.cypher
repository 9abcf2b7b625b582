// Write a batch of edges: which campaign an intent answers.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MATCH (a:Intent {id: row.start})
MATCH (b:Campaign {id: row.end})
MERGE (a)-[e:RESPONDED_TO]->(b)
SET e.run_id = row.run_id
