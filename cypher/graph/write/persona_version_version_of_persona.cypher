// Write a batch of edges: which persona a version belongs to.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MATCH (a:PersonaVersion {id: row.start})
MATCH (b:Persona {id: row.end})
MERGE (a)-[e:VERSION_OF]->(b)
SET e.run_id = row.run_id
