// The micro-personas of every persona, those of most people first.
// params:
// returns: persona_id STRING, micro_persona_id STRING, name STRING, intents INT64, people INT64,
//          population INT64, share FLOAT, stability FLOAT
MATCH (m:MicroPersona)-[:PART_OF]->(p:Persona)
RETURN p.id AS persona_id, m.id AS micro_persona_id, m.name AS name, m.intents AS intents,
       m.people AS people, m.population AS population, m.share AS share,
       m.stability AS stability
ORDER BY persona_id, people DESC, micro_persona_id
