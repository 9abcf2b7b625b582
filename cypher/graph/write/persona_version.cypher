// Write a batch of persona versions, new or changed.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MERGE (n:PersonaVersion {id: row.id})
SET n.persona_id = row.persona_id,
    n.number = row.number,
    n.name = row.name,
    n.summary = row.summary,
    n.sentences = row.sentences,
    n.author = row.author,
    n.coverage = row.coverage,
    n.stability = row.stability,
    n.intents = row.intents,
    n.people = row.people,
    n.population = row.population,
    n.share = row.share,
    n.share_low = row.share_low,
    n.share_high = row.share_high,
    n.kept_by = row.kept_by,
    n.kept_because = row.kept_because,
    n.run_id = row.run_id
