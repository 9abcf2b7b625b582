// How many holders of a persona version, and how many others, have more than half of their
// intents in a part of the day, of those whose hour is known, by the clock of the workspace.
// Per stratum of activity (0: the least active, to 8).
// params:  half STRING, subjects LIST<STRING>, pairs LIST<MAP>
// returns: version STRING, subject STRING, activity INT64, n1 INT64, k1 INT64,
//          n0 INT64, k0 INT64
MATCH (u:User {half: $half})-[:HAD]->(:Session)-[:EXPRESSED]->(i:Intent)
WITH u, CASE WHEN i.kept_out IS NOT NULL OR i.hour IS NULL THEN NULL WHEN i.hour < 6 THEN 'night'
             WHEN i.hour < 12 THEN 'morning' WHEN i.hour < 18 THEN 'afternoon' ELSE 'evening' END AS part
WITH u, part, count(*) AS intents
WITH u, sum(CASE WHEN part IS NULL THEN 0 ELSE intents END) AS every,
     collect({part: part, intents: intents}) AS parts
UNWIND parts AS one
WITH u, collect(CASE WHEN 2 * one.intents > every AND one.part IN $subjects
                THEN one.part END) AS did
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
