// Write a batch of edges: who meets which rule.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MATCH (a:User {id: row.start})
MATCH (b:RulePersona {id: row.end})
MERGE (a)-[e:MEETS]->(b)
SET e.intents = row.intents,
    e.run_id = row.run_id
