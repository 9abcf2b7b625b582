// How many people with an intent there are (n1), and how many of them hold a persona version (k1); of
// both halves, since nobody is compared with anybody. The subject is empty.
// Per stratum of activity (0: the least active, to 8).
// params:  pairs LIST<MAP>
// returns: version STRING, subject STRING, activity INT64, n1 INT64, k1 INT64,
//          n0 INT64, k0 INT64
MATCH (u:User)-[:HAD]->(:Session)-[:EXPRESSED]->(:Intent)
WITH DISTINCT u
OPTIONAL MATCH (u)-[h:HOLDS]->(v:PersonaVersion)
WHERE h.valid_to_ms IS NULL
WITH u, collect(v.id) AS held
WITH u.activity AS activity, held
UNWIND $pairs AS pair
WITH activity, pair.version AS version, pair.subject AS subject,
     CASE WHEN pair.version IN held THEN 1 ELSE 0 END AS holds
RETURN version, subject, activity, count(*) AS n1, sum(holds) AS k1, 0 AS n0, 0 AS k0
ORDER BY version, subject, activity
