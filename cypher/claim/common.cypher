// How many hold a persona version (n1), and how many of them have an intent of a verb on a topic
// (k1); of both halves, since nobody is compared with anybody. A subject is `verb topic`.
// Per stratum of activity (0: the least active, to 8).
// params:  subjects LIST<STRING>, pairs LIST<MAP>
// returns: version STRING, subject STRING, activity INT64, n1 INT64, k1 INT64,
//          n0 INT64, k0 INT64
MATCH (u:User)-[:HAD]->(:Session)-[:EXPRESSED]->(i:Intent)
WITH u, CASE WHEN i.kept_out IS NULL THEN i.verb + ' ' + i.topic END AS subject
WITH u, collect(DISTINCT CASE WHEN subject IN $subjects THEN subject END) AS did
MATCH (u)-[h:HOLDS]->(v:PersonaVersion)
WHERE h.valid_to_ms IS NULL
WITH u.activity AS activity, did, v.id AS held
UNWIND $pairs AS pair
WITH activity, pair.subject AS subject, held, pair.version AS version,
     CASE WHEN pair.subject IN did THEN 1 ELSE 0 END AS does
WHERE version = held
RETURN version, subject, activity, count(*) AS n1, sum(does) AS k1, 0 AS n0, 0 AS k0
ORDER BY version, subject, activity
