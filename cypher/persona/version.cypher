// One version of a persona with its figures.
// params:  version_id STRING
// returns: persona_id STRING, version INT64, name STRING?, summary STRING?, people INT64,
//          population INT64, share FLOAT, share_low FLOAT, share_high FLOAT, stability FLOAT,
//          intents INT64, run_id STRING, sentences STRING?, author STRING?, coverage FLOAT?,
//          kept_by STRING?, kept_because STRING?
MATCH (v:PersonaVersion {id: $version_id})
RETURN v.persona_id AS persona_id, v.number AS version, v.name AS name, v.summary AS summary,
       v.people AS people, v.population AS population, v.share AS share,
       v.share_low AS share_low, v.share_high AS share_high, v.stability AS stability,
       v.intents AS intents, v.run_id AS run_id,
       v.sentences AS sentences, v.author AS author, v.coverage AS coverage,
       v.kept_by AS kept_by, v.kept_because AS kept_because
