// How many holders of a persona version, and how many others, have more than half of their
// intents at the weekend, or in the week, by the clock of the workspace.
// Per stratum of activity (0: the least active, to 8).
// params:  half STRING, subjects LIST<STRING>, pairs LIST<MAP>
// returns: version STRING, subject STRING, activity INT64, n1 INT64, k1 INT64,
//          n0 INT64, k0 INT64
MATCH (u:User {half: $half})-[:HAD]->(:Session)-[:EXPRESSED]->(i:Intent)
WITH u, CASE WHEN i.kept_out IS NOT NULL THEN NULL
             WHEN i.weekday IN [5, 6] THEN 'weekend' ELSE 'week' END AS days
WITH u, days, count(*) AS intents
WITH u, sum(CASE WHEN days IS NULL THEN 0 ELSE intents END) AS every,
     collect({days: days, intents: intents}) AS parts
UNWIND parts AS one
WITH u, collect(CASE WHEN 2 * one.intents > every AND one.days IN $subjects
                THEN one.days END) AS did
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
