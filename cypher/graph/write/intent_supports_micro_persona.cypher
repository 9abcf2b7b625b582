// Write a batch of edges: which intents make up a micro-persona.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MATCH (a:Intent {id: row.start})
MATCH (b:MicroPersona {id: row.end})
MERGE (a)-[e:SUPPORTS]->(b)
SET e.run_id = row.run_id
