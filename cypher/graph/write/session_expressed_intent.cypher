// Write a batch of edges: what was wanted in a session.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MATCH (a:Session {id: row.start})
MATCH (b:Intent {id: row.end})
MERGE (b)<-[e:EXPRESSED]-(a)
SET e.run_id = row.run_id
