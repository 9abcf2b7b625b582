// The persona versions as the graph states them, with the version of their persona that is in force,
// to compare with the lake.
// params:
// returns: id STRING, current STRING?, persona_id STRING, number INT64, name STRING?,
//          summary STRING?, sentences STRING?, author STRING?, coverage FLOAT?, stability FLOAT,
//          intents INT64, people INT64, population INT64, share FLOAT, share_low FLOAT,
//          share_high FLOAT, kept_by STRING?, kept_because STRING?
MATCH (v:PersonaVersion)
OPTIONAL MATCH (v)-[:VERSION_OF]->(p:Persona)
RETURN v.id AS id, p.current AS current, v.persona_id AS persona_id, v.number AS number,
       v.name AS name, v.summary AS summary, v.sentences AS sentences, v.author AS author,
       v.coverage AS coverage, v.stability AS stability, v.intents AS intents,
       v.people AS people, v.population AS population, v.share AS share,
       v.share_low AS share_low, v.share_high AS share_high, v.kept_by AS kept_by,
       v.kept_because AS kept_because
ORDER BY id
