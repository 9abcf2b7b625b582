// The family of each persona in force that has one.
// params:
// returns: persona_id STRING, family_id STRING, name STRING, intents INT64, people INT64,
//          population INT64, share FLOAT, stability FLOAT
MATCH (p:Persona)-[:PART_OF]->(f:Family)
RETURN p.id AS persona_id, f.id AS family_id, f.name AS name, f.intents AS intents,
       f.people AS people, f.population AS population, f.share AS share,
       f.stability AS stability
ORDER BY family_id, persona_id
