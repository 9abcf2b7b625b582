// How many nodes of each label the subgraph of a persona version has.
// One of which there is none is left out.
// params:  version_id STRING
// returns: label STRING, nodes INT64
MATCH (x:Item)<-[:ABOUT]-(:Intent)-[:SUPPORTS]->(:PersonaVersion {id: $version_id})
WITH DISTINCT x
MATCH (x)-[:IN]->(:Category)-[:IN*0..10]->(c:Category)
RETURN 'Category' AS label, count(DISTINCT c) AS nodes
UNION ALL
MATCH (i:Intent)-[:SUPPORTS]->(:PersonaVersion {id: $version_id})
RETURN 'Intent' AS label, count(DISTINCT i) AS nodes
UNION ALL
MATCH (x:Item)<-[:ABOUT]-(:Intent)-[:SUPPORTS]->(:PersonaVersion {id: $version_id})
RETURN 'Item' AS label, count(DISTINCT x) AS nodes
UNION ALL
MATCH (v:PersonaVersion {id: $version_id})
RETURN 'PersonaVersion' AS label, count(v) AS nodes
UNION ALL
MATCH (s:Session)-[:EXPRESSED]->(:Intent)-[:SUPPORTS]->(:PersonaVersion {id: $version_id})
RETURN 'Session' AS label, count(DISTINCT s) AS nodes
UNION ALL
MATCH (u:User)-[h:HOLDS]->(:PersonaVersion {id: $version_id})
WHERE h.valid_to_ms IS NULL
RETURN 'User' AS label, count(DISTINCT u) AS nodes
