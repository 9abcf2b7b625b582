// Write a batch of edges: which family personas are of.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MATCH (a:Persona {id: row.start})
MATCH (b:Family {id: row.end})
MERGE (a)-[e:PART_OF]->(b)
SET e.run_id = row.run_id
