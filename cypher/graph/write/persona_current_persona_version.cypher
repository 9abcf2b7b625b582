// Write a batch of edges: which version of a persona is in force.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MATCH (a:Persona {id: row.start})
MATCH (b:PersonaVersion {id: row.end})
MERGE (a)-[e:CURRENT]->(b)
SET e.run_id = row.run_id
