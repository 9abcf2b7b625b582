// Every persona's version that is in force, with its figures, most people first.
// params:
// returns: persona_id STRING, version INT64, name STRING?, summary STRING?, people INT64,
//          population INT64, share FLOAT, share_low FLOAT, share_high FLOAT, stability FLOAT,
//          kept_by STRING?, kept_because STRING?
MATCH (p:Persona)
MATCH (v:PersonaVersion {id: p.current})
RETURN p.id AS persona_id, v.number AS version, v.name AS name, v.summary AS summary,
       v.people AS people, v.population AS population, v.share AS share,
       v.share_low AS share_low, v.share_high AS share_high, v.stability AS stability,
       v.kept_by AS kept_by, v.kept_because AS kept_because
ORDER BY people DESC, persona_id
