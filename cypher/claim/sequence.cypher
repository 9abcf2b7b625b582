// How many holders of a persona version, and how many others, have an intent on a topic and one on
// another topic in the next session; a subject is `first > second`.
// Per stratum of activity (0: the least active, to 8).
// The topics of a session are made distinct before its next one is looked up: a store goes through
// all edges of the session for that, and a device of many people has tens of thousands in one.
// params:  half STRING, subjects LIST<STRING>, pairs LIST<MAP>,
//          topics LIST<STRING>
// returns: version STRING, subject STRING, activity INT64, n1 INT64, k1 INT64,
//          n0 INT64, k0 INT64
MATCH (u:User {half: $half})-[:HAD]->(:Session)-[:EXPRESSED]->(:Intent)
WITH DISTINCT u
OPTIONAL MATCH (u)-[:HAD]->(s:Session)-[:EXPRESSED]->(i:Intent)
WHERE i.topic IN $topics AND i.kept_out IS NULL
WITH DISTINCT u, s, i.topic AS first
OPTIONAL MATCH (s)-[:NEXT]->(:Session)-[:EXPRESSED]->(j:Intent)
WHERE j.topic IN $topics AND j.kept_out IS NULL
WITH u, first + ' > ' + j.topic AS subject
WITH u, collect(DISTINCT CASE WHEN subject IN $subjects THEN subject END) AS did
OPTIONAL MATCH (u)-[h:HOLDS]->(v:PersonaVersion)
WHERE h.valid_to_ms IS NULL
WITH u, did, collect(v.id) AS held
WITH u.activity AS activity, did, held
UNWIND $pairs AS pair
WITH activity, pair.version AS version, pair.subject AS subject,
     CASE WHEN pair.version IN held THEN 1 ELSE 0 END AS holds,
     CASE WHEN pair.subject IN did THEN 1 ELSE 0 END AS does
RETURN version, subject, activity, sum(holds) AS n1, sum(holds * does) AS k1,
       sum(1 - holds) AS n0, sum((1 - holds) * does) AS k0
ORDER BY version, subject, activity
