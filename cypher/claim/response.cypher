// Of those who were sent a campaign: how many holders of a persona version, and how many others,
// responded to it; per stratum of activity.
// params:  half STRING, subjects LIST<STRING>, pairs LIST<MAP>
// returns: version STRING, subject STRING, activity INT64, n1 INT64, k1 INT64,
//          n0 INT64, k0 INT64
MATCH (u:User {half: $half})-[r:RECEIVED]->(c:Campaign)
WHERE r.arm <> 'control'
WITH u, collect(DISTINCT CASE WHEN c.id IN $subjects THEN c.id END) AS asked
WHERE size(asked) > 0 AND EXISTS { MATCH (u)-[:HAD]->(:Session)-[:EXPRESSED]->(:Intent) }
OPTIONAL MATCH (u)-[:HAD]->(:Session)-[:EXPRESSED]->(i:Intent)-[:RESPONDED_TO]->(c:Campaign)
WHERE i.kept_out IS NULL
WITH u, asked, collect(DISTINCT c.id) AS did
OPTIONAL MATCH (u)-[h:HOLDS]->(v:PersonaVersion)
WHERE h.valid_to_ms IS NULL
WITH u, asked, did, collect(v.id) AS held
WITH u.activity AS activity, asked, did, held
UNWIND $pairs AS pair
WITH activity, asked, did, held, pair
WHERE pair.subject IN asked
WITH activity, pair.version AS version, pair.subject AS subject,
     CASE WHEN pair.version IN held THEN 1 ELSE 0 END AS holds,
     CASE WHEN pair.subject IN did THEN 1 ELSE 0 END AS does
RETURN version, subject, activity, sum(holds) AS n1, sum(holds * does) AS k1,
       sum(1 - holds) AS n0, sum((1 - holds) * does) AS k0
ORDER BY version, subject, activity
