// Write a batch of edges: which persona micro-personas are parts of.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MATCH (a:MicroPersona {id: row.start})
MATCH (b:Persona {id: row.end})
MERGE (a)-[e:PART_OF]->(b)
SET e.run_id = row.run_id
