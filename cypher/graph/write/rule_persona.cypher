// Write a batch of personas by rule, new or changed.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MERGE (n:RulePersona {id: row.id})
SET n.name = row.name,
    n.kind = row.kind,
    n.definition = row.definition,
    n.people = row.people,
    n.population = row.population,
    n.run_id = row.run_id
