// Write a batch of edges: whose sessions they are.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MATCH (a:User {id: row.start})
MATCH (b:Session {id: row.end})
MERGE (b)<-[e:HAD]-(a)
SET e.run_id = row.run_id
