// Write a batch of edges: what a persona version states.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MATCH (a:PersonaVersion {id: row.start})
MATCH (b:Claim {id: row.end})
MERGE (b)<-[e:STATES]-(a)
SET e.run_id = row.run_id
