// The categories of a persona's subgraph: those of its items, and all that these lie in.
// params:  version_id STRING
// returns: category_id STRING, name STRING, level INT64, inside STRING?
MATCH (x:Item)<-[:ABOUT]-(:Intent)-[:SUPPORTS]->(:PersonaVersion {id: $version_id})
WITH DISTINCT x
MATCH (x)-[:IN]->(:Category)-[:IN*0..10]->(c:Category)
WITH DISTINCT c
OPTIONAL MATCH (c)-[:IN]->(above:Category)
RETURN c.id AS category_id, c.name AS name, c.level AS level, above.id AS inside
ORDER BY category_id, inside
