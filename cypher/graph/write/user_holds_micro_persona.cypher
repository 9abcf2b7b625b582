// Write a batch of edges: who holds a micro-persona.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MATCH (a:User {id: row.start})
MATCH (b:MicroPersona {id: row.end})
MERGE (a)-[e:HOLDS]->(b)
SET e.run_id = row.run_id
