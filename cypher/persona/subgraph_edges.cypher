// How many edges of each kind lie between the nodes of the subgraph of a persona version.
// One of which there is none is left out.
// params:  version_id STRING
// returns: start STRING, type STRING, end STRING, edges INT64
MATCH (x:Item)<-[:ABOUT]-(:Intent)-[:SUPPORTS]->(:PersonaVersion {id: $version_id})
WITH DISTINCT x
MATCH (x)-[:IN]->(:Category)-[:IN*0..10]->(c:Category)
WITH DISTINCT c
MATCH (c)-[e:IN]->(:Category)
RETURN 'Category' AS start, 'IN' AS type, 'Category' AS end, count(e) AS edges
UNION ALL
MATCH (:Item)<-[e:ABOUT]-(:Intent)-[:SUPPORTS]->(:PersonaVersion {id: $version_id})
RETURN 'Intent' AS start, 'ABOUT' AS type, 'Item' AS end, count(e) AS edges
UNION ALL
MATCH (:Intent)-[e:SUPPORTS]->(:PersonaVersion {id: $version_id})
RETURN 'Intent' AS start, 'SUPPORTS' AS type, 'PersonaVersion' AS end, count(e) AS edges
UNION ALL
MATCH (x:Item)<-[:ABOUT]-(:Intent)-[:SUPPORTS]->(:PersonaVersion {id: $version_id})
WITH DISTINCT x
MATCH (x)-[e:IN]->(:Category)
RETURN 'Item' AS start, 'IN' AS type, 'Category' AS end, count(e) AS edges
UNION ALL
MATCH (:Session)-[e:EXPRESSED]->(:Intent)-[:SUPPORTS]->(:PersonaVersion {id: $version_id})
RETURN 'Session' AS start, 'EXPRESSED' AS type, 'Intent' AS end, count(e) AS edges
UNION ALL
MATCH (s:Session)-[:EXPRESSED]->(:Intent)-[:SUPPORTS]->(:PersonaVersion {id: $version_id})
WITH DISTINCT s
MATCH (s)-[:NEXT]->(:Session)-[:EXPRESSED]->(:Intent)-[:SUPPORTS]->(v:PersonaVersion)
WHERE v.id = $version_id
RETURN 'Session' AS start, 'NEXT' AS type, 'Session' AS end, count(DISTINCT s) AS edges
UNION ALL
MATCH (u:User)-[h:HOLDS]->(:PersonaVersion {id: $version_id})
WHERE h.valid_to_ms IS NULL
WITH DISTINCT u
MATCH (u)-[:HAD]->(s:Session)-[:EXPRESSED]->(:Intent)-[:SUPPORTS]->(v:PersonaVersion)
WHERE v.id = $version_id
RETURN 'User' AS start, 'HAD' AS type, 'Session' AS end, count(DISTINCT s) AS edges
UNION ALL
MATCH (:User)-[h:HOLDS]->(:PersonaVersion {id: $version_id})
WHERE h.valid_to_ms IS NULL
RETURN 'User' AS start, 'HOLDS' AS type, 'PersonaVersion' AS end, count(h) AS edges
