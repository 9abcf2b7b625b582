// How many holders of a persona version, and how many others, have bought an item.
// Per stratum of activity (0: the least active, to 8).
// params:  half STRING, subjects LIST<STRING>, pairs LIST<MAP>
// returns: version STRING, subject STRING, activity INT64, n1 INT64, k1 INT64,
//          n0 INT64, k0 INT64
MATCH (u:User {half: $half})-[:HAD]->(:Session)-[:EXPRESSED]->(i:Intent)
OPTIONAL MATCH (i)-[:ABOUT]->(x:Item)
WHERE x.id IN $subjects
WITH u, collect(DISTINCT CASE WHEN i.verb = 'bought' AND i.kept_out IS NULL
                         THEN x.id END) AS did
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
