// How many holders of a persona version, and how many others, hold each other version as well;
// subjects are the ids of those.
// Per stratum of activity (0: the least active, to 8), over everybody with an intent.
// params:  version_id STRING, subjects LIST<STRING>
// returns: subject STRING, activity INT64, n1 INT64, k1 INT64, n0 INT64, k0 INT64
MATCH (u:User)-[:HAD]->(:Session)-[:EXPRESSED]->(i:Intent)
WITH DISTINCT u
OPTIONAL MATCH (u)-[h:HOLDS]->(v:PersonaVersion)
WHERE h.valid_to_ms IS NULL
WITH u, collect(v.id) AS held
WITH u.activity AS activity, held,
     CASE WHEN $version_id IN held THEN 1 ELSE 0 END AS holds
UNWIND $subjects AS subject
WITH activity, subject, holds, CASE WHEN subject IN held THEN 1 ELSE 0 END AS does
RETURN subject, activity, sum(holds) AS n1, sum(holds * does) AS k1,
       sum(1 - holds) AS n0, sum((1 - holds) * does) AS k0
ORDER BY subject, activity
