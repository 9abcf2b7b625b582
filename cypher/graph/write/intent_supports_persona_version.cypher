// Write a batch of edges: which intents make up a persona version.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MATCH (a:Intent {id: row.start})
MATCH (b:PersonaVersion {id: row.end})
MERGE (a)-[e:SUPPORTS]->(b)
SET e.probability = row.probability,
    e.run_id = row.run_id
