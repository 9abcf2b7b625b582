// Write a batch of families, new or changed.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MERGE (n:Family {id: row.id})
SET n.name = row.name,
    n.stability = row.stability,
    n.intents = row.intents,
    n.people = row.people,
    n.population = row.population,
    n.share = row.share,
    n.run_id = row.run_id
