// Of those first seen early enough to have reached it: how many holders of a persona version, and
// how many others, have an intent that reaches a goal.
// Per stratum of activity (0: the least active, to 4).
// params:  half STRING, subjects LIST<STRING>, pairs LIST<MAP>
// returns: version STRING, subject STRING, activity INT64, n1 INT64, k1 INT64,
//          n0 INT64, k0 INT64
MATCH (g:Goal)
WHERE g.id IN $subjects
WITH collect({id: g.id, before_ms: g.before_ms}) AS goals
MATCH (u:User {half: $half})-[:HAD]->(:Session)-[:EXPRESSED]->(i:Intent)
WITH goals, u, min(i.started_at_ms) AS first_ms
WITH u, [goal IN goals WHERE first_ms <= goal.before_ms | goal.id] AS asked
OPTIONAL MATCH (u)-[:HAD]->(:Session)-[:EXPRESSED]->(:Intent)-[:REACHED]->(g:Goal)
WITH u, asked, collect(DISTINCT g.id) AS did
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
